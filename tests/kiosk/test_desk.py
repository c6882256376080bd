"""The desk's thread: it opens and works, comes back after a failure, ends with a bug, and stops when it is told to."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.errors import PackChanged, PackInvalid
from appliance.core.ports import FrameSource
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Instant
from kiosk_ui.desk import DeskThread, Ended, Opening
from kiosk_ui.kiosk import Shown
from kiosk_ui.samples import RECEIPT
from sync.errors import DatabaseBusy
from sync.receipt_text import write_receipt
from sync.signing import FileSigner
from tests.fakes.clock import ManualClock
from tests.fakes.receipts import Visits


class Station:
    """Publishes what it was given, then asks whether to stop until it is so, or a bug comes up."""

    def __init__(self, publish: Callable[[Snapshot], None], bug: Exception | None) -> None:
        self._publish, self.bug = publish, bug
        self.heard: list[Intent] = []
        self.resumed: Instant | None = None

    def submit(self, intent: Intent) -> None:
        """Keep it."""
        self.heard.append(intent)

    def resume(self, at: Instant) -> None:
        """Keep when it was asked for."""
        self.resumed = at

    def run(self, source: FrameSource, stop: Callable[[], bool]) -> None:
        """Show a receipt twice, then nothing."""
        for receipt in (RECEIPT, RECEIPT, ""):
            state = State.RECEIPT if receipt else State.IDLE
            self._publish(Snapshot(Instant(0.0), state, receipt=receipt))
        if self.bug is not None:
            raise self.bug
        waiting = threading.Event()
        while not stop():
            waiting.wait(0.01)
        source.close()


class Clinic:
    """Opens a desk that is none: its station is `Station`. failures: of the first openings. token: of its receipt."""

    def __init__(
        self, failures: int = 0, bug: Exception | None = None, waiting_s: float = 0.0, token: str = ""
    ) -> None:
        self.failures, self.bug, self.waiting_s, self.token = failures, bug, waiting_s, token
        self.asked: list[str] = []
        self.stations: list[Station] = []
        self.opened: list[SeeingDesk] = []
        self.again: Callable[[], SeeingDesk] | None = None
        self.closed = self.swapped = self.emptied = 0
        self.ready = threading.Event()

        self.ask_token: Callable[[str], str] = self._token
        self.ask_backlog: Callable[[], object] = lambda: self.waiting_s

    def _token(self, event: str) -> str:
        self.asked.append(event)
        return self.token

    def _empty(self) -> None:
        self.emptied += 1

    @contextlib.contextmanager
    def eyes(self) -> Iterator[SeeingDesk]:
        """The desk, closed afterwards."""
        if self.failures:
            self.failures -= 1
            raise PackInvalid("the pack was altered")

        def station(name: str, publish: Callable[[Snapshot], None], at: Instant) -> Station:
            del name, at
            self.stations.append(Station(publish, self.bug))
            self.ready.set()
            return self.stations[-1]

        desk = SimpleNamespace(ledger=SimpleNamespace(token=self.ask_token), backlog_age=self.ask_backlog)
        try:
            eyes = SimpleNamespace(desk=desk, station=station, again=self.again, close=self._empty)
            self.opened.append(cast("SeeingDesk", eyes))
            yield self.opened[-1]
        finally:
            self.closed += 1

    def source(self, desk: OpenDesk) -> contextlib.AbstractContextManager[FrameSource]:
        """No frames."""
        del desk
        return contextlib.nullcontext(cast("FrameSource", SimpleNamespace(name="none", close=lambda: None)))


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for another thread; one that never comes is a failure, not a test that hangs."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the desk's thread does not come to it"
        time.sleep(0.005)


class Screen:
    """What a window would get."""

    def __init__(self, clinic: Opening) -> None:
        self.shown: list[Shown] = []
        self.endings: list[Ended] = []
        self.told: list[OpenDesk] = []
        self.over = threading.Event()
        self.thread = DeskThread(clinic, ManualClock(), self.shown.append, self._end, self.told.append)

    def _end(self, how: Ended) -> None:
        self.endings.append(how)
        self.over.set()


def test_a_desk_works_until_it_is_stopped() -> None:
    """Intents reach the station, the records are closed on the thread, and nothing was wrong."""
    clinic = Clinic()
    screen = Screen(clinic)
    screen.thread.start()
    assert clinic.ready.wait(10)
    screen.thread.submit(Intent(IntentKind.HELP))
    until(lambda: bool(clinic.stations[0].heard))
    assert screen.thread.stop(10)
    assert [intent.kind for intent in clinic.stations[0].heard] == [IntentKind.HELP]
    assert (clinic.closed, screen.endings, len(screen.told)) == (1, [Ended(None)], 1)


def test_another_pack_is_opened_at_once() -> None:
    """The desk closes, opens again without a pause, and nobody sees "out of service"."""
    clinic = Clinic(bug=PackChanged("another pack"))
    screen = Screen(clinic)
    screen.thread.start()
    assert clinic.ready.wait(10)
    clinic.bug = None
    until(lambda: bool(clinic.stations) and clinic.stations[-1].bug is None and bool(screen.shown))
    assert screen.thread.stop(10)
    assert len(clinic.stations) >= 2
    assert clinic.closed == len(clinic.stations)
    assert [station.resumed is not None for station in clinic.stations] == [True] + [False] * (len(clinic.stations) - 1)
    assert State.OUT_OF_SERVICE not in {shown.snapshot.state for shown in screen.shown}
    assert screen.endings == [Ended(None)]


def test_a_pack_that_changed_closes_neither_records_nor_camera() -> None:
    """The same desk goes on with the packs that are wanted now.

    What it had in memory is given back before the next is opened, and the last patient's receipt, shown again after a
    crash, is not shown to the next one.
    """
    clinic = Clinic(bug=PackChanged("another pack"))

    def swap() -> SeeingDesk:
        assert clinic.emptied == 1
        clinic.swapped += 1
        clinic.bug = None
        return clinic.opened[-1]

    clinic.again = swap
    screen = Screen(clinic)
    screen.thread.start()
    until(lambda: len(clinic.stations) == 2 and bool(screen.shown))
    assert screen.thread.stop(10)
    assert (clinic.swapped, clinic.closed, len(screen.told)) == (1, 1, 1)
    assert [station.resumed is not None for station in clinic.stations] == [True, False]
    assert screen.endings == [Ended(None)]


def test_a_receipt_brings_its_signed_event_and_takes_it_away_again(tmp_path: Path) -> None:
    """Read once while it is shown, as the text of a code; the idle screen after it has none."""
    token = Visits(FileSigner.create(tmp_path / "device.pem")).checked_in(datetime(2026, 11, 26, tzinfo=UTC))
    clinic = Clinic(token=token)
    screen = Screen(clinic)
    screen.thread.start()
    until(lambda: len(screen.shown) >= 3)
    assert screen.thread.stop(10)
    assert [shown.receipt for shown in screen.shown] == [write_receipt(token), write_receipt(token), ""]
    assert clinic.asked == [RECEIPT]


@pytest.mark.parametrize(("waiting_s", "offline"), [(0.0, False), (59.0, False), (61.0, True)])
def test_a_backlog_that_grows_old_is_shown_as_offline(waiting_s: float, offline: bool) -> None:
    """A minute is long for a delivery that takes a second."""
    screen = Screen(Clinic(waiting_s=waiting_s))
    screen.thread.start()
    until(lambda: bool(screen.shown))
    assert screen.thread.stop(10)
    assert screen.shown[0].offline is offline


def test_what_stands_beside_a_visit_does_not_break_it_off() -> None:
    """The records do not answer when the badge and the code are asked for: the visit is shown without them."""

    def busy(*_: object) -> str:
        raise DatabaseBusy("locked")

    clinic = Clinic()
    clinic.ask_backlog = clinic.ask_token = busy
    screen = Screen(clinic)
    screen.thread.start()
    until(lambda: len(screen.shown) >= 3)
    assert screen.thread.stop(10)
    assert [shown.snapshot.state for shown in screen.shown[:3]] == [State.RECEIPT, State.RECEIPT, State.IDLE]
    assert [shown.receipt for shown in screen.shown] == ["", "", ""]


def test_a_desk_that_cannot_be_opened_says_so_and_stays_closed() -> None:
    """The code is on the screen; the thread waits, and stops at once when told to."""
    screen = Screen(Clinic(failures=1000))
    screen.thread.start()
    until(lambda: bool(screen.shown))
    assert screen.thread.stop(10)
    assert (screen.shown[0].snapshot.state, screen.shown[0].snapshot.failure) == (State.OUT_OF_SERVICE, "E-PACK-01")
    assert screen.endings == [Ended(None)]


def test_a_desk_that_could_not_be_opened_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as what was missing is there, it works."""
    monkeypatch.setattr("kiosk_ui.desk.AGAIN_S", 0.01)
    clinic = Clinic(failures=3)
    screen = Screen(clinic)
    screen.thread.start()
    assert clinic.ready.wait(10)
    assert screen.thread.stop(10)
    assert [shown.snapshot.state for shown in screen.shown][:3] == [State.OUT_OF_SERVICE] * 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_ends_the_program() -> None:
    """It is told as one, with the records closed; a supervisor starts the program again."""
    bug = RuntimeError("a bug")
    clinic = Clinic(bug=bug)
    screen = Screen(clinic)
    screen.thread.start()
    assert screen.over.wait(10)
    assert screen.thread.stop(10)
    assert screen.endings == [Ended(bug)]
    assert clinic.closed == 1
