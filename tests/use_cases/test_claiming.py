"""Who somebody is by number and code: told only to who knows both, and never guessed."""

from datetime import datetime, timedelta

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import ServiceConfirmed, ServiceUnknown
from appliance.core.policy import Policy
from appliance.core.ports import Claim, Proof
from appliance.core.types import LivenessVerdict
from appliance.records.schedule import ScheduledService
from appliance.records.visit_codes import MOST_WRONG
from sync.database import immediate
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.working_desk import WorkingDesk, make_circumstances

CODE = "123456"
ABOUT = make_circumstances(LivenessVerdict.NOT_CHECKED)
WHY = (Reason.WITHOUT_FACE,)


def plan(desk: WorkingDesk, number: int, code: str = CODE, count: int = 1) -> None:
    """Services of person `number` now, with a code."""
    now: datetime = desk.clock.moment().wall
    starts = now.replace(tzinfo=None, second=0)
    names = (("kk", "Қабылдау"), ("ru", "Приём"), ("en", "Visit"))
    lines = [
        ScheduledService(2, make_iin(number), f"A{place}", names, "12", "d-011", starts, code) for place in range(count)
    ]
    with immediate(desk.db):
        desk.records.services.keep(lines, now)


def claim(desk: WorkingDesk, number: int, code: str = CODE) -> Claim:
    """What the desk makes of a number and a code."""
    return desk.desk.claim(make_iin(number).digits, code)


def test_the_right_code_greets_the_patient(desk: WorkingDesk) -> None:
    """By name where enrolled, else by the end of the number; with the services that are due."""
    desk.enrol(1)
    for number, greeting in ((1, make_profile(1).greeting), (2, make_iin(2).masked)):
        plan(desk, number, count=2)
        found = claim(desk, number)
        assert (found.proof, found.patient) == (Proof.CODE, desk.records.people.pseudonym(make_iin(number)))
        assert found.reception is not None
        assert (found.reception.greeting, len(found.reception.offers)) == (greeting, 2)


@pytest.mark.parametrize(
    ("iin", "code", "proof"),
    [
        (make_iin(1).digits, "000000", Proof.WRONG),
        (make_iin(7).digits, CODE, Proof.WRONG),
        ("123", CODE, Proof.WRONG),
        ("", "", Proof.WRONG),
        (make_iin(1).digits, "", Proof.NONE),
        (make_iin(7).digits, "", Proof.NONE),
    ],
    ids=["wrong code", "nobody's number", "no number", "nothing", "no code", "no code, nobody's number"],
)
def test_nothing_else_tells_anything(desk: WorkingDesk, iin: str, code: str, proof: Proof) -> None:
    """Whoever tries numbers does not learn who has an appointment: the answers are the same."""
    plan(desk, 1)
    found = desk.desk.claim(iin, code)
    assert (found.proof, found.reception) == (proof, None)
    assert found.patient == (
        "" if len(iin) < 12 else desk.records.people.pseudonym(make_iin(1 if iin != make_iin(7).digits else 7))
    )


def test_a_locked_patient_is_sent_to_reception_even_with_the_right_code(desk: WorkingDesk) -> None:
    """After three wrong ones, in however many visits, at whichever window and after any restart; tomorrow again."""
    plan(desk, 1)
    for _ in range(MOST_WRONG):
        assert claim(desk, 1, "000000").proof is Proof.WRONG
    assert claim(desk, 1).proof is Proof.NONE
    again = WorkingDesk(desk.home, desk.clock)
    assert claim(again, 1).proof is Proof.NONE
    again.close()
    desk.clock.sleep(timedelta(days=1).total_seconds())
    plan(desk, 1)
    assert claim(desk, 1).proof is Proof.CODE


def test_the_lock_does_not_tell_who_has_an_appointment(desk: WorkingDesk) -> None:
    """However often somebody tries: the answers for a patient of today and for nobody stay the same, one by one."""
    plan(desk, 1)
    tries = [(claim(desk, 1, "000000").proof, claim(desk, 7, "000000").proof) for _ in range(MOST_WRONG + 2)]
    assert all(patient is nobody for patient, nobody in tries)
    assert tries[-1] == (Proof.NONE, Proof.NONE)


