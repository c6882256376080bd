"""The reception sees who needs help first, by first name and the end of a number, with reasons and no score."""

import itertools
from datetime import date, datetime, time

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import NotSignedIn
from appliance.core.iin import Iin, check_digit
from appliance.core.quality import Hint
from appliance.core.standing import Cause, How, Status
from appliance.day_book import DayBook
from appliance.enrolment import ConsentGiven
from appliance.guardianship import Guardianship
from appliance.reception_queue import Queue, ReceptionQueue
from appliance.reception_texts import causes_text
from appliance.records.consents import GivenBy
from appliance.records.profile import Profile
from appliance.records.schedule import ScheduledService
from appliance.texts import Language
from sync.database import immediate
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.reception_staff import PIN
from tests.fakes.working_desk import SOFTWARE, WorkingDesk, make_circumstances
from tests.use_cases.front import fail, front_of, manual, staffed


def reception_of(desk: WorkingDesk) -> ReceptionQueue:
    """What is seen, without anybody signed in."""
    return ReceptionQueue(desk.records, DayBook(desk.db, desk.ledger), desk.policy.reception)


def shown(desk: WorkingDesk, search: str = "") -> Queue:
    """The queue now."""
    return reception_of(desk).show(desk.clock.moment().wall, search)


def states(desk: WorkingDesk) -> list[tuple[str, Status]]:
    """Name and status of each row."""
    return [(row.name, row.status) for row in shown(desk).rows]


def name(number: int) -> str:
    """First name and initial of person `number`."""
    return make_profile(number).greeting


def test_a_row_shows_what_a_receptionist_needs_and_no_more(desk: WorkingDesk) -> None:
    """First name and initial, four digits, service, room; nothing of it in its repr."""
    desk.enrol(1)
    desk.plan(1, first=540)
    (row,) = shown(desk).rows
    assert (row.starts, row.name, row.last4, row.room) == ("09:00", name(1), make_iin(1).digits[-4:], "12")
    assert dict(row.names)["ru"] == "Приём"
    assert (row.status, row.causes, row.call, row.receipt) == (Status.WAITING, (), None, "")
    assert repr(row) == "<QueueRow redacted>"


def test_who_needs_help_comes_first_then_who_is_open(desk: WorkingDesk, clock: ManualClock) -> None:
    """By time within each; confirmed ones last; the statuses say how."""
    for number in range(1, 6):
        desk.enrol(number)
        desk.plan(number, first=540 + 10 * number)
    clock.advance(2 * 3600)
    desk.plan(6, first=700)
    desk.visit(1, desk.plan(1, 0)[0])
    with immediate(desk.db):
        desk.records.help_calls.add(desk.records.people.pseudonym(make_iin(5)), clock.moment().wall, claimed=True)
    fail(desk, Reason.NO_MATCH, person=desk.find(4))
    staffed(desk).confirm(manual(desk.plan(2, 0)[0]))
    assert states(desk) == [
        (name(4), Status.NEEDS_HELP),
        (name(5), Status.NEEDS_HELP),
        (name(3), Status.NOT_COME),
        ("", Status.WAITING),
        (name(1), Status.BY_FACE),
        (name(2), Status.BY_HAND),
    ]
    call, claimed = shown(desk).rows[1].call, shown(desk).rows[1].claimed
    assert claimed
    assert call is not None
    front = front_of(desk)
    front.operators.sign_in(desk.records.operators.all()[0].person, PIN)
    front.answer(call)
    assert (name(5), Status.NOT_COME) in states(desk)


def test_a_guardians_visit_is_told_from_the_childs_own(desk: WorkingDesk, clock: ManualClock) -> None:
    """The child's service, confirmed by the mother's face."""
    desk.enrol(1)
    born = clock.wall.date().replace(year=2021)
    child = Profile("Aru", "Serikova", young_iin(born), "kk")
    guardianship = Guardianship(desk.records, desk.ledger, desk.clock, desk.policy, SOFTWARE)
    guardianship.name(make_iin(1), child, ConsentGiven("2026-11", "kk", GivenBy.GUARDIAN))
    line = ScheduledService(
        2, child.iin, "V1", (("kk", "Екпе"),) * 3, "7", "d-1", datetime.combine(clock.wall, time(9))
    )
    with immediate(desk.db):
        desk.records.services.keep([line], clock.wall)
    (row,) = shown(desk).rows
    assert (row.name, row.status) == ("Aru S.", Status.WAITING)
    desk.visit(1, row.service)
    assert states(desk) == [("Aru S.", Status.GUARDIAN)]


def young_iin(born: date) -> Iin:
    """The IIN of somebody born in this century."""
    for serial in itertools.count(1):
        eleven = f"{born:%y%m%d}5{serial:04}"
        if (last := check_digit(eleven)) is not None:
            return Iin(f"{eleven}{last}")
    raise AssertionError("every birthday has an IIN")


def test_who_came_for_nothing_needs_no_help(desk: WorkingDesk) -> None:
    """Too early, confirmed already, gone again: nobody has to look."""
    person = desk.enrol(1).person
    desk.plan(1, first=560)
    for reason in (Reason.TOO_EARLY, Reason.LEFT, Reason.ALREADY_CONFIRMED, Reason.NO_SERVICE_TODAY):
        fail(desk, reason, person=person)
    assert states(desk) == [(name(1), Status.WAITING)]


