"""Who works at the reception is known by name and PIN; trying PINs leads nowhere and is seen."""

from collections.abc import Mapping

import pytest

from appliance.core.errors import (
    NotAllowed,
    NotSignedIn,
    OperatorLocked,
    OperatorUnknown,
    PersonUnknown,
    PinInvalid,
    PinWrong,
)
from appliance.core.operators import Pin, Right, Role
from appliance.core.policy import ReceptionRule
from appliance.core.types import PersonId
from appliance.operators import Operators, Voucher, set_pin
from appliance.staff import forget_staff
from sync.errors import DatabaseFailure
from sync.strict_json import Json
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.reception_staff import CHEAP, PIN, give_pin, operators_of
from tests.fakes.working_desk import CONSENT, SOFTWARE, WorkingDesk, make_look

WRONG = Pin("314159")


def kinds(desk: WorkingDesk) -> list[str]:
    """What was signed, in order."""
    return [event.kind for event in desk.events()]


def last(desk: WorkingDesk) -> Mapping[str, Json]:
    """The data of what was signed last."""
    return desk.events()[-1].data


def miss(operators: Operators, person: PersonId) -> PinWrong | OperatorLocked:
    """A wrong PIN, and what is told."""
    with pytest.raises((PinWrong, OperatorLocked)) as caught:
        operators.sign_in(person, WRONG)
    assert isinstance(caught.value, PinWrong | OperatorLocked)
    return caught.value


def test_a_first_pin_is_an_event_and_a_sign_in_tells_that_the_face_is_missing(desk: WorkingDesk) -> None:
    """Whose name is new comes into the register of staff; their face may follow, under the same number."""
    person = give_pin(desk, 7)
    assert (kinds(desk), last(desk)["role"], last(desk)["by"]) == (["pin_set"], "receptionist", "terminal")
    operators = operators_of(desk)
    assert [(line.person, line.name, line.pause) for line in operators.listed()] == [
        (person, make_profile(7).greeting, 0)
    ]
    assert operators.sign_in(person, PIN).face_missing
    assert operators.present().face_missing
    assert last(desk)["face_enrolled"] is False
    assert desk.staffing.enrol(make_profile(7), CONSENT, [make_look(7)], "camera").person == person
    assert not operators.present().face_missing
    assert not operators.sign_in(person, PIN).face_missing
    assert kinds(desk) == ["pin_set", "signed_in", "staff_enrolled", "signed_out", "signed_in"]
    assert desk.events()[3].data["how"] == "another"


def test_staff_get_a_pin_by_their_number(desk: WorkingDesk) -> None:
    """Who is enrolled as staff needs no name; who is not, has to have one. A weak PIN is none."""
    person = desk.employ(7).person
    assert give_pin(desk, 7, Role.SUPERVISOR, named=False) == person
    with pytest.raises(PersonUnknown) as caught:
        give_pin(desk, 8, named=False)
    assert make_iin(8).digits not in str(caught.value)
    with pytest.raises(PinInvalid):
        set_pin(desk.records, desk.ledger, desk.clock, SOFTWARE, make_profile(8), Role.IT, Pin("111111"), CHEAP)
    assert desk.records.staff.people.find(make_iin(8)) is None


def test_wrong_pins_lock_with_growing_pauses(desk: WorkingDesk, clock: ManualClock) -> None:
    """Five are free; from the fifth on each is an alarm and a pause, in which the right PIN is not looked at."""
    person, operators = give_pin(desk, 7), operators_of(desk)
    told = [miss(operators, person) for _ in range(5)]
    assert [wrong.tries_left for wrong in told if isinstance(wrong, PinWrong)] == [4, 3, 2, 1]
    locked = told[-1]
    assert isinstance(locked, OperatorLocked)
    assert locked.seconds == 30
    assert kinds(desk) == ["pin_set", "alarm"]
    assert (last(desk)["what"], last(desk)["detail"]) == ("operator_locked", "5 wrong in a row")
    assert last(desk)["who"] == [desk.records.staff.people.reference(person)]
    clock.advance(29)
    with pytest.raises(OperatorLocked) as caught:
        operators.sign_in(person, PIN)
    assert caught.value.seconds == pytest.approx(1)
    assert operators.listed()[0].pause == pytest.approx(1)
    clock.advance(1)
    assert isinstance(sixth := miss(operators, person), OperatorLocked)
    assert sixth.seconds == 60
    clock.advance(60)
    operators.sign_in(person, PIN)
    assert isinstance(miss(operators, person), PinWrong), "the right PIN begins the count anew"


def test_a_pause_outlives_restarts_and_set_clocks(desk: WorkingDesk, other: WorkingDesk, clock: ManualClock) -> None:
    """Neither another process, nor the wall clock, nor a restart of the machine opens the lock."""
    person, operators = give_pin(desk, 7), operators_of(desk)
    for _ in range(5):
        miss(operators, person)
    clock.step_wall(86_400)
    with pytest.raises(OperatorLocked):
        operators_of(other).sign_in(person, PIN)
    clock.reboot("boot-2", off_s=3600)
    with pytest.raises(OperatorLocked):
        operators_of(other).sign_in(person, PIN)
    clock.advance(30)
    assert operators_of(other).sign_in(person, PIN).person == person


