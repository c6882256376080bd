"""Five landmarks of turning heads and of pictures held up: what a detector would report, with its noise.

Unit: the distance between the eyes. x to larger x of the picture, y down, z towards the camera. A head stands
out of the plane of eyes and mouth with its nose; a card has the same points without depth.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.core.liveness import Challenge, Sample
from appliance.core.policy import LivenessRule
from appliance.core.types import Box, Direction, Instant

Points = tuple[tuple[float, float, float], ...]
"""Five points in eye distances."""

PIXELS = 60.0
"""Eye distance in frame pixels when unturned."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees; yaw positive turns the nose to larger x. x, y: shift in eye distances. scale: 1 is PIXELS."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0


def shape(depth: float = 0.5, mouth: float = 0.8) -> Points:
    """A face whose nose stands `depth` before the plane of eyes and mouth corners; mouth: width of the mouth."""
    h = mouth / 2
    return ((-0.5, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.62, depth), (-h, 1.1, 0.0), (h, 1.1, 0.0))


def rotated(points: Points, pose: Pose) -> Points:
    """Yaw, then pitch, then roll, about the middle of the face."""
    (sy, cy), (sp, cp), (sr, cr) = (
        (math.sin(a), math.cos(a)) for a in map(math.radians, (pose.yaw, pose.pitch, pose.roll))
    )
    moved = []
    for x, y, z in points:
        turned_x, turned_z = x * cy + z * sy, z * cy - x * sy
        nodded_y, nodded_z = (y - 0.55) * cp - turned_z * sp, (y - 0.55) * sp + turned_z * cp
        moved.append((turned_x * cr - nodded_y * sr, turned_x * sr + nodded_y * cr + 0.55, nodded_z))
    return tuple(moved)


def projected(points: Points, pose: Pose, distance: float | None = None) -> NDArray[np.float64]:
    """5x2 in pixels. distance: of the camera in eye distances, None for weak perspective (infinitely far)."""
    flat = []
    for x, y, z in points:
        near = pose.scale if distance is None else pose.scale * distance / (distance - z)
        flat.append(((x + pose.x) * near + 5.3, (y + pose.y) * near + 3.5))
    return np.array(flat) * PIXELS


@dataclass(frozen=True, slots=True)
class Subject:
    """Five points in space, and how far the camera is. Made by `head`, `card` and `bent_card`."""

    points: Points
    distance: float | None = None

    def seen(self, pose: Pose) -> NDArray[np.float32]:
        """Landmarks without noise, 5x2 in pixels."""
        return projected(rotated(self.points, pose), pose, self.distance).astype(np.float32)


def head(depth: float = 0.5, distance: float | None = None) -> Subject:
    """A living head."""
    return Subject(shape(depth), distance)


def card(taken_at: float = 0.0, distance: float | None = None) -> Subject:
    """The picture of a head that was turned by `taken_at` degrees."""
    return Subject(tuple((x, y, 0.0) for x, y, _ in rotated(shape(), Pose(yaw=taken_at))), distance)


def bent_card(radius: float, distance: float | None = None) -> Subject:
    """A picture rolled about an upright cylinder, convex towards the camera; radius in eye distances."""
    rolled = ((radius * math.sin(x / radius), y, radius * (math.cos(x / radius) - 1)) for x, y, _ in card().points)
    return Subject(tuple(rolled), distance)


def sample(landmarks: NDArray[np.float32], at: float) -> Sample:
    """A sighting with a box around the landmarks, as large as a detector makes it."""
    xs, ys = landmarks.T.tolist()
    left, top, right, bottom = min(xs) - PIXELS / 2, min(ys) - PIXELS / 2, max(xs) + PIXELS / 2, max(ys) + PIXELS / 2
    return Sample(Instant(at), Box(left, top, right - left, bottom - top), landmarks)


@dataclass(frozen=True, slots=True)
class Detector:
    """sigma: noise per coordinate in eye distances. outliers: share of frames with one landmark 0.15 off."""

    rng: np.random.Generator
    sigma: float = 0.02
    outliers: float = 0.0
    fps: float = 30.0

    def look(self, subject: Subject, pose: Pose, at: float) -> Sample:
        """One frame."""
        noise = self.rng.normal(0.0, self.sigma, (5, 2))
        if self.rng.random() < self.outliers:
            noise[self.rng.integers(5)] += self.rng.choice((-0.15, 0.15), 2)
        return sample((subject.seen(pose) + noise * PIXELS * pose.scale).astype(np.float32), at)