def test_why_it_failed_is_counted_and_read_in_words(desk: WorkingDesk) -> None:
    """Of all tries of the day; what the check of a living face found reads the same whatever it was."""
    person = desk.enrol(1).person
    desk.plan(1, first=560)
    fail(desk, Reason.NOT_ACQUIRED, person=person, hint=Hint.MORE_LIGHT)
    fail(desk, Reason.LOW_LIGHT, Reason.LIVENESS_SPOOF, person=person)
    fail(desk, Reason.LIVENESS_INCONCLUSIVE, person=person, hint=Hint.MASK_DOWN)
    desk.desk.record_decline(desk.decide(1), Reason.NOT_MY_SERVICE, make_circumstances())
    card = reception_of(desk).card(desk.records.people.reference(person), desk.clock.moment().wall)
    assert set(card.causes) == {
        Cause(Hint.MORE_LIGHT, 1),
        Cause(Reason.LOW_LIGHT, 1),
        Cause(Reason.LIVENESS_SPOOF, 1),
        Cause(Reason.LIVENESS_INCONCLUSIVE, 1),
        Cause(Reason.NOT_MY_SERVICE, 1),
    }
    assert causes_text(card.causes, Language.KAZAKH) == ("Тым қараңғы ×2, Тексеру аяқталмады ×2, «Қызмет басқа» деді")
    assert len(card.attempts) == 4
    assert not any(isinstance(value, float) for attempt in card.attempts for value in attempt.causes)


def test_a_search_finds_by_name_and_by_number(desk: WorkingDesk) -> None:
    """Any part of the names in any order of the two, the last four digits, a whole number; nothing else."""
    for number in (1, 2):
        desk.enrol(number)
        desk.plan(number)
    desk.plan(3)
    iin = make_iin(1).digits
    for search in ("айгүл1", "СЕРІКБАЕВА1", " серікбаева1  айгүл1 ", iin[-4:], iin, f"{iin[:6]} {iin[6:]}"):
        found = {row.patient for row in shown(desk, search).rows}
        assert desk.records.people.pseudonym(make_iin(1)) in found, search
        assert desk.records.people.pseudonym(make_iin(3)) not in found
    assert [row.name for row in shown(desk, make_iin(3).digits).rows] == [""]
    assert shown(desk, "123456789012").rows == shown(desk, "nobody").rows == ()
    assert len(shown(desk).rows) == 3


def test_strangers_and_callers_without_a_service_are_told_apart(desk: WorkingDesk, clock: ManualClock) -> None:
    """A failed try that nobody owns is offered for a quarter of an hour, until a confirmation says whose it was."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    first, second = fail(desk, Reason.NO_MATCH), fail(desk, Reason.NO_MATCH)
    desk.desk.call(None)
    with immediate(desk.db):
        desk.records.help_calls.add("77" * 32, clock.moment().wall, claimed=True)
    queue = shown(desk)
    assert [attempt.event for attempt in queue.strangers] == [second, first]
    assert [(call.patient, call.claimed) for call in queue.calls] == [(None, False), ("77" * 32, True)]
    staffed(desk).confirm(manual(service, second))
    assert [attempt.event for attempt in shown(desk).strangers] == [first]
    card = reception_of(desk).card(desk.records.people.pseudonym(make_iin(1)), clock.moment().wall)
    assert [attempt.event for attempt in card.attempts] == [second]
    clock.advance(901)
    assert (shown(desk).strangers, shown(desk).calls) == ((), ())


def test_a_card_shows_the_patient_of_an_earlier_day_too(desk: WorkingDesk, clock: ManualClock) -> None:
    """Receipts of other days without how they came about; the patient's language; look-alikes."""
    person = desk.enrol(1).person
    receipt = desk.visit(1, desk.plan(1)[0])
    patient = desk.records.people.reference(person)
    card = reception_of(desk).card(patient, clock.moment().wall)
    assert (card.enrolled, card.language, card.look_alikes) == (True, "kk", 0)
    assert [(row.receipt, row.how) for row in card.receipts] == [(receipt, How.BY_FACE)]
    clock.advance(86_400)
    later = reception_of(desk).card(patient, clock.moment().wall)
    assert [(row.receipt, row.how) for row in later.receipts] == [(receipt, None)]
    assert (later.services, later.attempts) == ((), ())


def test_the_erased_and_the_damaged_have_no_name(desk: WorkingDesk) -> None:
    """The service stays, and can still be confirmed by hand; a name is never shown from memory."""
    for number in (1, 2):
        desk.enrol(number)
        desk.plan(number)
    reception, now = reception_of(desk), desk.clock.moment().wall
    assert {row.name for row in reception.show(now).rows} == {name(1), name(2)}
    desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    assert {row.name for row in reception.show(now).rows} == {"", name(2)}
    sealed = desk.db.execute("SELECT sealed_profile FROM person WHERE person_id = ?", (desk.find(2),)).fetchone()[0]
    desk.db.execute("UPDATE person SET sealed_profile = x'00' WHERE person_id = ?", (desk.find(2),))
    reception.forget_names()
    assert {row.name for row in reception.show(now).rows} == {""}
    desk.db.execute("UPDATE person SET sealed_profile = ? WHERE person_id = ?", (sealed, desk.find(2)))


def test_names_are_dropped_when_nobody_may_see_them(desk: WorkingDesk, clock: ManualClock) -> None:
    """A locked screen refuses, and keeps no name in memory."""
    desk.enrol(1)
    desk.plan(1)
    front = staffed(desk)
    assert front.queue().rows[0].name == name(1)
    assert front.names_in_memory == 1
    clock.advance(301)
    with pytest.raises(NotSignedIn, match="locked"):
        front.queue()
    assert front.names_in_memory == 0
