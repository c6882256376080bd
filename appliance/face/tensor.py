"""Turns a picture into a model's input tensor, in a buffer that is used again for every picture.

What size the picture has, and what is in it, is decided by the caller; the rule comes from the pack's manifest.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.opencv import cv2
from models.manifest import Colour, InputSpec, Layout


class InputTensor:
    """One float32 tensor 1 x 3 x H x W, or 1 x H x W x 3 where a model asks.

    Outside the last picture it is black, as the networks' authors fill up their input.
    """

    def __init__(self, spec: InputSpec, width: int, height: int) -> None:
        last = spec.layout is Layout.NHWC
        self.values: NDArray[np.float32] = np.zeros(
            (1, height, width, 3) if last else (1, 3, height, width), np.float32
        )
        self._planes = self.values[0].transpose(2, 0, 1) if last else self.values[0]
        self._reversed = spec.colour is Colour.RGB
        self._gain = 1 / np.array(spec.std, np.float32).reshape(3, 1, 1)
        self._shift = -np.array(spec.mean, np.float32).reshape(3, 1, 1) * self._gain
        self._plain = bool(np.all(self._gain == 1) and np.all(self._shift == 0))
        self._filled = (height, width)

    def fill(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Write a BGR picture (uint8, h x w x 3, not larger than the tensor) into the upper left corner."""
        h, w = picture.shape[:2]
        if self._filled != (h, w):
            self._planes[:] = self._shift
            self._filled = (h, w)
        planes = self._planes
        for channel in range(3):
            # extractChannel + copy converts and de-interleaves in one pass; blobFromImage allocates afresh every time
            planes[2 - channel if self._reversed else channel, :h, :w] = cv2.extractChannel(picture, channel)
        if not self._plain:
            part = planes[:, :h, :w]
            part *= self._gain
            part += self._shift
        return self.values
