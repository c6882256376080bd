"""The desk beside the window: its own thread, which opens the records and works before the camera until it is stopped.

A known failure at opening closes the desk on the screen and is tried again; a bug ends the thread, and with it the
program, so that its supervisor starts it anew. What a snapshot looks like is the window's.
"""

import gc
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.errors import PackChanged
from appliance.core.ports import FrameSource
from appliance.core.session import State
from appliance.core.snapshot import Intent, Snapshot
from appliance.core.types import Instant
from kiosk_ui.kiosk import Shown
from kiosk_ui.receipt_qr import code_text
from sync.clock import Clock
from sync.errors import KnownFailure

_LOG = logging.getLogger(__name__)

_Read = TypeVar("_Read")

AGAIN_S = 5.0
"""How soon a desk that could not be opened is tried again."""

BACKLOG_S = 2.0
"""How often the screen asks whether events wait: one query of microseconds."""

OFFLINE_S = 60.0
"""A backlog older than this means that the fund cannot be reached: delivery itself takes a second."""


class Opening(Protocol):
    """How the desk and its camera are opened, on the desk's own thread."""

    def eyes(self) -> AbstractContextManager[SeeingDesk]:
        """The desk with its pack. Raises KnownFailure."""

    def source(self, desk: OpenDesk) -> AbstractContextManager[FrameSource]:
        """Where frames come from. Raises KnownFailure."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Why the desk's thread is over: a bug, or None when the source ended or the window told it to stop."""

    bug: BaseException | None


class DeskThread:
    """Runs the desk. `submit` may be called from any thread; publish and ended are called on the desk's."""

    def __init__(
        self,
        opening: Opening,
        clock: Clock,
        publish: Callable[[Shown], None],
        ended: Callable[[Ended], None],
        tell: Callable[[OpenDesk], None],
    ) -> None:
        """tell: gets the desk once it is open, for what the window shows beside the visit."""
        self._opening, self._clock = opening, clock
        self._publish, self._ended, self._tell = publish, ended, tell
        self._stop = threading.Event()
        self._intents: deque[Intent] = deque()
        self._receipts: dict[str, str] = {}
        self._asked = float("-inf")
        self._offline = False
        self._resumed = False
        self._thread = threading.Thread(target=self._run, name="desk")

    def start(self) -> None:
        """Open the desk and work."""
        self._thread.start()

    def stop(self, seconds: float = 20.0) -> bool:
        """End after the frame in hand; tells whether the thread has ended within this time."""
        self._stop.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def submit(self, intent: Intent) -> None:
        """What somebody said on the screen."""
        self._intents.append(intent)

    def _run(self) -> None:
        bug: BaseException | None = None
        try:
            self._serve()
        except BaseException as error:
            bug = error
            raise
        finally:
            self._ended(Ended(bug))

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
            except PackChanged as change:
                _LOG.info("the desk opens anew: %s", change)
            except KnownFailure as failure:
                _LOG.error("the desk cannot be opened: %s %s", failure.code, failure)
                closed = Snapshot(Instant(self._clock.monotonic()), State.OUT_OF_SERVICE, failure=failure.code)
                self._publish(Shown(closed))
                self._stop.wait(AGAIN_S)
            else:
                return

    def _work(self) -> None:
        with self._opening.eyes() as first, self._opening.source(first.desk) as source:
            self._tell(first.desk)
            eyes = first
            try:
                while True:
                    try:
                        self._before(eyes, source)
                    except PackChanged as change:
                        if eyes.again is None:
                            raise
                        _LOG.info("the desk takes another pack: %s", change)
                        eyes.close()  # first: nobody would erase from its gallery, and two need twice the memory
                        eyes = eyes.again()
                    else:
                        return
            finally:
                eyes.close()

    def _before(self, eyes: SeeingDesk, source: FrameSource) -> None:
        """Work with these packs before this camera."""
        station = eyes.station(
            source.name,
            lambda snapshot: self._publish(self._shown(eyes.desk, snapshot)),
            Instant(self._clock.monotonic()),
        )
        if not self._resumed:  # packs change while nobody is there: that receipt was seen, and is not the next one's
            station.resume(Instant(self._clock.monotonic()))
            self._resumed = True
        _keep_what_is_open()

        def stopped() -> bool:
            while self._intents:
                station.submit(self._intents.popleft())
            return self._stop.is_set()

        station.run(source, stopped)

    def _shown(self, desk: OpenDesk, snapshot: Snapshot) -> Shown:
        now = self._clock.monotonic()
        if now - self._asked >= BACKLOG_S:
            self._asked = now
            self._offline = _beside(lambda: desk.backlog_age() > OFFLINE_S, self._offline)
        receipt = ""
        if snapshot.receipt:
            receipt = self._receipts.get(snapshot.receipt) or _beside(
                lambda: code_text(desk.ledger.token(snapshot.receipt) or ""), ""
            )
            self._receipts = {snapshot.receipt: receipt}
        elif self._receipts:
            self._receipts = {}
        return Shown(snapshot, receipt, self._offline)


def _keep_what_is_open() -> None:
    """What a desk has opened stays until another pack comes: the collector need not search it again and again.

    Measured: a twentieth of the whole window's processor time.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _beside(read: Callable[[], _Read], before: _Read) -> _Read:
    """What is shown beside the visit, or what stood there: no badge and no code is worth a visit that breaks off."""
    try:
        return read()
    except KnownFailure as failure:
        _LOG.warning("not shown beside the visit: %s", failure.code)
        return before
