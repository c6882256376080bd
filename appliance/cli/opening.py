"""Opens the desk a command works on, and keeps its log while it is open.

Where the desk is was found by `place`; what it is made of is `appliance.composition`'s.
"""

import contextlib
from collections.abc import Iterator

import typer

from appliance import logs
from appliance.cli.place import place
from appliance.composition import OpenDesk, SeeingDesk, open_desk, open_eyes
from sync.clock import SystemClock


@contextlib.contextmanager
def working_desk(context: typer.Context) -> Iterator[OpenDesk]:
    """The desk's records; the log file is written while it is open."""
    home = place(context).home
    with open_desk(home, SystemClock()) as desk:
        logs.start(home.log / "desk.log", desk.config.log.level)
        try:
            yield desk
        finally:
            logs.stop()


@contextlib.contextmanager
def seeing_desk(context: typer.Context) -> Iterator[SeeingDesk]:
    """The desk with its pack and gallery."""
    with working_desk(context) as desk:
        yield open_eyes(desk, place(context).packs)
