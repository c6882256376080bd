"""The words of the reception's window: titles, buttons and questions around what `reception_texts` says.

All of them are in `texts.toml`.
"""

from enum import StrEnum

from appliance.core.reception_events import Relation
from appliance.texts import Language, said


class Front(StrEnum):
    """One title, button or question."""

    TITLE = "title"
    QUEUE = "queue"
    HANDOVER = "handover"
    SEARCH = "search"
    WHO = "who"
    PIN = "pin"
    SIGN_IN = "sign_in"
    UNLOCK = "unlock"
    LOCK = "lock"
    SIGN_OUT = "sign_out"
    NOBODY_YET = "nobody_yet"
    NOTHING_TODAY = "nothing_today"
    NOTHING_FOUND = "nothing_found"
    CHOOSE_ROW = "choose_row"
    CALLS = "calls"
    CALLED_AT = "called_at"
    ANSWER = "answer"
    NOT_ENROLLED = "not_enrolled"
    LOOK_ALIKE = "look_alike"
    TRIES = "tries"
    SERVICES = "services"
    RECEIPTS = "receipts"
    CONFIRM_BY_HAND = "confirm_by_hand"
    HOW_CHECKED = "how_checked"
    WHY_NOT_FACE = "why_not_face"
    NOTE = "note"
    SECOND = "second"
    BY_HAND = "by_hand"
    RECORDED = "recorded"
    CORRECT = "correct"
    WHY_CORRECT = "why_correct"
    INSTEAD = "instead"
    TAKE_BACK = "take_back"
    PUT_INSTEAD = "put_instead"
    WITHDRAW = "withdraw"
    HELD = "held"
    ERASE = "erase"
    ERASED = "erased"
    CANCEL = "cancel"
    DONE = "done"
    UNSENT = "unsent"
    NOTHING_UNSENT = "nothing_unsent"
    CORRECTED = "corrected"
    WAITING_CALLS = "waiting_calls"
    TODAY = "today"
    STRANGER = "stranger"
    DEVICE = "device"
    LOOKING = "looking"
    LOOK_AGAIN = "look_again"
    ENROL = "enrol"
    NO_CAMERA = "no_camera"
    DOCUMENT = "document"
    IIN = "iin"
    GIVEN = "given"
    FAMILY = "family"
    SPEAKS = "speaks"
    NEXT = "next"
    READ_BACK = "read_back"
    READ_ALOUD = "read_aloud"
    BY_GUARDIAN = "by_guardian"
    AGREES = "agrees"
    REFUSES = "refuses"
    BREAK_OFF = "break_off"
    OTHER_PERSON = "other_person"
    NEXT_PATIENT = "next_patient"
    ENROLLED_ALREADY = "enrolled_already"
    NAME_WRONG = "name_wrong"
    NO_GOOD_LOOK = "no_good_look"
    NO_GUARDIAN = "no_guardian"
    OWN_FACE = "own_face"
    OWN_WHY = "own_why"
    OWN_AGREE = "own_agree"
    READ_BACK_GUARDIAN = "read_back_guardian"
    LATER = "later"
    FACE_NOW = "face_now"
    FACE_TAKEN = "face_taken"
    COLLEAGUE_FACE = "colleague_face"
    SUPERVISOR_NEEDED = "supervisor_needed"
    SUPERVISOR = "supervisor"
    GUARDIAN_OF = "guardian_of"
    GUARDIAN_IIN = "guardian_iin"
    RELATION = "relation"
    CHOOSE_RELATION = "choose_relation"
    SPEAKS_FOR = "speaks_for"
    GUARDIAN_NAMED = "guardian_named"
    KEPT = "kept"
    TEST_LOOK = "test_look"
    TEST_RECOGNISED = "test_recognised"
    TEST_SECOND_FACTOR = "test_second_factor"
    TEST_NOT_RECOGNISED = "test_not_recognised"
    TEST_AGAIN = "test_again"
    LOOKS_AGAIN = "looks_again"
    PROOF_KEPT = "proof_kept"
    PROOF_NOT_KEPT = "proof_not_kept"
    PRINT_PROOF = "print_proof"
    CLAIMED = "claimed"
    INVITE = "invite"
    INVITED = "invited"
    BAR_INTER_EYE_DISTANCE = "bar_inter_eye_distance"
    BAR_LUMINANCE_MEAN = "bar_luminance_mean"
    BAR_ILLUMINATION_UNIFORMITY = "bar_illumination_uniformity"
    BAR_SHARPNESS = "bar_sharpness"
    BAR_HEAD_POSE_YAW = "bar_head_pose_yaw"
    BAR_HEAD_POSE_PITCH = "bar_head_pose_pitch"


class Consent(StrEnum):
    """The sentences of the consent, in the order in which they are read out."""

    PURPOSE = "purpose"
    KEPT = "kept"
    TOLD = "told"
    FREE = "free"
    WITHDRAWN = "withdrawn"


class ChildConsent(StrEnum):
    """The sentences that a guardian agrees to for a child of whom no template is made."""

    PURPOSE = "purpose"
    KEPT = "kept"
    FREE = "free"
    WITHDRAWN = "withdrawn"


class StaffConsent(StrEnum):
    """The sentences that somebody who works here agrees to, in the order in which they are shown."""

    PURPOSE = "purpose"
    KEPT = "kept"
    ALARM = "alarm"
    FREE = "free"
    WITHDRAWN = "withdrawn"


CONSENT_VERSION = "2026-11"
"""Of the consent's text in all languages; whoever changes a word there changes this too."""


def consent_text(sentence: Consent, language: Language) -> str:
    """One sentence of what is agreed to."""
    return said("consent", sentence.value, language)


STAFF_CONSENT_VERSION = "staff-2026-11"
"""As `CONSENT_VERSION`, of what staff agree to."""


CHILD_CONSENT_VERSION = "child-2026-11"
"""As `CONSENT_VERSION`, of what a guardian agrees to for a child."""


def child_consent_text(sentence: ChildConsent, language: Language) -> str:
    """One sentence of what a guardian agrees to."""
    return said("child_consent", sentence.value, language)


def relation_text(relation: Relation, language: Language) -> str:
    """What an adult is to a child."""
    return said("relation", relation.value, language)


def staff_consent_text(sentence: StaffConsent, language: Language) -> str:
    """One sentence of what staff agree to."""
    return said("staff_consent", sentence.value, language)


def front_text(word: Front, language: Language, **parts: str) -> str:
    """parts: `n`, `limit`, `name`, `at`, `age`, `file`, as the sentence has them."""
    return said("front", word.value, language, **parts)
