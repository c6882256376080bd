"""An impossible pace of visits is one alarm in the chain, beside the visits themselves."""

from collections.abc import Iterator

import pytest

from appliance.core.errors import ServiceConfirmed
from appliance.core.policy import PaceRule, Policy
from appliance.core.reception_events import CorrectionReason
from appliance.front_desk import Correction, FrontDesk
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.reception_staff import PIN, give_pin, operators_of
from tests.fakes.working_desk import SOFTWARE, WorkingDesk, make_circumstances
from tests.use_cases.front import manual


@pytest.fixture
def hasty(home: Home, clock: ManualClock) -> Iterator[WorkingDesk]:
    """A desk that holds three visits an hour for possible."""
    desk = WorkingDesk(home, clock, Policy(pace=PaceRule(provider_per_hour=3, desk_per_hour=100)))
    yield desk
    desk.close()


def _kinds(desk: WorkingDesk) -> list[str]:
    return [event.kind if event.kind != "alarm" else str(event.data["what"]) for event in desk.events()]


def test_a_surge_is_one_alarm_an_hour(hasty: WorkingDesk, clock: ManualClock) -> None:
    """Told with the visit that exceeds the limit, not with each after it; the visits stay recorded."""
    hasty.enrol(1)
    services = hasty.plan(1, 12)
    for service in services[:6]:
        hasty.visit(1, service)
        clock.advance(60)
    assert _kinds(hasty) == ["enrolled", *["checked_in"] * 4, "impossible_pace", *["checked_in"] * 2]
    alarm = hasty.events()[5]
    assert alarm.data["detail"] == "provider: 4 in an hour"
    clock.advance(3300)
    for service in services[6:]:
        hasty.visit(1, service)
        clock.advance(60)
    assert _kinds(hasty).count("impossible_pace") == 2
    hasty.check_everything()


def test_a_day_at_a_possible_pace_has_no_alarm(hasty: WorkingDesk, clock: ManualClock) -> None:
    """Three an hour, all day."""
    hasty.enrol(1)
    for service in hasty.plan(1, 9):
        hasty.visit(1, service)
        clock.advance(1200)
    assert "impossible_pace" not in _kinds(hasty)


def _reception(desk: WorkingDesk) -> FrontDesk:
    """Somebody signed in at the reception of a desk."""
    front = FrontDesk(desk.records, desk.ledger, desk.clock, desk.policy, SOFTWARE, operators_of(desk))
    front.operators.sign_in(give_pin(desk, 900), PIN)
    return front


def test_a_visit_that_was_not_recorded_uses_up_no_alarm(hasty: WorkingDesk) -> None:
    """Confirming again what is confirmed is refused, at the kiosk and by hand; the next real visit is told of."""
    hasty.enrol(1)
    services, front = hasty.plan(1, 4), _reception(hasty)
    for service in services[:3]:
        hasty.visit(1, service)
    with pytest.raises(ServiceConfirmed):
        hasty.desk.record_visit(hasty.decide(1), services[0], make_circumstances())
    with pytest.raises(ServiceConfirmed):
        front.confirm(manual(services[0]))
    assert "impossible_pace" not in _kinds(hasty)
    hasty.visit(1, services[3])
    front.correct(Correction(hasty.events()[-2].event_id, CorrectionReason.NOT_GIVEN))
    front.confirm(manual(services[3]))
    told = ["checked_in", "impossible_pace", "corrected", "confirmed_manually", "impossible_pace"]
    assert _kinds(hasty)[-5:] == told  # each window tells what it saw
    hasty.check_everything()


def test_what_a_correction_confirms_counts_as_a_visit(hasty: WorkingDesk, clock: ManualClock) -> None:
    """Putting another service in a receipt's place, an hour later, is as much a visit of its provider as any."""
    hasty.enrol(1)
    services, front = hasty.plan(1, 8), _reception(hasty)
    receipts = []
    for service in services[:4]:
        receipts.append(hasty.visit(1, service))
        clock.advance(1200)
    clock.advance(3600)
    front.operators.sign_in(hasty.records.operators.all()[0].person, PIN)
    for receipt, instead in zip(receipts, services[4:], strict=True):
        assert "impossible_pace" not in _kinds(hasty)
        front.correct(Correction(receipt, CorrectionReason.WRONG_SERVICE, instead))
    assert _kinds(hasty)[-2:] == ["corrected", "impossible_pace"]
    hasty.check_everything()
