"""How the command speaks: tables for people, JSON for machines, one line with a remedy for a known failure.

Exit codes: 0 done; 4 the answer is no (not recognised, chain broken, a check failed); 2 wrong usage;
3 a known failure; 130 interrupted. A bug shows its stack trace and exits 1, so that a supervisor restarts.
"""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sync.errors import KnownFailure

PIPE_WIDTH = 150
"""Columns where the output is no terminal: wide enough that tables stay one line a row."""

OUT = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
ERR = Console(stderr=True, soft_wrap=True, highlight=False)

EXIT_NO = 4
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


_CONTROLS: Final = {sign: "\ufffd" for sign in (*range(0x20), *range(0x7F, 0xA0)) if chr(sign) not in "\n\t"}
"""Begin what a terminal obeys: the title, the colours, an empty screen (ECMA-48, C0 and C1)."""


def _plain(text: str) -> str:
    """Text as text: neither rich's markup nor a command to the terminal is read from it; some of it desks chose."""
    return escape(text.translate(_CONTROLS))


def say(text: str) -> None:
    """One line for a person."""
    OUT.print(_plain(text))


def prompt(text: str, *, aside: bool) -> None:
    """A part of a question, as it is. aside: on the error stream, where the output is for a machine."""
    (ERR if aside else OUT).print(_plain(text), end="")


def warn(text: str) -> None:
    """One line on the error stream."""
    ERR.print(_plain(text), style="yellow")


def dump(value: object) -> None:
    """One JSON document on the output stream, non-ASCII as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; cells are shown as text."""
    drawn = Table(title=title or None, title_justify="left")
    for column in columns:
        drawn.add_column(_plain(column))
    for row in rows:
        drawn.add_row(*(_plain(str(cell)) for cell in row))
    OUT.print(drawn)


def tell_failure(failure: KnownFailure) -> None:
    """The code, what happened, and what to do."""
    ERR.print(f"[bold red]{failure.code}[/] {_plain(str(failure))}")
    if failure.remedy:
        ERR.print(f"  {_plain(failure.remedy)}")


def run(command: Callable[[], object]) -> int:
    """Run a command; known failures become one message and their exit code."""
    try:
        command()
    except KnownFailure as failure:
        tell_failure(failure)
        return failure.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0
