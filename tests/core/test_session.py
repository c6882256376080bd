"""The visit's table: total, without traps, and without a way round the proof of life."""

from dataclasses import replace
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core import session
from appliance.core.policy import LivenessMode, Policy, Timing
from appliance.core.session import (
    ACQUIRING,
    QUESTIONS,
    TABLE,
    Effect,
    IllegalSignal,
    Signal,
    State,
    Visit,
    advance,
    onward,
)
from appliance.core.types import Instant, LivenessVerdict

POLICY = Policy()
LATER = Instant(7.0)


def visit(state: State, tries: int = 0) -> Visit:
    """A visit in a state since second 5, trying since second 3; who is asked to stay was asked to confirm."""
    asked = State.CONFIRM if state is State.STILL_THERE else None
    return Visit(state, Instant(5.0), Instant(3.0), Instant(3.0), tries, asked=asked)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("signal", Signal)
def test_the_full_product_is_as_in_the_table(state: State, signal: Signal) -> None:
    """A pair in the table moves on with its effects; any other raises and changes nothing."""
    before = visit(state, tries=1)
    if signal in TABLE[state]:
        step = advance(before, signal, LATER)
        expected = TABLE[state][signal]
        to = expected.to or before.asked
        assert (step.visit.state, step.effects, step.visit.entered) == (to, expected.effects, LATER)
    else:
        with pytest.raises(IllegalSignal, match=f"{signal} is not possible in state {state}"):
            advance(before, signal, LATER)
        assert before == visit(state, tries=1)


def _reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        for step in TABLE[todo.pop()].values():
            new = set(onward(step)) - found
            found |= new
            todo += new
    return found


@pytest.mark.parametrize("state", State)
def test_every_state_is_reached_and_left_again(state: State) -> None:
    """From idle there is a way into it, and from it a way to idle."""
    assert state in _reachable(State.IDLE)
    assert State.IDLE in _reachable(state)
    assert any(step.to is not state for step in TABLE[state].values())


def test_every_signal_and_effect_is_used() -> None:
    """Nothing is declared that cannot happen."""
    assert {signal for row in TABLE.values() for signal in row} == set(Signal)
    assert {effect for row in TABLE.values() for step in row.values() for effect in step.effects} == set(Effect)


def test_what_may_fail_to_be_saved_has_a_way_to_say_so() -> None:
    """Each state entered with a RECORD_* or COMPARE takes SAVE_FAILED, and that never leads to a receipt."""
    for row in TABLE.values():
        for step in row.values():
            if step.effects and step.effects != (Effect.RESET,):
                assert all(TABLE[to][Signal.SAVE_FAILED].to is State.SAVE_FAILED for to in onward(step))
    assert State.RECEIPT not in {step.to for step in TABLE[State.SAVE_FAILED].values()}


def _ways(without: State, *closed: State) -> set[tuple[State, State | None]]:
    """Where a visit can get to, with the question it interrupts, when some states cannot be entered."""
    begin = session.start(Instant(0.0))
    found, todo = {(begin.state, begin.asked)}, [begin]
    while todo:
        at = todo.pop()
        for signal in TABLE[at.state]:
            after = advance(at, signal, LATER).visit
            if after.state not in (without, *closed) and (after.state, after.asked) not in found:
                found.add((after.state, after.asked))
                todo.append(after)
    return found


@pytest.mark.parametrize("needed", [State.HOLD, State.CHECKING, State.CONFIRM, State.SAVING])
def test_a_receipt_stands_behind_everything(needed: State) -> None:
    """By face, without any one of hold, checking, confirm and saving no way leads to a receipt."""
    assert State.RECEIPT not in {state for state, _ in _ways(needed, State.FALLBACK)}
    assert State.RECEIPT in {state for state, _ in _ways(State.GUARDIAN, State.FALLBACK)}


@pytest.mark.parametrize("needed", [State.FALLBACK, State.CONFIRM, State.SAVING])
def test_a_receipt_without_a_face_stands_behind_a_number_and_a_code(needed: State) -> None:
    """And behind the patient's own yes."""
    assert State.RECEIPT not in {state for state, _ in _ways(needed, State.CHECKING)}
    assert State.RECEIPT in {state for state, _ in _ways(State.GUARDIAN, State.CHECKING)}


def test_every_way_into_idle_forgets_the_person() -> None:
    """So does every way out of service."""
    for row in TABLE.values():
        for step in row.values():
            if step.to in (State.IDLE, State.OUT_OF_SERVICE):
                assert step.effects[-1] is Effect.RESET


