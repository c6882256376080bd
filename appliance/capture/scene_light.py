"""Owns what light, lens and sensor do to a rendered frame: gain, colour, one-sided light, blur, noise.

What stands before the lens is drawn elsewhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.opencv import cv2

Image = NDArray[np.uint8]

_EXPOSURE = 0.25  # share of the time between two frames during which the shutter is open
_BANK_MARGIN = 96  # the noise bank is larger than a frame, each frame takes another window of it
_SHOT = 0.035  # variance per grey level: about 2 grey levels at white, as uncompressed frames of small webcams show
_READ = 1.1  # grey levels, at gain 1


@dataclass(frozen=True, slots=True)
class Lighting:
    """The light of one instant; as in `scene_script.Light`."""

    gain: float = 1.0
    warmth: float = 0.0
    side: float = 0.0


def motion_blur(image: Image, motion: tuple[float, float]) -> Image:
    """Blur along the motion (pixels per frame) during the exposure; slow motion leaves the image as it is."""
    dx, dy = motion[0] * _EXPOSURE, motion[1] * _EXPOSURE
    speed = float(np.hypot(dx, dy))
    if speed < 1.0:
        return image
    length = min(speed, 15.0)
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for s in np.linspace(-length / 2, length / 2, 8 * half + 1):
        kernel[round(half + dy / speed * s), round(half + dx / speed * s)] += 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def defocus(image: Image, sigma: float) -> Image:
    """Blur by a lens out of focus; sigma in pixels."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8) if sigma > 0.25 else image


class Illumination:
    """Gain, colour and direction of the light, and the vignette of the lens, as one map of factors."""

    def __init__(self, width: int, height: int) -> None:
        self._x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        self._falloff = 1.0 - 0.10 * (self._x**2 + y**2)  # the vignette of a cheap lens
        self._state: Lighting | None = None
        self._map = np.ones((height, width, 3), np.float32)

    def apply(self, image: Image, light: Lighting) -> Image:
        """The picture (BGR uint8) under this light."""
        if light != self._state:
            self._state = light
            side = np.clip(1.0 + 0.85 * light.side * self._x, 0.06, None)
            shade = self._falloff * side * np.float32(light.gain)
            blue, red = 1.0 - 0.22 * light.warmth, 1.0 + 0.16 * light.warmth
            self._map = np.asarray(cv2.merge([shade * np.float32(blue), shade, shade * np.float32(red)]), np.float32)
        return np.asarray(cv2.multiply(image, self._map, dtype=cv2.CV_8U), np.uint8)


class Sensor:
    """Shot and read noise: the variance grows with the signal and, in the dark, with the amplification."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        rng = np.random.default_rng((seed, 1))
        shape = (height + _BANK_MARGIN, width + _BANK_MARGIN, 3)
        bank = cv2.GaussianBlur(
            rng.standard_normal(shape, np.float32), (0, 0), 0.55
        )  # demosaicing makes neighbouring pixels alike
        self._banks = tuple(np.ascontiguousarray(b / bank.std(), np.float32) for b in (bank, bank[:, ::-1]))
        self._shape = (height, width)
        self._seed = seed
        self._levels = np.arange(256, dtype=np.float32)

    def sigma(self, levels: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
        """Standard deviation of the noise, in grey levels, at mean grey levels; gain as in `Lighting`."""
        amplification = min(1.0 / max(gain, 0.15), 4.0)
        return np.asarray(np.sqrt(amplification * (_SHOT * levels + _READ**2)), np.float32)

    def expose(self, image: Image, gain: float, index: int) -> Image:
        """Add the noise of frame number `index`; the same seed and index give the same noise."""
        rng = np.random.default_rng((self._seed, 2, index))
        top, left = (int(v) for v in rng.integers(0, _BANK_MARGIN, 2))
        height, width = self._shape
        window = self._banks[int(rng.integers(2))][top : top + height, left : left + width]
        noise = cv2.multiply(cv2.LUT(image, self.sigma(self._levels, gain)), window)
        return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)
