"""What is drawn cannot be foreseen, always asks for a turn, and the dot leads where it must."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.liveness_steps import DOT_SECONDS, LEFTWARDS, RIGHTWARDS, WAYS, Below, Step, dot_at, drawn
from appliance.core.policy import MOST_STEPS, LivenessRule
from appliance.core.types import Cue

RULE = LivenessRule()


def chance(seed: int) -> Below:
    """A seeded dice."""
    rng = np.random.default_rng(seed)
    return lambda n: int(rng.integers(n))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(0, 3))
def test_a_drawn_challenge_is_within_the_rule(seed: int, least: int, more: int) -> None:
    """The rule's number of steps, no cue twice, turns that belong to the cue, pauses in range, one turn at least."""
    rule = LivenessRule(least_steps=least, most_steps=min(least + more, 4))
    steps = drawn(rule, chance(seed))
    assert rule.least_steps <= len(steps) <= rule.most_steps
    assert len({step.cue for step in steps}) == len(steps)
    assert all(step.ways in WAYS[step.cue] for step in steps)
    assert all(rule.least_pause <= step.pause <= rule.most_pause for step in steps)
    assert any(step.ways for step in steps)


def test_each_cue_comes_first_as_often_as_any_other() -> None:
    """And two challenges in a row are hardly ever the same."""
    many = [drawn(RULE, chance(seed)) for seed in range(2000)]
    first = Counter(steps[0].cue for steps in many)
    assert set(first) == set(WAYS)
    assert min(first.values()) > 0.22 * len(many)
    asked = Counter(tuple((step.cue, step.ways) for step in steps) for steps in many)
    assert len(asked) > 60
    assert asked.most_common(1)[0][1] < 0.07 * len(many)
    assert {len(steps) for steps in many} == {2, 3}


def test_there_are_as_many_cues_as_the_policy_believes() -> None:
    """More steps could not be drawn without a repetition; the cues that ask for nothing are not drawn."""
    assert len(WAYS) == MOST_STEPS
    assert set(WAYS) == set(Cue) - {Cue.STRAIGHT}


def test_a_step_can_be_compared() -> None:
    """Tests and films hold them as values."""
    assert Step(Cue.LEFT, (LEFTWARDS,), 0.5) == Step(Cue.LEFT, (LEFTWARDS,), 0.5)


@pytest.mark.parametrize(("start", "end"), [(0, LEFTWARDS), (0, RIGHTWARDS), (LEFTWARDS, RIGHTWARDS), (RIGHTWARDS, 0)])
def test_the_dot_goes_smoothly_from_one_place_to_the_other(start: int, end: int) -> None:
    """On the screen always, never faster than the eye follows, then it waits; own left is left on the screen."""
    takes = DOT_SECONDS * abs(end - start)
    places = [dot_at(start, end, share * takes)[0] for share in np.linspace(-0.2, 1.5, 100)]
    assert all(0.0 < x < 1.0 for x in places)
    assert places[0] == pytest.approx(0.5 - 0.42 * start)
    assert places[-1] == pytest.approx(0.5 - 0.42 * end)
    rising = np.diff(places) * (start - end)
    assert (rising >= -1e-12).all()
    assert np.abs(np.diff(places)).max() < 0.02 * abs(end - start)
    assert dot_at(start, end, takes / 2)[1] == 0.5
