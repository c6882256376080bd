"""What a window paints is the frame, in the order of channels that Qt expects of 32-bit pixels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from appliance.capture.preview import painted

_NOTHING = np.empty((0, 0, 4), np.uint8)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_every_pixel_is_the_frames_and_opaque(height: int, width: int, seed: int) -> None:
    """Blue, green, red as they were, and 255."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    shown = painted(pixels, _NOTHING)
    assert shown.shape == (height, width, 4)
    np.testing.assert_array_equal(shown[..., :3], pixels)
    assert np.all(shown[..., 3] == 255)


def test_memory_is_used_again_while_the_size_stays() -> None:
    """Nothing of the frame before is left in it; a camera that changes its size gets memory of its own."""
    first = painted(np.full((4, 6, 3), 200, np.uint8), _NOTHING)
    second = painted(np.full((4, 6, 3), 10, np.uint8), first)
    assert second is first
    assert np.all(second[..., :3] == 10)
    assert painted(np.zeros((6, 4, 3), np.uint8), second).shape == (6, 4, 4)


def test_a_part_of_a_larger_picture_is_read_where_it_lies() -> None:
    """Rows of a frame need not follow each other in memory."""
    whole = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    np.testing.assert_array_equal(painted(whole[2:5, 1:7], _NOTHING)[..., :3], whole[2:5, 1:7])
