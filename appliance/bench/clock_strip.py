"""A clock in the picture: microseconds of the monotonic axis as black and white blocks along the lower edge.

It survives JPEG, so that a frame tells how old it is whatever queues it passed. Who draws it, and what is concluded
from it, is the matter of `virtual_camera` and `end_to_end`.
"""

import numpy as np
from numpy.typing import NDArray

_BITS, _CHECK = 48, 8
_BLOCKS = _BITS + _CHECK
HEIGHT = 16
"""Rows of the strip: two blocks of JPEG, so that chroma subsampling leaves their middle alone."""
_BLACK, _WHITE = 16, 240


def stamp(pixels: NDArray[np.uint8], microseconds: int) -> None:
    """Write a time into a picture (BGR uint8, H x W x 3, W >= 448), over its lowest rows.

    microseconds: 0 <= t < 2**48, almost nine years. Raises ValueError for a picture too narrow or a time out of range.
    """
    width = pixels.shape[1] // _BLOCKS
    if width < 8 or not 0 <= microseconds < 1 << _BITS:
        raise ValueError("the picture is too narrow for a clock, or the time out of its range")
    word = microseconds << _CHECK | _sum(microseconds)
    bits = np.array([word >> n & 1 for n in range(_BLOCKS)], bool)
    levels = np.where(bits, _WHITE, _BLACK).astype(np.uint8)
    pixels[-HEIGHT:, : width * _BLOCKS] = np.repeat(levels, width)[None, :, None]


def read_stamp(pixels: NDArray[np.uint8]) -> int | None:
    """The time in a picture, microseconds; None where there is no clock or it is damaged."""
    width = pixels.shape[1] // _BLOCKS
    if width < 8 or pixels.shape[0] < HEIGHT:
        return None
    middle = np.arange(_BLOCKS) * width + width // 2
    bits = pixels[-HEIGHT // 2, middle, 1] > (_BLACK + _WHITE) // 2
    word = sum(1 << n for n, bit in enumerate(bits.tolist()) if bit)
    microseconds = word >> _CHECK
    return microseconds if word & 0xFF == _sum(microseconds) else None


def _sum(microseconds: int) -> int:
    """One's complement of the sum of the bytes: an empty or a white strip is no time."""
    return ~sum(microseconds.to_bytes(8, "little")) & 0xFF
