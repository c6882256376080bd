"""People photographed from one side face the camera in the scene."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.capture.scene_actor import PersonActor, actor_for
from appliance.capture.scene_facing import HEAD, RADII, SKULL, facing
from appliance.capture.scene_geometry import Pose, rotation
from appliance.capture.scene_matte import person_matte
from appliance.capture.scene_portrait import LEFT, TOP, Portrait, canvas_grid, crop_person
from appliance.capture.scene_script import Enter, HeldPhoto, LivePerson
from appliance.capture.scene_straight import straightened
from appliance.opencv import cv2
from tests.capture.portraits import drawn_portrait

UNIT, WIDTH, HEIGHT = 60.0, 640, 620
TOWARDS, AWAY = (60, 90, 200), (200, 90, 60)
"""Colours of the two cheeks, B, G, R: at larger and at smaller x."""


@cache
def _head() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A skull with a nose as a cloud of points and their colours: two cheeks, a dark dot at every landmark."""
    u, v = np.meshgrid(np.radians(np.arange(-110, 110, 0.5)), np.radians(np.arange(-90, 90, 0.5)))
    skull = np.stack((np.sin(u) * np.cos(v), np.sin(v), np.cos(u) * np.cos(v)), -1).reshape(-1, 3) * RADII + SKULL
    for x, y, z in HEAD:  # every landmark lies on the surface
        spread = np.hypot(skull[:, 0] - x, skull[:, 1] - y)
        surface = SKULL[2] + RADII[2] * np.sqrt(1 - (x / RADII[0]) ** 2 - ((y - SKULL[1]) / RADII[1]) ** 2)
        skull[:, 2] += np.where(skull[:, 2] > SKULL[2], (z - surface) * np.exp(-0.5 * (spread / 0.2) ** 2), 0)
    colours = np.where(skull[:, :1] > 0, [TOWARDS], [AWAY]).astype(float)
    for x, y, _ in HEAD:
        colours[(np.hypot(skull[:, 0] - x, skull[:, 1] - y) < 0.09) & (skull[:, 2] > SKULL[2])] = (20, 20, 20)
    return skull, colours


