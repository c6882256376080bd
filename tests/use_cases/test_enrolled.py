"""The gallery in memory is what the database holds, whoever changed it."""

from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin
from tests.fakes.working_desk import WorkingDesk


def test_who_another_process_enrolled_is_recognised(desk: WorkingDesk, other: WorkingDesk) -> None:
    """`keldim enrol` beside a running desk: the patient may step up at once."""
    person = other.enrol(1).person
    desk.plan(1)
    assert desk.gallery.people == 0
    assert desk.decide(1).person == person


def test_who_another_process_forgot_is_a_stranger(desk: WorkingDesk, other: WorkingDesk) -> None:
    """`keldim forget` beside a running desk: the templates leave its memory before the next comparison."""
    person = desk.enrol(1).person
    desk.plan(1)
    other.enrolled.refresh()
    other.enrolment.forget(make_iin(1), "consent_withdrawn")
    assert person in desk.gallery
    assert desk.enrolled.erased == 0
    decision = desk.decide(1)
    assert desk.enrolled.erased == 1
    assert decision.person is None
    assert person not in desk.gallery


def test_nothing_is_read_again_when_nothing_has_changed(desk: WorkingDesk) -> None:
    """A comparison costs no reload."""
    desk.enrol(1)
    assert desk.enrolled.refresh()
    assert not desk.enrolled.refresh()


def test_a_start_loads_everybody(desk: WorkingDesk, home: Home, clock: ManualClock) -> None:
    """What was enrolled before the start is there after it."""
    people = {desk.enrol(number).person for number in range(5)}
    started = WorkingDesk(home, clock)
    assert all(person in started.gallery for person in people)
    assert (started.gallery.people, len(started.gallery), started.enrolled.damaged) == (5, 15, 0)
    started.close()


def test_a_damaged_template_leaves_out_only_itself(desk: WorkingDesk, home: Home, clock: ManualClock) -> None:
    """One flipped bit costs one template, is counted, and stops nobody else."""
    first, second = desk.enrol(1).person, desk.enrol(2).person
    template, sealed = desk.db.execute(
        "SELECT template_id, sealed FROM template WHERE person_id = ? LIMIT 1", (first,)
    ).fetchone()
    guard = desk.db.execute("SELECT sql FROM sqlite_master WHERE name = 'template_never_changes'").fetchone()[0]
    desk.db.execute("DROP TRIGGER template_never_changes")
    change = "UPDATE template SET sealed = ? WHERE template_id = ?"
    desk.db.execute(change, (sealed[:-1] + bytes([sealed[-1] ^ 1]), template))
    started = WorkingDesk(home, clock)
    assert started.enrolled.damaged == 1
    assert (len(started.gallery), first in started.gallery, second in started.gallery) == (5, True, True)
    started.close()
    desk.db.execute(change, (sealed, template))
    desk.db.execute(guard)
