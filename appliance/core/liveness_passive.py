"""Judges a window of live scores: what a pack's anti-spoofing models say of a face that was held before the camera.

The scores are measured by the pack, the limits come from its calibration. Whether a verdict is enough, or a challenge
must follow, is the policy's business (`session.held`).
"""

from dataclasses import dataclass
from statistics import median

from appliance.core.types import Instant, LivenessVerdict


@dataclass(frozen=True, slots=True)
class PassiveLimits:
    """A pack's calibration for anti-spoofing. accept: live from here. reject: spoof below. frames: at least."""

    accept: float
    reject: float
    frames: int

    def __post_init__(self) -> None:
        """Raise ValueError for limits that contradict each other."""
        if not 0 <= self.reject <= self.accept <= 1 or self.frames < 1:
            raise ValueError("0 <= reject <= accept <= 1, and at least one frame")


@dataclass(frozen=True, slots=True)
class Window:
    """Live scores of one held face without a gap. since: the first; at: the last; scores: 0..1 in order of time."""

    since: Instant | None = None
    at: Instant | None = None
    scores: tuple[float, ...] = ()

    def follow(self, at: Instant, score: float | None, max_gap: float) -> "Window":
        """Take one frame's score into account; after a longer gap than `max_gap` seconds the window begins anew.

        None, and what is no number from 0 to 1, says nothing about the face and is left out.
        """
        if score is None or not 0 <= score <= 1:
            return self
        if self.since is None or self.at is None or at - self.at > max_gap:
            return Window(at, at, (score,))
        return Window(self.since, at, (*self.scores, score))

    @property
    def seconds(self) -> float:
        """From the first score to the last."""
        return 0.0 if self.since is None or self.at is None else self.at - self.since

    @property
    def fused(self) -> float | None:
        """The median: to move it, more than half of the frames must be mistaken. None of an empty window.

        Measured with MiniFASNet V2 + V1SE on NUAA (three sessions of unlike light) and on telephone replays, in windows
        of 8 frames: between the highest window of an attack and the lowest of a living person lie 2.6 to 3.5 logits,
        depending on the detector; with the mean of the scores 1.1 to 2.1, with the mean of their logits 1.8 to 2.6.
        """
        return median(self.scores) if self.scores else None

    def judge(self, limits: PassiveLimits | None) -> LivenessVerdict:
        """Live, spoof or between; too few frames are inconclusive; no scores or no limits: not checked."""
        score = self.fused
        if limits is None or score is None:
            return LivenessVerdict.NOT_CHECKED
        if len(self.scores) < limits.frames:
            return LivenessVerdict.INCONCLUSIVE
        if score >= limits.accept:
            return LivenessVerdict.LIVE
        return LivenessVerdict.SPOOF if score < limits.reject else LivenessVerdict.INCONCLUSIVE