def test_who_had_an_appointment_yesterday_is_as_unknown_as_anybody(desk: WorkingDesk) -> None:
    """A code is good for its day."""
    plan(desk, 1)
    desk.clock.sleep(timedelta(days=1).total_seconds())
    assert claim(desk, 1).proof is Proof.WRONG


@pytest.mark.parametrize("enrolled", [True, False])
def test_a_visit_without_a_face_is_one_event_and_one_confirmed_service(desk: WorkingDesk, enrolled: bool) -> None:
    """Its own kind of event: who, what, how identified, why not by face; no template, consent or comparison."""
    if enrolled:
        desk.enrol(1)
    plan(desk, 1)
    found = claim(desk, 1)
    assert found.reception is not None
    (offer,) = found.reception.offers
    receipt = desk.desk.record_without_face(found, offer.service, WHY, ABOUT)
    event = desk.events()[-1]
    assert (event.event_id, event.kind) == (receipt, "confirmed_without_face")
    assert (event.data["patient"], event.data["method"]) == (found.patient, "iin_code")
    assert event.data["reasons"] == ["without_face"]
    assert not {"comparison", "template", "consent"} & set(event.data)
    assert CODE not in str(event.data)
    after = claim(desk, 1)
    assert after.reception is not None
    assert (after.reception.offers, after.reception.confirmed) == ((), receipt)
    with pytest.raises(ServiceConfirmed):
        desk.desk.record_without_face(found, offer.service, WHY, ABOUT)


def test_a_code_confirms_no_one_else_s_service(desk: WorkingDesk) -> None:
    """Nor does a claim that was not proven."""
    plan(desk, 1)
    (other,) = desk.plan(2)
    with pytest.raises(ServiceUnknown):
        desk.desk.record_without_face(claim(desk, 1), other, WHY, ABOUT)
    with pytest.raises(ValueError, match="right code"):
        desk.desk.record_without_face(claim(desk, 1, "000000"), other, WHY, ABOUT)
    with pytest.raises(ValueError, match="right code"):
        desk.desk.record_decline(claim(desk, 1, "000000"), Reason.NOT_ME, ABOUT)
    assert not desk.events()


def test_outcomes_of_the_right_code_name_the_patient(desk: WorkingDesk) -> None:
    """Declined and refused, without a comparison."""
    plan(desk, 1)
    found = claim(desk, 1)
    desk.desk.record_decline(found, Reason.NOT_MY_SERVICE, ABOUT)
    desk.desk.record_refusal(found, (Reason.TOO_EARLY,), None, None, ABOUT)
    for event in desk.events():
        assert (event.data["patient"], event.data["comparison"]) == (found.patient, None)


def test_reception_sees_whether_a_claim_is_proven(desk: WorkingDesk) -> None:
    """The right code is; a number alone, or with a wrong code, is somebody's word; no number is a stranger's call."""
    plan(desk, 1)
    plan(desk, 2)
    for found in (claim(desk, 1), claim(desk, 2, ""), desk.desk.claim("123", CODE)):
        desk.desk.call(found)
    calls = desk.records.help_calls.waiting(desk.clock.moment().wall)
    numbers = [desk.records.people.pseudonym(make_iin(number)) for number in (1, 2)]
    assert [(call.patient, call.claimed) for call in calls] == [(numbers[0], False), (numbers[1], True), (None, True)]


def test_a_damaged_profile_does_not_stop_who_has_the_code(desk: WorkingDesk) -> None:
    """Greeted by number, as somebody who is not enrolled; the code is as good as before."""
    person = desk.enrol(1).person
    plan(desk, 1)
    (sealed,) = desk.db.execute("SELECT sealed_profile FROM person WHERE person_id = ?", (person,)).fetchone()
    desk.db.execute("UPDATE person SET sealed_profile = ? WHERE person_id = ?", (b"\x01" + bytes(60), person))
    found = claim(desk, 1)
    desk.db.execute("UPDATE person SET sealed_profile = ? WHERE person_id = ?", (sealed, person))
    assert found.reception is not None
    assert (found.reception.greeting, len(found.reception.offers)) == (make_iin(1).masked, 1)


def test_a_service_with_a_code_is_never_confirmed_too_early(desk: WorkingDesk, clock: ManualClock) -> None:
    """As by face."""
    plan(desk, 1)
    clock.step_wall(-Policy().timing.early - 120)
    found = claim(desk, 1)
    assert found.reception is not None
    assert found.reception.early
    assert found.reception.offers == ()
