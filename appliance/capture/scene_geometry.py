"""Owns the geometry of the rendered scene: poses in time, planes in perspective, and the shape of a turning head.

Face coordinates: origin midway between the eyes, x along the eyes towards larger x of the picture, y down, z towards
the camera; unit: the distance between the eyes. What is drawn with this geometry is the matter of `scene_actor`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.opencv import cv2

Points = NDArray[np.float32]

_TABLE_STEP = 1.0 / 24  # face units between two nodes of the shape tables: below the width of any bump
_FIXED_POINT_STEPS = 10  # leaves 0.02 eye distances, about a pixel, at 30 degrees; a tenth of that at 25


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a subject is and how it is turned.

    x, y: frame pixels of the point midway between the eyes. eye_distance: pixels, as if unturned.
    roll: degrees clockwise in the picture. yaw: positive turns the nose to larger x. pitch: positive looks up.
    """

    x: float
    y: float
    eye_distance: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


def minimum_jerk(share: float) -> float:
    """Position 0..1 at a share 0..1 of the time: the profile of human motion (Flash & Hogan 1985)."""
    s = min(max(share, 0.0), 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s * s)


class Track:
    """One number over time: rests, and moves to new targets with a minimum-jerk profile."""

    def __init__(self, rest: float) -> None:
        self._rest = rest
        self._moves: list[tuple[float, float, float, float]] = []  # start, seconds, from, to; by start

    def move(self, start: float, seconds: float, target: float) -> None:
        """Head for `target` from `start` on, within `seconds`; moves planned for later are forgotten."""
        self._moves = [m for m in self._moves if m[0] < start]
        self._moves.append((start, max(seconds, 1e-3), self.at(start), target))

    def at(self, t: float) -> float:
        """The value at a time in seconds."""
        for start, seconds, origin, target in reversed(self._moves):
            if start <= t:
                return origin + (target - origin) * minimum_jerk((t - start) / seconds)
        return self._rest


class Sway:
    """Smooth, never repeating small motion of somebody who stands: seeded sines of incommensurate low frequencies."""

    def __init__(self, rng: np.random.Generator, amplitude: float, fastest: float = 0.55) -> None:
        """amplitude: largest deviation. fastest: highest frequency, hertz."""
        self._frequency = rng.uniform(0.11, fastest, 4)
        self._phase = rng.uniform(0.0, 2 * np.pi, 4)
        weight = 1.0 / np.sqrt(self._frequency)  # slow drifts are larger than quick ones
        self._weight = amplitude * weight / weight.sum()

    def at(self, t: float) -> float:
        """Deviation at a time in seconds, within plus or minus `amplitude`."""
        return float(self._weight @ np.sin(2 * np.pi * self._frequency * t + self._phase))


def rotation(pose: Pose) -> NDArray[np.float64]:
    """3x3 rotation of face coordinates: first yaw, then pitch, then roll."""
    roll, yaw, pitch = np.radians((pose.roll, pose.yaw, pose.pitch))
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    lean = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(lean @ nod @ turn, np.float64)


def plane_homography(pose: Pose, focal: float, pivot: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.float64]:
    """The 3x3 homography from the plane z = 0 of face coordinates to frame pixels, in true perspective.

    focal: focal length of the pinhole camera in pixels. pivot: the point of the plane that stays where it is under
    yaw and pitch. H = K [r1 r2 t] (Hartley & Zisserman, Multiple View Geometry, eq. 8.1), z counted towards the camera.
    """
    r = rotation(pose)
    px, py = pivot
    distance = focal / pose.eye_distance
    spin = rotation(Pose(0, 0, 1, pose.roll))
    at_x, at_y = spin[:2, :2] @ (px, py) * pose.eye_distance + (pose.x, pose.y)
    columns = np.column_stack((r[:, 0], r[:, 1], -r[:, :2] @ (px, py)))  # rotated about the pivot
    columns[2] = -columns[2]
    columns[2, 2] += distance
    camera = np.array([[focal, 0, at_x], [0, focal, at_y], [0, 0, 1.0]])
    h = camera @ columns
    return np.asarray(h / h[2, 2], np.float64)


def project(h: NDArray[np.float64], points: NDArray[np.floating]) -> Points:
    """Map points (n x 2) by a homography."""
    q = np.column_stack((points, np.ones(len(points)))) @ h.T
    return np.asarray(q[:, :2] / q[:, 2:], np.float32)


