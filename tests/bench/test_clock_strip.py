"""The clock in the picture survives what a camera does to it, and nothing else is taken for one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.bench.clock_strip import HEIGHT, read_stamp, stamp
from appliance.opencv import cv2

TIMES = st.integers(0, (1 << 48) - 1)


@settings(max_examples=60)
@given(TIMES, st.sampled_from([(480, 640), (720, 1280), (100, 448)]), st.integers(40, 95))
def test_a_time_survives_jpeg(microseconds: int, shape: tuple[int, int], quality: int) -> None:
    """Whatever lies above the strip, at any quality a webcam uses."""
    picture = np.random.default_rng(microseconds % 97).integers(0, 256, (*shape, 3), np.uint8)
    stamp(picture, microseconds)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    assert read_stamp(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)) == microseconds


@settings(max_examples=60)
@given(TIMES, st.integers(0, 47))
def test_a_torn_time_is_none(microseconds: int, bit: int) -> None:
    """One block of another moment: no time rather than a wrong one."""
    picture = np.zeros((64, 640, 3), np.uint8)
    stamp(picture, microseconds ^ 1 << bit)
    block = slice((bit + 8) * (640 // 56), (bit + 9) * (640 // 56))
    picture[-HEIGHT:, block] = 255 - picture[-HEIGHT:, block]
    assert read_stamp(picture) is None


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_without_a_clock_has_no_time(level: int) -> None:
    """Neither black nor white is read as a time."""
    assert read_stamp(np.full((480, 640, 3), level, np.uint8)) is None


def test_a_narrow_picture_carries_no_clock() -> None:
    """Blocks below eight pixels would not survive JPEG."""
    with pytest.raises(ValueError, match="too narrow"):
        stamp(np.zeros((48, 440, 3), np.uint8), 1)
    assert read_stamp(np.zeros((48, 440, 3), np.uint8)) is None


def test_a_time_out_of_range_is_refused() -> None:
    """Nothing is cut off silently."""
    with pytest.raises(ValueError, match="range"):
        stamp(np.zeros((48, 640, 3), np.uint8), 1 << 48)
