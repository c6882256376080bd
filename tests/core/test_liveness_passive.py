"""The window of live scores: what is said of it, and what is left out."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.liveness_passive import PassiveLimits, Window
from appliance.core.types import Instant, LivenessVerdict

LIMITS = PassiveLimits(accept=0.75, reject=0.05, frames=5)
GAP = 0.6


def window(*scores: float | None, step: float = 0.1) -> Window:
    """One score each tenth of a second."""
    seen = Window()
    for count, score in enumerate(scores):
        seen = seen.follow(Instant(count * step), score, GAP)
    return seen


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (0.99, LivenessVerdict.LIVE),
        (0.75, LivenessVerdict.LIVE),
        (0.74, LivenessVerdict.INCONCLUSIVE),
        (0.05, LivenessVerdict.INCONCLUSIVE),
        (0.04, LivenessVerdict.SPOOF),
    ],
)
def test_the_limits_part_live_from_spoof(score: float, verdict: LivenessVerdict) -> None:
    """From accept on live, below reject spoof, between neither."""
    assert window(*[score] * 5).judge(LIMITS) is verdict


def test_too_few_frames_are_inconclusive() -> None:
    """However clear they are."""
    assert window(*[0.99] * 4).judge(LIMITS) is LivenessVerdict.INCONCLUSIVE
    assert window(*[0.0] * 4).judge(LIMITS) is LivenessVerdict.INCONCLUSIVE


def test_without_scores_or_limits_nothing_was_checked() -> None:
    """A pack without anti-spoofing models, or without their calibration."""
    assert Window().judge(LIMITS) is LivenessVerdict.NOT_CHECKED
    assert window(None, None).judge(LIMITS) is LivenessVerdict.NOT_CHECKED
    assert window(*[0.99] * 9).judge(None) is LivenessVerdict.NOT_CHECKED


def test_after_a_gap_the_window_begins_anew() -> None:
    """Who is seen afterwards may be somebody else."""
    seen = window(*[0.99] * 5)
    later = seen.follow(Instant(0.4 + GAP + 0.01), 0.5, GAP)
    assert (later.scores, later.seconds) == ((0.5,), 0.0)
    assert len(seen.follow(Instant(0.4 + GAP), 0.5, GAP).scores) == 6


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -0.1, 1.1])
def test_what_is_no_score_is_left_out(score: float | None) -> None:
    """It neither counts as a frame nor keeps the window from growing old."""
    seen = window(0.9, 0.9)
    assert seen.follow(Instant(0.2), score, GAP) is seen


def test_a_window_tells_how_long_it_is() -> None:
    """From its first score to its last."""
    assert window(*[0.5] * 11).seconds == pytest.approx(1.0)
    assert Window().seconds == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=15), st.floats(0, 1))
def test_less_than_half_of_the_frames_decide_nothing(scores: list[float], strays: float) -> None:
    """Whatever a minority of frames says, the fused score stays within what the majority says."""
    few = [strays] * ((len(scores) - 1) // 2)
    fused = window(*scores, *few).fused
    assert fused is not None
    assert min(scores) <= fused <= max(scores)


@pytest.mark.parametrize("values", [(0.5, 0.6, 5), (1.1, 0.5, 5), (0.9, -0.1, 5), (0.9, 0.1, 0), (math.nan, 0.1, 5)])
def test_limits_that_contradict_each_other_are_refused(values: tuple[float, float, int]) -> None:
    """A calibration that is damaged is not used."""
    with pytest.raises(ValueError, match="reject"):
        PassiveLimits(*values)
