"""Measures on real photos: each moves the way its cause moves, with the sign the vocabulary gives it."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.core.policy import QualityGate
from appliance.core.types import Box, Face, Measures
from appliance.face.align import similarity
from appliance.face.pipeline import FacePipeline
from appliance.face.pose import HEAD
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
    plain = _measured(pipeline, pixels)
    shade = np.interp(np.arange(512), [190, 265], [1, 0.2])[None, :, None]
    shaded = _measured(pipeline, _times(pixels, shade))
    assert plain.side_balance > 0.8
    assert shaded.side_balance < 0.7 * plain.side_balance
    assert shaded.uniformity < 0.7 * plain.uniformity
    mirrored = _measured(pipeline, _times(pixels[:, ::-1], shade[:, ::-1]))
    assert mirrored.side_balance == pytest.approx(shaded.side_balance, abs=0.1)
    assert mirrored.uniformity == pytest.approx(shaded.uniformity, abs=0.1)


def test_blur_takes_the_sharpness(pipeline: FacePipeline) -> None:
    """The more, the less is left."""
    pixels = picture(ASTRONAUT)
    blurred = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8) for sigma in (1, 2, 4)]
    sharp = [_measured(pipeline, p).sharpness for p in (pixels, *blurred)]
    assert sharp == sorted(sharp, reverse=True)
    assert sharp[0] > 2.5 * sharp[2]


def test_less_light_is_no_blur(pipeline: FacePipeline) -> None:
    """Half the light halves the edges; who stands in the dark is not asked to hold still."""
    pixels = picture(ASTRONAUT)
    plain, dark = (_measured(pipeline, _times(pixels, factor)).sharpness for factor in (1, 0.4))
    assert dark == pytest.approx(plain, rel=0.15)


def test_the_histogram_tells_spread_and_range(pipeline: FacePipeline) -> None:
    """Less contrast: less variance, fewer bits."""
    pixels = picture(ASTRONAUT)
    plain, flat = (_measured(pipeline, _times(pixels, factor, shift)) for factor, shift in ((1, 0), (0.25, 100)))
    assert plain.luminance_variance == pytest.approx(16 * flat.luminance_variance, rel=0.3)
    assert plain.dynamic_range == pytest.approx(flat.dynamic_range + 2, abs=0.4)


def _worn(pipeline: FacePipeline, pixels: NDArray[np.uint8], outline: list[tuple[int, int]], shade: int) -> Measures:
    """Measured with a patch over the face; outline in the measuring crop: eyes at (28, 28), (68, 28), mouth at y 70."""
    marks = pipeline.observe(frame(pixels)).faces[0].landmarks
    place = similarity(HEAD[:, :2] * 40 + [48, 28], marks)
    corners = np.asarray(outline) @ place[:, :2].T + place[:, 2]
    covered = cv2.fillConvexPoly(pixels.copy(), corners.astype(np.int32), (shade, shade, shade))
    face = Face(Box(0, 0, 1, 1), marks, 0.9)
    return QualityMeter().measure(np.asarray(covered, np.uint8), (face,))


@pytest.mark.parametrize("name", [ASTRONAUT, PORTRAIT])
def test_dark_glasses_take_the_light_from_the_eyes(pipeline: FacePipeline, name: str) -> None:
    """Below the limit of a check-in; open eyes are far above it."""
    pixels, limit = picture(name), QualityGate().min_eye_light
    dark = _worn(pipeline, pixels, [(14, 18), (82, 18), (82, 40), (14, 40)], 25)
    assert dark.eye_light < limit - 0.2 < limit + 0.1 < _measured(pipeline, pixels).eye_light


@pytest.mark.parametrize("name", [ASTRONAUT, PORTRAIT])
def test_a_mask_takes_the_lines_of_the_mouth(pipeline: FacePipeline, name: str) -> None:
    """Below the limit of a check-in, whatever its colour; a mouth is above it, and glasses are no matter of it."""
    pixels, limit = picture(name), QualityGate().min_mouth_lines
    for shade in (20, 120, 230):
        mask = _worn(pipeline, pixels, [(14, 52), (82, 52), (76, 84), (48, 96), (20, 84)], shade)
        assert mask.mouth_lines < limit - 0.3 < limit + 0.1 < _measured(pipeline, pixels).mouth_lines


def test_a_flat_picture_is_measured_without_harm() -> None:
    """A face that somebody claims to be in an even area, with all landmarks on one spot."""
    face = Face(Box(10, 10, 0, 0), np.full((5, 2), 12, np.float32), 0.9)
    measures = QualityMeter().measure(np.full((40, 40, 3), 90, np.uint8), (face, face))
    assert (measures.sharpness, measures.uniformity, measures.side_balance, measures.second_face) == (0, 1, 1, 0)
    assert (measures.luminance_variance, measures.dynamic_range) == (0, 0)
    assert (measures.eye_light, measures.mouth_lines) == (1, 0)
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
