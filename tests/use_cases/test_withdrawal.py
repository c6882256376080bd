"""A patient who takes the consent back sees what is held, and leaves with a proof."""

import pytest

from appliance.core.errors import PersonUnknown
from appliance.texts import Language
from appliance.withdrawal import held
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.working_desk import CONSENT, WorkingDesk
from tests.use_cases.front import staffed


def test_what_is_held_is_shown_erased_and_proved(desk: WorkingDesk) -> None:
    """Templates, consent, name; afterwards nothing, an event, and lines that say what was erased and when."""
    desk.enrol(1)
    front, patient = staffed(desk), desk.records.people.pseudonym(make_iin(1))
    before = front.held(patient)
    assert (before.name, before.masked_iin) == (make_profile(1).greeting, make_iin(1).masked)
    assert (before.templates, before.language) == (3, Language.KAZAKH)
    (consent,) = before.consents
    assert (consent.version, consent.withdrawn_at) == (CONSENT.version, None)
    proof = front.withdraw(patient)
    assert proof.held == before
    assert (desk.events()[-1].kind, desk.events()[-1].event_id) == ("forgotten", proof.event)
    data = desk.events()[-1].data
    assert (data["consent"], data["operator"]) == (consent.consent, desk.records.people.pseudonym(make_iin(900)))
    assert (desk.find(1), desk.desk.expected(), desk.enrolled.people) == (None, frozenset(), 0)
    for act in (front.held, front.withdraw):
        with pytest.raises(PersonUnknown):
            act(patient)


@pytest.mark.parametrize("language", Language)
def test_the_proof_can_be_printed(desk: WorkingDesk, language: Language) -> None:
    """In the patient's language: what, when, which event, and what stays; never the whole number."""
    desk.enrol(1)
    proof = staffed(desk).withdraw(desk.records.people.pseudonym(make_iin(1)))
    lines = proof.lines(language)
    text = "\n".join(lines)
    assert len(lines) == 7
    for part in (make_profile(1).greeting, make_iin(1).masked, CONSENT.version, "23.11.2026, 09:00", proof.event, "3"):
        assert part in text
    assert make_iin(1).digits not in text
    assert "{" not in text
    assert repr(proof) == "<ErasureProof redacted>"


def test_the_consents_that_stand_are_shown(desk: WorkingDesk) -> None:
    """Somebody who was erased and enrolled again has the new one only."""
    desk.enrol(1)
    front, patient = staffed(desk), desk.records.people.pseudonym(make_iin(1))
    front.withdraw(patient)
    desk.enrol(1)
    assert len(held(desk.records, patient).consents) == 1