def test_a_camera_failure_is_possible_wherever_frames_are_waited_for() -> None:
    """Only while saving, which takes no frame, and where it has happened already, it is not."""
    assert {s for s in State if Signal.FAULT not in TABLE[s]} == {State.SAVING, State.OUT_OF_SERVICE}


def test_only_a_proof_of_life_leads_to_a_comparison() -> None:
    """From the hold and from the challenge, and from nowhere else."""
    steps = ((state, signal, row[signal]) for state, row in TABLE.items() for signal in row)
    ways = {(state, signal) for state, signal, step in steps if State.CHECKING in onward(step)}
    assert ways == {(State.HOLD, Signal.LIVE), (State.CHALLENGE, Signal.LIVE)}


_M, _V = LivenessMode, LivenessVerdict
HELD = [
    (_M.PASSIVE, _V.LIVE, Signal.LIVE),
    (_M.PASSIVE, _V.INCONCLUSIVE, Signal.RETRY),
    (_M.PASSIVE, _V.NOT_CHECKED, Signal.HELD),
    (_M.PASSIVE, _V.SPOOF, Signal.RETRY),
    (_M.PASSIVE_THEN_CHALLENGE, _V.LIVE, Signal.LIVE),
    (_M.PASSIVE_THEN_CHALLENGE, _V.INCONCLUSIVE, Signal.HELD),
    (_M.PASSIVE_THEN_CHALLENGE, _V.NOT_CHECKED, Signal.HELD),
    (_M.PASSIVE_THEN_CHALLENGE, _V.SPOOF, Signal.RETRY),
    (_M.ALWAYS_CHALLENGE, _V.LIVE, Signal.HELD),
    (_M.ALWAYS_CHALLENGE, _V.INCONCLUSIVE, Signal.HELD),
    (_M.ALWAYS_CHALLENGE, _V.NOT_CHECKED, Signal.HELD),
    (_M.ALWAYS_CHALLENGE, _V.SPOOF, Signal.RETRY),
]


@pytest.mark.parametrize(("mode", "verdict", "signal"), HELD)
def test_what_follows_the_hold_is_the_policys(mode: LivenessMode, verdict: LivenessVerdict, signal: Signal) -> None:
    """Only a live verdict leads on without a challenge; a spoof never does; the last try is the last."""
    policy = replace(POLICY, liveness=replace(POLICY.liveness, mode=mode))
    assert session.held(visit(State.HOLD), verdict, policy) is signal
    last = session.held(visit(State.HOLD, POLICY.tries - 1), verdict, policy)
    assert last is (Signal.GAVE_UP if signal is Signal.RETRY else signal)
    assert last in TABLE[State.HOLD]


def test_every_mode_and_verdict_is_told_above() -> None:
    """None is left to chance."""
    assert {(mode, verdict) for mode, verdict, _ in HELD} == set(product(LivenessMode, LivenessVerdict))


OUTCOME = {
    State.CHALLENGE: [Signal.LIVE, Signal.RETRY],
    State.CHECKING: [Signal.MATCHED, Signal.NO_SERVICE, Signal.ALREADY, Signal.RETRY, Signal.SAVE_FAILED],
    State.STILL_THERE: [Signal.TIMED_OUT],
    State.SAVING: [Signal.SAVED, Signal.SAVE_FAILED],
}


def _station_like(at: Visit, choice: int) -> Signal:
    """One of the signals a station may send in this state: no retries beyond the policy, absence told by `gone`."""
    options: list[Signal] = [
        s
        for s in TABLE[at.state]
        if s not in (Signal.LEFT, Signal.WALKED_OFF, Signal.GAVE_UP, Signal.RETRY, Signal.WRONG)
    ]
    if session.gone(at) is not None:
        options.append(session.gone(at) or Signal.LEFT)
    if Signal.RETRY in TABLE[at.state]:
        options.append(session.failed_attempt(at, POLICY))
    if Signal.WRONG in TABLE[at.state]:
        options.append(session.wrong_entry(at, POLICY))
    return options[choice % len(options)]


