"""The examination of a new pack finds what it is for: everybody accepted, nobody recognised, faces missed, slowness."""

from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path

import numpy as np
import pytest

from appliance.core.errors import PackUnfit
from appliance.core.policy import Policy
from appliance.core.types import Embedding, Face, Frame, Observation
from appliance.examination import PICTURES, examine, pictures
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline


@pytest.fixture(scope="module")
def pack(pack_path: Path) -> Pack:
    """The builtin pack."""
    return open_pack(pack_path)


class Spoilt:
    """The builtin pack's pipeline, with one fault."""

    def __init__(self, pack: Pack, *, blind: bool = False, constant: bool = False, random: bool = False) -> None:
        self._inner, self._blind, self._constant = FacePipeline(pack), blind, constant
        self._noise = np.random.default_rng(4) if random else None

    def observe(self, frame: Frame) -> Observation:
        """What the detector sees; nothing when blind."""
        seen = self._inner.observe(frame)
        return Observation(seen.at, seen.frame_width, seen.frame_height, (), None, 0.5) if self._blind else seen

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """The embedding: of everybody the same, or of nobody twice."""
        found = self._inner.embed(frame, face)
        vector = np.ones_like(found.vector) if self._constant else found.vector
        if self._noise is not None:
            vector = self._noise.normal(size=vector.shape).astype(np.float32)
        return Embedding(vector / np.float32(np.linalg.norm(vector)), found.pack)

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """What the pack says."""
        return self._inner.live_score(frame, face)

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """What the pack says."""
        return self._inner.unified_quality(frame, face)


def _clock(step: float) -> Iterator[float]:
    return (number * step for number in count())


def test_the_builtin_pack_passes(pack: Pack) -> None:
    """Seven people, all recognised again, no two taken for one."""
    ticks = _clock(0.01)
    examined = examine(FacePipeline(pack), pack.measured, Policy(), lambda: next(ticks))
    assert (examined.people, examined.genuine, examined.impostors, examined.pairs) == (7, 7, 0, 21)
    assert [path.is_file() for path in pictures()] == [True] * len(PICTURES)


@pytest.mark.parametrize(
    ("fault", "said"),
    [("blind", "finds 0"), ("constant", "21 of 21 pairs"), ("random", "recognises 0 of 7")],
    ids=["sees nobody", "accepts everybody", "recognises nobody"],
)
def test_a_pack_with_a_fault_is_unfit(pack: Pack, fault: str, said: str) -> None:
    """Whatever its calibration claims; the failure says what was found."""
    ticks = _clock(0.01)
    with pytest.raises(PackUnfit, match=said):
        examine(Spoilt(pack, **{fault: True}), pack.measured, Policy(), lambda: next(ticks))


def test_a_pack_that_is_far_too_slow_is_unfit(pack: Pack) -> None:
    """Two seconds for a step."""
    ticks = _clock(2.0)
    with pytest.raises(PackUnfit, match=r"takes 2\.0 s"):
        examine(FacePipeline(pack), pack.measured, Policy(), lambda: next(ticks))


def test_a_pack_is_not_slow_because_the_machine_was_busy_once(pack: Pack) -> None:
    """One step took two seconds, and the same step a hundredth when it was taken again."""
    ticks = chain((0.0, 2.0), (2.0 + 0.01 * tick for tick in count()))
    examined = examine(FacePipeline(pack), pack.measured, Policy(), lambda: next(ticks))
    assert examined.slowest == pytest.approx(0.01)
