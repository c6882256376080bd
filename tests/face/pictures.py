"""Real photos that installed packages bring along, as frames."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Frame, Instant
from appliance.opencv import cv2

GROUP = "insightface/data/images/t1.jpg"
PORTRAIT = "insightface/data/images/Tom_Hanks_54745.png"
ASTRONAUT = "skimage/data/astronaut.png"


@cache
def picture(name: str) -> NDArray[np.uint8]:
    """BGR pixels of a photo inside an installed package, found without importing it; read-only."""
    package, _, inside = name.partition("/")
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    pixels = np.asarray(cv2.imread(str(Path(spec.origin).parent / inside)), np.uint8)
    pixels.flags.writeable = False
    return pixels


def frame(pixels: NDArray[np.uint8]) -> Frame:
    """A frame of these pixels."""
    return Frame(pixels, Instant(0.0), "test", 0)


def resized(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The picture at another size."""
    return np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
