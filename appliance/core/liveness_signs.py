"""Reads from five landmarks what a head can do and a flat picture cannot, one sighting at a time.

A head is not flat: when it turns or nods, the nose tip moves against the plane of eyes and mouth. Any motion of a flat
picture (shift, roll, scale, tilt in perspective) is a homography of that plane, which carries the nose with it. So the
sign of a head is the *parallax*: the nose's place between the lines through the other four points, told as a
cross-ratio, which no homography changes. What the signs mean over time is for `liveness` to judge.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Box, Instant, Sensitive

_Point = list[float]

_DEGENERATE = 1e-6
"""Two terms that cancel to less than this share of their size leave rounding errors only."""


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

    The nose's place between the lines of eyes and mouth would tell nods in the same way, but five landmarks do not
    carry it: on heads raised and lowered as far as they go YuNet moves it by 0.05 to 0.07, on printed photos moved by
    hand (NUAA) by up to 0.10.
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


def extent(landmarks: NDArray[np.float32]) -> tuple[float, float] | None:
    """Eye distance and eye-to-mouth distance in pixels; None where either is nothing: no evidence."""
    (ax, ay), (bx, by), _, (cx, cy), (dx, dy) = landmarks.astype(np.float64).tolist()
    width, height = math.hypot(bx - ax, by - ay), math.hypot(cx + dx - ax - bx, cy + dy - ay - by) / 2
    return (width, height) if width > 0 and height > 0 else None


@dataclass(frozen=True, slots=True)
class Change:
    """What a face did since the challenge began.

    parallax: of the nose to larger x, in widths of the unturned face between eyes and mouth corners (about 0.9 eye
    distances). slim: see `Reading`, as a ratio. growth: logarithm of the size ratio; 0.18 for a face 20 % larger.
    """

    parallax: float = 0.0
    slim: float = 1.0
    growth: float = 0.0

    @property
    def foreshortening(self) -> float:
        """Sine of the angle by which something flat looks turned that got this slim, 0..1."""
        return math.sqrt(1.0 - min(self.slim, 1.0) ** 2)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sighting says, or the medians of several.

    place: `nose_place`. slim: eye distance over eye-to-mouth distance; shrinks with the cosine of a turn, for anything,
    flat or not. size: geometric mean of the two, pixels.
    """

    at: Instant
    place: float
    slim: float
    size: float

    @classmethod
    def of(cls, seen: Sample) -> "Reading | None":
        """Read a sighting; None where its landmarks say nothing."""
        place, large = nose_place(seen.landmarks), extent(seen.landmarks)
        if place is None or large is None:
            return None
        return cls(seen.at, place, large[0] / large[1], math.sqrt(large[0] * large[1]))

    @classmethod
    def middle(cls, readings: Sequence["Reading"]) -> "Reading":
        """The median of each figure, at the time of the last: what no single wild frame moves."""
        return cls(
            readings[-1].at,
            median(r.place for r in readings),
            median(r.slim for r in readings),
            median(r.size for r in readings),
        )

    def since(self, before: "Reading") -> Change:
        """How this differs from how the face looked before.

        Where a turned face looks slimmer the noise of its landmarks weighs more: parallax is told in widths of the
        unturned face.
        """
        slim = self.slim / before.slim
        return Change((self.place - before.place) * min(1.0, slim), slim, math.log(self.size / before.size))
