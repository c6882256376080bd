"""What reaches the fund: plain JSON, nothing personal, nothing unproven."""

import json
import math
from dataclasses import fields, is_dataclass, replace
from typing import get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.decision import Reason, Trial, decide
from appliance.core.events import (
    Alarm,
    CheckedIn,
    Circumstances,
    Comparison,
    ConfirmedWithoutFace,
    Declined,
    Enrolled,
    Event,
    Forgotten,
    LivenessMethod,
    LookAlike,
    Refused,
    ReTemplated,
    StaffEnrolled,
    StaffForgotten,
    WithoutFace,
)
from appliance.core.machine_events import (
    KeyRotated,
    PackGivenUp,
    PackInUse,
    PackRetired,
    Restored,
    SettingsGivenUp,
    SettingsInUse,
)
from appliance.core.operators import Role
from appliance.core.reception_events import (
    ConfirmedManually,
    Corrected,
    CorrectionReason,
    EnrolmentTried,
    FaceFailure,
    GuardianNamed,
    IdentityCheck,
    Invited,
    PinSet,
    Relation,
    SessionEnd,
    SignedIn,
    SignedOut,
)
from appliance.core.types import Cue, LivenessVerdict
from tests.core.test_decision import clear, evidences

ABOUT = Circumstances(
    pack="ab" * 32,
    policy="0123456789abcdef",
    software="0.1.0",
    camera="front",
    began="2026-11-23T09:00:00+05:00",
    attempts=2,
    earlier=(Reason.LIVENESS_INCONCLUSIVE,),
    quality=71,
    liveness=LivenessVerdict.LIVE,
    liveness_method=LivenessMethod.CHALLENGE,
    liveness_cause="answered",
    liveness_score=0.41,
    liveness_accept=0.75,
    liveness_reject=0.05,
    liveness_steps=(Cue.CLOSER, Cue.LEFT),
)
COMPARED = Comparison.of(decide(clear()))
CHECKED_IN = CheckedIn(
    "cd" * 32, "s1", "A02.1", "doctor-7", "ef" * 16, "12" * 32, (Reason.MATCH, Reason.LIVE), COMPARED, ABOUT
)
WHO = "99" * 32
MANUAL = ConfirmedManually(
    patient="cd" * 32,
    service="s1",
    service_code="A02.1",
    provider="doctor-7",
    identity=IdentityCheck.ID_CARD,
    reason=FaceFailure.INJURY,
    operator=WHO,
    role=Role.RECEPTIONIST,
    second=None,
    count=3,
    limit=10,
    attempt="01" * 16,
    enrolled=True,
    policy="p",
    software="0.1.0",
)
CORRECTED = Corrected(
    receipt="01" * 16,
    patient="cd" * 32,
    service="s1",
    service_code="A02.1",
    provider="d-7",
    instead="s2",
    instead_code="A02.2",
    instead_provider="d-8",
    reason=CorrectionReason.WRONG_SERVICE,
    operator=WHO,
    second=None,
    count=4,
    limit=10,
    software="0.1.0",
)
EVENTS: list[Event] = [
    KeyRotated("template", "ab" * 8, "0.1.0"),
    Restored("desk-1", 40, 3, 1, 2, "0.1.0"),
    CHECKED_IN,
    replace(CHECKED_IN, guardian="ab" * 32),
    GuardianNamed(
        "cd" * 32, "ab" * 32, Relation.PARENT, "ef" * 16, "2026-11", "kk", "guardian", True, "p", "0.1.0", "12" * 32
    ),
    EnrolmentTried(
        "cd" * 32, "ab" * 16, Trial.RECOGNISED, (Reason.MATCH, Reason.LIVE), 80, None, "ab" * 32, "p", "0.1.0"
    ),
    ConfirmedWithoutFace("cd" * 32, "s1", "A02.1", "doctor-7", WithoutFace.IIN_CODE, (Reason.WITHOUT_FACE,), ABOUT),
    Refused(None, (Reason.NO_MATCH,), "closer", COMPARED, ABOUT),
    Refused("cd" * 32, (Reason.NO_SERVICE_TODAY,), None, None, ABOUT),
    Declined("cd" * 32, Reason.NOT_ME, ("s1",), COMPARED, ABOUT),
    Declined("cd" * 32, Reason.NO_ANSWER, ("s1",), None, ABOUT),
    Enrolled(
        "cd" * 32,
        "ef" * 16,
        "2026-1",
        "kk",
        "patient",
        ("12" * 32,),
        "ab" * 32,
        "p",
        "0.1.0",
        "camera",
        80,
        12,
        False,
        0,
    ),
    Forgotten("cd" * 32, None, 2, "consent_withdrawn", "0.1.0"),
    ReTemplated("cd" * 32, "ef" * 16, "01" * 16, ("12" * 32,), "ab" * 32, "34" * 32, "p", "0.1.0"),
    PackRetired("34" * 32, 12, 4, 1, 2, "p", "0.1.0"),
    PackInUse(
        "34" * 32,
        4,
        True,
        "canary",
        2,
        (PackGivenUp("56" * 32, 3, "drift"),),
        SettingsInUse("78" * 32, 2, False, 1, (SettingsGivenUp("9a" * 32, 1, "invalid"),)),
        "bc" * 32,
        "p",
        "0.1.0",
    ),
    LookAlike(("cd" * 32, "ab" * 32), True, "declared", "0.1.0"),
    StaffEnrolled("cd" * 32, "ef" * 16, "2026-1", "kk", ("12" * 32,), "ab" * 32, "p", "0.1.0", "camera", 80),
    StaffForgotten("cd" * 32, None, 2, "left", "0.1.0"),
    MANUAL,
    CORRECTED,
    Invited("cd" * 32, WHO, "0.1.0"),
    PinSet(WHO, Role.IT, "terminal", "0.1.0"),
    SignedIn(WHO, Role.RECEPTIONIST, False, "0.1.0"),
    SignedOut(WHO, SessionEnd.SHIFT_OVER, "0.1.0"),
    Alarm("camera_failure", "E-CAM-01", "0.1.0"),
    Alarm("staff_face", "check-in", "0.1.0", ("cd" * 32,)),
]
KINDS = sorted({type(event) for event in EVENTS}, key=lambda kind: kind.KIND)


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.KIND)
def test_an_event_survives_json(event: Event) -> None:
    """What is written is what is read, with strict JSON."""
    data = event.data()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert set(data) == {f.name for f in fields(event)}