def _photo(yaw: float, pitch: float = 0.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The head so turned before a light wall, on a neck and a garment; and where the landmarks are."""
    photo = np.full((HEIGHT, WIDTH, 3), (225, 225, 215), np.uint8)
    cv2.ellipse(photo, (320, 560), (190, 170), 0, 0, 360, (60, 110, 60), -1)
    turn = rotation(Pose(0, 0, 1, 0.0, yaw, pitch))
    neck = round(320 - 0.6 * UNIT * turn[0, 2])
    cv2.rectangle(photo, (neck - 45, 260), (neck + 45, 430), (130, 90, 130), -1)
    points, colours = _head()
    seen = points @ turn.T
    order = np.argsort(seen[:, 2])  # the nearest last
    column, row = np.rint(seen[order, 0] * UNIT + 320).astype(int), np.rint(seen[order, 1] * UNIT + 210).astype(int)
    head = np.zeros_like(photo)
    head[row, column] = colours[order].astype(np.uint8)
    head = np.where(head.any(axis=-1, keepdims=True), head, cv2.dilate(head, np.ones((3, 3), np.uint8)))
    photo = np.where(head.any(axis=-1, keepdims=True), head, photo)
    noise = np.random.default_rng(4).integers(0, 12, photo.shape)
    return np.asarray(photo + noise, np.uint8), ((HEAD @ turn.T)[:, :2] * UNIT + (320, 210)).astype(np.float32)


@cache
def _straight(yaw: float, pitch: float = 0.0) -> tuple[Portrait, NDArray[np.float32]]:
    portrait = crop_person(*_photo(yaw, pitch))
    return straightened(portrait, person_matte(portrait))


def _colour(portrait: Portrait, x: float, y: float) -> NDArray[np.float64]:
    """Mean colour around a point in face coordinates."""
    column, row = round((x - LEFT) * portrait.scale), round((y - TOP) * portrait.scale)
    return np.asarray(portrait.pixels[row - 3 : row + 4, column - 3 : column + 4].reshape(-1, 3).mean(axis=0))


@given(st.floats(-60, 60), st.floats(-25, 25))
def test_the_attitude_is_read_from_five_landmarks(yaw: float, pitch: float) -> None:
    """To a degree, for a mean head; signs as in `Measures`; the eyes' distance is set right."""
    turn = rotation(Pose(0, 0, 1, 0.0, yaw, pitch))
    seen = facing((HEAD @ turn.T)[:, :2] * 0.7)
    expected = np.degrees(np.arcsin(turn[0, 2])), np.degrees(np.arctan2(-turn[1, 2], turn[2, 2]))
    assert (seen.yaw, seen.pitch) == pytest.approx(expected, abs=1.0)
    assert seen.scale == pytest.approx(0.7, rel=0.02)
    assert seen.place(HEAD) == pytest.approx((HEAD @ turn.T)[:, :2] * 0.7, abs=0.03)
    assert seen.from_shown(seen.place(HEAD), HEAD[:, 2]) == pytest.approx(HEAD[:, :2], abs=1e-6)


@pytest.mark.parametrize("yaw", [-50.0, 0.0, 20.0])
def test_the_outline_is_that_of_the_turned_head(yaw: float) -> None:
    """All of the skull is inside, and it reaches the border on every side."""
    turn = rotation(Pose(0, 0, 1, 0.0, yaw, 5.0))
    seen = facing((HEAD @ turn.T)[:, :2])
    directions = np.random.default_rng(5).standard_normal((20_000, 3))
    skull = SKULL + RADII * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    x, y = seen.place(skull).T.astype(np.float32)
    assert seen.outline(x, y, 0.01).all()
    rim = ~seen.outline(x, y, -0.06)
    angles = np.degrees(np.arctan2(y - y.mean(), x - x.mean()))[rim]
    assert np.diff(np.sort(angles)).max() < 10


@pytest.mark.parametrize(("yaw", "pitch"), [(-50, 0), (-30, -6), (-14, 0), (14, 8), (30, 0), (50, 5)])
def test_a_face_seen_from_one_side_is_turned_to_the_camera(yaw: float, pitch: float) -> None:
    """The landmarks are symmetric, and the photo's dots are drawn where they say."""
    portrait, matte = _straight(yaw, pitch)
    face = portrait.face_landmarks
    assert abs(facing(face).yaw) < 1
    assert abs(facing(face).pitch) < 12
    assert face[:2] == pytest.approx(np.array([(-0.5, 0), (0.5, 0)]), abs=0.01)
    assert face[4] == pytest.approx(face[3] * (-1, 1), abs=0.01)
    for index in (0, 1, 3, 4):
        assert _colour(portrait, *face[index]).mean() < 70, index
    x, y = canvas_grid(portrait)
    inside = ((x / 1.0) ** 2 + ((y - 0.2) / 1.4) ** 2) < 1
    assert matte[inside].min() > 0.9
    assert matte[(np.abs(x) > 2.0) & (y < 1.0)].max() < 0.1


@pytest.mark.parametrize("yaw", [-50.0, 50.0])
def test_a_hidden_half_is_the_mirror_image_of_the_other(yaw: float) -> None:
    """Both cheeks have the colour of the one in sight; the wall behind the nose is nowhere in the face."""
    portrait, matte = _straight(yaw)
    near = AWAY if yaw > 0 else TOWARDS
    for x in (-0.8, -0.4, 0.4, 0.8):
        assert _colour(portrait, x, 0.45) == pytest.approx(np.array(near), abs=25)
    head = matte[: round(4 * portrait.scale)]
    assert np.abs(head[:, ::-1] - head).mean() < 0.005
    for y in (-0.9, -0.4, 0.2, 0.8):
        assert _colour(portrait, 0.0, y).mean() < 160


@pytest.mark.parametrize("yaw", [-14.0, 14.0])
def test_a_cheek_in_sight_stays_the_own_one(yaw: float) -> None:
    """Nobody is made symmetric without need."""
    portrait, _ = _straight(yaw)
    assert _colour(portrait, -0.7, 0.5) == pytest.approx(np.array(AWAY), abs=25)
    assert _colour(portrait, 0.7, 0.5) == pytest.approx(np.array(TOWARDS), abs=25)


@pytest.mark.parametrize(("yaw", "pitch"), [(0.0, 0.0), (4.0, -10.0)])
def test_a_frontal_portrait_is_left_as_it_is(yaw: float, pitch: float) -> None:
    """Resampling would only blur it."""
    portrait = crop_person(*_photo(yaw, pitch))
    matte = person_matte(portrait)
    same, same_matte = straightened(portrait, matte)
    assert same is portrait
    assert same_matte is matte


def test_a_living_person_faces_the_camera_and_a_print_shows_the_photo() -> None:
    """The same portrait, taken at 40 degrees: straight as a person, as it was taken as a print."""
    portrait = crop_person(*_photo(-40.0))
    actors = [
        actor_for(Enter(0.0, subject(portrait)), (640, 480), np.random.default_rng(1))
        for subject in (LivePerson, HeldPhoto)
    ]
    person, print_ = (facing(actor.landmarks(3.0).astype(np.float64)).yaw for actor in actors)
    assert isinstance(actors[0], PersonActor)
    assert abs(person) < 4
    assert print_ == pytest.approx(-40, abs=6)


def test_hair_that_stands_out_belongs_to_the_person() -> None:
    """Wide hair beside the temples, of another colour than the face, is not cut off."""
    photo, landmarks = _photo(0.0)
    bare = photo.copy()
    for centre, half_axes in (((236, 195), (34, 80)), ((404, 195), (34, 80)), ((320, 150), (84, 60))):
        cv2.ellipse(photo, centre, half_axes, 0, 0, 360, (50, 70, 95), -1)
    face = np.hypot((np.arange(WIDTH) - 320) / 66, ((np.arange(HEIGHT) - 219) / 80)[:, None]) < 1
    photo[face] = bare[face]
    portrait = crop_person(photo, landmarks)
    x, y = canvas_grid(portrait)
    matte = person_matte(portrait)
    assert matte[(np.abs(np.abs(x) - 1.5) < 0.2) & (np.abs(y + 0.2) < 0.5)].mean() > 0.9
    assert matte[(np.abs(x) > 2.5) & (y < 1)].max() < 0.1


def test_a_drawn_person_needs_no_straightening() -> None:
    """The fixture of the other tests is frontal."""
    assert abs(facing(drawn_portrait().face_landmarks).yaw) < 1
