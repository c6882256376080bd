"""Portraits from photos: upright, whole, continued where the photo ends, separated from their surroundings."""

import numpy as np
import pytest

from appliance.capture.scene_matte import person_matte
from appliance.capture.scene_portrait import canvas_grid, crop_person, is_tight
from appliance.opencv import cv2
from tests.capture.portraits import LANDMARKS, drawn_photo


def _rotated(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    turn = cv2.getRotationMatrix2D((200, 300), degrees, 1.0)
    photo = cv2.warpAffine(drawn_photo(), turn, (400, 620), borderMode=cv2.BORDER_REPLICATE)
    return photo, (LANDMARKS @ turn[:, :2].T + turn[:, 2]).astype(np.float32)


@pytest.mark.parametrize("degrees", [-20.0, 0.0, 15.0])
def test_a_leaning_head_is_turned_upright(degrees: float) -> None:
    """The eyes are level, one unit apart, and the dots of the photo are where the landmarks say."""
    portrait = crop_person(*_rotated(degrees))
    assert portrait.face_landmarks[:2] == pytest.approx(np.array([(-0.5, 0), (0.5, 0)]), abs=0.02)
    for x, y in portrait.landmarks:
        assert portrait.pixels[round(float(y)), round(float(x))].mean() < 90


def test_a_large_photo_is_reduced_and_a_small_one_enlarged() -> None:
    """The canvas has what the working distance needs."""
    photo = drawn_photo()
    fourfold = np.asarray(cv2.resize(photo, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    reduced = np.asarray(cv2.resize(photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)
    large, small = crop_person(fourfold, LANDMARKS * 4 + 1.5), crop_person(reduced, LANDMARKS * 0.4 - 0.3)
    assert (large.scale, small.scale) == (72.0, 40.0)
    for portrait in (large, small):
        assert portrait.face_landmarks == pytest.approx((LANDMARKS - (200, 200)) / 60, abs=0.03)
        for x, y in portrait.landmarks:
            assert portrait.pixels[round(float(y)), round(float(x))].mean() < 110


def test_the_matte_keeps_the_person_and_drops_the_wall() -> None:
    """Soft at the edge, whole inside, nothing outside."""
    portrait = crop_person(drawn_photo(), LANDMARKS)
    matte = person_matte(portrait)
    x, y = canvas_grid(portrait)
    face = ((x - 0.0) / 1.15) ** 2 + ((y - 0.1) / 1.8) ** 2 < 1
    wall = (np.abs(x) > 1.8) & (y < 1.5)
    assert matte[face].min() > 0.9
    assert matte[wall].max() < 0.1
    assert 0.002 < ((matte > 0.1) & (matte < 0.9)).mean() < 0.05
    assert (person_matte(portrait) == matte).all()


def test_a_tightly_cut_face_gets_a_neck_and_a_garment() -> None:
    """112 x 112 around the face: nothing below the chin is known, the scene shows a body all the same."""
    box = drawn_photo()[120:300, 110:290]
    small = np.asarray(cv2.resize(box, (112, 112), interpolation=cv2.INTER_AREA), np.uint8)
    portrait = crop_person(small, (LANDMARKS - (110, 120)) * 112 / 180)
    assert is_tight(portrait)
    x, y = canvas_grid(portrait)
    chest = (np.abs(x) < 1.2) & (y > 3.2) & (y < 5)
    wall = (np.abs(x) > 4.2) & (y < 0)
    assert np.abs(portrait.pixels[chest].mean(axis=0) - portrait.pixels[wall].mean(axis=0)).max() > 30
    matte = person_matte(portrait)
    assert matte[chest].min() > 0.95
    assert matte[(np.abs(x) < 0.4) & (y > 1.6) & (y < 2.4)].min() > 0.9, "the neck joins head and body"


def test_a_black_and_white_photo_is_toned() -> None:
    """So that it does not give itself away in a coloured room."""
    grey = np.asarray(cv2.cvtColor(cv2.cvtColor(drawn_photo(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    b, _, r = crop_person(grey, LANDMARKS).pixels[190:240, 250:290].reshape(-1, 3).mean(axis=0)
    assert r > b + 15


def test_what_lies_outside_the_photo_is_continued_smoothly() -> None:
    """No hard border where the photo ended."""
    photo = drawn_photo()[:, 60:330]
    portrait = crop_person(photo, LANDMARKS - (60, 0))
    edge = np.flatnonzero(np.diff(portrait.known[200].astype(int)))
    assert edge.size
    for column in edge:
        near = portrait.pixels[150:250, column - 4 : column + 5].astype(float).mean(axis=0)
        assert np.abs(np.diff(near, axis=0)).max() < 25


def test_coinciding_eyes_are_a_mistake_of_the_caller() -> None:
    """Not a division by zero."""
    with pytest.raises(ValueError, match="eyes"):
        crop_person(drawn_photo(), np.full((5, 2), 100.0, np.float32))
