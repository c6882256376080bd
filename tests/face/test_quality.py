"""Measures on real photos: each moves the way its cause moves, with the sign the vocabulary gives it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.core.types import Box, Face, Measures
from appliance.face.pipeline import FacePipeline
from appliance.face.quality import QualityMeter, scene_luminance
from appliance.opencv import cv2
from tests.face.pictures import ASTRONAUT, GROUP, PORTRAIT, frame, picture, resized


def _measured(pipeline: FacePipeline, pixels: NDArray[np.uint8]) -> Measures:
    measures = pipeline.observe(frame(np.ascontiguousarray(pixels))).measures
    assert measures is not None
    return measures


def _times(pixels: NDArray[np.uint8], factor: float | NDArray[np.float64], shift: float = 0) -> NDArray[np.uint8]:
    return np.asarray(np.clip(pixels * factor + shift, 0, 255), np.uint8)


@pytest.mark.parametrize("name", [ASTRONAUT, PORTRAIT])
def test_a_mirror_image_turns_and_leans_the_other_way(pipeline: FacePipeline, name: str) -> None:
    """Yaw and roll change their sign, pitch and size stay, left and right change places."""
    one, other = _measured(pipeline, picture(name)), _measured(pipeline, picture(name)[:, ::-1])
    assert other.yaw == pytest.approx(-one.yaw, abs=12)
    assert other.roll == pytest.approx(-one.roll, abs=6)
    assert other.pitch == pytest.approx(one.pitch, abs=10)
    assert other.crop_left == pytest.approx(one.crop_right, abs=0.5)
    assert other.crop_right == pytest.approx(one.crop_left, abs=0.5)


def test_the_portrait_looks_to_larger_x(pipeline: FacePipeline) -> None:
    """The man in the sample portrait has turned his nose to the right edge of the picture."""
    assert _measured(pipeline, picture(PORTRAIT)).yaw > 5
    assert _measured(pipeline, picture(PORTRAIT)[:, ::-1]).yaw < -5


@pytest.mark.parametrize("angle", [-20, -10, 10, 20])
def test_a_picture_turned_clockwise_has_a_positive_roll(pipeline: FacePipeline, angle: int) -> None:
    """About degree for degree: with 40 pixels between the eyes, a landmark moves by one or two."""
    pixels = picture(ASTRONAUT)
    upright = _measured(pipeline, pixels)
    turn = cv2.getRotationMatrix2D((227.0, 120.0), -angle, 1.0)
    leaning = _measured(pipeline, np.asarray(cv2.warpAffine(pixels, turn, pixels.shape[1::-1]), np.uint8))
    assert leaning.roll - upright.roll == pytest.approx(angle, abs=7)


def test_sizes_are_in_their_units(pipeline: FacePipeline) -> None:
    """Eye distance in pixels grows with the picture, the share of the frame does not."""
    one, other = (_measured(pipeline, resized(picture(ASTRONAUT), f)) for f in (1.0, 2.0))
    assert other.inter_eye_distance == pytest.approx(2 * one.inter_eye_distance, rel=0.06)
    assert other.head_size == pytest.approx(one.head_size, rel=0.06)
    assert one.head_size == pytest.approx(41 / 512, rel=0.1)


def test_room_shrinks_as_the_frame_does(pipeline: FacePipeline) -> None:
    """Cropping the frame on one side takes away room on that side, below zero once the face is cut."""
    pixels = picture(ASTRONAUT)
    whole = _measured(pipeline, pixels)
    left, above = _measured(pipeline, pixels[:, 100:]), _measured(pipeline, pixels[40:])
    right, below = _measured(pipeline, pixels[:, :350]), _measured(pipeline, pixels[:200])
    assert left.crop_left < whole.crop_left - 1.5
    assert above.crop_above < whole.crop_above - 0.6
    assert right.crop_right < whole.crop_right - 2
    assert below.crop_below < whole.crop_below - 5
    assert _measured(pipeline, pixels[:, 200:]).crop_left < 0


def test_light_is_measured_on_the_face(pipeline: FacePipeline) -> None:
    """Darker is darker, brighter brighter, and exposure counts the lost pixels."""
    pixels = picture(ASTRONAUT)
    plain, dark, bright = (_measured(pipeline, p) for p in (pixels, _times(pixels, 0.15), _times(pixels, 1.5, 60)))
    assert dark.luminance < 0.2 < plain.luminance < 0.8 < bright.luminance
    assert dark.under_exposed > 0.2 > 0.05 > plain.under_exposed
    assert bright.over_exposed > 0.5 > 0.1 > plain.over_exposed
    assert dark.over_exposed == 0


def test_light_from_one_side_is_uneven(pipeline: FacePipeline) -> None:
    """Whichever side it comes from."""
    pixels = picture(ASTRONAUT)
    plain = _measured(pipeline, pixels).uniformity
    shade = np.interp(np.arange(512), [190, 265], [1, 0.2])[None, :, None]
    assert plain > 0.8
    assert _measured(pipeline, _times(pixels, shade)).uniformity < 0.7 * plain
    mirrored = _measured(pipeline, _times(pixels[:, ::-1], shade[:, ::-1]))
    assert mirrored.uniformity == pytest.approx(_measured(pipeline, _times(pixels, shade)).uniformity, abs=0.1)


def test_blur_takes_the_sharpness(pipeline: FacePipeline) -> None:
    """The more, the less is left."""
    pixels = picture(ASTRONAUT)
    blurred = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4)]
    sharp = [_measured(pipeline, p).sharpness for p in (pixels, *blurred)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[0] > 5 * sharp[2]


def test_a_flat_picture_is_measured_without_harm() -> None:
    """A face that somebody claims to be in an even area, with all landmarks on one spot."""
    face = Face(Box(10, 10, 0, 0), np.full((5, 2), 12, np.float32), 0.9)
    measures = QualityMeter().measure(np.full((40, 40, 3), 90, np.uint8), (face, face))
    assert (measures.sharpness, measures.uniformity, measures.second_face) == (0, 1, 0)
    assert measures.inter_eye_distance == 0
    assert measures.luminance == pytest.approx(90 / 255)


def test_the_second_face_is_told_in_shares_of_the_largest(pipeline: FacePipeline) -> None:
    """Six people of about one size; one alone gives zero."""
    assert 0.7 < _measured(pipeline, picture(GROUP)).second_face <= 1
    assert _measured(pipeline, picture(ASTRONAUT)).second_face == 0


def test_a_frame_without_a_face_still_has_a_luminance(pipeline: FacePipeline) -> None:
    """So that a dark room can be told from an empty one."""
    for value in (0, 100, 255):
        seen = pipeline.observe(frame(np.full((48, 64, 3), value, np.uint8)))
        assert seen.measures is None
        assert seen.faces == ()
        assert seen.scene_luminance == pytest.approx(value / 255, abs=1e-6)
    assert scene_luminance(picture(ASTRONAUT)) == pytest.approx(
        float(cv2.cvtColor(picture(ASTRONAUT), cv2.COLOR_BGR2GRAY).mean()) / 255, abs=0.02
    )


def test_measures_are_plain_numbers(pipeline: FacePipeline) -> None:
    """So that they can be written into an event as they are."""
    measures = _measured(pipeline, picture(ASTRONAUT))
    assert replace(measures) == measures
    assert all(type(getattr(measures, name)) is float for name in type(measures).__slots__)
