"""Opens the desk a command works on, and keeps its log while it is open.

Where the desk is was found by `place`; what it is made of is `appliance.composition`'s.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

import typer

from appliance import logs
from appliance.cli.output import warn
from appliance.cli.place import Place, place
from appliance.composition import OpenDesk, SeeingDesk, open_desk, open_eyes
from appliance.texts import Advice, reception_text
from appliance.training import open_for_visits
from sync.clock import Clock, SystemClock


@contextlib.contextmanager
def desk_at(where: Place, clock: Clock) -> Iterator[OpenDesk]:
    """The desk's records; the log file is written while it is open."""
    with open_desk(where.home, clock) as desk, _logged(where, desk):
        yield desk


@contextlib.contextmanager
def eyes_at(where: Place, clock: Clock, *, training: bool = False, counted: bool = False) -> Iterator[SeeingDesk]:
    """The desk with its pack and gallery; or a copy to practise on, where that is asked for here or by the settings.

    counted: as `open_eyes`.
    """
    with open_for_visits(where.home, clock, training=training) as desk, _logged(where, desk):
        if desk.training:
            warn(reception_text(Advice.TRAINING, desk.config.desk.language))
        with contextlib.closing(open_eyes(desk, where.packs, counted=counted and not desk.training)) as eyes:
            yield eyes


@contextlib.contextmanager
def _logged(where: Place, desk: OpenDesk) -> Iterator[None]:
    logs.start(where.home.log / "desk.log", desk.config.log.level)
    try:
        yield
    finally:
        logs.stop()


def working_desk(context: typer.Context) -> AbstractContextManager[OpenDesk]:
    """The records of the desk that the root command found."""
    return desk_at(place(context), SystemClock())


def seeing_desk(
    context: typer.Context, *, training: bool = False, counted: bool = False
) -> AbstractContextManager[SeeingDesk]:
    """That desk with its pack and gallery, or a copy to practise on. counted: as `open_eyes`."""
    return eyes_at(place(context), SystemClock(), training=training, counted=counted)