def face_frame(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """The 3x3 similarity from face coordinates to the pixels the five landmarks (5 x 2) are given in.

    Raises ValueError when the eyes coincide.
    """
    eyes = landmarks[:2].astype(np.float64)
    (ex, ey), (mx, my) = eyes[1] - eyes[0], eyes.mean(axis=0)
    if np.hypot(ex, ey) < 1.0:
        raise ValueError("the two eyes are at one point")
    return np.array([[ex, -ey, mx], [ey, ex, my], [0, 0, 1.0]])


class HeadShape:
    """A smooth head of one person: depth over the face, and how much of a turn each point follows.

    The depth is a dome over head and hair plus a bump at the nose; the nose tip stands 0.5 to 0.6 eye distances before
    the plane of eyes and mouth, as in adults (nasal protrusion and the curve of the face together 30 to 38 mm over an
    eye distance of 63 mm). Shoulders do not turn; between chin and shoulders the turn fades.
    """

    dome = 1.15
    nose = 0.40
    left, top, right, bottom = -6.0, -4.0, 6.0, 9.0

    def __init__(self, landmarks: NDArray[np.floating]) -> None:
        """Take the five landmarks (5 x 2) in face coordinates."""
        self._nose_at = (float(landmarks[2, 0]), float(landmarks[2, 1]))
        self._middle = float(np.mean([landmarks[:2, 0].mean(), landmarks[3:, 0].mean()]))
        self.joint = 1.35  # height of the neck joint about which the head nods
        xs = np.arange(self.left, self.right, _TABLE_STEP, dtype=np.float32)
        ys = np.arange(self.top, self.bottom, _TABLE_STEP, dtype=np.float32)
        gx, gy = np.meshgrid(xs, ys)
        follow = self.follow(gx, gy)
        self._tables = np.dstack((follow, follow * self.depth(gx, gy))).astype(np.float32)

    def depth(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        """Height z of the head over the turning axis, in eye distances."""
        r2 = ((x - self._middle) / 1.75) ** 2 + ((y - 0.35) / 2.35) ** 2
        dome = self.dome * np.square(np.clip(1.0 - r2, 0.0, 1.0))
        nx, ny = self._nose_at
        upward = np.where(y < ny, 0.46, 0.27)  # the bridge runs up, the base falls off quickly
        bump = np.exp(-0.5 * (((x - nx) / 0.30) ** 2 + ((y - ny) / upward) ** 2))
        return np.asarray(dome + self.nose * bump, np.float64)

    def follow(self, x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
        """Share of a turn that a point follows: 1 on the head, 0 on the shoulders and outside."""
        down = np.clip((y - 1.5) / 1.7, 0.0, 1.0)
        aside = np.clip((np.abs(x - self._middle) - 1.7) / 1.2, 0.0, 1.0)
        return np.asarray((1 - down * down * (3 - 2 * down)) * (1 - aside * aside * (3 - 2 * aside)), np.float64)

    def turned(self, points: NDArray[np.floating], yaw: float, pitch: float) -> Points:
        """Where points (n x 2, face coordinates) of the unturned face go in a turn; degrees."""
        x, y = points[:, 0].astype(np.float64), points[:, 1].astype(np.float64)
        w = self.follow(x, y)
        dx, dy = self._displacement(x, y, w, w * self.depth(x, y), yaw, pitch)
        return np.column_stack((x + dx, y + dy)).astype(np.float32)

    def unturned(self, u: Points, v: Points, yaw: float, pitch: float) -> tuple[Points, Points]:
        """Where the points (u, v) of a turned face come from; arrays of one shape, face coordinates.

        Solves x = u - displacement(x) by fixed-point iteration: the displacement is a contraction for turns up to
        30 degrees, because no slope of the head exceeds 1/tan(30); so nothing folds over or tears.
        """
        if abs(yaw) < 1e-3 and abs(pitch) < 1e-3:
            return u, v
        x, y = u, v
        for _ in range(_FIXED_POINT_STEPS):
            sampled = np.asarray(
                cv2.remap(
                    self._tables,
                    (x - self.left) / np.float32(_TABLE_STEP),
                    (y - self.top) / np.float32(_TABLE_STEP),
                    cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_CONSTANT,
                    borderValue=(0.0, 0.0),
                ),
                np.float32,
            )
            dx, dy = self._displacement(x, y, sampled[..., 0], sampled[..., 1], yaw, pitch)
            x, y = np.asarray(u - dx, np.float32), np.asarray(v - dy, np.float32)
        return x, y

    def _displacement(
        self,
        x: NDArray[np.floating],
        y: NDArray[np.floating],
        w: NDArray[np.floating],
        wz: NDArray[np.floating],
        yaw: float,
        pitch: float,
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Motion of points under yaw, then pitch about the neck; w: share followed, wz: that times the depth.

        Plain Python floats keep float32 arrays float32.
        """
        sy, cy = float(np.sin(np.radians(yaw))), float(np.cos(np.radians(yaw)))
        sp, cp = float(np.sin(np.radians(pitch))), float(np.cos(np.radians(pitch)))
        dx = w * x * (cy - 1.0) + wz * sy
        dy = w * ((y - self.joint) * (cp - 1.0) + x * (sy * sp)) - wz * (cy * sp)
        return dx, dy
