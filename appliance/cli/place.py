"""Where a command finds the desk and its packs, from options and the environment.

What is there is opened by `appliance.composition`.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from appliance import logs
from appliance.composition import OpenDesk, SeeingDesk, open_desk, open_eyes
from sync.clock import SystemClock
from sync.home import Home

HOME_VARIABLE = "KELDIM_HOME"
PACKS_VARIABLE = "KELDIM_PACKS"

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
"""The option of every command that a machine may read."""


@dataclass(frozen=True, slots=True)
class Place:
    """home: of the desk. packs: folder of model packs."""

    home: Home
    packs: Path

    @contextlib.contextmanager
    def desk(self) -> Iterator[OpenDesk]:
        """The desk's records; the log file is written while it is open."""
        with open_desk(self.home, SystemClock()) as desk:
            logs.start(self.home.log / "desk.log", desk.config.log.level)
            try:
                yield desk
            finally:
                logs.stop()

    @contextlib.contextmanager
    def seeing_desk(self) -> Iterator[SeeingDesk]:
        """The desk with its pack and gallery."""
        with self.desk() as desk:
            yield open_eyes(desk, self.packs)


def place_of(home: Path | None, packs: Path | None) -> Place:
    """Options first, then the environment, then the user's data folder."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "keldim"
    root = home or Path(os.environ.get(HOME_VARIABLE) or data)
    folder = packs or Path(os.environ.get(PACKS_VARIABLE) or root / "packs")
    return Place(Home(root), folder)


def place(context: typer.Context) -> Place:
    """The place the root command found."""
    found = context.find_object(Place)
    if found is None:
        raise RuntimeError("the root command has not run")
    return found
