"""The only door to CUPS: which printers there are, and a document to one of them.

Receipts are drawn elsewhere. CUPS keeps what it was handed until it is printed (`PreserveJobFiles No` afterwards, too).
"""

import os
import shutil
import subprocess
from typing import Final

from appliance.core.errors import PrinterFailed

_TIMEOUT_S: Final = 20


def list_printers() -> tuple[str, ...]:
    """Names of the printers, the default one first; none where CUPS is not installed or does not answer."""
    command = shutil.which("lpstat")
    if command is None:
        return ()
    names = [line.strip() for line in _ask(command, "-e").splitlines() if line.strip()]
    default = _ask(command, "-d").rpartition(": ")[2].strip()
    return tuple(sorted(names, key=lambda name: name != default))


def print_text(printer: str, text: str) -> None:
    """Hand a page to CUPS. That it was taken does not mean that paper came out. Raises PrinterFailed."""
    print_document(printer, text.encode())


def print_document(printer: str, content: bytes) -> None:
    """Hand a document (PDF or text) to CUPS, through a pipe: no file is left behind. As `print_text`."""
    command = shutil.which("lp")
    if command is None:
        raise PrinterFailed("lp is not installed")
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments; the name is CUPS' own
            [command, "-d", printer, "-t", "Keldim", "--", "-"],
            input=content,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PrinterFailed(f"lp did not answer: {type(error).__name__}") from error
    if done.returncode != 0:
        raise PrinterFailed(f"lp ended with code {done.returncode}")


def _ask(*command: str) -> str:
    """What a question to CUPS answers; nothing when it cannot: then there is no printer to speak of."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
