"""How often the challenge is right: the rates told in `LivenessRule`, on fewer simulated people.

Each case is seeded, so a change of the judge or its thresholds shows, and a slow machine does not.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from appliance.core.liveness_steps import drawn
from appliance.core.policy import LivenessRule
from appliance.core.types import LivenessVerdict
from tests.fakes.heads import (
    Asked,
    Detector,
    Motion,
    Pose,
    Subject,
    Turning,
    card,
    head,
    minimum_jerk,
    outcome,
    still,
    swaying,
)

pytestmark = pytest.mark.no_cover  # thousands of times what test_liveness covers; counting lines doubles the time

RULE = LivenessRule()
CASES = 80
LIVE, SPOOF = LivenessVerdict.LIVE, LivenessVerdict.SPOOF

Attempt = Callable[[np.random.Generator], tuple[Subject, Motion]]


def _patient(rng: np.random.Generator) -> tuple[Subject, Motion]:
    """Noses of all lengths, near and far, not quite straight at first, turning 20 to 30 degrees, a quarter nearer."""
    start = Pose(yaw=rng.uniform(-8, 8), pitch=rng.uniform(-8, 8), roll=rng.uniform(-5, 5))
    motion = Turning(rng, rng.uniform(20, 30), start=start, nearer=rng.uniform(1.25, 1.45))
    return head(rng.uniform(0.35, 0.55), (None, 6.0, 10.0)[rng.integers(3)]), motion


def _picture(rng: np.random.Generator) -> Subject:
    return card(rng.uniform(-12, 12), (None, 4.0, 8.0)[rng.integers(3)])


def _turned_as_asked(rng: np.random.Generator) -> tuple[Subject, Motion]:
    return _picture(rng), Turning(rng, rng.uniform(10, 40), start=Pose(yaw=rng.uniform(-10, 10)), tilt=10)


def _moved_about(rng: np.random.Generator) -> tuple[Subject, Motion]:
    return _picture(rng), swaying(rng, Pose(40, 40, 15, 0.3, 0.3, 1.25))


def _held_still(rng: np.random.Generator) -> tuple[Subject, Motion]:
    return _picture(rng), still


def verdicts(
    attempt: Attempt, sigma: float, fps: float = 30.0, outliers: float = 0.0, cases: int = CASES
) -> Counter[LivenessVerdict]:
    """How so many randomly drawn challenges end."""
    found: Counter[LivenessVerdict] = Counter()
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        subject, motion = attempt(rng)
        steps = drawn(RULE, lambda n: int(rng.integers(n)))  # noqa: B023 - drawn at once
        found[outcome(subject, motion, Detector(rng, sigma, outliers, fps), steps, RULE).verdict] += 1
    return found


@pytest.mark.parametrize(
    ("sigma", "fps", "outliers", "least"),
    [(0.01, 15, 0, 0.99), (0.02, 20, 0, 0.97), (0.02, 10, 0, 0.95), (0.02, 15, 0.03, 0.96), (0.03, 15, 0, 0.93)],
)
def test_patients_who_turn_are_live(sigma: float, fps: float, outliers: float, least: float) -> None:
    """And almost never called a spoof, at any noise and frame rate we expect."""
    found = verdicts(_patient, sigma, fps, outliers)
    assert found[LIVE] >= least * CASES
    assert found[SPOOF] <= 0.02 * CASES


@pytest.mark.parametrize("attack", [_turned_as_asked, _moved_about, _held_still], ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("sigma", [0.01, 0.02, 0.03])
def test_no_picture_is_live(attack: Attempt, sigma: float) -> None:
    """Not one, although noise alone moves the nose of a picture, too."""
    assert verdicts(attack, sigma, 15)[LIVE] == 0


def test_pictures_turned_clearly_are_told_as_spoofs() -> None:
    """More than two in three of those turned 35 to 40 degrees."""

    def clearly(rng: np.random.Generator) -> tuple[Subject, Motion]:
        return _picture(rng), Turning(rng, rng.uniform(35, 40))

    assert verdicts(clearly, 0.02, 15)[SPOOF] >= 0.67 * CASES


class Film:
    """A film of a head that turns and comes closer of its own accord, as often as it can; it sees no cue."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._from, self._to = rng, Pose(), Pose()
        self._starts, self._takes = float(rng.uniform(0.5, 2.0)), 0.6

    def __call__(self, asked: Asked, at: float) -> Pose:
        """The pose at an instant, whatever is asked."""
        del asked
        if at > self._starts + self._takes + 0.3:
            ahead = self._to != Pose()
            choices = (Pose(yaw=26.0), Pose(yaw=-26.0), Pose(scale=1.3))
            self._from, self._to = self._to, Pose() if ahead else choices[self._rng.integers(3)]
            self._starts = at + (0.0 if ahead else float(self._rng.uniform(0.3, 1.5)))
        share = minimum_jerk((at - self._starts) / self._takes)
        a, b = self._from, self._to
        return Pose(yaw=a.yaw + (b.yaw - a.yaw) * share, scale=a.scale + (b.scale - a.scale) * share)


def test_a_film_of_a_moving_head_hardly_ever_moves_as_asked() -> None:
    """Such a film is what passive models are for; chance lets one in thirteen through."""

    def film(rng: np.random.Generator) -> tuple[Subject, Motion]:
        return head(rng.uniform(0.4, 0.55)), Film(rng)

    assert verdicts(film, 0.01, 15, cases=200)[LIVE] <= 22
