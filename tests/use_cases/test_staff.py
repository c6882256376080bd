"""Staff are known so that their face is not taken for a patient's; each enrolment and erasure is one signed event."""

from collections.abc import Mapping

import pytest

from appliance.core.decision import Reason, Verdict
from appliance.core.errors import ConsentMissing, DuplicateFace, FaceNotUsable, PersonExists, PersonUnknown
from appliance.core.types import LivenessVerdict
from appliance.staff import forget_staff
from sync.strict_json import Json
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.working_desk import CONSENT, SOFTWARE, WorkingDesk, make_circumstances, make_look, make_twin


def last(desk: WorkingDesk) -> Mapping[str, Json]:
    """The data of what was signed last."""
    return desk.events()[-1].data


def kinds(desk: WorkingDesk) -> list[str]:
    """What was signed, in order."""
    return [event.kind for event in desk.events()]


def pseudonym(desk: WorkingDesk, number: int) -> str:
    """How events name person `number`."""
    return desk.records.people.pseudonym(make_iin(number))


def test_an_enrolment_of_staff_signs_what_was_kept(desk: WorkingDesk) -> None:
    """Operator, consent, templates; the staff gallery follows at once, the patients' stays as it was."""
    result = desk.employ(7)
    data = last(desk)
    assert kinds(desk) == ["staff_enrolled"]
    assert (data["operator"], data["source"], data["quality"]) == (pseudonym(desk, 7), "camera", 80)
    assert isinstance(data["templates"], list)
    assert len(data["templates"]) == result.templates == 2
    assert (desk.staff.people, desk.enrolled.people) == (1, 0)


def test_staff_checks_in_as_nobody(desk: WorkingDesk) -> None:
    """Who is enrolled as staff only is a stranger to the desk; before the camera without a claim that is no alarm."""
    desk.employ(7)
    assert desk.decide(7).reasons == (Reason.NO_MATCH,)


def test_a_staff_face_presented_for_a_patient_is_refused_and_told(desk: WorkingDesk) -> None:
    """A receptionist whose face passes for the patient's: refusal and alarm in one transaction, by pseudonym only."""
    desk.enrol(1)
    desk.staffing.enrol(make_profile(7), CONSENT, [make_twin(1)], "camera")
    decision = desk.decide(1)
    assert (decision.verdict, decision.reasons, decision.final) == (Verdict.REFUSED, (Reason.STAFF_FACE,), True)
    desk.desk.record_refusal(None, decision.reasons, None, decision, make_circumstances())
    alarm, refused = desk.events()[-2:]
    assert (alarm.kind, alarm.data["what"], alarm.data["who"]) == ("alarm", "staff_face", [pseudonym(desk, 7)])
    assert (refused.kind, refused.data["patient"], refused.data["reasons"]) == ("refused", None, ["staff_face"])


def test_a_claim_tried_by_staff_is_told_although_it_fails(desk: WorkingDesk) -> None:
    """The face is not the patient's, but it was presented for them."""
    patient = desk.enrol(1).person
    desk.employ(7)
    decision = desk.decide(7, claimed=patient)
    assert decision.reasons == (Reason.NO_MATCH, Reason.STAFF_FACE)
    desk.desk.record_refusal(None, decision.reasons, None, decision, make_circumstances())
    assert kinds(desk)[-2:] == ["alarm", "refused"]


def test_staff_visit_as_the_patient_they_are(desk: WorkingDesk) -> None:
    """Enrolled in both registers by one number: accepted as themselves, marked in the event, without an alarm."""
    desk.employ(7)
    person = desk.enrol(7).person
    (service,) = desk.plan(7)
    decision = desk.decide(7)
    assert (decision.person, decision.reasons) == (person, (Reason.MATCH, Reason.LIVE, Reason.STAFF_AS_PATIENT))
    desk.desk.record_visit(decision, service, make_circumstances())
    assert kinds(desk) == ["staff_enrolled", "enrolled", "checked_in"]
    assert last(desk)["reasons"] == ["match", "live", "staff_as_patient"]


def test_other_patients_are_not_disturbed(desk: WorkingDesk) -> None:
    """A staff gallery changes nothing for whom it does not resemble."""
    person = desk.enrol(1).person
    for number in range(50, 60):
        desk.employ(number)
    assert desk.decide(1).reasons == (Reason.MATCH, Reason.LIVE)
    assert desk.decide(1, claimed=person).person == person
    assert desk.decide(1, LivenessVerdict.SPOOF).reasons == (Reason.LIVENESS_SPOOF,)


def test_staff_whom_another_process_enrolled_or_forgot_are_known(desk: WorkingDesk, other: WorkingDesk) -> None:
    """Before the next comparison, as with patients."""
    patient = desk.enrol(1).person
    other.employ(7)
    assert Reason.STAFF_FACE in desk.decide(7, claimed=patient).reasons
    forget_staff(other.records, other.ledger, other.clock, SOFTWARE, make_iin(7), "left")
    assert desk.decide(7, claimed=patient).reasons == (Reason.NO_MATCH,)


def test_one_of_the_staff_is_enrolled_once(desk: WorkingDesk) -> None:
    """By number, and by face: two of the staff with one face are an alarm."""
    desk.employ(7)
    with pytest.raises(PersonExists) as caught:
        desk.employ(7)
    assert make_iin(7).digits not in str(caught.value)
    with pytest.raises(DuplicateFace):
        desk.staffing.enrol(make_profile(8), CONSENT, [make_look(7)], "camera")
    assert kinds(desk) == ["staff_enrolled", "alarm"]
    assert last(desk)["who"] == [pseudonym(desk, 8), pseudonym(desk, 7)]
    assert desk.staff.people == 1


def test_staff_already_enrolled_as_somebody_else_are_told(desk: WorkingDesk) -> None:
    """The patient under another number has this face: the enrolment that reveals it goes on, with an alarm."""
    desk.enrol(1)
    desk.staffing.enrol(make_profile(7), CONSENT, [make_look(1, 9)], "camera")
    alarm, enrolled = desk.events()[-2:]
    assert (alarm.data["what"], alarm.data["detail"]) == ("staff_face", "enrolled as a patient")
    assert alarm.data["who"] == [pseudonym(desk, 7), pseudonym(desk, 1)]
    assert enrolled.kind == "staff_enrolled"
    assert desk.decide(1).reasons == (Reason.STAFF_FACE,)


def test_staff_enrol_with_consent_and_one_face(desk: WorkingDesk) -> None:
    """As patients do; nothing is kept otherwise."""
    with pytest.raises(ConsentMissing):
        desk.staffing.enrol(make_profile(7), None, [make_look(7)], "camera")
    with pytest.raises(FaceNotUsable):
        desk.staffing.enrol(make_profile(7), CONSENT, [make_look(7), make_look(8)], "camera")
    assert desk.events() == ()
    assert desk.records.staff.people.find(make_iin(7)) is None


def test_who_leaves_is_erased(desk: WorkingDesk) -> None:
    """Templates, key and profile go; consent and events stay as proof."""
    desk.employ(7)
    event = forget_staff(desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(7), "left")
    assert (desk.events()[-1].event_id, desk.events()[-1].kind) == (event, "staff_forgotten")
    assert (last(desk)["operator"], last(desk)["templates"], last(desk)["reason"]) == (pseudonym(desk, 7), 2, "left")
    with pytest.raises(PersonUnknown) as caught:
        forget_staff(desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(7), "left")
    assert make_iin(7).digits not in str(caught.value)
