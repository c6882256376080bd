"""Logging of one process: a size-capped file and the terminal, with personal data masked.

Called by composition roots only. Modules log through `logging.getLogger(__name__)` and pass ids; the
masking here is the net below that rule, not a licence to log names, numbers or vectors.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from appliance.core.errors import LogUnwritable
from appliance.core.types import Sensitive

MAX_BYTES = 5 * 1024 * 1024
"""A day at DEBUG with 600 visits stays below this; with the old files a clinic's week does."""

OLD_FILES = 5

_LAYOUT = "%(asctime)s %(levelname)-7s %(process)d %(name)s: %(message)s"

# An IIN as people write it, also inside longer digits. A digest or id in hex (16, 32 or 64 digits with a letter among
# them) may hold twelve digits in a row by chance and stays readable.
_DIGITS = re.compile(
    r"(?P<hex>(?<![0-9A-Za-z])(?=[0-9]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{16})(?![0-9A-Za-z]))"
    r"|\d{6}[ -]?\d{6}\d*"
)


def mask(text: str) -> str:
    """The text with each run of twelve or more digits (also 6 + 6 with a blank or hyphen) replaced by dots."""
    return _DIGITS.sub(lambda found: found["hex"] or "•" * 12, text)


def _safe(value: object) -> object:
    """An argument as it may be shown: sensitive values, bytes and arrays by their type only, digits masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Sensitive):
        return f"<{type(value).__name__} redacted>"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if hasattr(value, "__array_interface__"):
        return f"<array {getattr(value, 'shape', '')}>"
    if isinstance(value, tuple | list):
        return [_safe(item) for item in value]
    return value


class Redaction(logging.Filter):
    """Replaces what may not be shown in a record's message and arguments, before any handler formats them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mend the record in place; keeps every record."""
        record.msg = str(_safe(record.msg))
        if isinstance(record.args, Mapping):
            record.args = {key: _safe(value) for key, value in record.args.items()}
        elif record.args:
            record.args = tuple(_safe(value) for value in record.args)
        return True


class MaskingFormatter(logging.Formatter):
    """UTC, one line per record; digits masked in the finished text, traces included."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002  # stdlib's name
        """When the record was made, in UTC to the millisecond (RFC 3339)."""
        made = datetime.fromtimestamp(record.created, UTC)
        return made.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def format(self, record: logging.LogRecord) -> str:
        """The finished text of a record."""
        return mask(super().format(record))


class LogFile(RotatingFileHandler):
    """A log file that only its owner reads, and whose full disk never disturbs a visit."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # Unbuffered: what a full disk refused is dropped, not kept to fail again at the end.
        return TextIOWrapper(os.fdopen(descriptor, "ab", buffering=0), encoding="utf-8", write_through=True)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # stdlib's name
        """Drop the line when the disk does not take it; anything else is a bug and is shown as one."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def start(file: Path | None, level: str, console: str = "WARNING", stream: TextIO | None = None) -> None:
    """Set up this process's logging anew: file (if any) from `level`, terminal (stderr) from `console`.

    file: its folder is made; at MAX_BYTES it is rotated, OLD_FILES are kept. One file per process: two processes
    would rotate it under each other. Raises LogUnwritable.
    """
    handlers: list[logging.Handler] = []
    terminal = logging.StreamHandler(stream)
    terminal.setLevel(console)
    handlers.append(terminal)
    if file is not None:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            written = LogFile(file, maxBytes=MAX_BYTES, backupCount=OLD_FILES, encoding="utf-8")
        except OSError as error:
            raise LogUnwritable(f"the log file cannot be opened: {error.strerror}") from error
        written.setLevel(level)
        handlers.append(written)
    root = logging.getLogger()
    stop()
    for handler in handlers:
        handler.addFilter(Redaction())
        handler.setFormatter(MaskingFormatter(_LAYOUT))
        root.addHandler(handler)
    root.setLevel(min(handler.level for handler in handlers))
    logging.captureWarnings(capture=True)


def stop() -> None:
    """Close what `start` opened; harmless when nothing was."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h.formatter, MaskingFormatter)]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(capture=False)