def test_a_try_counts_although_it_never_ended(desk: WorkingDesk) -> None:
    """Whoever kills the program while a PIN is looked at gets no other for it."""

    class Killed(BaseException):
        """The plug."""

    class Plug:
        """A hasher during which the power goes."""

        def fits(self, kept: str, pin: Pin) -> bool:  # noqa: ARG002 - the door's
            """Never tells."""
            raise Killed

    person = give_pin(desk, 7)
    operators = Operators(desk.records, desk.ledger, desk.clock, ReceptionRule(), SOFTWARE, Plug())  # type: ignore[arg-type]  # all it needs
    for _ in range(5):
        with pytest.raises(Killed):
            operators.sign_in(person, PIN)
    with pytest.raises(OperatorLocked):
        operators_of(desk).sign_in(person, PIN)


def test_a_session_locks_and_ends(desk: WorkingDesk, clock: ManualClock) -> None:
    """Five minutes without input lock it, the PIN opens it; after eight hours it is over, and that is signed."""
    person, operators = give_pin(desk, 7), operators_of(desk)
    operators.sign_in(person, PIN)
    for _ in range(3):
        clock.advance(299)
        operators.touch()
    assert operators.require(Right.SEE).person == person
    clock.advance(300)
    operators.touch()
    shift = operators.shift()
    assert shift is not None
    assert shift.locked
    with pytest.raises(NotSignedIn, match="locked"):
        operators.require(Right.SEE)
    with pytest.raises(PinWrong):
        operators.unlock(WRONG)
    assert not operators.unlock(PIN).locked
    operators.lock()
    with pytest.raises(NotSignedIn):
        operators.require(Right.SEE)
    clock.advance(8 * 3600)
    assert operators.shift() is None
    assert (kinds(desk)[-1], last(desk)["how"]) == ("signed_out", "shift_over")
    with pytest.raises(NotSignedIn):
        operators.unlock(PIN)


def test_a_session_locks_and_ends_while_the_machine_sleeps(desk: WorkingDesk, clock: ManualClock) -> None:
    """Whoever opens the lid of a laptop that slept finds no session of somebody who has long gone."""
    person, operators = give_pin(desk, 7), operators_of(desk)
    assert operators.sign_in(person, PIN).person == person
    clock.suspend(301)
    with pytest.raises(NotSignedIn, match="locked"):
        operators.require(Right.SEE)
    clock.suspend(8 * 3600)
    assert operators.shift() is None
    assert last(desk)["how"] == "shift_over"


def test_nothing_happens_while_nobody_is_signed_in(desk: WorkingDesk) -> None:
    """Touching, locking and signing out without a session change nothing; doing anything is refused."""
    operators = operators_of(desk)
    operators.touch()
    operators.lock()
    operators.sign_out()
    assert (operators.shift(), desk.events()) == (None, ())
    with pytest.raises(NotSignedIn, match="nobody"):
        operators.require(Right.SEE)


def test_a_role_does_its_own(desk: WorkingDesk) -> None:
    """IT sees no patients; whoever does is no IT. Signing out ends it."""
    person, operators = give_pin(desk, 7, Role.IT), operators_of(desk)
    operators.sign_in(person, PIN)
    assert operators.require(Right.MAINTAIN).role is Role.IT
    with pytest.raises(NotAllowed):
        operators.require(Right.SEE)
    operators.sign_out()
    assert (kinds(desk)[-1], last(desk)["how"]) == ("signed_out", "by_hand")


def test_a_colleague_vouches_with_their_own_pin(desk: WorkingDesk) -> None:
    """Not the operator themselves, not IT, not without the PIN; a wrong one counts as at the sign-in."""
    one, two, it = give_pin(desk, 7), give_pin(desk, 8, pin=Pin("161803")), give_pin(desk, 9, Role.IT)
    operators = operators_of(desk)
    with pytest.raises(NotSignedIn):
        operators.vouch(Voucher(two, Pin("161803")), Right.CONFIRM)
    operators.sign_in(one, PIN)
    assert operators.vouch(Voucher(two, Pin("161803")), Right.CONFIRM) == desk.records.staff.people.reference(two)
    for person, pin, failure in ((one, PIN, NotAllowed), (it, PIN, NotAllowed), (two, WRONG, PinWrong)):
        with pytest.raises(failure):
            operators.vouch(Voucher(person, pin), Right.CONFIRM)
    assert [line.person for line in operators.listed()] == [one, two, it]


def test_who_is_forgotten_as_staff_signs_in_no_more(desk: WorkingDesk) -> None:
    """With their data key the PIN is gone, too."""
    desk.employ(7)
    person, operators = give_pin(desk, 7), operators_of(desk)
    forget_staff(desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(7), "left")
    assert operators.listed() == ()
    with pytest.raises(OperatorUnknown):
        operators.sign_in(person, PIN)


def test_a_profile_that_does_not_open_is_not_listed(desk: WorkingDesk) -> None:
    """The others can still sign in."""
    broken, whole = give_pin(desk, 7), give_pin(desk, 8)
    desk.db.execute("UPDATE staff_person SET sealed_profile = x'00' WHERE person_id = ?", (broken,))
    assert [line.person for line in operators_of(desk).listed()] == [whole]
    desk.db.execute("DELETE FROM operator WHERE person_id = ?", (broken,))


def test_a_session_ends_although_its_end_cannot_be_written(desk: WorkingDesk) -> None:
    """A full disk keeps nobody signed in."""
    person, operators = give_pin(desk, 7), operators_of(desk)
    operators.sign_in(person, PIN)
    desk.db.execute("PRAGMA query_only = ON")
    with pytest.raises(DatabaseFailure):
        operators.sign_out()
    desk.db.execute("PRAGMA query_only = OFF")
    assert operators.shift() is None