@given(st.lists(st.integers(0, 1000), max_size=80))
def test_random_walks_return_to_idle(choices: list[int]) -> None:
    """Whatever happened, when the person leaves (or the camera recovers) and time passes, the desk is free again."""
    now = session.start(Instant(0.0))
    for second, choice in enumerate(choices):
        now = advance(now, _station_like(now, choice), Instant(float(second))).visit
        assert now.tries < POLICY.tries
        assert now.wrong < POLICY.entries
    for _ in range(6):
        if now.state is State.IDLE:
            break
        row = TABLE[now.state]
        absent = session.gone(now)
        onward = absent or next(
            s for s in (Signal.TIMED_OUT, Signal.RECOVERED, *OUTCOME.get(now.state, [])) if s in row
        )
        now = advance(now, onward, Instant(1000.0)).visit
    assert (now.state, now.tries) == (State.IDLE, 0)


@given(st.lists(st.integers(0, 1000), max_size=80))
def test_time_never_runs_back_in_a_visit(choices: list[int]) -> None:
    """A state begins when its signal came; an attempt begins with an arrival, a retry or an invitation only."""
    walk = [session.start(Instant(0.0))]
    signals = []
    for second, choice in enumerate(choices, 1):
        signals.append(_station_like(walk[-1], choice))
        walk.append(advance(walk[-1], signals[-1], Instant(float(second))).visit)
    for second, ((before, after), signal) in enumerate(zip(pairwise(walk), signals, strict=True), 1):
        assert after.entered == Instant(second)
        fresh = signal in (Signal.ARRIVED, Signal.RETRY, Signal.INVITED)
        if after.state is not State.IDLE:
            assert after.acquiring_since == (Instant(second) if fresh else before.acquiring_since)


def test_tries_are_counted_and_forgotten_with_the_visit() -> None:
    """A retry is one failed try; the next visit starts with none."""
    again = advance(visit(State.CHALLENGE), Signal.RETRY, LATER).visit
    assert (again.state, again.tries, again.acquiring_since) == (State.ALIGN, 1, LATER)
    assert advance(visit(State.LEAVING, tries=1), Signal.LEFT, LATER).visit.tries == 0


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_the_policy_says_how_often_is_tried(allowed: int) -> None:
    """After the last allowed failure the fallback is offered."""
    policy = Policy(tries=allowed)
    answers = [session.failed_attempt(visit(State.CHALLENGE, tries), policy) for tries in range(allowed)]
    assert answers == [Signal.RETRY] * (allowed - 1) + [Signal.GAVE_UP]


@pytest.mark.parametrize(
    ("state", "tries", "signal"),
    [
        (State.ALIGN, 0, Signal.LEFT),
        (State.ALIGN, 1, Signal.WALKED_OFF),
        (State.HOLD, 0, Signal.LEFT),
        (State.HOLD, 1, Signal.WALKED_OFF),
        (State.CHALLENGE, 0, Signal.WALKED_OFF),
        (State.CHOOSE, 0, Signal.WALKED_OFF),
        (State.GUARDIAN, 0, Signal.WALKED_OFF),
        (State.CONFIRM, 0, Signal.WALKED_OFF),
        (State.STILL_THERE, 0, Signal.WALKED_OFF),
        (State.HELP, 0, None),
        (State.LEAVING, 0, Signal.LEFT),
        (State.LEAVING, 1, Signal.LEFT),
        (State.RECEIPT, 0, None),
        (State.IDLE, 0, None),
        (State.OUT_OF_SERVICE, 0, None),
    ],
)
def test_who_leaves_in_the_middle_leaves_a_trace(state: State, tries: int, signal: Signal | None) -> None:
    """Before anything was tried, no event; afterwards an outcome; a notice stands until its time is over."""
    assert session.gone(visit(state, tries)) is signal


def test_who_is_still_there_is_asked_the_same_again() -> None:
    """The silence interrupts a question; a touch brings back that very one, and no other."""
    for question in QUESTIONS:
        silent = advance(visit(question), Signal.TIMED_OUT, LATER).visit
        assert (silent.state, silent.asked) == (State.STILL_THERE, question)
        back = advance(silent, Signal.STAYED, LATER).visit
        assert (back.state, back.asked, back.entered) == (question, None, LATER)
        heard = advance(visit(question), Signal.STAYED, LATER).visit
        assert (heard.state, heard.entered) == (question, LATER)


def test_nothing_was_asked_before_the_first_question() -> None:
    """There is nowhere to stay then."""
    with pytest.raises(IllegalSignal):
        advance(replace(visit(State.STILL_THERE), asked=None), Signal.STAYED, LATER)


