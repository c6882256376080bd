"""Planned services are imported, found by patient and day, and confirmed once."""

from datetime import date, datetime

import pytest

from appliance.core.errors import ServiceConfirmed, ServiceUnknown
from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from appliance.records.schedule import COLUMNS, ScheduledService, parse_schedule
from appliance.records.services import Imported, PlannedService
from sync.database import immediate
from tests.fakes.patients import make_iin, make_profile

TODAY = date(2026, 11, 22)


def _line(
    number: int, starts: str = "2026-11-22 09:30", room: str = "12", code: str = "A02", doctor: str = ""
) -> tuple[ScheduledService, ...]:
    row = f"{make_iin(number).digits},{code},қабылдау,приём,visit,{room},dr-1,{starts},{doctor}"
    return parse_schedule(f"{','.join(COLUMNS)},doctor\n{row}\n".encode())


def _keep(records: DeskRecords, at: datetime, *lines: tuple[ScheduledService, ...]) -> Imported:
    with immediate(records.db):
        return records.services.keep([each for line in lines for each in line], at)


def _enrol(records: DeskRecords, number: int, at: datetime) -> PersonId:
    with immediate(records.db):
        return records.people.add(make_profile(number), at)


def test_a_patients_services_of_the_day_are_found(records: DeskRecords, at: datetime) -> None:
    """In order of time, also when they were imported before the enrolment; nobody else's, no other day's."""
    lines = _line(1, "2026-11-22 11:00"), _line(1, "2026-11-22T09:30"), _line(1, "2026-11-23 09:30"), _line(2)
    assert _keep(records, at, *lines) == Imported(4, 0, 0)
    person = _enrol(records, 1, at)
    found = records.services.of(person, TODAY)
    assert [each.starts_at for each in found] == ["2026-11-22T09:30", "2026-11-22T11:00"]
    first = found[0]
    assert first == PlannedService(
        service=first.service,
        patient=records.people.reference(person),
        code="A02",
        names=(("kk", "қабылдау"), ("ru", "приём"), ("en", "visit")),
        room="12",
        provider="dr-1",
        starts_at="2026-11-22T09:30",
        event=None,
    )
    assert records.services.get(first.service) == first
    assert len(records.services.on(TODAY)) == 3
    assert records.services.expected(TODAY) == {person}
    assert records.services.expected(date(2026, 11, 24)) == frozenset()


def test_importing_again_doubles_nothing(records: DeskRecords, at: datetime) -> None:
    """A changed room or doctor is taken over under the same id; what the new file does not name stays."""
    _keep(records, at, _line(1), _line(2))
    before = {each.service for each in records.services.on(TODAY)}
    assert _keep(records, at, _line(1, room="14"), _line(3)) == Imported(1, 1, 0)
    assert _keep(records, at, _line(1, room="14")) == Imported(0, 0, 1)
    after = {each.service: each.room for each in records.services.on(TODAY)}
    assert before < after.keys()
    assert sorted(after.values()) == ["12", "12", "14"]
    assert _keep(records, at, _line(2, doctor="С. Ахметова")) == Imported(0, 1, 0)
    assert sorted(each.doctor for each in records.services.on(TODAY)) == ["", "", "С. Ахметова"]


def test_a_service_is_confirmed_once(records: DeskRecords, at: datetime) -> None:
    """The event stays with it; a second confirmation is a known failure and changes nothing."""
    _keep(records, at, _line(1))
    person = _enrol(records, 1, at)
    service = records.services.of(person, TODAY)[0].service
    with immediate(records.db):
        records.services.confirm(service, person, "e" * 32, 1, at)
    with pytest.raises(ServiceConfirmed, match="e" * 32), immediate(records.db):
        records.services.confirm(service, person, "f" * 32, 2, at)
    assert records.services.get(service).event == "e" * 32
    assert _keep(records, at, _line(1, room="15")) == Imported(0, 1, 0)
    assert records.services.of(person, TODAY)[0].event == "e" * 32


def test_nobody_confirms_anothers_service(records: DeskRecords, at: datetime) -> None:
    """Nor one that is not planned."""
    _keep(records, at, _line(1))
    person, other = _enrol(records, 1, at), _enrol(records, 2, at)
    service = records.services.of(person, TODAY)[0].service
    for wrong, who in ((service, other), ("0" * 32, person)):
        with pytest.raises(ServiceUnknown), immediate(records.db):
            records.services.confirm(wrong, who, "e" * 32, 1, at)
    assert records.services.get(service).event is None


def test_an_erased_person_is_expected_no_more(records: DeskRecords, at: datetime) -> None:
    """Without templates there is nothing to compare with, and nothing to confirm."""
    _keep(records, at, _line(1))
    person = _enrol(records, 1, at)
    with immediate(records.db):
        records.people.erase(person, at)
    assert records.services.expected(TODAY) == frozenset()
    assert records.services.of(person, TODAY) == ()
    again = _enrol(records, 1, at)
    assert len(records.services.of(again, TODAY)) == 1


def test_the_last_visit_at_the_screen_is_the_patient_s_own(records: DeskRecords, at: datetime) -> None:
    """Not what reception confirmed by hand, nor what took a visit's place or does not stand any more."""
    starts = [f"2026-11-22 {hour:02}:00" for hour in range(9, 13)]
    _keep(records, at, *(_line(1, start) for start in starts))
    person = _enrol(records, 1, at)
    ids = [service.service for service in records.services.of(person, TODAY)]
    assert records.services.last_at_the_screen() is None
    with immediate(records.db):
        records.services.confirm(ids[0], person, "a" * 32, 1, at)
        records.services.confirm(ids[1], person, "b" * 32, 2, at)
        records.manual.add("b" * 32, "f" * 64, TODAY)
    found = records.services.last_at_the_screen()
    assert found is not None
    assert (found[0].service, found[0].event, found[1]) == (ids[0], "a" * 32, at)
    with immediate(records.db):
        records.services.correct("a" * 32, "c" * 32)
        records.services.confirm(ids[2], person, "c" * 32, 3, at)
    assert records.services.last_at_the_screen() is None


def test_what_a_screen_asks_again_and_again_reads_no_table_whole(records: DeskRecords, at: datetime) -> None:
    """After a year a desk has 150,000 visits: a card that is open, and the day's list, must cost what they did."""
    asked: list[str] = []
    services, day, nobody = records.services, at.date(), "0" * 64
    records.db.conn.set_trace_callback(asked.append)
    assert not services.visits(nobody)
    assert not services.on(day)
    assert not services.of_patient(nobody, day)
    assert not services.patients(day)
    assert not services.expected(day)
    records.db.conn.set_trace_callback(None)
    plans = [row[3] for sql in asked for row in records.db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
    assert len(asked) == 5
    assert not [plan for plan in plans if plan.startswith("SCAN")]
