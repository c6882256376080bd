"""Where a command finds the desk and its packs, from options and the environment.

What is there is opened by `opening`, which a command that needs no desk does not import.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sync.home import Home

HOME_VARIABLE = "KELDIM_HOME"
PACKS_VARIABLE = "KELDIM_PACKS"

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
"""The option of every command that a machine may read."""

Folder = Annotated[Path, typer.Option("--dir", envvar="KELDIM_FUND", help="The fund's directory.")]
"""The option of every command of the fund's side."""


@dataclass(frozen=True, slots=True)
class Place:
    """home: of the desk. packs: folder of model packs."""

    home: Home
    packs: Path


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
