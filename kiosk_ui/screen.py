"""What one picture of the patient's screen says and offers: a snapshot put into the words of one language.

Pure: no Qt, no clock. How it looks is the QML files', what the patient may do was decided by the station.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from appliance.core.policy import Timing
from appliance.core.session import NOTICES, TABLE, Signal, State
from appliance.core.snapshot import IntentKind, Offer, Snapshot
from appliance.core.types import Sensitive
from appliance.texts import (
    Count,
    Label,
    Language,
    answer_text,
    count_text,
    cue_text,
    hint_text,
    screen_text,
    state_text,
)


class Scene(StrEnum):
    """Which layout shows a state."""

    CLOSED = "closed"
    WAIT = "wait"
    LOOK = "look"
    CHOOSE = "choose"
    CONFIRM = "confirm"
    PAD = "pad"
    NOTICE = "notice"
    RECEIPT = "receipt"
    STILL_THERE = "still_there"


class Tone(StrEnum):
    """How a notice is meant; each has a sign of its own beside its colour."""

    PLAIN = "plain"
    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"


SCENES: Mapping[State, Scene] = {
    State.IDLE: Scene.WAIT,
    State.ALIGN: Scene.LOOK,
    State.HOLD: Scene.LOOK,
    State.CHALLENGE: Scene.LOOK,
    State.CHECKING: Scene.LOOK,
    State.CHOOSE: Scene.CHOOSE,
    State.GUARDIAN: Scene.CONFIRM,
    State.CONFIRM: Scene.CONFIRM,
    State.STILL_THERE: Scene.STILL_THERE,
    State.FALLBACK: Scene.PAD,
    State.SAVING: Scene.NOTICE,
    State.RECEIPT: Scene.RECEIPT,
    State.ALREADY: Scene.RECEIPT,
    State.NO_SERVICE: Scene.NOTICE,
    State.TOO_EARLY: Scene.NOTICE,
    State.NOT_RECOGNISED: Scene.NOTICE,
    State.NOT_ME: Scene.NOTICE,
    State.HELP: Scene.NOTICE,
    State.SAVE_FAILED: Scene.NOTICE,
    State.LEAVING: Scene.NOTICE,
    State.OUT_OF_SERVICE: Scene.CLOSED,
}

_TONES: Mapping[State, Tone] = {
    State.RECEIPT: Tone.GOOD,
    State.ALREADY: Tone.GOOD,
    State.NO_SERVICE: Tone.ATTENTION,
    State.TOO_EARLY: Tone.ATTENTION,
    State.NOT_RECOGNISED: Tone.ATTENTION,
    State.NOT_ME: Tone.ATTENTION,
    State.HELP: Tone.ATTENTION,
    State.SAVE_FAILED: Tone.BAD,
    State.OUT_OF_SERVICE: Tone.BAD,
}

_MORE: Mapping[State, Label] = {
    State.IDLE: Label.NOTICE,
    State.CONFIRM: Label.QUESTION,
    State.STILL_THERE: Label.TIME_RUNS_OUT,
}

_MOST_CHOICES = 4


PRINT = "print"
"""The one answer that is the window's own and no intent."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is shown beside the visit. offline: events wait, and the fund cannot be reached.

    printer, voice: there is one.
    """

    clinic: str = ""
    clock: str = ""
    offline: bool = False
    printer: bool = False
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """One answer. intent: what it says. weight: primary, secondary or quiet."""

    intent: str
    text: str
    weight: str = "secondary"
    service: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Screen(Sensitive):
    """Everything a layout needs, as text and numbers; empty where the state has none.

    second: the headline in the other languages, at first contact. cue: what the challenge shows. picture: the hint that
    is drawn, and what a screen reader says of it. grown: the way without a face is larger. progress, left: 0..1.
    dot: shares of the screen; negative where there is none. choices: services to tap. bottom: always at hand.
    """

    state: str
    scene: Scene
    language: str
    headline: str
    detail: str = ""
    second: str = ""
    note: str = ""
    tone: Tone = Tone.PLAIN
    cue: str = ""
    picture: tuple[str, str] = ("", "")
    grown: bool = False
    progress: float = 0.0
    left: float = 0.0
    dot: tuple[float, float] = (-1.0, -1.0)
    choices: tuple[tuple[Button, str, str], ...] = ()
    service: tuple[str, str] = ("", "")
    answers: tuple[Button, ...] = ()
    bottom: tuple[Button, ...] = ()
    receipt: str = ""
    number: str = ""
    lamp: bool = False
    offline: str = ""
    training: str = ""
    clinic: str = ""
    clock: str = ""
    languages: tuple[tuple[str, str], ...] = field(
        default=tuple((each.value, screen_text(Label.LANGUAGE, each)) for each in Language)
    )


def starting(around: Surroundings, language: Language) -> Screen:
    """The screen before the desk has said anything."""
    return Screen(
        "starting",
        Scene.CLOSED,
        language.value,
        screen_text(Label.STARTING, language),
        clinic=around.clinic,
        clock=around.clock,
    )


def render(shown: Snapshot, around: Surroundings, language: Language) -> Screen:
    """Put a snapshot into words; the same snapshot always gives the same screen."""
    state = shown.state
    return Screen(
        state=state.value,
        scene=SCENES[state],
        language=language.value,
        headline=_headline(shown, language),
        detail=_detail(shown, language),
        second=_second(shown, language),
        note=_note(shown, language),
        tone=_TONES.get(state, Tone.PLAIN),
        cue=shown.cue.value if shown.cue else "",
        picture=_picture(shown, language),
        grown=shown.in_vain,
        progress=shown.progress,
        left=_left(shown),
        dot=shown.dot or (-1.0, -1.0),
        choices=tuple(_choice(offer, language) for offer in shown.offers[:_MOST_CHOICES])
        if state is State.CHOOSE
        else (),
        service=_service(shown, language),
        answers=_answers(shown, around, language),
        bottom=_bottom(state, language),
        receipt=shown.receipt,
        number=_number(shown),
        lamp=shown.lamp,
        offline=screen_text(Label.OFFLINE, language) if around.offline else "",
        training=screen_text(Label.TRAINING, language) if shown.training else "",
        clinic=around.clinic,
        clock=around.clock,
    )


def _headline(shown: Snapshot, language: Language) -> str:
    if shown.cue is not None:
        return cue_text(shown.cue, language)
    if shown.hint is not None:
        return hint_text(shown.hint, language)
    if shown.state is State.CONFIRM:
        return screen_text(Label.GREETING, language, name=shown.greeting)
    return state_text(shown.state, language, shown.greeting)


def _picture(shown: Snapshot, language: Language) -> tuple[str, str]:
    if shown.hint is None or not shown.pictured:
        return "", ""
    return shown.hint.value, screen_text(Label.PICTURE, language, hint=hint_text(shown.hint, language))


def _second(shown: Snapshot, language: Language) -> str:
    """At first contact nobody has chosen a language yet."""
    if shown.state is not State.IDLE:
        return ""
    return "  ·  ".join(state_text(shown.state, other) for other in Language if other is not language)


def _detail(shown: Snapshot, language: Language) -> str:
    label, parts = _MORE.get(shown.state), {}
    match shown.state:
        case State.GUARDIAN:
            return shown.child
        case State.HELP if shown.queue:
            label, parts = Label.QUEUE, {"place": str(shown.queue)}
        case State.TOO_EARLY:
            label, parts = Label.TODAY_AT, {"time": shown.early[11:16]}
        case State.ALREADY if shown.before:
            label, parts = Label.CONFIRMED_AT, {"time": shown.before[11:16]}
        case State.RECEIPT if shown.offers and shown.offers[0].room:
            label, parts = Label.GO_TO, {"room": shown.offers[0].room}
        case State.OUT_OF_SERVICE | State.SAVE_FAILED if shown.failure:
            label, parts = Label.FAILURE, {"code": shown.failure}
    return screen_text(label, language, **parts) if label else ""


def _note(shown: Snapshot, language: Language) -> str:
    if SCENES[shown.state] is Scene.RECEIPT and shown.seconds_left is not None:
        return count_text(Count.CLEARS_IN, max(math.ceil(shown.seconds_left), 0), language)
    return ""


def _left(shown: Snapshot) -> float:
    """Share of the time to answer that is left; a policy with a longer one begins with a bar that stays full."""
    if shown.state is not State.STILL_THERE or shown.seconds_left is None:
        return 0.0
    return min(max(shown.seconds_left / Timing().still_there, 0.0), 1.0)


def _when(offer: Offer, language: Language) -> str:
    at = screen_text(Label.TODAY_AT, language, time=offer.starts_at[11:16])
    room = screen_text(Label.ROOM, language, room=offer.room) if offer.room else ""
    return "  ·  ".join(filter(None, (offer.child, at, room, offer.doctor)))


def _choice(offer: Offer, language: Language) -> tuple[Button, str, str]:
    name = offer.name(language.value)
    return Button(IntentKind.CHOOSE.value, name, "primary", offer.service), name, _when(offer, language)


def _service(shown: Snapshot, language: Language) -> tuple[str, str]:
    if SCENES[shown.state] not in (Scene.CONFIRM, Scene.RECEIPT) or not shown.offers:
        return "", ""
    return shown.offers[0].name(language.value), _when(shown.offers[0], language)


def _answers(shown: Snapshot, around: Surroundings, language: Language) -> tuple[Button, ...]:
    def say(kind: IntentKind, weight: str = "secondary", service: str = "") -> Button:
        return Button(kind.value, answer_text(kind, language), weight, service)

    back = (say(IntentKind.BACK),) if shown.choice else ()
    no = (say(IntentKind.NOT_ME), say(IntentKind.NOT_MY_SERVICE))
    found: tuple[Button, ...] = (say(IntentKind.CLOSE),) if shown.state in NOTICES - {State.LEAVING} else ()
    match shown.state:
        case State.CONFIRM if shown.offers:
            found = *(back or no[1:]), no[0], say(IntentKind.CONFIRM, "primary", shown.offers[0].service)
        case State.GUARDIAN if shown.offers:
            words = answer_text(IntentKind.IDENTIFY, language)
            found = *(back or no[1:]), no[0], Button(IntentKind.CHOOSE, words, "primary", shown.offers[0].service)
        case State.CHOOSE:
            found = no
        case State.FALLBACK:
            found = (say(IntentKind.BACK),)
        case State.STILL_THERE:
            found = (say(IntentKind.STAY, "primary"),)
        case State.RECEIPT | State.ALREADY:
            paper = (Button(PRINT, screen_text(Label.PRINT, language)),) if around.printer else ()
            found = *paper, say(IntentKind.CLOSE, "primary")
    return found


def _bottom(state: State, language: Language) -> tuple[Button, ...]:
    """What the visit's table allows at any moment: the way without a face, and the call for help beside it."""
    at_hand = ((IntentKind.WITHOUT_FACE, Signal.WITHOUT_FACE), (IntentKind.HELP, Signal.CALLED))
    return tuple(Button(kind.value, answer_text(kind, language)) for kind, signal in at_hand if signal in TABLE[state])


def _number(shown: Snapshot) -> str:
    """What a patient can read out: the first characters of the event's id."""
    return shown.receipt.replace("-", "")[:8].upper()
