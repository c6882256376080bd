"""Right after an enrolment one look is compared as a check-in's would be; the result is signed, and nothing else."""

import pytest

from appliance.core.decision import Trial
from appliance.core.errors import PersonUnknown
from appliance.trial_match import TrialMatch
from tests.fakes.patients import make_iin
from tests.fakes.working_desk import SOFTWARE, WorkingDesk, make_look


def trial_of(desk: WorkingDesk) -> TrialMatch:
    """The use case over a desk."""
    return TrialMatch(desk.records, desk.ledger, desk.enrolled, desk.staff, desk.recogniser, desk.clock, SOFTWARE)


@pytest.mark.parametrize(("shown", "result"), [(1, Trial.RECOGNISED), (2, Trial.NOT_RECOGNISED)])
def test_the_result_is_signed_and_no_visit_comes_of_it(desk: WorkingDesk, shown: int, result: Trial) -> None:
    """Who was enrolled is found among everybody; somebody else before the camera is not taken for them."""
    enrolled = desk.enrol(1)
    desk.enrol(2)
    desk.plan(1, 1)
    before = desk.records.templates.held()
    assert trial_of(desk).test(enrolled.person, enrolled.event, [make_look(shown, 40)], "ab" * 32) is result
    event = desk.events()[-1]
    assert (event.kind, event.data["enrolment"], event.data["result"]) == ("enrolment_tried", enrolled.event, result)
    assert (event.data["patient"], event.data["operator"]) == (desk.records.people.pseudonym(make_iin(1)), "ab" * 32)
    assert "liveness_not_checked" in str(event.data["reasons"])
    assert [each.kind for each in desk.events()].count("checked_in") == 0
    assert desk.records.templates.held() == before


def test_who_was_erased_meanwhile_is_not_tested(desk: WorkingDesk) -> None:
    """And nothing is signed about them."""
    enrolled = desk.enrol(1)
    desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    before = len(desk.events())
    with pytest.raises(PersonUnknown):
        trial_of(desk).test(enrolled.person, enrolled.event, [make_look(1, 40)], None)
    assert len(desk.events()) == before
