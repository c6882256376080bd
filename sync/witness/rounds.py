"""A witness's rounds: ask the fund how its log has grown, sign if it only grew, hand the cosignature in.

The decision is left to `book`, the network to `transport`. The witness asks and nobody reaches it: it
needs no open port, no certificate of its own, and works from any office.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from sync.clock import Clock, pause
from sync.errors import (
    DeviceRefused,
    EnvelopeInvalid,
    NotLogged,
    ProtocolViolation,
    RequestRefused,
    TransportFailure,
    WitnessRefuses,
)
from sync.log_checkpoint import Growth, parse_checkpoint, parse_growth
from sync.note import Note, NoteSigner
from sync.transport import LogTransport
from sync.witness.book import Book
from sync.witness.home import WitnessHome, WitnessSettings, load_witness
from sync.worker import single_flight

_log = logging.getLogger(__name__)

EVERY_S: Final = 5.0
"""As often as the fund signs."""


class LogDoor(Protocol):
    """The way to the fund's log; `transport.LogTransport` in production."""

    def get_growth(self, old: int) -> bytes:
        """The newest checkpoint as an extension. Raises NotLogged, TransportFailure, and as `Transport`."""

    def post_cosignature(self, body: bytes) -> bytes:
        """Hand in a cosignature. Raises as `get_growth`."""


class Witness:
    """One witness of one log."""

    def __init__(self, settings: WitnessSettings, signer: NoteSigner, book: Book, door: LogDoor, clock: Clock) -> None:
        self._settings = settings
        self._signer = signer
        self._book = book
        self._door = door
        self._clock = clock

    def round(self) -> int | None:
        """One round; the size of the log that was cosigned, None while the fund has no checkpoint.

        Raises WitnessRefuses, TransportFailure, RequestRefused, ProtocolViolation, EnvelopeInvalid, DatabaseFailure.
        """
        last = self._book.last(self._settings.log.log.name)
        growth = self._growth(last.checkpoint.size)
        if growth is None:
            return None
        time = int(self._clock.moment().wall.timestamp())
        line = self._book.add_checkpoint(growth, self._settings.log, self._signer, time)
        size = parse_checkpoint(Note.parse(growth.note).text).size
        self._door.post_cosignature(f"{size}\n{line}".encode())
        return size

    def _growth(self, old: int) -> Growth | None:
        try:
            return parse_growth(self._door.get_growth(old).decode("utf-8"))
        except NotLogged as none:
            if old:
                raise WitnessRefuses(f"the fund no longer has the {old} events that were signed here") from none
            return None
        except UnicodeDecodeError as error:
            raise ProtocolViolation("the answer is not text") from error


def serve(witness: Witness, clock: Clock, stopped: Callable[[], bool]) -> None:
    """Make rounds until stopped; what fails is logged and tried again. Raises DatabaseFailure."""
    while not stopped():
        try:
            witness.round()
        except WitnessRefuses as refusal:
            _log.critical("%s %s. %s", refusal.code, refusal, refusal.remedy)
        except (TransportFailure, DeviceRefused, RequestRefused, ProtocolViolation, EnvelopeInvalid) as failure:
            _log.warning("%s %s", failure.code, failure)
        pause(clock, EVERY_S, stopped)


@contextlib.contextmanager
def open_witness(home: WitnessHome, clock: Clock, stopped: Callable[[], bool] = lambda: False) -> Iterator[Witness]:
    """A witness ready for its rounds, alone in its directory.

    Raises SettingsInvalid, KeyUnusable, SyncRunning, DatabaseFailure.
    """
    settings = load_witness(home)
    signer = NoteSigner.load(home.key, settings.witness)
    with (
        single_flight(home.lock),
        contextlib.closing(Book.open(home.database)) as book,
        contextlib.closing(LogTransport(settings.fund, clock, stopped)) as door,
    ):
        yield Witness(settings, signer, book, door, clock)
