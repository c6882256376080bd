"""One person is followed through a turn; another is not."""

import math

import numpy as np

from appliance.core.liveness_identity import Chain
from appliance.core.types import Embedding, PackDigest

PACK = PackDigest("ab" * 32)
AGREE = 0.7


def looking(degrees: float) -> Embedding:
    """A face whose embedding turns as the head does, by as many degrees."""
    angle = math.radians(degrees)
    return Embedding(np.array([math.cos(angle), math.sin(angle), 0.0], np.float32), PACK)


STRANGER = Embedding(np.array([0.0, 0.0, 1.0], np.float32), PACK)


def test_a_gradual_turn_is_the_same_person() -> None:
    """Each frame resembles the one before, although the last no longer resembles the first."""
    chain = Chain((looking(0),))
    for degrees in range(10, 90, 10):
        assert chain.holds(looking(degrees), AGREE)
        chain = chain.follow(looking(degrees))
    assert not Chain((looking(0),)).holds(looking(80), AGREE)


def test_the_way_back_may_be_quick() -> None:
    """What was held before is not forgotten."""
    chain = Chain((looking(0),))
    for degrees in range(10, 90, 10):
        chain = chain.follow(looking(degrees))
    assert chain.holds(looking(0), AGREE)


def test_somebody_else_is_not_the_same_person() -> None:
    """Nor is a frame that is no number."""
    chain = Chain((looking(0),)).follow(looking(10))
    assert not chain.holds(STRANGER, AGREE)
    assert not chain.holds(Embedding(np.full(3, np.nan, np.float32), PACK), AGREE)
    assert not Chain(()).holds(looking(0), AGREE)


def test_only_the_last_frames_are_remembered() -> None:
    """A look of long ago vouches for nobody, unless it was held."""
    chain = Chain((looking(0),)).follow(looking(60))
    assert chain.holds(looking(90), AGREE)
    for _ in range(10):
        chain = chain.follow(looking(20))
    assert not chain.holds(looking(90), AGREE)
    assert len(chain.recent) < 10


def test_nothing_of_the_faces_is_shown() -> None:
    """Printed by accident."""
    assert repr(Chain((looking(0),))) == "<Chain redacted>"
