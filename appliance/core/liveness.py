"""Judges from landmarks over time whether a head turned as asked, or a flat picture was moved.

A head is not flat: when it turns, the nose tip moves against the plane of eyes and mouth. Any motion of
a flat picture (shift, roll, scale, tilt in perspective) is a homography of that plane, which carries the
nose with it. So the evidence of a turn is the *parallax*: the nose's place between the two lines from eye to mouth
corner, told as a cross-ratio, which no homography changes. Which turns are asked for is drawn by the caller. A
film of a turning head and a strongly bent picture have parallax too; those attacks are left to passive models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

import numpy as np
from numpy.typing import NDArray

from appliance.core.policy import LivenessRule
from appliance.core.types import Box, Direction, Instant, LivenessVerdict, Sensitive

_Point = list[float]

_DEGENERATE = 1e-6
"""Two terms that cancel to less than this share of their size leave rounding errors only."""


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
    JUMPED = "jumped"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Sample(Sensitive):
    """One sighting of the tracked face: when, where, and its five landmarks (5x2, pixels)."""

    at: Instant
    box: Box
    landmarks: NDArray[np.float32]


def _side(a: _Point, b: _Point, p: _Point) -> float:
    """Twice the area of the triangle a, b, p; 0 on the line through a and b, of one sign on each side of it."""
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def nose_place(landmarks: NDArray[np.float32]) -> float | None:
    """Where the nose tip stands between the lines first eye - mouth corner (0) and second eye - mouth corner (1).

    landmarks: 5x2 in pixels. Told as the cross-ratio of those two lines, the nose, and the crossing of the diagonals
    (which stands at a half in any perspective), it is the same for every homography of five points in a plane
    (Hartley & Zisserman, Multiple View Geometry, 2.5). None where eyes and mouth make no quadrangle: no evidence.
    """
    eye, other_eye, nose, corner, other_corner = landmarks.astype(np.float64).tolist()
    above, below = _side(eye, other_corner, other_eye), _side(eye, other_corner, corner)
    if not above * below < 0:
        return None
    share = above / (above - below)
    middle = [p + share * (q - p) for p, q in zip(other_eye, corner, strict=True)]
    first = _side(eye, corner, nose) * _side(other_eye, other_corner, middle)
    second = _side(other_eye, other_corner, nose) * _side(eye, corner, middle)
    return first / (first + second) if abs(first + second) > _DEGENERATE * (abs(first) + abs(second)) else None


def slimness(landmarks: NDArray[np.float32]) -> float | None:
    """Eye distance over eye-to-mouth distance: shrinks with cos(yaw) for anything that turns, flat or not.

    None where the eyes are on the mouth: no evidence.
    """
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = landmarks.astype(np.float64).tolist()
    height = math.hypot(cx + dx - ax - bx, cy + dy - ay - by) / 2
    return math.hypot(bx - ax, by - ay) / height if height > 0 else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sighting says. place: `nose_place`. slim: `slimness`."""

    at: Instant
    place: float
    slim: float

    @classmethod
    def of(cls, seen: Sample) -> "Reading | None":
        """Read a sighting; None where its landmarks say nothing."""
        place, slim = nose_place(seen.landmarks), slimness(seen.landmarks)
        return None if place is None or slim is None else cls(seen.at, place, slim)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A head-turn challenge in progress; `follow` gives the next one, nothing is changed in place.

    turns: what is asked, in order. step: index of the current turn. place, slim: medians before the cue, to which all
    is compared. recent: the last readings; what is judged is their median, so that no single wild frame counts.
    shift: the last median's parallax, in widths of the unturned face: where the face looks slimmer the noise of its
    landmarks weighs more. flat_frames: how many medians looked like a tilted picture.
    """

    turns: tuple[Direction, ...]
    cued_at: Instant
    last: Sample
    place: float
    slim: float
    recent: tuple[Reading, ...]
    step: int = 0
    phase: Phase = Phase.TURN
    shift: float = 0.0
    flat_frames: int = 0
    verdict: LivenessVerdict = LivenessVerdict.NOT_CHECKED
    cause: Cause | None = None

    @classmethod
    def begin(cls, turns: tuple[Direction, ...], before: Sequence[Sample]) -> "Challenge":
        """Start with the cue shown at the last of these sightings of a face that looked ahead.

        Where none of them has usable landmarks, the challenge is over before it began. Raises ValueError without turns.
        """
        if not turns:
            raise ValueError("a challenge asks for at least one turn")
        readings = tuple(r for r in map(Reading.of, before) if r is not None)
        if not readings:
            return cls(turns, before[-1].at, before[-1], 0.5, 1.0, ())._end(
                LivenessVerdict.INCONCLUSIVE, Cause.TRACK_LOST
            )
        place, slim = median(r.place for r in readings), median(r.slim for r in readings)
        return cls(turns, before[-1].at, before[-1], place, slim, readings)

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
        reading = Reading.of(seen)
        if reading is None:
            return self
        recent = (*self.recent, reading)[-rule.smoothing :]
        slim = median(r.slim for r in recent) / self.slim
        shift = (median(r.place for r in recent) - self.place) * min(1.0, slim)
        flat = slim < rule.planar_foreshortening and abs(shift) < rule.planar_parallax
        now = replace(self, last=seen, recent=recent, shift=shift, flat_frames=self.flat_frames + flat)
        if abs(shift - self.shift) > rule.max_speed * (seen.at - self.last.at) + rule.centred:
            return now._unanswered(Cause.JUMPED, rule)
        return now._turned(rule) if self.phase is Phase.TURN else now._returned(rule)

    def _turned(self, rule: LivenessRule) -> "Challenge":
        sign = self.turns[self.step].sign
        if self.shift * sign <= -rule.min_parallax:
            return self._unanswered(Cause.WRONG_WAY, rule)
        if self.shift * sign < rule.min_parallax:
            return self
        began = min(r.at for r in self.recent if (r.place - self.place) * sign >= rule.min_parallax)
        if began - self.cued_at < rule.reaction:
            return self._unanswered(Cause.TOO_EARLY, rule)
        return replace(self, phase=Phase.RETURN)

    def _returned(self, rule: LivenessRule) -> "Challenge":
        if abs(self.shift) > rule.centred:
            return self
        if self.flat_frames >= rule.planar_frames:
            return self._end(LivenessVerdict.SPOOF, Cause.FLAT_MOTION)
        if self.step + 1 == len(self.turns):
            return self._end(LivenessVerdict.LIVE, Cause.ANSWERED)
        return replace(self, step=self.step + 1, phase=Phase.TURN, cued_at=self.last.at)
