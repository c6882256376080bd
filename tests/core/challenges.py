"""Challenges under way, their steps and the heads that answer them."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from appliance.core.liveness import Challenge
from appliance.core.liveness_steps import LEFTWARDS, RIGHTWARDS, Step, drawn
from appliance.core.policy import LivenessRule
from appliance.core.types import Cue
from tests.fakes.heads import (
    Detector,
    Pose,
    Turning,
    head,
    sample,
)

RULE = LivenessRule()
LEFT, RIGHT = Step(Cue.LEFT, (LEFTWARDS,), 0.0), Step(Cue.RIGHT, (RIGHTWARDS,), 0.0)
CLOSER = Step(Cue.CLOSER, (), 0.0)
DOT = Step(Cue.DOT, (LEFTWARDS, RIGHTWARDS), 0.0)
SIGMA = 0.02

angles = st.floats(-40, 40)
poses = st.builds(Pose, angles, angles, st.floats(-180, 180), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.4, 3))
distances = st.one_of(st.none(), st.floats(3.5, 20))
seeds = st.integers(0, 2**32 - 1)


@st.composite
def challenges(draw: st.DrawFn) -> tuple[Step, ...]:
    """Any that can be drawn."""
    return drawn(replace(RULE, least_steps=1), lambda n: draw(st.integers(0, n - 1)))


def detector(seed: int = 1, sigma: float = 0.0, fps: float = 30.0) -> Detector:
    """A seeded detector; without noise unless asked for."""
    return Detector(np.random.default_rng(seed), sigma, fps=fps)


def turning(degrees: float = 25.0, seed: int = 1) -> Turning:
    """A patient who answers."""
    return Turning(np.random.default_rng(seed), degrees)


def waiting(*steps: Step) -> Challenge:
    """A challenge of a head that looks ahead, before its first cue."""
    return Challenge.begin(steps, [sample(head().seen(Pose()), 0.0)] * 5)


def begun(*steps: Step) -> Challenge:
    """The same with the first cue shown at second 0."""
    return waiting(*steps).follow(sample(head().seen(Pose()), 0.0), RULE)


def seen(challenge: Challenge, poses: list[Pose], start: float = 0.5, step: float = 0.1) -> Challenge:
    """The challenge after a head was seen in these poses."""
    for count, pose in enumerate(poses):
        challenge = challenge.follow(sample(head().seen(pose), start + count * step), RULE)
    return challenge


def turned(challenge: Challenge, yaws: list[float], start: float = 0.5, step: float = 0.1) -> Challenge:
    """The challenge after a head was seen at these yaws."""
    return seen(challenge, [Pose(yaw=yaw) for yaw in yaws], start, step)
