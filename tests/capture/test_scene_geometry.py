"""Planes stay planes, heads do not; what is warped can be traced back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.capture.scene_geometry import (
    HeadShape,
    Pose,
    Sway,
    Track,
    face_frame,
    plane_homography,
    project,
    rotation,
)
from appliance.core.liveness_signs import nose_place

FACE = np.array([(-0.5, 0), (0.5, 0), (0, 0.6), (-0.4, 1.1), (0.4, 1.1)], np.float32)
HEAD = HeadShape(FACE)

angles = st.floats(-35, 35)
poses = st.builds(
    Pose, st.floats(100, 500), st.floats(100, 400), st.floats(20, 140), st.floats(-30, 30), angles, st.floats(-25, 25)
)


def _parallax(before: np.ndarray, now: np.ndarray) -> float:
    first, second = nose_place(before), nose_place(now)
    assert first is not None
    assert second is not None
    return second - first


@given(poses, st.tuples(st.floats(-2, 2), st.floats(-2, 2)))
def test_a_plane_is_drawn_as_a_pinhole_camera_sees_it(pose: Pose, pivot: tuple[float, float]) -> None:
    """The homography agrees with rotating points in space and dividing by their distance."""
    focal = 600.0
    points = np.array([(-2, -2.5), (2, -2.5), (2, 3), (-2, 3), (0.3, 0.6)], np.float32)
    space = np.column_stack((points - pivot, np.zeros(5))) @ rotation(pose).T
    distance = focal / pose.eye_distance
    lean = rotation(Pose(0, 0, 1, pose.roll))[:2, :2]
    centre = lean @ pivot * pose.eye_distance + (pose.x, pose.y)
    expected = centre + focal * space[:, :2] / (distance - space[:, 2:])
    assert project(plane_homography(pose, focal, pivot), points) == pytest.approx(expected, abs=0.01)


@given(poses)
def test_no_motion_of_a_plane_moves_the_nose_against_eyes_and_mouth(pose: Pose) -> None:
    """Shift, scale, roll and tilt of a photo have no parallax at all."""
    assert abs(_parallax(FACE, project(plane_homography(pose, 600.0, (0.0, 0.4)), FACE))) < 1e-3


def test_an_unturned_plane_keeps_its_size() -> None:
    """Eye distance and place are those of the pose."""
    eyes = project(plane_homography(Pose(320, 200, 62), 600.0, (0.0, 0.4)), FACE)[:2]
    assert eyes == pytest.approx(np.array([(289, 200), (351, 200)]), abs=0.01)


@pytest.mark.parametrize("yaw", [-29, -25, -15, 15, 25, 29])
def test_a_turning_head_moves_its_nose_the_way_it_turns(yaw: float) -> None:
    """At 25 degrees by more than 0.2 eye distances; positive yaw towards larger x."""
    shift = _parallax(FACE, HEAD.turned(FACE, yaw, 0.0)) * np.sign(yaw)
    assert 0.6 < shift / (0.58 * np.tan(np.radians(abs(yaw)))) < 1.4


def test_the_nose_stands_half_an_eye_distance_before_the_plane_of_eyes_and_mouth() -> None:
    """0.5 to 0.65, as in adults."""
    z = HEAD.depth(FACE[:, 0], FACE[:, 1])
    share = (FACE[2, 1] - FACE[0, 1]) / (FACE[3, 1] - FACE[0, 1])
    plane = z[:2].mean() * (1 - share) + z[3:].mean() * share
    assert 0.5 < z[2] - plane < 0.65


@given(st.floats(-30, 30), st.floats(-12, 12))
def test_the_way_back_leads_to_where_the_way_there_began(yaw: float, pitch: float) -> None:
    """Backward mapping undoes forward mapping to two hundredths of an eye distance: about a pixel of the frame."""
    x, y = np.meshgrid(np.linspace(-2.5, 2.5, 41), np.linspace(-2, 4, 49))
    points = np.column_stack((x.ravel(), y.ravel())).astype(np.float32)
    there = HEAD.turned(points, yaw, pitch)
    back_x, back_y = HEAD.unturned(there[:, :1].copy(), there[:, 1:].copy(), yaw, pitch)
    again = HEAD.turned(np.column_stack((back_x, back_y)), yaw, pitch)
    assert np.hypot(*(again - there).T).max() < 0.02


@given(st.floats(-30, 30))
def test_a_turn_folds_nothing_over(yaw: float) -> None:
    """Points in order from left to right stay in order: no tearing, nothing seen twice."""
    x, y = np.meshgrid(np.linspace(-2.5, 2.5, 101), np.linspace(-2, 4, 61))
    turned = HEAD.turned(np.column_stack((x.ravel(), y.ravel())), yaw, 0.0)[:, 0].reshape(x.shape)
    assert (np.diff(turned, axis=1) > 0).all()


def test_shoulders_do_not_turn_with_the_head() -> None:
    """Nor does anything far from the head."""
    body = np.array([(-2, 3.5), (2, 3.5), (0, 6), (-4, 0)], np.float32)
    assert HEAD.turned(body, 28.0, 10.0) == pytest.approx(body, abs=1e-6)


def test_a_track_moves_smoothly_and_forgets_what_was_planned_for_later() -> None:
    """A new target starts from where the value is at that moment."""
    track = Track(0.0)
    track.move(1.0, 1.0, 10.0)
    track.move(5.0, 1.0, 0.0)
    assert [track.at(t) for t in (0.0, 1.0, 1.5, 2.0, 4.9, 6.0)] == pytest.approx([0, 0, 5, 10, 10, 0])
    track.move(1.5, 0.5, -1.0)
    assert track.at(1.5) == pytest.approx(5.0)
    assert track.at(9.0) == -1.0


def test_sway_is_small_smooth_and_repeatable() -> None:
    """The same seed stands the same way; no jump between two frames."""
    one, two, other = (Sway(np.random.default_rng(seed), 3.0) for seed in (1, 1, 2))
    times = np.arange(0, 60, 1 / 15)
    values = np.array([one.at(t) for t in times])
    assert (values == [two.at(t) for t in times]).all()
    assert (values != [other.at(t) for t in times]).any()
    assert np.abs(values).max() <= 3.0
    assert np.abs(np.diff(values)).max() < 0.8
    assert values.std() > 0.5


def test_the_face_frame_puts_the_origin_between_the_eyes() -> None:
    """Unit: their distance; coinciding eyes are a mistake of the caller."""
    landmarks = np.array([(10, 20), (30, 20), (20, 32), (13, 42), (27, 42)], np.float32)
    assert project(np.linalg.inv(face_frame(landmarks)).astype(np.float64), landmarks[:3]) == pytest.approx(
        np.array([(-0.5, 0), (0.5, 0), (0, 0.6)])
    )
    with pytest.raises(ValueError, match="eyes"):
        face_frame(np.zeros((5, 2), np.float32))
