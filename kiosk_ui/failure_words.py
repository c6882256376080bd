"""What a receptionist is told when something did not go as asked, in the words of one language.

Which failures there are is `core.errors`'s, the words are the tables'. What nobody at a reception can mend is told by
its code, and is for IT.
"""

from collections.abc import Callable
from functools import partial

from appliance.core.device import Finding
from appliance.core.errors import (
    CameraFrozen,
    CameraUnavailable,
    DuplicateFace,
    FaceNotUsable,
    IinInvalid,
    NameInvalid,
    NotAChild,
    NotAllowed,
    NotSignedIn,
    OperatorLocked,
    PersonExists,
    PersonUnknown,
    PinWrong,
    ReasonMissing,
    ReceiptUnknown,
    SecondPersonNeeded,
    ServiceConfirmed,
)
from appliance.front_texts import Front, front_text
from appliance.reception_texts import Told, told_text
from appliance.texts import Advice, Label, Language, age_text, reception_text, remedy_text, screen_text
from sync.errors import KnownFailure


def failure_words(failure: KnownFailure, language: Language) -> str:
    """What to tell."""
    match failure:
        case PinWrong():
            return told_text(Told.PIN_WRONG, language, left=str(failure.tries_left))
        case OperatorLocked():
            return told_text(Told.OPERATOR_LOCKED, language, wait=age_text(int(failure.seconds) + 59, language))
        case CameraUnavailable() | CameraFrozen():
            return f"{failure.code} {remedy_text(Finding.CAMERA_NONE, language)}"
    said = _SAID.get(type(failure))
    return said(language) if said else told_text(Told.FAILED, language, code=failure.code)


_SAID: dict[type[KnownFailure], Callable[[Language], str]] = {
    NotSignedIn: partial(told_text, Told.SESSION_LOCKED),
    NotAllowed: partial(told_text, Told.NOT_ALLOWED),
    SecondPersonNeeded: partial(told_text, Told.COLLEAGUE),
    ServiceConfirmed: partial(told_text, Told.ALREADY_CONFIRMED),
    ReceiptUnknown: partial(told_text, Told.RECEIPT_GONE),
    PersonUnknown: partial(told_text, Told.NOT_ENROLLED),
    ReasonMissing: partial(told_text, Told.BOTH_REASONS),
    PersonExists: partial(front_text, Front.ENROLLED_ALREADY),
    NameInvalid: partial(front_text, Front.NAME_WRONG),
    FaceNotUsable: partial(front_text, Front.NO_GOOD_LOOK),
    NotAChild: partial(front_text, Front.NO_GUARDIAN),
    IinInvalid: partial(screen_text, Label.PAD_BAD_IIN),
    DuplicateFace: partial(reception_text, Advice.DUPLICATE_FACE),
}
