"""What a screen shows at one moment: one immutable picture of the visit, rendered by any front end.

The newest snapshot wins; a screen keeps no state of its own and sends intents back.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.core.decision import Reason
from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.types import Cue, Instant, Sensitive


@dataclass(frozen=True, slots=True, repr=False)
class Offer(Sensitive):
    """One service the patient may confirm. names: by language code. child: greeting of whose it is, empty for own.

    doctor: name of who gives it, empty where the clinic does not say.
    """

    service: str
    code: str
    names: tuple[tuple[str, str], ...]
    room: str
    starts_at: str
    child: str = ""
    doctor: str = ""

    def name(self, language: str) -> str:
        """The name in a language, else in the first one given."""
        return dict(self.names).get(language) or self.names[0][1]


@dataclass(frozen=True, slots=True, repr=False)
class Snapshot(Sensitive):
    """hint: one at a time. cue: what the challenge asks for, None outside of it. progress: 0..1, real.

    dot: where the dot to be followed is, shares of the screen from its left and its top; None where there is none.
    greeting: first name and initial, only after a match. offers: all in CHOOSE, the one in question in GUARDIAN and
    CONFIRM, what was confirmed in RECEIPT. receipt: event id after a durable record. failure: code of a known failure.
    refused: why a face alone does not decide, for the receptionist. seconds_left: until the state times out. unsigned:
    what was just recorded waits for the device's key. early: RFC 3339 start of the service that is too far off yet.
    before: RFC 3339, when was confirmed what is ALREADY.
    child: greeting of the child that a guardian speaks for. choice: there is something to go back to. wrong: entries of
    a number and code that did not fit. queue: place among those who wait for reception, 0 when unknown. face: the main
    face's left, top, width and height as shares of the unmirrored frame, while it steps up or is looked at. lamp: the
    face is too dark, the screen is to give light. pictured: the hint has stood so long that it is drawn, too. in_vain:
    a face has been looked for so long that the way without one is to catch the eye. training: nothing is recorded.
    passed: whether a face that is to be acquired passed the gate, None where none is. quality: of the worst look that
    is compared, 0..100.
    visit: another number is another visit, also where no idle screen came between; who is invited again keeps theirs.
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
    early: str = ""
    before: str = ""
    child: str = ""
    choice: bool = False
    wrong: int = 0
    queue: int = 0
    face: tuple[float, float, float, float] | None = None
    lamp: bool = False
    pictured: bool = False
    in_vain: bool = False
    training: bool = False
    passed: bool | None = None
    quality: int | None = None
    visit: int = 0


class IntentKind(StrEnum):
    """What a patient or receptionist can say on a screen. STAY: any touch that is no answer yet."""

    CONFIRM = "confirm"
    NOT_ME = "not_me"
    NOT_MY_SERVICE = "not_my_service"
    CLOSE = "close"
    CHOOSE = "choose"
    BACK = "back"
    WITHOUT_FACE = "without_face"
    IDENTIFY = "identify"
    HELP = "help"
    STAY = "stay"


@dataclass(frozen=True, slots=True, repr=False)
class Intent(Sensitive):
    """One answer. service: which offer is chosen or confirmed. iin, code: as typed; an empty code is "I have none"."""

    kind: IntentKind
    service: str = ""
    iin: str = ""
    code: str = ""