def minimum_jerk(share: float) -> float:
    """The smooth profile of human turning, 0..1 (Flash & Hogan 1985)."""
    s = min(max(share, 0.0), 1.0)
    return s**3 * (10 - 15 * s + 6 * s * s)


Motion = Callable[[Direction | None, float], Pose]
"""What a subject does: the cue on the screen and the time -> its pose. Called once per frame, in order of time."""


class Turning:
    """Answers each cue: after a reaction time a smooth turn, held until the cue changes."""

    def __init__(
        self,
        rng: np.random.Generator,
        degrees: float,
        *,
        start: Pose | None = None,
        sloppy: float = 2.0,
        tilt: float = 4.0,
    ) -> None:
        """degrees: how far it turns. sloppy: sigma of the yaw it comes back to. tilt: sigma of roll and pitch."""
        self._rng = rng
        self._degrees = degrees
        self._sloppy, self._tilt = sloppy, tilt
        self._from = self._to = self._now = start or Pose()
        self._home = self._from
        self._cue: Direction | None = None
        self._starts, self._takes = 0.0, 1.0
        self._first = True

    def __call__(self, cue: Direction | None, at: float) -> Pose:
        """The pose at an instant, given what the screen asks for at that instant."""
        if self._first or cue is not self._cue:
            self._first, self._cue, self._from = False, cue, self._now
            yaw = cue.sign * self._degrees if cue else self._rng.normal(0.0, self._sloppy)
            roll, pitch = self._rng.normal(0.0, self._tilt, 2) if cue else (0.0, 0.0)
            x, y = self._rng.normal(0.0, 0.1, 2)
            home = self._home
            self._to = Pose(home.yaw + yaw, home.pitch + pitch, home.roll + roll, float(x), float(y))
            self._starts = at + self._rng.uniform(0.4, 0.9)
            self._takes = self._rng.uniform(0.4, 1.0)
        share = minimum_jerk((at - self._starts) / self._takes)
        a, b = self._from, self._to
        self._now = Pose(*(p + (q - p) * share for p, q in zip(_values(a), _values(b), strict=True)))
        return self._now


def _values(pose: Pose) -> tuple[float, ...]:
    return pose.yaw, pose.pitch, pose.roll, pose.x, pose.y, pose.scale


def swaying(rng: np.random.Generator, limits: Pose) -> Motion:
    """Somebody moves a picture about in every way at once, slowly, within `limits`, whatever is asked."""
    speed = rng.uniform(0.1, 0.6, 6) * 2 * np.pi
    phase = rng.uniform(0, 2 * np.pi, 6)

    def motion(_cue: Direction | None, at: float) -> Pose:
        wave = np.sin(speed * at + phase)
        yaw, pitch, roll, x, y, scale = (np.array(_values(replace(limits, scale=limits.scale - 1))) * wave).tolist()
        return Pose(yaw, pitch, roll, x, y, 1 + scale)

    return motion


def still(_cue: Direction | None, _at: float) -> Pose:
    """Nothing moves."""
    return Pose()


def watched(
    subject: Subject,
    motion: Motion,
    detector: Detector,
    turns: tuple[Direction, ...],
    rule: LivenessRule,
    held: int = 5,
) -> Iterator[Challenge]:
    """The challenge after each frame, until it is over. held: frames seen before the cue."""
    step = 1 / detector.fps
    before = tuple(detector.look(subject, motion(None, i * step), i * step) for i in range(held))
    challenge = Challenge.begin(turns, before)
    at = held * step
    while challenge.cause is None:
        challenge = challenge.follow(detector.look(subject, motion(challenge.cue, at), at), rule)
        yield challenge
        at += step


def outcome(
    subject: Subject, motion: Motion, detector: Detector, turns: tuple[Direction, ...], rule: LivenessRule
) -> Challenge:
    """How a challenge ends."""
    *_, last = watched(subject, motion, detector, turns, rule)
    return last
