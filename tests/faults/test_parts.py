"""Key, ledger and clock fail in the middle of an errand: nothing of it stays, and the next one works."""

import itertools
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

import pytest

from sync.envelope import Moment, TimeTrust
from sync.errors import KeyUnusable
from sync.home import Home
from sync.ledger import Draft, Entry, Ledger
from sync.signing import Signer
from sync.strict_json import Json
from tests.fakes.clock import ManualClock
from tests.fakes.signer import FaultySigner
from tests.fakes.working_desk import WorkingDesk
from tests.faults.errands import DAILY, PACKS_IN_USE, RARE, Errand

NAMES = [errand.name for errand in DAILY]


class Bug(Exception):
    """Something nobody foresaw."""


class When(StrEnum):
    """Where the ledger fails."""

    BEFORE = "before the event is stored"
    AFTER = "after the event is stored"


class FaultyLedger(Ledger):
    """A ledger that fails while `when` is set."""

    when: When | None = None

    def append(
        self, kind: str, version: int, data: Mapping[str, Json], moment: Moment, event_id: str | None = None
    ) -> Entry | Draft:
        """Append, or fail with or without the effect."""
        if self.when is When.BEFORE:
            raise KeyUnusable("the device key is gone")
        entry = super().append(kind, version, data, moment, event_id)
        if self.when is When.AFTER:
            raise KeyUnusable("the device key is gone")
        return entry


class FaultyClock(ManualClock):
    """A clock that cannot be read while `broken`."""

    broken = False

    def moment(self) -> Moment:
        """All clocks, or a failure."""
        if self.broken:
            raise Bug("the clock cannot be read")
        return super().moment()


def with_faulty_signer(home: Home, clock: ManualClock) -> tuple[WorkingDesk, FaultySigner]:
    """A desk, and the key that can be told to fail."""
    signers: list[FaultySigner] = []

    def sign(signer: Signer) -> Signer:
        signers.append(FaultySigner(signer))
        return signers[-1]

    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE, sign=sign)
    return desk, signers[0]


@pytest.mark.parametrize("errand", DAILY, ids=NAMES)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_bug_in_the_signer_leaves_nothing(home: Home, clock: ManualClock, errand: Errand, after: bool) -> None:
    """It goes up as it is, nothing is recorded, the next try works."""
    desk, signer = with_faulty_signer(home, clock)
    errand.prepare(desk, 1)
    signer.before, signer.after = (None, Bug("a bug")) if after else (Bug("a bug"), None)
    with pytest.raises(Bug):
        errand.run(desk, 1)
    assert not errand.done(desk, 1)
    assert desk.ledger.waiting == 0
    desk.check_everything()
    signer.before = signer.after = None
    desk.check_everything((errand.run(desk, 1),))
    desk.close()


@pytest.mark.parametrize("errand", [*DAILY, *RARE], ids=[errand.name for errand in (*DAILY, *RARE)])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_errand_without_the_key_is_done_and_its_event_waits(
    home: Home, clock: ManualClock, errand: Errand, after: bool
) -> None:
    """A pulled token: all of the errand is there with unsigned events, which are signed in order before newer ones."""
    desk, signer = with_faulty_signer(home, clock)
    errand.prepare(desk, 1)
    gone = KeyUnusable("the token was pulled out")
    signer.before, signer.after = (None, gone) if after else (gone, None)
    signed = desk.ledger.head().seq
    event = errand.run(desk, 1)
    assert errand.done(desk, 1)
    assert desk.ledger.head().seq == signed, "nothing was signed"
    waiting = [each.event_id for each in desk.events()[signed:]]
    assert event in waiting
    assert desk.ledger.waiting == len(waiting)
    desk.check_everything((event,))
    desk.close()
    desk, signer = with_faulty_signer(home, clock)  # the drafts outlive the process
    clock.advance(3600)
    assert desk.ledger.sign_drafts(clock.moment(), len(waiting)) == len(waiting)
    assert desk.ledger.waiting == 0
    after_that = desk.events()[signed:]
    assert [each.event_id for each in after_that] == waiting
    assert all(each.late is not None and each.late.wall == clock.moment().wall for each in after_that)
    assert all(clock.moment().wall - each.moment.wall >= timedelta(hours=1) for each in after_that)
    desk.check_everything((event,))
    desk.close()


LEDGER_FAILS = [*itertools.product(DAILY, When), *((errand, When.AFTER) for errand in RARE)]


@pytest.mark.parametrize(("errand", "when"), LEDGER_FAILS, ids=[f"{e.name}-{when.name}" for e, when in LEDGER_FAILS])
def test_a_ledger_that_fails_leaves_nothing(home: Home, clock: ManualClock, errand: Errand, when: When) -> None:
    """Neither the event without what it is about, nor that without the event."""
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE, keep=FaultyLedger)
    errand.prepare(desk, 1)
    assert isinstance(desk.ledger, FaultyLedger)
    desk.ledger.when = when
    with pytest.raises(KeyUnusable):
        errand.run(desk, 1)
    assert not errand.done(desk, 1)
    desk.check_everything()
    desk.ledger.when = None
    desk.check_everything((errand.run(desk, 1),))
    desk.close()


@pytest.mark.parametrize("errand", DAILY, ids=NAMES)
def test_a_clock_that_cannot_be_read_leaves_nothing(home: Home, errand: Errand) -> None:
    """No event without a time."""
    clock = FaultyClock()
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE)
    errand.prepare(desk, 1)
    clock.broken = True
    with pytest.raises(Bug):
        errand.run(desk, 1)
    clock.broken = False
    assert not errand.done(desk, 1)
    desk.check_everything()
    desk.check_everything((errand.run(desk, 1),))
    desk.close()


@pytest.mark.parametrize("step_s", [-86_400.0, -3.0, 3.0, 86_400.0])
@pytest.mark.parametrize("errand", [e for e in DAILY if e.name != "visit"], ids=[n for n in NAMES if n != "visit"])
def test_a_clock_that_jumps_is_marked_and_stops_nothing(
    home: Home, clock: ManualClock, errand: Errand, step_s: float
) -> None:
    """Somebody sets the clock: events say that their time is suspect, and by how much; the desk goes on."""
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE)
    desk.enrol(99)
    errand.prepare(desk, 1)
    clock.step_wall(step_s)
    desk.check_everything((errand.run(desk, 1),))
    moment = desk.events()[-1].moment
    assert moment.trust is TimeTrust.SUSPECT
    assert moment.uncertainty_ms >= abs(step_s) * 1000
    desk.close()


def test_visits_go_on_after_the_clock_was_set_within_the_day(home: Home, clock: ManualClock) -> None:
    """An hour back, at the desk's busiest time: the services of today are still found, their events are marked."""
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE)
    desk.enrol(1)
    services = desk.plan(1, 3)
    desk.visit(1, services[0])
    clock.step_wall(-3600)
    desk.visit(1, services[1])
    clock.advance(60)
    desk.visit(1, services[2])
    trusts = [event.moment.trust for event in desk.events()]
    assert trusts == [TimeTrust.SYSTEM, TimeTrust.SYSTEM, TimeTrust.SUSPECT, TimeTrust.SUSPECT]
    desk.check_everything()
    desk.close()
