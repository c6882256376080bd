"""An impossible pace of visits is one alarm in the chain, beside the visits themselves."""

from collections.abc import Iterator

import pytest

from appliance.core.policy import PaceRule, Policy
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk


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
