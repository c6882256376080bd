"""Owns the attitude a portrait was taken in, and the portrait of the same person facing the camera.

The head is taken for an ellipsoid with a nose, turned as the five landmarks say; every point of the frontal head is
looked up where the photo shows it, and a half that the photo hides is the mirror image of the other. Finding the
landmarks is the caller's matter; how the frontal head turns afterwards is the matter of `scene_geometry`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Grid = NDArray[np.float32]

HEAD = np.array([[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.566, 0.5], [-0.446, 1.066, 0.1], [0.446, 1.066, 0.1]])
"""Eyes, nose tip, mouth corners of a mean adult in eye distances: x to the right, y down, z towards the camera. x and y
are dlib's mean face; the depths are anthropometric means."""

_SOLVE = np.linalg.pinv(HEAD - HEAD.mean(axis=0))

SKULL = np.array([0.0, 0.15, -1.15])
"""Middle of the head with hair; its half axes, width, height and length over two, are `RADII` (eye distance 63 mm)."""
RADII = np.array([1.2, 1.95, 1.5])


@dataclass(frozen=True, slots=True, eq=False)
class Facing:
    """How a head stands in face coordinates of its portrait: shown = scale * (turn @ head)[:2] + shift.

    turn: 3x3 rotation; head coordinates are those of `HEAD`. scale: real eye distance over the one seen.
    """

    turn: Points
    scale: float
    shift: Points

    @property
    def yaw(self) -> float:
        """Degrees, positive when the nose points to larger x."""
        return float(np.degrees(np.arcsin(np.clip(self.turn[0, 2], -1, 1))))

    @property
    def pitch(self) -> float:
        """Degrees, positive when the face looks up."""
        return float(np.degrees(np.arctan2(-self.turn[1, 2], self.turn[2, 2])))

    def shown(self, x: Grid, y: Grid, z: Grid) -> tuple[Grid, Grid]:
        """Where points of the head are seen, face coordinates."""
        (a, b, c), (d, e, f) = (self.turn[:2] * self.scale).tolist()
        u, v = self.shift.tolist()
        return a * x + b * y + c * z + u, d * x + e * y + f * z + v

    def place(self, head: Points) -> Points:
        """Where points of the head (3, or n x 3) are seen, face coordinates (2, or n x 2)."""
        return np.asarray(head @ (self.turn[:2] * self.scale).T + self.shift, np.float64)

    def from_shown(self, points: Points, depth: Points) -> Points:
        """Width and height on the head (n x 2) of points (n x 2) seen in the portrait, their depths known."""
        rows = self.turn[:2] * self.scale
        flat = points - self.shift - np.outer(depth, rows[:, 2])
        return np.asarray(np.linalg.solve(rows[:, :2], flat.T).T, np.float64)

    def without_pitch(self, degrees: float) -> "Facing":
        """The same view of a head that looks up by so much in its own coordinates: what is left to turn."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        nod = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
        return Facing(self.turn @ nod.T, self.scale, self.shift)

    def outline(self, x: Grid, y: Grid, grow: float) -> NDArray[np.bool_]:
        """Which points are inside the outline of the head grown by so many eye distances.

        An ellipsoid with half axes r, turned by R, is seen as the ellipse q' M^-1 q = 1, M = (R diag(r^2) R')[:2, :2].
        """
        rows = self.turn[:2] * self.scale
        inverse = np.linalg.inv(rows @ np.diag((RADII + grow) ** 2) @ rows.T)
        cx, cy = self.place(SKULL)
        dx, dy = x - cx, y - cy
        return np.asarray(inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2 < 1)


def facing(landmarks: NDArray[np.floating]) -> Facing:
    """The attitude of the head with these landmarks (5 x 2, face coordinates).

    Weak perspective, as in POS (DeMenthon and Davis 1995): the 2 x 3 matrix that fits best (least squares) is brought
    to its nearest one with orthonormal rows. Individual faces differ from the mean by some 5 degrees.
    """
    middle = landmarks.mean(axis=0, dtype=np.float64)
    u, stretch, vt = np.linalg.svd((_SOLVE @ (landmarks - middle)).T, full_matrices=False)
    rows, scale = u @ vt, float(stretch.mean())
    return Facing(np.vstack((rows, np.cross(rows[0], rows[1]))), scale, middle - scale * rows @ HEAD.mean(axis=0))
