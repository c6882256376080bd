"""Runs `keldim` inside this process, as its main function does, and keeps what it printed."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from appliance.cli.app import app
from appliance.cli.output import run
from sync.errors import KnownFailure


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> "dict[str, object]":
        """The one document on the output stream."""
        document: dict[str, object] = json.loads(self.out)
        return document

    @property
    def rows(self) -> "list[dict[str, object]]":
        """The one list on the output stream."""
        rows: list[dict[str, object]] = json.loads(self.out)
        return rows

    def failed_with(self, failure: type[KnownFailure]) -> None:
        """One message with code and remedy on the error stream, nothing else anywhere."""
        assert self.code == failure.exit_code, self.err
        assert failure.code in self.err
        assert failure.remedy in self.err
        assert "Traceback" not in self.err
        assert len(self.err.strip().splitlines()) == 2
        assert self.out == ""


def keldim(*arguments: object, piped: str = "") -> Outcome:
    """One command, with nobody at the keyboard; piped: its standard input. A bug goes up as the exception it is."""
    out, err, hook, keyboard = io.StringIO(), io.StringIO(), sys.excepthook, sys.stdin
    sys.stdin = io.StringIO(piped)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run(lambda: app(args=[str(argument) for argument in arguments], prog_name="keldim"))
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            sys.excepthook, sys.stdin = hook, keyboard
    return Outcome(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Clinic:
    """A fund and a desk in a folder. Called, it runs a command of the desk."""

    root: Path
    packs: Path

    @property
    def home(self) -> Path:
        """The desk's."""
        return self.root / "desk"

    @property
    def fund(self) -> Path:
        """The fund's."""
        return self.root / "fund"

    def __call__(self, *arguments: object) -> Outcome:
        """A command of the desk."""
        return keldim("--home", self.home, "--packs", self.packs, *arguments)
