"""What the receptionist reads comes from the table, in each language."""

import pytest

from appliance import reception_texts as texts
from appliance.core.decision import Reason
from appliance.core.operators import Role
from appliance.core.quality import Hint
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck
from appliance.core.standing import Cause, Status
from appliance.texts import Language, said


@pytest.mark.parametrize("language", Language)
def test_every_code_has_its_words(language: Language) -> None:
    """Roles, statuses, reasons and answers."""
    assert [texts.role_text(each, language) for each in Role] == [said("role", each, language) for each in Role]
    assert [texts.status_text(s, language) for s in Status] == [said("status", s, language) for s in Status]
    assert texts.cause_text(Hint.MASK_DOWN, language) == said("cause", "mask_down", language)
    for each in IdentityCheck:
        assert texts.identity_text(each, language) == said("identity", each, language)
    for reason in FaceFailure:
        assert texts.face_failure_text(reason, language) == said("face_failure", reason, language)
    for correction in CorrectionReason:
        assert texts.correction_text(correction, language) == said("correction", correction, language)
    assert "3" in texts.told_text(texts.Told.PIN_WRONG, language, left="3")
    assert "desk" in texts.erasure_text(texts.Erasure.EVENT, language, event="desk")


@pytest.mark.parametrize("language", Language)
def test_nobody_is_taught_to_pass_the_check(language: Language) -> None:
    """Whatever it found reads the same."""
    found = (Reason.LIVENESS_SPOOF, Reason.LIVENESS_INCONCLUSIVE, Reason.LIVENESS_NOT_CHECKED)
    assert len({texts.cause_text(reason, language) for reason in found}) == 1


def test_causes_are_one_line_with_their_counts() -> None:
    """As on the receptionist's card; what reads the same is one."""
    causes = (Cause(Hint.MORE_LIGHT, 1), Cause(Hint.MASK_DOWN, 1), Cause(Reason.LOW_LIGHT, 1))
    assert texts.causes_text(causes, Language.KAZAKH) == "Тым қараңғы ×2, Бетперде таққан"
    assert texts.causes_text((), Language.ENGLISH) == ""
