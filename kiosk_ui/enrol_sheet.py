"""Where an enrolment at the reception stands, and what of it the window shows, in words; pure, without Qt.

What leads from one step to the next is `enrol_page`'s.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from appliance.core.decision import Trial
from appliance.core.reception_events import Relation
from appliance.core.types import Sensitive
from appliance.front_texts import (
    ChildConsent,
    Consent,
    Front,
    StaffConsent,
    child_consent_text,
    consent_text,
    front_text,
    relation_text,
    staff_consent_text,
)
from appliance.guided_looks import VIEWS
from appliance.records.profile import Profile
from appliance.texts import Language, hint_text, view_text
from kiosk_ui.enrolling import Stand

BARS = (
    *("inter_eye_distance", "luminance_mean", "illumination_uniformity"),
    *("head_pose_yaw", "head_pose_pitch", "sharpness"),
)
"""The components that a receptionist can do something about, in the order of the hints."""


class Step(StrEnum):
    """What is done now."""

    DOCUMENT = "document"
    GUARDIAN = "guardian"
    CONSENT = "consent"
    LOOKS = "looks"
    TWIN = "twin"
    TEST = "test"
    DONE = "done"


class Who(StrEnum):
    """Whom it is about. CHILD: too young for a face of their own. STAFF: whoever is signed in."""

    PATIENT = "patient"
    CHILD = "child"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, repr=False)
class Sheet(Sensitive):
    """error: in the window's language. profile: as the document has it; guardian: who speaks for a child.

    stand: of the looks. event: of what was kept, for its number. trial: what the test match showed, None before it.
    """

    who: Who = Who.PATIENT
    step: Step = Step.DOCUMENT
    error: str = ""
    profile: Profile | None = None
    guardian: Profile | None = None
    relation: Relation | None = None
    stand: Stand = field(default_factory=Stand)
    event: str = ""
    trial: Trial | None = None


def sheet_values(sheet: Sheet, language: Language) -> dict[str, object]:
    """What QML holds. The consent and the hints are in the language of whoever is enrolled."""
    spoken = spoken_to(sheet, language)
    components = dict(sheet.stand.components)
    return {
        "who": sheet.who.value,
        "step": sheet.step.value,
        "error": sheet.error,
        "readBack": _read_back(sheet.profile),
        "guardian": _read_back(sheet.guardian),
        "relation": relation_text(sheet.relation, language) if sheet.relation else "",
        "relations": [{"code": each.value, "text": relation_text(each, language)} for each in Relation],
        "consent": _consent(sheet.who, spoken),
        "todo": _todo(sheet, spoken),
        "looks": sheet.stand.looks,
        "wanted": len(VIEWS),
        "bars": [
            {"name": front_text(Front(f"bar_{name}"), language), "value": components.get(name, 0)} for name in BARS
        ],
        "number": sheet.event[:8].upper(),
        "result": front_text(_RESULTS[sheet.trial], language) if sheet.trial else "",
        "tone": _TONES[sheet.trial] if sheet.trial else "good",
        "again": sheet.trial is Trial.NOT_RECOGNISED,
    }


_RESULTS = {
    Trial.RECOGNISED: Front.TEST_RECOGNISED,
    Trial.SECOND_FACTOR: Front.TEST_SECOND_FACTOR,
    Trial.NOT_RECOGNISED: Front.TEST_NOT_RECOGNISED,
}
_TONES = {Trial.RECOGNISED: "good", Trial.SECOND_FACTOR: "attention", Trial.NOT_RECOGNISED: "bad"}


def spoken_to(sheet: Sheet, language: Language) -> Language:
    """The patient's language; staff read the window itself."""
    if sheet.who is Who.STAFF or sheet.profile is None:
        return language
    return Language(sheet.profile.language)


def _read_back(profile: Profile | None) -> str:
    """Name, masked number and day of birth: what the eleventh digit of an IIN does not protect, a reader does."""
    if profile is None:
        return ""
    name = f"{profile.given_name} {profile.family_name}".strip()
    return f"{name}  ·  {profile.iin.masked}  ·  {profile.iin.born:%d.%m.%Y}"


def _consent(who: Who, spoken: Language) -> list[str]:
    if who is Who.STAFF:
        return [staff_consent_text(each, spoken) for each in StaffConsent]
    if who is Who.CHILD:
        return [child_consent_text(each, spoken) for each in ChildConsent]
    return [consent_text(each, spoken) for each in Consent]


def _todo(sheet: Sheet, spoken: Language) -> str:
    stand = sheet.stand
    if sheet.step is Step.TEST:
        return front_text(Front.TEST_LOOK, spoken)
    if sheet.step is not Step.LOOKS or stand.wanted is None:
        return ""
    return hint_text(stand.hint, spoken) if stand.hint else view_text(stand.wanted, spoken)
