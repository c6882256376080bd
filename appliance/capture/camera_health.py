"""Owns noticing that a camera no longer shows what is before it: the picture stands still, or is black.

What is done about it (tell, reopen) belongs to `camera`.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Fault(StrEnum):
    """What is wrong with the picture."""

    FROZEN = "frozen"
    BLACK = "black"


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """When a picture is called frozen or black.

    frozen_frames and frozen_seconds: both must pass with identical pixels; two exposures of a real sensor never agree
    in every pixel, but a camera may send one of them a few times in dim light. black_level: mean grey level (0..255)
    below which a picture is black, as with the lens covered; a dark room leaves more. black_seconds: for so long.
    """

    frozen_frames: int = 20
    frozen_seconds: float = 2.0
    black_level: float = 4.0
    black_seconds: float = 2.0


class PictureHealth:
    """Watches the frames of one camera, reopened or not; used by one thread."""

    def __init__(self, limits: HealthLimits) -> None:
        self._limits = limits
        self._last: NDArray[np.uint8] | None = None
        self._same = 0
        self._changed_at = 0.0
        self._light_at: float | None = None

    def watch(self, pixels: NDArray[np.uint8], at: float) -> Fault | None:
        """Look at the next frame, taken at a time in seconds; the fault it completes, if any."""
        if self._last is None or not np.array_equal(pixels, self._last):
            self._same, self._changed_at = 0, at
        else:
            self._same += 1
        self._last = pixels
        if self._light_at is None or float(pixels[::4, ::4].mean()) >= self._limits.black_level:
            self._light_at = at
        if at - self._light_at >= self._limits.black_seconds:
            return Fault.BLACK
        still = at - self._changed_at
        if self._same >= self._limits.frozen_frames and still >= self._limits.frozen_seconds:
            return Fault.FROZEN
        return None
