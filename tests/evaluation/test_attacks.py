"""Attack detection: windows as the desk fuses them, verdicts by type and session, limits by the written rule."""

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.liveness_passive import PassiveLimits
from appliance.core.types import LivenessVerdict
from appliance.evaluation.attacks import Presented, Windows, fit, judge, verdicts, windows

LIMITS = PassiveLimits(0.7, 0.1, 3)
SCORES = st.lists(st.floats(0, 1, width=32) | st.just(float("nan")), max_size=20)


@given(SCORES, st.integers(1, 8))
def test_every_run_of_frames_is_a_window(scores: list[float], size: int) -> None:
    """Its score is the median of its frames; frames without a face are left out; a short series is one window."""
    live = np.array(scores, np.float32)
    found = windows(live, np.arange(len(live)), np.zeros(len(live), np.int64), size)
    good = [float(s) for s in live if np.isfinite(s)]
    if not good:
        assert len(found.score) == 0
        return
    width = min(size, len(good))
    assert found.score.tolist() == [median(good[i : i + width]) for i in range(len(good) - width + 1)]
    assert all(len(rows) == width for rows in found.rows)


def test_a_window_never_crosses_a_series() -> None:
    """Frames of two people, or of two sessions, are not one decision."""
    found = windows(np.array([0.1] * 4 + [0.9] * 4, np.float32), np.arange(8), np.repeat([3, 5], 4), 3)
    assert sorted(found.score.tolist()) == pytest.approx([0.1, 0.1, 0.9, 0.9])
    assert found.series.tolist() == [3, 3, 5, 5]


def test_verdicts_are_the_desks() -> None:
    """Live from `accept` on, an attack below `reject`, in doubt between them."""
    said = [judge(score, LIMITS) for score in (0.7, 0.69, 0.1, 0.09)]
    doubt = LivenessVerdict.INCONCLUSIVE
    assert said == [LivenessVerdict.LIVE, doubt, doubt, LivenessVerdict.SPOOF]


def test_errors_are_counted_by_window_and_by_frame() -> None:
    """One series of attacks that gets through, one that does not."""
    live = np.array([0.9] * 5 + [0.05] * 5, np.float32)
    found = verdicts("print", live, np.arange(10), np.repeat([0, 1], 5), LIMITS, attack=True)
    assert (found.frames, found.windows, found.series) == (10, 6, 2)
    assert (found.live.errors, found.refused.errors) == (3, 3)
    assert found.frame_live.value == 0.5
    assert (found.live.low, found.live.high) == (0, 1), "two series are two trials, not six"


def test_a_group_without_a_face_says_nothing() -> None:
    """No window, no rate."""
    found = verdicts("empty", np.array([np.nan], np.float32), np.arange(1), np.zeros(1, np.int64), LIMITS, attack=False)
    assert (found.frames, found.windows, found.live.trials) == (0, 0, 0)


def _windows(*scores: float) -> Windows:
    return Windows(np.array(scores), np.arange(len(scores)), tuple((i,) for i in range(len(scores))))


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-x)))


def _seen(name: str, windows: Windows, pictures: Windows | None = None) -> Presented:
    return Presented(name, name == "print", windows, windows if pictures is None else pictures)


def test_limits_follow_from_the_worst_attack_and_the_worst_living_window() -> None:
    """Accept 4 logits above the worst attack; reject where that attack was, or 2 logits below the worst living one."""
    attack, alive = _sigmoid(-3.0), _sigmoid(1.0)
    pad = fit((_seen("print", _windows(0.001, attack)), _seen("desk", _windows(alive, 0.99))), 8)
    assert pad is not None
    assert pad.accept == pytest.approx(_sigmoid(1.0), abs=1e-5)
    assert pad.reject == pytest.approx(_sigmoid(-3.0), abs=1e-5)
    low = fit((_seen("print", _windows(attack)), _seen("desk", _windows(_sigmoid(-2.0)))), 8)
    assert low is not None
    assert low.reject == pytest.approx(_sigmoid(-4.0), abs=1e-5)


def test_a_single_bad_picture_moves_the_limits_too() -> None:
    """Held still it would be a window: 2 logits above the worst picture of an attack, 1 below that of the living."""
    prints = _seen("print", _windows(_sigmoid(-5.0)), _windows(_sigmoid(-5.0), _sigmoid(-0.5)))
    people = _seen("desk", _windows(_sigmoid(4.0)), _windows(_sigmoid(4.0), _sigmoid(-6.0)))
    pad = fit((prints, people), 8)
    assert pad is not None
    assert pad.accept == pytest.approx(_sigmoid(1.5), abs=1e-5)
    assert pad.reject == pytest.approx(_sigmoid(-7.0), abs=1e-5)


def test_harmless_attacks_do_not_lower_the_bar_below_a_half() -> None:
    """A pack that has met weak attacks only does not get a generous limit."""
    pad = fit((_seen("print", _windows(1e-6)), _seen("desk", _windows(0.999))), 8)
    assert pad is not None
    assert pad.accept == 0.5


def test_one_side_alone_gives_no_limits() -> None:
    """Neither attacks without living people nor the other way round."""
    assert fit((_seen("print", _windows(0.1)),)) is None
    assert fit((_seen("desk", _windows(0.9)), _seen("print", _windows()))) is None
