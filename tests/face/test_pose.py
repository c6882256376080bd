"""Attitude from five landmarks: exact on the model head, right in sign, steady under shift and scale."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.face.pose import HEAD, pose


def _rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Rz(roll) Ry(yaw) Rx(pitch) for x right, y down, z towards the camera; degrees."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    rx = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    ry = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    rz = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    return np.asarray(rz @ ry @ rx)


def _seen(yaw: float, pitch: float, roll: float, scale: float = 60.0) -> NDArray[np.float64]:
    return (HEAD @ _rotation(yaw, pitch, roll).T)[:, :2] * scale + [320, 200]


ANGLE = st.floats(-60, 60)


@given(ANGLE, ANGLE, ANGLE, st.floats(5, 500))
def test_the_attitude_of_the_model_head_is_found(yaw: float, pitch: float, roll: float, scale: float) -> None:
    """All three angles, from landmarks alone, at any size."""
    found = pose(_seen(yaw, pitch, roll, scale))
    np.testing.assert_allclose([found.yaw, found.pitch, found.roll], [yaw, pitch, roll], atol=1e-3)


def test_signs_are_those_of_the_measures() -> None:
    """Nose to larger x: yaw > 0. Nose up in the picture: pitch > 0. Eyes' line falling to the right: roll > 0."""
    right, up, lean = _seen(30, 0, 0), _seen(0, 30, 0), _seen(0, 0, 30)
    assert right[2, 0] > right[:2, 0].mean()
    assert up[2, 1] - up[:2, 1].mean() < _seen(0, 0, 0)[2, 1] - 200
    assert lean[1, 1] > lean[0, 1]
    assert pose(right).yaw > 0
    assert pose(up).pitch > 0
    assert pose(lean).roll > 0


@given(ANGLE, ANGLE, ANGLE, st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_a_mirrored_face_turns_and_leans_the_other_way(
    yaw: float, pitch: float, roll: float, noise: list[float]
) -> None:
    """Yaw and roll change sign, pitch stays; landmarks change places so that their order holds."""
    marks = _seen(yaw, pitch, roll) + np.reshape(noise, (5, 2))
    mirrored = (marks * [-1, 1] + [640, 0])[[1, 0, 2, 4, 3]]
    one, other = pose(marks), pose(mirrored)
    np.testing.assert_allclose([other.yaw, other.pitch, other.roll], [-one.yaw, one.pitch, -one.roll], atol=1e-6)


def test_coinciding_landmarks_have_no_attitude() -> None:
    """Zeros instead of a division by zero."""
    found = pose(np.full((5, 2), 3.0))
    assert (found.yaw, found.pitch, found.roll) == (0, 0, 0)
