"""Alignment: similarities are found again, mirror images are not made, borders do not cut."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.face.align import Aligner, similarity

FACE = np.array([[30.0, 40.0], [70.0, 40.0], [50.0, 62.0], [33.0, 82.0], [67.0, 82.0]])


def _moved(angle: float, scale: float, x: float, y: float) -> NDArray[np.float64]:
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(scale * FACE @ turn.T + [x, y], np.float64)


def _apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


@given(st.floats(-math.pi, math.pi), st.floats(0.1, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_recovered(angle: float, scale: float, x: float, y: float) -> None:
    """Whatever rotation, scale and shift the face has, the five points land on the template."""
    points = _moved(angle, scale, x, y)
    np.testing.assert_allclose(_apply(similarity(points, FACE), points), FACE, atol=1e-6)


@given(st.lists(st.floats(-5, 5), min_size=10, max_size=10), st.floats(-3, 3), st.floats(0.2, 5))
def test_no_similarity_fits_better(noise: list[float], angle: float, scale: float) -> None:
    """Least squares: turning or scaling the result a little only adds to the distance."""
    points = FACE + np.reshape(noise, (5, 2))
    best = similarity(points, FACE)

    def distance(matrix: NDArray[np.float64]) -> float:
        return float(np.sum((_apply(matrix, points) - FACE) ** 2))

    linear = best[:, :2]
    c, s = math.cos(angle / 100), math.sin(angle / 100)
    for other in (linear * (1 + (scale - 1) / 100), np.array([[c, -s], [s, c]]) @ linear):
        shift = FACE.mean(axis=0) - other @ points.mean(axis=0)
        assert distance(best) <= distance(np.column_stack([other, shift])) + 1e-9


@given(st.floats(-math.pi, math.pi))
def test_a_mirrored_face_is_not_mirrored_back(angle: float) -> None:
    """The determinant stays positive: left stays left, so a mirrored frame cannot pass for an unmirrored one."""
    mirrored = _moved(angle, 1, 0, 0) * [-1, 1]
    assert np.linalg.det(similarity(mirrored, FACE)[:, :2]) >= 0


def test_coinciding_landmarks_do_not_stop_the_desk() -> None:
    """A bad detection gives a crop of something, not an error."""
    matrix = similarity(np.full((5, 2), 7.0), FACE)
    assert np.all(np.isfinite(matrix))
    np.testing.assert_allclose(_apply(matrix, np.full((1, 2), 7.0))[0], FACE.mean(axis=0))


@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.4, 2.0), (-0.6, 0.7)])
def test_a_crop_shows_the_landmarks_at_the_template(angle: float, scale: float) -> None:
    """Dots painted at the landmarks of a turned face come out at the template's points."""
    points = _moved(angle, scale, 90, 110)
    y, x = np.mgrid[:300, :300]
    blobs = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * (3 * scale) ** 2)) for px, py in points)
    pixels = np.repeat((255 * np.clip(blobs, 0, 1)).astype(np.uint8)[:, :, None], 3, axis=2)
    crop = Aligner(FACE, 100, 120).crop(pixels, points)
    assert crop.shape == (120, 100, 3)
    for px, py in FACE.astype(int):
        window = crop[py - 4 : py + 5, px - 4 : px + 5, 0].astype(float)
        window_y, window_x = np.mgrid[-4:5, -4:5]
        assert abs(float((window * window_x).sum() / window.sum())) < 0.5
        assert abs(float((window * window_y).sum() / window.sum())) < 0.5


def test_a_face_at_the_border_gets_no_black_wedge() -> None:
    """What lies outside the frame repeats its edge."""
    crop = Aligner(FACE, 100, 100).crop(np.full((40, 40, 3), 200, np.uint8), FACE + 30)
    assert crop.min() == 200
