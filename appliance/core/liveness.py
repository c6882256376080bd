"""Judges from landmarks over time whether a head turned as asked, or a flat picture was moved.

A head is not flat: when it turns, the nose tip moves against the plane of eyes and mouth. Any motion of
a flat picture (shift, roll, scale, tilt in perspective) is a homography of that plane, which carries the
nose with it. So the evidence of a turn is the *parallax*: where the nose is, less where the homography of the
other four landmarks puts it. Which turns are asked for is drawn by the caller. A picture bent into a cylinder
has some parallax of its own; that attack is left to passive models.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from appliance.core.policy import LivenessRule
from appliance.core.types import Box, Instant, LivenessVerdict


class Direction(StrEnum):
    """The person's own left or right. Own left moves the nose to larger x in the unmirrored frame."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def sign(self) -> int:
        """Sign of the nose's motion along the eye axis (towards larger x is +1)."""
        return 1 if self is Direction.LEFT else -1


class Phase(StrEnum):
    """Where a challenge stands."""

    TURN = "turn"
    RETURN = "return"
    DONE = "done"


class Cause(StrEnum):
    """Why a challenge ended as it did."""

    ANSWERED = "answered"
    FLAT_MOTION = "flat_motion"
    NO_ANSWER = "no_answer"
    WRONG_WAY = "wrong_way"
    TOO_EARLY = "too_early"
    TRACK_LOST = "track_lost"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One sighting of the tracked face: when, where, and its five landmarks (5x2, pixels)."""

    at: Instant
    box: Box
    landmarks: NDArray[np.float32]


def _homography(src: NDArray[np.float64], dst: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 3x3 homography that maps four points exactly. Raises LinAlgError for collinear points."""
    rows = []
    for (x, y), (u, v) in zip(src, dst, strict=True):
        rows.append((x, y, 1, 0, 0, 0, -u * x, -u * y))
        rows.append((0, 0, 0, x, y, 1, -v * x, -v * y))
    h = np.linalg.solve(np.asarray(rows, np.float64), dst.reshape(8))
    return np.append(h, 1.0).reshape(3, 3)


def parallax(before: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """Displacement of the nose tip that the motion of a plane does not explain, in eye distances.

    before, now: landmarks 5x2 in pixels. Positive towards the second eye (larger x). Degenerate landmarks
    (collinear points, eyes on one spot) give 0: no evidence.
    """
    plane = [0, 1, 3, 4]
    a, b = before.astype(np.float64), now.astype(np.float64)
    axis = b[1] - b[0]
    eyes = float(np.hypot(*axis))
    if eyes < 1.0:
        return 0.0
    try:
        h = _homography(a[plane] - a[2], b[plane] - b[2])
    except np.linalg.LinAlgError:
        return 0.0
    shift = -h[:2, 2] @ axis / eyes
    return float(shift / eyes) if np.isfinite(shift) else 0.0


def foreshortening(before: NDArray[np.float32], now: NDArray[np.float32]) -> float:
    """Eye distance over eye-to-mouth distance, relative to before: 1 unturned, cos(yaw) for any turned object."""

    def ratio(p: NDArray[np.float32]) -> float:
        eyes, mouth = (p[0] + p[1]) / 2, (p[3] + p[4]) / 2
        height = float(np.hypot(*(mouth - eyes)))
        return float(np.hypot(*(p[1] - p[0]))) / height if height > 1e-6 else 0.0

    first = ratio(before)
    return ratio(now) / first if first > 1e-6 else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Challenge:
    """A head-turn challenge in progress; `follow` gives the next one, nothing is changed in place.

    turns: what is asked, in order. step: index of the current turn. reference: landmarks before the cue.
    flat_frames: how many frames looked like a tilted picture. peak: largest parallax towards the asked side so far.
    """

    turns: tuple[Direction, ...]
    cued_at: Instant
    reference: Sample
    last: Sample
    step: int = 0
    phase: Phase = Phase.TURN
    flat_frames: int = 0
    peak: float = 0.0
    verdict: LivenessVerdict = LivenessVerdict.NOT_CHECKED
    cause: Cause | None = None

    @classmethod
    def begin(cls, turns: tuple[Direction, ...], first: Sample) -> "Challenge":
        """Start with the cue shown at the first sample's instant."""
        if not turns:
            raise ValueError("a challenge asks for at least one turn")
        return cls(turns, first.at, first, first)

    @property
    def cue(self) -> Direction | None:
        """The direction to show now; None asks to look straight again."""
        return self.turns[self.step] if self.phase is Phase.TURN else None

    @property
    def progress(self) -> float:
        """Share of the challenge done, 0..1; real, for the ring on the screen."""
        half = 0.5 if self.phase is Phase.RETURN else 0.0
        return 1.0 if self.phase is Phase.DONE else (self.step + half) / len(self.turns)

    def _end(self, verdict: LivenessVerdict, cause: Cause) -> "Challenge":
        return replace(self, phase=Phase.DONE, verdict=verdict, cause=cause)

    def _unanswered(self, cause: Cause, rule: LivenessRule) -> "Challenge":
        """End without a valid answer: flat motion seen before is told as what it is."""
        if self.flat_frames >= rule.planar_frames:
            return self._end(LivenessVerdict.SPOOF, Cause.FLAT_MOTION)
        return self._end(LivenessVerdict.INCONCLUSIVE, cause)

    def expire(self, at: Instant, rule: LivenessRule) -> "Challenge":
        """Tell the time when no face was seen: a lost track or a time-out ends the challenge."""
        if self.phase is Phase.DONE:
            return self
        if at - self.last.at > rule.max_gap:
            return self._unanswered(Cause.TRACK_LOST, rule)
        if at - self.cued_at > rule.turn_timeout:
            return self._unanswered(Cause.NO_ANSWER, rule)
        return self

    def follow(self, seen: Sample, rule: LivenessRule) -> "Challenge":
        """Take one more sighting into account."""
        if self.phase is Phase.DONE:
            return self
        if seen.box.iou(self.last.box) < rule.min_overlap:
            return self._unanswered(Cause.TRACK_LOST, rule)
        late = self.expire(seen.at, rule)
        if late.phase is Phase.DONE:
            return late
        shift = parallax(self.reference.landmarks, seen.landmarks) * self.turns[self.step].sign
        shrink = foreshortening(self.reference.landmarks, seen.landmarks)
        flat = shrink < rule.planar_foreshortening and abs(shift) < rule.planar_parallax
        now = replace(self, last=seen, peak=max(self.peak, shift), flat_frames=self.flat_frames + flat)
        return now._turned(shift, seen, rule) if self.phase is Phase.TURN else now._returned(shift, seen, rule)

    def _turned(self, shift: float, seen: Sample, rule: LivenessRule) -> "Challenge":
        if shift <= -rule.min_parallax:
            return self._unanswered(Cause.WRONG_WAY, rule)
        if shift < rule.min_parallax:
            return self
        if seen.at - self.cued_at < rule.reaction:
            return self._unanswered(Cause.TOO_EARLY, rule)
        return replace(self, phase=Phase.RETURN)

    def _returned(self, shift: float, seen: Sample, rule: LivenessRule) -> "Challenge":
        if abs(shift) > rule.centred:
            return self
        if self.flat_frames >= rule.planar_frames:
            return self._end(LivenessVerdict.SPOOF, Cause.FLAT_MOTION)
        if self.step + 1 == len(self.turns):
            return self._end(LivenessVerdict.LIVE, Cause.ANSWERED)
        return replace(self, step=self.step + 1, phase=Phase.TURN, cued_at=seen.at, reference=seen, peak=0.0)
