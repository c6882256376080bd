"""Five landmarks of turning heads and of pictures held up: what a detector would report, with its noise.

Unit: the distance between the eyes. x to larger x of the picture, y down, z towards the camera. A head stands
out of the plane of eyes and mouth with its nose; a card has the same points without depth.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.core.liveness import Challenge
from appliance.core.liveness_signs import Sample
from appliance.core.liveness_steps import Step
from appliance.core.policy import LivenessRule
from appliance.core.types import Box, Cue, Instant

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


Dot = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the screen shows: the cue, None outside of a challenge, and the dot."""

    cue: Cue | None = None
    dot: Dot = None


NOTHING = Asked()

Motion = Callable[[Asked, float], Pose]
"""What a subject does: what the screen asks for and the time -> its pose. Called once per frame, in order of time."""

_EDGE = 0.42
"""How far from the middle of the screen the dot stops; a head that follows it is turned all the way then."""


class Turning:
    """Answers each cue: after a reaction time a smooth motion, held until the cue changes; follows the dot."""

    def __init__(
        self,
        rng: np.random.Generator,
        degrees: float,
        *,
        start: Pose | None = None,
        sloppy: float = 2.0,
        tilt: float = 4.0,
        nearer: float = 1.3,
    ) -> None:
        """degrees: how far it turns. sloppy: sigma of the yaw it comes back to. tilt: sigma of roll and pitch.

        nearer: how much larger it looks after coming closer.
        """
        self._rng = rng
        self._degrees = degrees
        self._sloppy, self._tilt, self._nearer = sloppy, tilt, nearer
        self._from = self._to = self._now = start or Pose()
        self._home = self._from
        self._cue: Cue | None = None
        self._starts, self._takes, self._delay = 0.0, 1.0, 0.0
        self._dots: list[tuple[float, float]] = []

    def __call__(self, asked: Asked, at: float) -> Pose:
        """The pose at an instant, given what the screen asks for at that instant."""
        if asked.cue is not self._cue:
            self._answer(asked.cue, at)
        if asked.cue is Cue.DOT and asked.dot is not None:
            self._dots.append((at, self._home.yaw + self._degrees * (0.5 - asked.dot[0]) / _EDGE))
            followed = [yaw for then, yaw in self._dots if then <= at - self._delay]
            self._now = replace(self._now, yaw=followed[-1]) if followed else self._now
            return self._now
        share = minimum_jerk((at - self._starts) / self._takes)
        a, b = self._from, self._to
        self._now = Pose(*(p + (q - p) * share for p, q in zip(_values(a), _values(b), strict=True)))
        return self._now

    def _answer(self, cue: Cue | None, at: float) -> None:
        """See a new cue and plan the motion that answers it."""
        self._cue, self._from, self._dots = cue, self._now, []
        home, rng = self._home, self._rng
        roll, pitch = rng.normal(0.0, self._tilt, 2) if cue in _SIGNS else (0.0, 0.0)
        x, y = rng.normal(0.0, 0.1, 2)
        yaw = _SIGNS[cue] * self._degrees if cue in _SIGNS else rng.normal(0.0, self._sloppy)
        scale = home.scale * (self._nearer if cue is Cue.CLOSER else 1.0)
        self._to = Pose(home.yaw + yaw, home.pitch + pitch, home.roll + roll, float(x), float(y), scale)
        self._delay = float(rng.uniform(0.4, 0.9))
        wide = abs(self._to.yaw - self._from.yaw) / max(abs(self._degrees), 1.0)  # from one side to the other: twice
        self._starts, self._takes = at + self._delay, rng.uniform(0.4, 1.0) * max(1.0, math.sqrt(wide))


_SIGNS: dict[Cue | None, int] = {Cue.LEFT: 1, Cue.RIGHT: -1}


def _values(pose: Pose) -> tuple[float, ...]:
    return pose.yaw, pose.pitch, pose.roll, pose.x, pose.y, pose.scale


def swaying(rng: np.random.Generator, limits: Pose) -> Motion:
    """Somebody moves a picture about in every way at once, slowly, within `limits`, whatever is asked."""
    speed = rng.uniform(0.1, 0.6, 6) * 2 * np.pi
    phase = rng.uniform(0, 2 * np.pi, 6)

    def motion(_asked: Asked, at: float) -> Pose:
        wave = np.sin(speed * at + phase)
        yaw, pitch, roll, x, y, scale = (np.array(_values(replace(limits, scale=limits.scale - 1))) * wave).tolist()
        return Pose(yaw, pitch, roll, x, y, 1 + scale)

    return motion


def still(_asked: Asked, _at: float) -> Pose:
    """Nothing moves."""
    return Pose()


def watched(
    subject: Subject,
    motion: Motion,
    detector: Detector,
    steps: tuple[Step, ...],
    rule: LivenessRule,
    held: int = 5,
) -> Iterator[Challenge]:
    """The challenge after each frame, until it is over. held: frames seen before the first cue."""
    frame = 1 / detector.fps
    before = tuple(detector.look(subject, motion(NOTHING, i * frame), i * frame) for i in range(held))
    challenge = Challenge.begin(steps, before)
    at = held * frame
    while challenge.cause is None:
        asked = Asked(challenge.cue, challenge.dot(Instant(at)))
        challenge = challenge.follow(detector.look(subject, motion(asked, at), at), rule)
        yield challenge
        at += frame


def outcome(
    subject: Subject, motion: Motion, detector: Detector, steps: tuple[Step, ...], rule: LivenessRule
) -> Challenge:
    """How a challenge ends."""
    *_, last = watched(subject, motion, detector, steps, rule)
    return last