def test_who_goes_without_a_face_need_not_be_seen() -> None:
    """No absence before the camera ends such a visit, only time or an answer; afterwards it frees the desk."""
    begun = advance(session.start(LATER), Signal.WITHOUT_FACE, LATER).visit
    assert begun.without_face
    for state in set(State) - {State.LEAVING}:
        assert session.gone(replace(begun, state=state)) is None
    assert session.gone(replace(begun, state=State.LEAVING)) is Signal.LEFT


def test_wrong_entries_are_counted_and_forgotten_with_the_visit() -> None:
    """Each by one; the next visit starts with none."""
    once = advance(visit(State.FALLBACK), Signal.WRONG, LATER).visit
    assert (once.state, once.wrong) == (State.FALLBACK, 1)
    assert advance(replace(once, state=State.LEAVING), Signal.LEFT, LATER).visit == session.start(LATER)


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_the_policy_says_how_often_a_code_may_be_wrong(allowed: int) -> None:
    """After the last allowed entry reception is called."""
    policy = Policy(entries=allowed)
    answers = [session.wrong_entry(replace(visit(State.FALLBACK), wrong=wrong), policy) for wrong in range(allowed)]
    assert answers == [Signal.WRONG] * (allowed - 1) + [Signal.GAVE_UP]


def test_an_attempt_has_one_time_limit() -> None:
    """Align and hold share it, counted from arrival or retry, however often a gate fails in between."""
    for state in ACQUIRING:
        assert session.time_left(visit(state), LATER, POLICY) == POLICY.timing.acquire - 4.0


@pytest.mark.parametrize("state", sorted(set(State) - ACQUIRING))
def test_a_state_has_a_time_limit_exactly_where_it_can_time_out(state: State) -> None:
    """Counted from its beginning; afterwards it is negative."""
    left = session.time_left(visit(state), Instant(1005.0), POLICY)
    assert (left is not None) == (Signal.TIMED_OUT in TABLE[state])
    assert left is None or left < 0


def test_the_time_limits_are_the_policys() -> None:
    """Each limit is read from its own field."""
    t = Timing(acquire=1, answer=2, receipt=3, notice=4, leaving=5, still_there=6, help=7)
    limits = {s: session.time_left(replace(visit(s), entered=LATER), LATER, Policy(timing=t)) for s in State}
    assert {limits[s] for s in (State.CHOOSE, State.GUARDIAN, State.CONFIRM, State.FALLBACK)} == {2}
    assert (limits[State.RECEIPT], limits[State.LEAVING]) == (3, 5)
    assert (limits[State.STILL_THERE], limits[State.HELP]) == (6, 7)
    to_read = (State.TOO_EARLY, State.ALREADY, State.NOT_RECOGNISED, State.SAVE_FAILED)
    assert {limits[s] for s in to_read} == {3}
    assert (limits[State.NOT_ME], limits[State.NO_SERVICE]) == (4, 2)


def test_the_diagram_shows_every_step() -> None:
    """One line per pair of the table with its effects; faults in one note."""
    text = session.diagram()
    assert text.startswith("stateDiagram-v2\n    [*] --> idle\n")
    for state, row in TABLE.items():
        for signal, step in row.items():
            done = " / " + ", ".join(step.effects) if step.effects else ""
            for to in onward(step):
                line = f"    {state} --> {to}: {signal}{done}"
                assert (line in text.splitlines()) == (signal is not Signal.FAULT)
    note = text.splitlines()[-1]
    assert note.startswith("    note right of out_of_service: fault / reset, from ")
    assert set(note.split("from ")[1].split(", ")) == {s for s in State if Signal.FAULT in TABLE[s]}


def test_looking_in_vain_counts_from_the_arrival() -> None:
    """Over all tries, in the states that look for a face; the next patient begins anew."""
    since = POLICY.timing.way_out
    arrived = advance(session.start(Instant(0.0)), Signal.ARRIVED, Instant(10.0)).visit
    assert not session.in_vain(arrived, Instant(10.0 + since - 0.1), POLICY)
    assert session.in_vain(arrived, Instant(10.0 + since), POLICY)
    held = advance(arrived, Signal.GATES_PASSED, Instant(12.0)).visit
    again = advance(held, Signal.RETRY, Instant(20.0)).visit
    assert session.in_vain(again, Instant(10.0 + since), POLICY)
    challenged = advance(held, Signal.HELD, Instant(13.0)).visit
    assert not session.in_vain(challenged, Instant(60.0), POLICY)
    gone = advance(arrived, Signal.LEFT, Instant(30.0)).visit
    assert not session.in_vain(advance(gone, Signal.ARRIVED, Instant(31.0)).visit, Instant(32.0), POLICY)
