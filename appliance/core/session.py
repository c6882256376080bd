"""The visit as a table: state x signal -> next state and effects. An illegal pair raises and changes nothing.

Everything that moves a visit on is in `TABLE` and `time_left`. Signals are found by the station (from frames, the
patient's answers, the outcome of an effect); effects are performed by it. The diagram in ARCHITECTURE.md
is generated from the table.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.core.policy import LivenessMode, Policy
from appliance.core.types import Instant, LivenessVerdict


class State(StrEnum):
    """What the patient's screen shows."""

    IDLE = "idle"
    ALIGN = "align"
    HOLD = "hold"
    CHALLENGE = "challenge"
    CHECKING = "checking"
    CHOOSE = "choose"
    CONFIRM = "confirm"
    GUARDIAN = "guardian"
    FALLBACK = "fallback"
    STILL_THERE = "still_there"
    SAVING = "saving"
    RECEIPT = "receipt"
    NO_SERVICE = "no_service"
    TOO_EARLY = "too_early"
    ALREADY = "already"
    NOT_RECOGNISED = "not_recognised"
    NOT_ME = "not_me"
    HELP = "help"
    SAVE_FAILED = "save_failed"
    LEAVING = "leaving"
    OUT_OF_SERVICE = "out_of_service"


class Signal(StrEnum):
    """What happened."""

    ARRIVED = "arrived"
    LEFT = "left"
    WALKED_OFF = "walked_off"
    GATES_PASSED = "gates_passed"
    GATE_FAILED = "gate_failed"
    HELD = "held"
    LIVE = "live"
    RETRY = "retry"
    INVITED = "invited"
    """Reception asks whoever stands there to try again."""
    GAVE_UP = "gave_up"
    MATCHED = "matched"
    SEVERAL = "several"
    FOR_CHILD = "for_child"
    NO_SERVICE = "no_service"
    TOO_EARLY = "too_early"
    ALREADY = "already"
    CHOSEN = "chosen"
    BACK = "back"
    WITHOUT_FACE = "without_face"
    WRONG = "wrong"
    CALLED = "called"
    STAYED = "stayed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    SAVED = "saved"
    SAVE_FAILED = "save_failed"
    FAULT = "fault"
    RECOVERED = "recovered"


class Effect(StrEnum):
    """What the station does after a transition."""

    RESET = "reset"
    COMPARE = "compare"
    RECORD_VISIT = "record_visit"
    RECORD_REFUSAL = "record_refusal"
    RECORD_DECLINE = "record_decline"
    RECORD_OUTCOME = "record_outcome"
    """Whatever has come of the visit so far, if anything was tried and is not recorded yet."""
    CALL = "call"
    """Reception is called."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a signal leads, and what is done on the way. to: None is the question that was asked before."""

    to: State | None
    effects: tuple[Effect, ...] = ()


_GO_IDLE = Transition(State.IDLE, (Effect.RESET,))
_REFUSED = Transition(State.NOT_RECOGNISED, (Effect.RECORD_REFUSAL,))
_GONE = Transition(State.LEAVING, (Effect.RECORD_REFUSAL,))
_UNANSWERED = Transition(State.LEAVING, (Effect.RECORD_DECLINE,))
_BROKEN_OFF = Transition(State.LEAVING, (Effect.RECORD_OUTCOME,))
_FAULT = Transition(State.OUT_OF_SERVICE, (Effect.RESET,))
_NOT_SAVED = Transition(State.SAVE_FAILED)
_FALLBACK = Transition(State.FALLBACK)
_CALL = Transition(State.HELP, (Effect.CALL,))
_HELP = Transition(State.HELP, (Effect.RECORD_OUTCOME, Effect.CALL))
_UNSURE = Transition(State.HELP, (Effect.RECORD_DECLINE, Effect.CALL))
_INVITED = Transition(State.ALIGN, (Effect.RESET,))
_GREETED = {
    Signal.MATCHED: Transition(State.CONFIRM),
    Signal.SEVERAL: Transition(State.CHOOSE),
    Signal.TOO_EARLY: Transition(State.TOO_EARLY, (Effect.RECORD_REFUSAL,)),
    Signal.ALREADY: Transition(State.ALREADY, (Effect.RECORD_REFUSAL,)),
    Signal.SAVE_FAILED: _NOT_SAVED,
    Signal.FAULT: _FAULT,
}
_ASKED = {
    Signal.DECLINED: Transition(State.NOT_ME, (Effect.RECORD_DECLINE,)),
    Signal.CALLED: _UNSURE,
    Signal.WALKED_OFF: _UNANSWERED,
    Signal.TIMED_OUT: Transition(State.STILL_THERE),
    Signal.FAULT: _FAULT,
}
_NOTICE = {Signal.TIMED_OUT: Transition(State.LEAVING), Signal.FAULT: _FAULT}
_OUTCOME = {**_NOTICE, Signal.CALLED: _CALL, Signal.SAVE_FAILED: _NOT_SAVED}

