"""A flat picture, however it is moved, never answers a challenge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.liveness import Cause
from appliance.core.liveness_steps import Step
from appliance.core.types import LivenessVerdict
from tests.core.challenges import (
    CLOSER,
    LEFT,
    RIGHT,
    RULE,
    SIGMA,
    begun,
    challenges,
    detector,
    distances,
    seeds,
    turned,
    turning,
)
from tests.fakes.heads import (
    Detector,
    Motion,
    Pose,
    Subject,
    Turning,
    bent_card,
    card,
    head,
    outcome,
    sample,
    still,
    swaying,
)


def _tilting(rng: np.random.Generator, subject: Subject) -> Motion:
    """An attacker who moves the picture as asked, or about at random."""
    del subject
    if rng.random() < 0.5:
        return Turning(rng, rng.uniform(5, 40), start=Pose(yaw=rng.uniform(-10, 10)), tilt=10)
    return swaying(rng, Pose(40, 40, 15, 0.3, 0.3, 1.25))


@settings(max_examples=60)
@given(challenges(), seeds, distances, st.floats(-12, 12))
def test_a_flat_picture_is_never_live(
    steps: tuple[Step, ...], seed: int, distance: float | None, taken_at: float
) -> None:
    """However it is moved, with the noise of a detector."""
    rng, picture = np.random.default_rng(seed), card(taken_at, distance)
    end = outcome(picture, _tilting(rng, picture), Detector(rng, SIGMA), steps, RULE)
    assert end.verdict in (LivenessVerdict.SPOOF, LivenessVerdict.INCONCLUSIVE)


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_brought_closer_as_asked_has_proved_nothing(seed: int) -> None:
    """It gets past that step, and no further."""
    end = outcome(card(), turning(25.0, seed), detector(seed, 0.01), (CLOSER, LEFT), RULE)
    assert end.step == 1
    assert end.verdict is not LivenessVerdict.LIVE


@pytest.mark.parametrize("seed", range(8))
def test_a_picture_clearly_turned_as_asked_is_told_as_a_spoof(seed: int) -> None:
    """It gets slimmer like a turning head, and its nose stays where it is."""
    end = outcome(card(), turning(38.0, seed), detector(seed, 0.01), (LEFT, RIGHT), RULE)
    assert (end.verdict, end.cause) == (LivenessVerdict.SPOOF, Cause.FLAT_MOTION)


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_that_is_only_held_gives_no_answer(seed: int) -> None:
    """Nothing moved, so nothing is claimed about it."""
    end = outcome(card(), still, detector(seed, SIGMA), (LEFT, RIGHT), RULE)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.NO_ANSWER)


def test_flat_motion_is_told_even_where_the_turn_was_answered() -> None:
    """Who shows a tilted picture first and a head afterwards is not live."""
    challenge = begun(LEFT)
    for count in range(12):
        flat = card().seen(Pose(yaw=min(35.0, 8.0 * count) if count < 9 else 0.0))
        challenge = challenge.follow(sample(flat, 0.1 * count), RULE)
    assert challenge.flat_frames >= RULE.planar_frames
    end = turned(challenge, [0.0, 8, 16, 24, 24, 24, 24, 16, 8, 0, 0, 0, 0], start=1.3)
    assert (end.verdict, end.cause) == (LivenessVerdict.SPOOF, Cause.FLAT_MOTION)


@pytest.mark.parametrize("depth", [0.15, 0.2, 0.25])
@pytest.mark.parametrize("degrees", [30.0, 40.0])
def test_a_little_depth_is_not_that_of_a_head(depth: float, degrees: float) -> None:
    """As detectors see it in a tilted print: parallax enough for a small turn, but not for a face that got so slim."""
    end = outcome(head(depth), turning(degrees), detector(), (LEFT, RIGHT), RULE)
    assert (end.step, end.verdict is LivenessVerdict.LIVE) == (0, False)


@pytest.mark.parametrize("radius", [2.0, 1.25])
def test_a_picture_bent_around_a_wide_tin_is_not_live(radius: float) -> None:
    """A life-size face on a tin of 16 cm diameter, turned by 40 degrees, has less parallax than a turn needs."""
    end = outcome(bent_card(radius), turning(40.0), detector(), (LEFT, RIGHT), RULE)
    assert end.verdict is not LivenessVerdict.LIVE
