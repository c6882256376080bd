"""What a screen shows at one moment: one immutable picture of the visit, rendered by any front end.

The newest snapshot wins; a screen keeps no state of its own and sends intents back.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.core.decision import Reason
from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue, Instant, Sensitive


@dataclass(frozen=True, slots=True)
class Offer:
    """One service the patient may confirm. names: by language code."""

    service: str
    code: str
    names: tuple[tuple[str, str], ...]
    room: str
    starts_at: str

    def name(self, language: str) -> str:
        """The name in a language, else in the first one given."""
        return dict(self.names).get(language) or self.names[0][1]


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot(Sensitive):
    """hint: one at a time. cue: what the challenge asks for, None outside of it. progress: 0..1, real.

    dot: where the dot to be followed is, shares of the screen from its left and its top; None where there is none.
    greeting: first name and initial, only after a match. receipt: event id after a durable record.
    failure: code of a known failure. refused: why a face alone does not decide, for the receptionist. seconds_left:
    until the state times out. unsigned: what was just recorded waits for the device's key.
    """

    at: Instant
    state: State
    hint: Hint | None = None
    cue: Cue | None = None
    dot: tuple[float, float] | None = None
    progress: float = 0.0
    greeting: str = ""
    offers: tuple[Offer, ...] = ()
    receipt: str = ""
    failure: str = ""
    refused: tuple[Reason, ...] = ()
    seconds_left: float | None = None
    unsigned: bool = False


class IntentKind(StrEnum):
    """What a patient or receptionist can say on a screen."""

    CONFIRM = "confirm"
    NOT_ME = "not_me"
    NOT_MY_SERVICE = "not_my_service"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Intent:
    """One answer. service: which offer is confirmed."""

    kind: IntentKind
    service: str = ""