TABLE: dict[State, dict[Signal, Transition]] = {
    State.IDLE: {
        Signal.ARRIVED: Transition(State.ALIGN),
        Signal.WITHOUT_FACE: _FALLBACK,
        Signal.CALLED: _CALL,
        Signal.FAULT: _FAULT,
    },
    State.ALIGN: {
        Signal.GATES_PASSED: Transition(State.HOLD),
        Signal.WITHOUT_FACE: _FALLBACK,
        Signal.CALLED: _HELP,
        Signal.LEFT: _GO_IDLE,
        Signal.WALKED_OFF: _GONE,
        Signal.TIMED_OUT: _REFUSED,
        Signal.FAULT: _FAULT,
    },
    State.HOLD: {
        Signal.LIVE: Transition(State.CHECKING, (Effect.COMPARE,)),
        Signal.HELD: Transition(State.CHALLENGE),
        Signal.GATE_FAILED: Transition(State.ALIGN),
        Signal.RETRY: Transition(State.ALIGN),
        Signal.GAVE_UP: _REFUSED,
        Signal.WITHOUT_FACE: _FALLBACK,
        Signal.CALLED: _HELP,
        Signal.LEFT: _GO_IDLE,
        Signal.WALKED_OFF: _GONE,
        Signal.TIMED_OUT: _REFUSED,
        Signal.FAULT: _FAULT,
    },
    State.CHALLENGE: {
        Signal.LIVE: Transition(State.CHECKING, (Effect.COMPARE,)),
        Signal.RETRY: Transition(State.ALIGN),
        Signal.GAVE_UP: _REFUSED,
        Signal.WITHOUT_FACE: _FALLBACK,
        Signal.CALLED: _HELP,
        Signal.WALKED_OFF: _GONE,
        Signal.FAULT: _FAULT,
    },
    State.CHECKING: {
        **_GREETED,
        Signal.FOR_CHILD: Transition(State.GUARDIAN),
        Signal.NO_SERVICE: Transition(State.NO_SERVICE, (Effect.RECORD_REFUSAL,)),
        Signal.RETRY: Transition(State.ALIGN),
        Signal.GAVE_UP: _REFUSED,
    },
    State.CHOOSE: {
        **_ASKED,
        Signal.CHOSEN: Transition(State.CONFIRM),
        Signal.FOR_CHILD: Transition(State.GUARDIAN),
        Signal.STAYED: Transition(State.CHOOSE),
    },
    State.GUARDIAN: {
        **_ASKED,
        Signal.CHOSEN: Transition(State.CONFIRM),
        Signal.BACK: Transition(State.CHOOSE),
        Signal.STAYED: Transition(State.GUARDIAN),
    },
    State.CONFIRM: {
        **_ASKED,
        Signal.CONFIRMED: Transition(State.SAVING, (Effect.RECORD_VISIT,)),
        Signal.BACK: Transition(State.CHOOSE),
        Signal.STAYED: Transition(State.CONFIRM),
    },
    State.FALLBACK: {
        **_GREETED,
        Signal.WRONG: _FALLBACK,
        Signal.GAVE_UP: Transition(State.HELP, (Effect.RECORD_REFUSAL, Effect.CALL)),
        Signal.CALLED: _HELP,
        Signal.BACK: _BROKEN_OFF,
        Signal.STAYED: _FALLBACK,
        Signal.TIMED_OUT: Transition(State.STILL_THERE),
    },
    State.STILL_THERE: {
        Signal.STAYED: Transition(None),
        Signal.CALLED: _HELP,
        Signal.WALKED_OFF: _BROKEN_OFF,
        Signal.TIMED_OUT: _BROKEN_OFF,
        Signal.FAULT: _FAULT,
    },
    State.SAVING: {Signal.SAVED: Transition(State.RECEIPT), Signal.SAVE_FAILED: _NOT_SAVED},
    State.RECEIPT: _NOTICE,
    State.NO_SERVICE: {**_OUTCOME, Signal.INVITED: _INVITED},
    State.TOO_EARLY: {**_OUTCOME, Signal.INVITED: _INVITED},
    State.ALREADY: _OUTCOME,
    State.NOT_RECOGNISED: {**_OUTCOME, Signal.WITHOUT_FACE: _FALLBACK, Signal.INVITED: _INVITED},
    State.NOT_ME: {**_OUTCOME, Signal.INVITED: _INVITED},
    State.HELP: {**_NOTICE, Signal.SAVE_FAILED: _NOT_SAVED, Signal.INVITED: _INVITED},
    State.SAVE_FAILED: _NOTICE,
    State.LEAVING: {
        Signal.LEFT: _GO_IDLE,
        Signal.TIMED_OUT: _GO_IDLE,
        Signal.INVITED: _INVITED,
        Signal.SAVE_FAILED: _NOT_SAVED,
        Signal.FAULT: _FAULT,
    },
    State.OUT_OF_SERVICE: {Signal.RECOVERED: _GO_IDLE},
}
"""Every legal step of a visit. Whoever ended one must leave (or time out) before the next begins."""

