"""Estimates the head's attitude from five landmarks and a rigid model of an average head.

Landmarks come from `detector`; what attitude is good enough is judged in `core.quality`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEAD = np.array(
    [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.585, 0.5], [-0.42, 1.04, 0.1], [0.42, 1.04, 0.1]],
)
"""Eyes, nose tip, mouth corners in eye distances: x to the right, y down, z towards the camera. x and y are medians of
the detector's landmarks on 4,316 photos of people who mostly look at the camera; the depths are anthropometric means
(the nose tip about 3 cm before the pupils, the mouth corners some millimetres)."""

_SOLVE = np.linalg.pinv(HEAD - HEAD.mean(axis=0))


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees, 0 = frontal; signs as in `core.types.Measures`."""

    yaw: float
    pitch: float
    roll: float


def pose(landmarks: NDArray[np.floating]) -> Pose:
    """The attitude of the head with these landmarks (5 x 2, pixels of an unmirrored frame, y down).

    Weak perspective: landmarks = scale * (first two rows of R) * head + shift. The 2 x 3 matrix that fits best (least
    squares) is brought to its nearest one with orthonormal rows (polar decomposition), as in POS (DeMenthon and Davis
    1995). R = Rz(roll) Ry(yaw) Rx(pitch), so with x, y, z the columns of R: roll = atan2(x_y, x_x),
    yaw = asin(-x_z), pitch = atan2(y_z, z_z). Landmarks that all coincide give zeros.
    Individual faces differ from the model by some 5 degrees in pitch, less in yaw.
    """
    centred = landmarks - landmarks.mean(axis=0, dtype=np.float64)
    fitted = (_SOLVE @ centred).T
    u, stretch, vt = np.linalg.svd(fitted, full_matrices=False)
    if stretch[0] == 0:
        return Pose(0.0, 0.0, 0.0)
    (a, b, c), (d, e, f) = (u @ vt).tolist()
    x_z, y_z, z_z = b * f - c * e, c * d - a * f, a * e - b * d
    return Pose(
        yaw=math.degrees(math.asin(max(-1.0, min(1.0, -x_z)))),
        pitch=math.degrees(math.atan2(y_z, z_z)),
        roll=math.degrees(math.atan2(d, a)),
    )