def test_every_kind_is_tested_here_and_has_its_own_name() -> None:
    """Kinds are lower case and versioned."""
    assert {kind.KIND for kind in Event.__subclasses__()} == {kind.KIND for kind in KINDS}
    assert [kind.KIND for kind in KINDS] == [
        "alarm",
        "checked_in",
        "confirmed_manually",
        "confirmed_without_face",
        "corrected",
        "declined",
        "enrolled",
        "enrolment_tried",
        "forgotten",
        "guardian_named",
        "invited",
        "key_rotated",
        "look_alike",
        "pack_in_use",
        "pack_retired",
        "pin_set",
        "re_templated",
        "refused",
        "restored",
        "signed_in",
        "signed_out",
        "staff_enrolled",
        "staff_forgotten",
    ]
    assert all(kind.VERSION >= 1 for kind in KINDS)


PERSONAL = {"name", "iin", "image", "photo", "vector", "embedding", "landmarks", "greeting", "pixels", "person"}


def _names(kind: type) -> set[str]:
    found = set()
    for name, hint in get_type_hints(kind).items():
        found.add(name)
        for part in (hint, *getattr(hint, "__args__", ())):
            if isinstance(part, type) and is_dataclass(part):
                found |= _names(part)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
def test_an_event_has_no_place_for_personal_data(kind: type[Event]) -> None:
    """No field, on any level, is called like a name, a number, an image or a vector."""
    assert not PERSONAL & _names(kind)


@pytest.mark.parametrize("verdict", sorted(set(LivenessVerdict) - {LivenessVerdict.LIVE}))
def test_only_the_living_check_in(verdict: LivenessVerdict) -> None:
    """An event that says otherwise cannot be made."""
    with pytest.raises(ValueError, match="live"):
        replace(CHECKED_IN, circumstances=replace(ABOUT, liveness=verdict))


def test_a_refusal_has_reasons() -> None:
    """An auditor is always told why."""
    with pytest.raises(ValueError, match="reasons"):
        Refused(None, (), None, None, ABOUT)


def test_nobody_alone_confirms_by_hand_above_the_limit() -> None:
    """The last one within it stands alone; the next needs a second person, who is another one."""
    replace(CORRECTED, instead=None, count=None, limit=None)
    for count, limit, instead in ((None, 10, "s2"), (4, None, "s2"), (4, 10, None)):
        with pytest.raises(ValueError, match="counted"):
            replace(CORRECTED, count=count, limit=limit, instead=instead)
    with pytest.raises(ValueError, match="two people"):
        replace(CORRECTED, count=11)
    replace(MANUAL, count=10)
    replace(MANUAL, count=11, second="88" * 32)
    for second in (None, WHO):
        with pytest.raises(ValueError, match="two people"):
            replace(MANUAL, count=11, second=second)


def test_a_visit_without_a_face_says_why() -> None:
    """It is never the ordinary way."""
    with pytest.raises(ValueError, match="reasons"):
        ConfirmedWithoutFace("cd" * 32, "s1", "A02.1", "doctor-7", WithoutFace.IIN_CODE, (), ABOUT)


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_enters_no_event(figure: float) -> None:
    """JSON does not have it; the fund could not read the event."""
    with pytest.raises(ValueError, match="no number"):
        replace(CHECKED_IN, comparison=replace(COMPARED, agreement=figure)).data()


def test_only_json_enters_an_event() -> None:
    """A vector by mistake is a bug, not a string."""
    with pytest.raises(TypeError, match="ndarray"):
        replace(CHECKED_IN, service=np.zeros(3)).data()  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TypeError, match="type"):
        replace(CHECKED_IN, service=Alarm).data()  # type: ignore[arg-type]  # the point of the test


@given(evidences())
def test_the_figures_of_any_decision_can_be_told(e: object) -> None:
    """Best and second score, threshold and margin, to four digits."""
    decision = decide(e)  # type: ignore[arg-type]  # hypothesis infers object through st.composite
    told = Comparison.of(decision)
    ranked = decision.evidence.result.candidates
    assert (told.score is None) == (not ranked)
    others = {c.person for r in (decision.evidence.result, decision.evidence.gallery) for c in r.candidates}
    assert (told.second is None) == (not others - {c.person for c in ranked[:1]})
    assert told.score is None or told.score == pytest.approx(ranked[0].score, abs=1e-4)
    json.dumps(Refused(None, decision.reasons, None, told, ABOUT).data(), allow_nan=False)


@given(st.sampled_from(EVENTS))
def test_enums_are_told_as_their_text(event: Event) -> None:
    """A reader needs no knowledge of our classes."""
    assert "<" not in json.dumps(event.data())