NOTICES = frozenset(state for state, row in TABLE.items() if row.items() >= _NOTICE.items())
"""States that only tell something; the patient may close them before their time."""

ACQUIRING = frozenset({State.ALIGN, State.HOLD})
"""States that share one time limit, counted from the arrival or the last retry."""

QUESTIONS = tuple(state for state, row in TABLE.items() if row.get(Signal.TIMED_OUT) == Transition(State.STILL_THERE))
"""States that wait for an answer; whoever gives none is asked whether they are still there."""


_TO_READ = (State.RECEIPT, State.ALREADY, State.TOO_EARLY, State.NOT_RECOGNISED, State.SAVE_FAILED)
"""Notices with something to photograph, to remember or to press, for who reads slowly."""


class IllegalSignal(Exception):
    """A signal that the table does not allow in this state: a bug of the caller."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a visit stands.

    entered: when its state began, or the patient was last heard there. acquiring_since: start of this attempt. arrived:
    start of the first one. tries: failed. wrong: entries of a number and code that did not fit. asked: the question
    that STILL_THERE interrupts. without_face: the patient goes another way, and need not be seen.
    """

    state: State
    entered: Instant
    acquiring_since: Instant
    arrived: Instant
    tries: int = 0
    wrong: int = 0
    asked: State | None = None
    without_face: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The visit after a signal, and the effects to perform in order."""

    visit: Visit
    effects: tuple[Effect, ...]


def start(at: Instant, state: State = State.IDLE) -> Visit:
    """A desk that waits for the next patient, or one that shows again what was on its screen when it stopped."""
    return Visit(state, at, at, at)


def advance(visit: Visit, signal: Signal, at: Instant) -> Step:
    """Apply one signal. Raises IllegalSignal, changing nothing, when the table has no such step."""
    transition = TABLE[visit.state].get(signal)
    to = None if transition is None else transition.to or visit.asked
    if transition is None or to is None:
        raise IllegalSignal(f"{signal} is not possible in state {visit.state}")
    if to is State.IDLE:
        return Step(start(at), transition.effects)
    if signal is Signal.INVITED:
        return Step(start(at, to), transition.effects)
    fresh_attempt = signal in (Signal.ARRIVED, Signal.RETRY)
    moved = replace(
        visit,
        state=to,
        entered=at,
        acquiring_since=at if fresh_attempt else visit.acquiring_since,
        arrived=at if signal is Signal.ARRIVED else visit.arrived,
        tries=visit.tries + (signal is Signal.RETRY),
        wrong=visit.wrong + (signal is Signal.WRONG),
        asked=visit.state if to is State.STILL_THERE else None,
        without_face=visit.without_face or to is State.FALLBACK,
    )
    return Step(moved, transition.effects)


def failed_attempt(visit: Visit, policy: Policy) -> Signal:
    """Whether a failed attempt may be repeated or the fallback is offered."""
    return Signal.RETRY if visit.tries + 1 < policy.tries else Signal.GAVE_UP


def wrong_entry(visit: Visit, policy: Policy) -> Signal:
    """Whether a number and code that did not fit may be entered again, or reception is called."""
    return Signal.WRONG if visit.wrong + 1 < policy.entries else Signal.GAVE_UP


def held(visit: Visit, passive: LivenessVerdict, policy: Policy) -> Signal:
    """What follows once a face was held long enough, given what the passive models said of it.

    A spoof fails the attempt under every policy. Where nothing could be checked, only a challenge can prove a living
    person.
    """
    mode = policy.liveness.mode
    if passive is LivenessVerdict.SPOOF:
        return failed_attempt(visit, policy)
    if mode is LivenessMode.ALWAYS_CHALLENGE or passive is LivenessVerdict.NOT_CHECKED:
        return Signal.HELD
    if passive is LivenessVerdict.LIVE:
        return Signal.LIVE
    return Signal.HELD if mode is LivenessMode.PASSIVE_THEN_CHALLENGE else failed_attempt(visit, policy)


def gone(visit: Visit) -> Signal | None:
    """The signal for a face that has gone; None where the table takes no notice.

    Who leaves before anything was tried leaves no trace; after a failed attempt, or in the middle of one, it is
    an outcome to be recorded. Who goes without a face may stand, or sit, where no camera sees them.
    """
    row = TABLE[visit.state]
    if visit.without_face and visit.state is not State.LEAVING:
        return None
    if Signal.WALKED_OFF in row and (Signal.LEFT not in row or visit.tries > 0):
        return Signal.WALKED_OFF
    return Signal.LEFT if Signal.LEFT in row else None


def time_left(visit: Visit, at: Instant, policy: Policy) -> float | None:
    """Seconds until TIMED_OUT is due in this state; None where no limit applies; may be negative."""
    t = policy.timing
    if visit.state in ACQUIRING:
        return t.acquire - (at - visit.acquiring_since)
    limits = {
        **dict.fromkeys(QUESTIONS, t.answer),
        State.STILL_THERE: t.still_there,
        State.HELP: t.help,
        **dict.fromkeys(_TO_READ, t.receipt),
        State.NO_SERVICE: t.answer,
        State.NOT_ME: t.notice,
        State.LEAVING: t.leaving,
    }
    limit = limits.get(visit.state)
    return None if limit is None else limit - (at - visit.entered)


def in_vain(visit: Visit, at: Instant, policy: Policy) -> bool:
    """Whether a face has been looked for so long, over all tries, that another way should catch the eye."""
    return visit.state in ACQUIRING and at - visit.arrived >= policy.timing.way_out


def onward(step: Transition) -> tuple[State, ...]:
    """The states a step may lead to: one, or every question that may have been asked before."""
    return QUESTIONS if step.to is None else (step.to,)


def diagram() -> str:
    """The table as a Mermaid state diagram; signals that lead to out_of_service are told in the note."""
    lines = ["stateDiagram-v2", "    [*] --> idle"]
    for state, row in TABLE.items():
        for signal, step in row.items():
            if signal is Signal.FAULT:
                continue
            done = " / " + ", ".join(step.effects) if step.effects else ""
            lines += [f"    {state} --> {to}: {signal}{done}" for to in onward(step)]
    faulty = ", ".join(s for s, row in TABLE.items() if Signal.FAULT in row)
    lines += [f"    note right of out_of_service: fault / reset, from {faulty}"]
    return "\n".join(lines)
