"""Opens the desk a command works on, and keeps its log while it is open.

Where the desk is was found by `place`; what it is made of is `appliance.composition`'s.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import typer

from appliance import logs
from appliance.cli.place import Place, place
from appliance.composition import OpenDesk, SeeingDesk, open_desk, open_eyes
from sync.clock import Clock, SystemClock


@contextlib.contextmanager
def desk_at(where: Place, clock: Clock) -> Iterator[OpenDesk]:
    """The desk's records; the log file is written while it is open."""
    with open_desk(where.home, clock) as desk:
        logs.start(where.home.log / "desk.log", desk.config.log.level)
        try:
            yield desk
        finally:
            logs.stop()


@contextlib.contextmanager
def eyes_at(where: Place, clock: Clock) -> Iterator[SeeingDesk]:
    """The desk with its pack and gallery."""
    with desk_at(where, clock) as desk:
        yield open_eyes(desk, where.packs)


def working_desk(context: typer.Context) -> AbstractContextManager[OpenDesk]:
    """The records of the desk that the root command found."""
    return desk_at(place(context), SystemClock())


def seeing_desk(context: typer.Context) -> AbstractContextManager[SeeingDesk]:
    """That desk with its pack and gallery."""
    return eyes_at(place(context), SystemClock())
