"""What happens in the demonstration clinic, and what each visit must come to; data only.

How an act looks in the camera is `staging`'s; whether it came out as written is checked by `performance`.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.core.decision import Reason
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import LivenessVerdict


class Staging(StrEnum):
    """What the camera sees."""

    STEPS_UP = "steps up"
    NOBODY = "nobody"
    TWO_AT_ONCE = "two at once"
    DARK_THEN_LIT = "too dark, then lit"
    PRINTED_PHOTO = "printed photo held up"
    UNSEEN = "nobody the camera could see"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must come of an act.

    state: where the visit must get to. kind: of the one event it must leave, None for no event. reasons: all must be
    in the event, and with `any_of` at least one of those. liveness: the only verdicts allowed in the event.
    names_patient: whether the event must name the patient, or must not.
    """

    state: State
    kind: str | None
    reasons: tuple[Reason, ...] = ()
    any_of: tuple[Reason, ...] = ()
    liveness: frozenset[LivenessVerdict] = frozenset({LivenessVerdict.LIVE})
    names_patient: bool = True


@dataclass(frozen=True, slots=True)
class Act:
    """who, beside: keys of the cast. answer: what the patient says. network: whether the fund can be reached.

    child: whom the guardian comes for, and whom the event names then.
    """

    title: str
    staging: Staging
    outcome: Outcome
    who: str | None = None
    beside: str | None = None
    answer: IntentKind = IntentKind.CONFIRM
    network: bool = True
    child: str | None = None


RECOGNISED = Outcome(State.RECEIPT, "checked_in", (Reason.MATCH, Reason.LIVE))
_NOT_LIVE = frozenset({LivenessVerdict.SPOOF, LivenessVerdict.INCONCLUSIVE})
_UNCHECKED = frozenset({LivenessVerdict.NOT_CHECKED})


FOR_A_CHILD = Outcome(State.RECEIPT, "checked_in", (Reason.MATCH, Reason.LIVE))
BY_CODE = Outcome(State.RECEIPT, "confirmed_without_face", (Reason.WITHOUT_FACE,), liveness=_UNCHECKED)


def _patient(who: str, *, network: bool = True) -> Act:
    return Act("patient", Staging.STEPS_UP, RECOGNISED, who, network=network)


PLAN = (
    _patient("aigul"),
    Act("nobody", Staging.NOBODY, Outcome(State.IDLE, None)),
    _patient("bolat"),
    Act(
        "stranger",
        Staging.STEPS_UP,
        Outcome(State.NOT_RECOGNISED, "refused", (Reason.NO_MATCH,), names_patient=False),
        "stranger",
    ),
    Act(
        "two people at once",
        Staging.TWO_AT_ONCE,
        Outcome(State.NOT_RECOGNISED, "refused", (Reason.MORE_THAN_ONE_PERSON,), (), _UNCHECKED, False),
        "daria",
        "erlan",
    ),
    Act("too dark, then corrected", Staging.DARK_THEN_LIT, RECOGNISED, "daria"),
    Act(
        "printed photo of a patient",
        Staging.PRINTED_PHOTO,
        Outcome(
            State.NOT_RECOGNISED,
            "refused",
            any_of=(Reason.LIVENESS_SPOOF, Reason.LIVENESS_INCONCLUSIVE),
            liveness=_NOT_LIVE,
            names_patient=False,
        ),
        "ellen",
    ),
    Act(
        "patient says: not me",
        Staging.STEPS_UP,
        Outcome(State.NOT_ME, "declined", (Reason.NOT_ME,)),
        "ivan",
        answer=IntentKind.NOT_ME,
    ),
    _patient("erlan", network=False),
    _patient("gulnar", network=False),
    _patient("ellen", network=False),
    _patient("ivan"),
    Act("a guardian for a child", Staging.STEPS_UP, FOR_A_CHILD, "gulnar", child="miras"),
    Act("without a face", Staging.UNSEEN, BY_CODE, "saule"),
    Act(
        "patient comes again",
        Staging.STEPS_UP,
        Outcome(State.ALREADY, "refused", (Reason.ALREADY_CONFIRMED,)),
        "aigul",
    ),
)
"""The day of the demonstration clinic, in order."""
