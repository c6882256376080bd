"""The words of the receptionist's screen: roles, what became of a service, why it did not work, what is asked and told.

All of them are in `texts.toml`; what is to be said is decided by the use cases.
"""

from collections.abc import Sequence
from enum import StrEnum

from appliance.core.decision import Reason
from appliance.core.operators import Role
from appliance.core.quality import Hint
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck
from appliance.core.standing import Cause, Status
from appliance.texts import Language, said


class Told(StrEnum):
    """What a receptionist is told when something did not go as asked; and of a missing face."""

    PIN_WRONG = "pin_wrong"
    OPERATOR_LOCKED = "operator_locked"
    PIN_WEAK = "pin_weak"
    SESSION_LOCKED = "session_locked"
    NOT_ALLOWED = "not_allowed"
    FACE_MISSING = "face_missing"
    FACE_ELSEWHERE = "face_elsewhere"
    SECOND_PERSON = "second_person"
    COLLEAGUE = "colleague"
    BOTH_REASONS = "both_reasons"
    NOTE_NEEDED = "note_needed"
    ALREADY_CONFIRMED = "already_confirmed"
    RECEIPT_GONE = "receipt_gone"
    NOT_ENROLLED = "not_enrolled"
    FAILED = "failed"


class Erasure(StrEnum):
    """The lines of the proof that a patient takes along."""

    TITLE = "title"
    WHO = "who"
    CONSENT = "consent"
    WHAT = "what"
    STAYS = "stays"
    WHEN = "when"
    EVENT = "event"


def role_text(role: Role, language: Language) -> str:
    """The name of a role."""
    return said("role", role.value, language)


def status_text(status: Status, language: Language) -> str:
    """What became of a service: the words of a chip."""
    return said("status", status.value, language)


def cause_text(code: Reason | Hint, language: Language) -> str:
    """Why it did not work. What the check of a living face found is not told: nobody is taught how to pass it."""
    return said("cause", code.value, language)


def causes_text(causes: Sequence[Cause], language: Language) -> str:
    """Why it did not work, in one line, with how often; what reads the same is counted together."""
    counts: dict[str, int] = {}
    for cause in causes:
        words = cause_text(cause.code, language)
        counts[words] = counts.get(words, 0) + cause.times
    return ", ".join(words if times == 1 else f"{words} ×{times}" for words, times in counts.items())


def identity_text(identity: IdentityCheck, language: Language) -> str:
    """An answer to the question how it was made sure who it is."""
    return said("identity", identity.value, language)


def face_failure_text(reason: FaceFailure, language: Language) -> str:
    """An answer to the question why the face did not do."""
    return said("face_failure", reason.value, language)


def correction_text(reason: CorrectionReason, language: Language) -> str:
    """An answer to the question why the receipt does not stand."""
    return said("correction", reason.value, language)


def told_text(told: Told, language: Language, **parts: str) -> str:
    """parts: `left` (tries), `wait` (a time, as `age_text` gives it), `limit`."""
    return said("told", told.value, language, **parts)


def erasure_text(line: Erasure, language: Language, **parts: str) -> str:
    """parts: `name`, `iin` (masked), `version`, `given`, `count`, `at`, `event`."""
    return said("erasure", line.value, language, **parts)
