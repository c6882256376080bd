"""What five landmarks say of a head and of a flat picture."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.core.liveness_signs import Change, Reading, extent, nose_place
from tests.fakes.heads import Pose, card, head, sample

angles = st.floats(-40, 40)
poses = st.builds(Pose, angles, angles, st.floats(-180, 180), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.4, 3))
distances = st.one_of(st.none(), st.floats(3.5, 20))


def reading(subject: object, pose: Pose) -> Reading:
    """What a sighting without noise says."""
    read = Reading.of(sample(subject.seen(pose), 0.0))  # type: ignore[attr-defined]
    assert read is not None
    return read


@given(poses, distances, st.floats(-15, 15))
def test_no_motion_of_a_flat_picture_moves_its_nose(pose: Pose, distance: float | None, taken_at: float) -> None:
    """Tilt about both axes, roll, shift, scale, perspective: the nose's place in the picture stays."""
    picture = card(taken_at, distance)
    before, now = nose_place(picture.seen(Pose())), nose_place(picture.seen(pose))
    assert before is not None
    assert now == pytest.approx(before, abs=2e-3)


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_no_homography_moves_the_nose(entries: list[float]) -> None:
    """Not only those a camera makes: any that keeps the face on one side of the horizon."""
    a, b, c, d, e, f, g, h = entries
    matrix = np.array([(2 + a, b, c), (d, 2 + e, f), (g / 3, h / 3, 1.0)])
    points = np.array([(x, y, 1.0) for x, y, _ in card().points])
    mapped = points @ matrix.T
    assume(np.linalg.det(matrix) > 0.5)
    assume((mapped[:, 2] > 0.2).all())
    place = nose_place((mapped[:, :2] / mapped[:, 2:] * 60).astype(np.float32))
    assert place == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(("depth", "yaw"), [(0.3, 20), (0.4, 20), (0.5, 20), (0.5, 30), (0.5, -20), (0.5, -30)])
def test_the_nose_of_a_head_moves_with_the_tangent_of_its_turn(depth: float, yaw: float) -> None:
    """In widths of the face at the height of the nose, 0.887 eye distances for this head; own left is positive."""
    shift = (nose_place(head(depth).seen(Pose(yaw=yaw))) or 0) - (nose_place(head(depth).seen(Pose())) or 0)
    assert shift == pytest.approx(depth * math.tan(math.radians(yaw)) / 0.887, abs=5e-3)


@given(poses, st.floats(0.3, 0.6))
def test_the_nose_of_a_head_moves_in_perspective_too(pose: Pose, depth: float) -> None:
    """Close to the camera the parallax of a turn is not smaller than half of that far away."""
    plain = Pose(yaw=pose.yaw, scale=pose.scale)
    near, far = head(depth, 6.0), head(depth)
    shifts = [(nose_place(who.seen(plain)) or 0) - 0.5 for who in (near, far)]
    assert abs(shifts[0]) >= 0.5 * abs(shifts[1]) - 1e-3
    assert shifts[0] * shifts[1] >= -1e-6


@given(angles, st.floats(-180, 180), st.floats(0.4, 3))
def test_slimness_follows_the_turn_flat_or_not(yaw: float, roll: float, scale: float) -> None:
    """Cosine of the yaw, whatever roll and scale; the parallax is that of a head or of nothing."""
    for subject in (head(), card()):
        change = reading(subject, Pose(yaw=yaw, roll=roll, scale=scale)).since(reading(subject, Pose()))
        assert change.slim == pytest.approx(math.cos(math.radians(yaw)), abs=1e-3)
        assert change.foreshortening == pytest.approx(abs(math.sin(math.radians(yaw))), abs=0.05)
    assert change.parallax == pytest.approx(0.0, abs=2e-3)


@given(st.floats(-180, 180), st.floats(0.4, 3))
def test_growth_is_the_logarithm_of_the_scale(roll: float, scale: float) -> None:
    """A head and a picture grow alike, however they lean; a step back is negative."""
    for subject in (head(), card()):
        change = reading(subject, Pose(roll=roll, scale=scale)).since(reading(subject, Pose()))
        assert change.growth == pytest.approx(math.log(scale), abs=1e-3)


def test_who_does_not_move_has_not_changed() -> None:
    """Nothing of anything."""
    assert reading(head(), Pose()).since(reading(head(), Pose())) == Change()
    assert (Change().foreshortening, Change(slim=1.1).foreshortening) == (0.0, 0.0)


def test_one_wild_reading_does_not_move_the_middle() -> None:
    """Each figure has its own median; the time is that of the last."""
    calm, wild = reading(head(), Pose()), reading(head(), Pose(yaw=35.0, scale=2.0))
    middle = Reading.middle([calm, wild, calm])
    assert middle == calm


def _line() -> NDArray[np.float32]:
    return np.array([(i, 2 * i) for i in range(5)], np.float32)


@pytest.mark.parametrize(
    "landmarks",
    [
        _line(),
        np.zeros((5, 2), np.float32),
        np.array([(0, 0), (1, 0), (0.5, 0.5), (1, 1), (0, 1)], np.float32),
        np.full((5, 2), np.nan, np.float32),
        np.full((5, 2), np.inf, np.float32),
    ],
    ids=["on a line", "on a spot", "mouth crossed", "no numbers", "infinite"],
)
def test_degenerate_landmarks_are_no_evidence(landmarks: NDArray[np.float32]) -> None:
    """Neither reading nor error."""
    assert nose_place(landmarks) is None
    assert Reading.of(replace(sample(head().seen(Pose()), 0.2), landmarks=landmarks)) is None


def test_a_nose_that_cannot_be_placed_is_no_evidence() -> None:
    """On the crossing of the two face lines its place would be anything."""
    trapezium = np.array([(0, 0), (4, 0), (2, 4), (1, 2), (3, 2)], np.float32)
    assert nose_place(trapezium) is None


def test_a_face_without_width_or_height_has_no_extent() -> None:
    """No division by zero: eyes on the mouth, or on each other."""
    assert extent(np.zeros((5, 2), np.float32)) is None
    flat = np.array([(0, 0), (4, 0), (2, 0), (0, 0), (4, 0)], np.float32)
    assert extent(flat) is None
    slim = np.array([(1, 0), (1, 0), (1, 1), (0, 2), (2, 2)], np.float32)
    assert extent(slim) is None
    assert extent(head().seen(Pose())) == pytest.approx((60.0, 66.0), abs=0.01)


@given(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=10))
def test_any_landmarks_give_numbers_or_nothing(values: list[float]) -> None:
    """Never an exception, never NaN."""
    landmarks = np.array(values, np.float32).reshape(5, 2)
    place = nose_place(landmarks)
    assert place is None or math.isfinite(place)
    assert all(math.isfinite(side) and side > 0 for side in extent(landmarks) or ())
