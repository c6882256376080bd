"""What a patient is offered: what is due, never what is hours away."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from appliance.core.policy import Policy, Timing
from appliance.greeting import greet, reception
from appliance.records.services import PlannedService
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_profile
from tests.fakes.working_desk import WorkingDesk

NOW = datetime.fromisoformat("2026-11-23T09:00:00+05:00")
POLICY = Policy()


def planned(starts: str, event: str | None = None) -> PlannedService:
    """One of today's services."""
    names = (("kk", "Қабылдау"), ("ru", "Приём"), ("en", "Visit"))
    return PlannedService(starts, "p" * 64, "A1", names, "12", "d-011", f"2026-11-23T{starts}", event)


@pytest.mark.parametrize(
    ("services", "offered", "early", "confirmed"),
    [
        ([planned("10:00")], ["10:00"], "", ""),
        ([planned("10:01")], [], "2026-11-23T10:01:00+05:00", ""),
        ([planned("07:00"), planned("10:00"), planned("15:00")], ["07:00", "10:00"], "", ""),
        ([planned("08:30", "e1"), planned("15:00"), planned("16:00")], [], "2026-11-23T15:00:00+05:00", "e1"),
        ([planned("08:30", "e1"), planned("08:45", "e2")], [], "", "e2"),
        ([], [], "", ""),
    ],
    ids=["due", "too early", "due beside early", "confirmed beside early", "all confirmed", "none"],
)
def test_what_is_due_is_offered(services: list[PlannedService], offered: list[str], early: str, confirmed: str) -> None:
    """An hour ahead by default; of what is too early only when to come, and only if nothing else is left."""
    met = reception("Ali A.", services, NOW, POLICY)
    assert ([offer.service for offer in met.offers], met.early, met.confirmed) == (offered, early, confirmed)


def test_who_gives_the_service_is_told() -> None:
    """By the name that the clinic gave, if it gave one."""
    named = replace(planned("10:00"), doctor="С. Ахметова")
    met = reception("", [named, planned("10:00")], NOW, POLICY)
    assert [offer.doctor for offer in met.offers] == ["С. Ахметова", ""]


def test_how_early_is_the_policys() -> None:
    """A clinic that wants its patients in the morning says so."""
    services, day = [planned("18:00")], Policy(timing=Timing(early=86400))
    assert reception("", services, NOW, POLICY).early
    assert reception("", services, NOW, day).offers


def test_a_patient_is_greeted_with_the_services_of_the_day(desk: WorkingDesk, clock: ManualClock) -> None:
    """By first name and initial; nothing of another day."""
    person = desk.enrol(1).person
    ids = desk.plan(1, count=2)
    now = clock.moment().wall
    met = greet(desk.records, person, now, desk.policy)
    assert (met.greeting, {offer.service for offer in met.offers}) == (make_profile(1).greeting, set(ids))
    assert not greet(desk.records, person, now + timedelta(days=1), desk.policy).offers
    receipt = desk.visit(1, ids[0])
    met = greet(desk.records, person, now, desk.policy)
    assert (met.confirmed, datetime.fromisoformat(met.at)) == (receipt, now), "when it was is shown with the receipt"


def test_a_call_for_a_recognised_patient_names_them_to_reception(desk: WorkingDesk) -> None:
    """By pseudonym; a stranger's by nobody. No event is made of it."""
    person = desk.enrol(1).person
    events = len(desk.events())
    assert [desk.desk.call(None), desk.desk.call(person), desk.desk.call(person)] == [1, 2, 2]
    calls = desk.records.help_calls.waiting(desk.clock.moment().wall)
    assert [call.patient for call in calls] == [None, desk.records.people.reference(person)]
    assert len(desk.events()) == events
