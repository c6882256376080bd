"""Draws the pictures of the golden self-test: shapes and noise, never a person.

What a network makes of them is measured with `appliance.face.golden`; comparing belongs there too.
"""

import numpy as np
from numpy.typing import NDArray

from models.manifest import Model, Task

_DETECT_HEIGHT, _DETECT_WIDTH = 64, 96
_COUNT = {Task.DETECT: 1, Task.EMBED: 1, Task.PAD: 4, Task.QUALITY: 4}
"""A network with a vector as output is told by one picture, one with a number or three probabilities by several."""


def draw(model: Model, count: int | None = None) -> NDArray[np.uint8]:
    """Pictures for a model, n x height x width x 3 (BGR uint8), the same every time: whole numbers only.

    Over a slope of colours lie two discs and a bar, placed by the seed, and noise: every input of a first layer is
    different, as in a photo.
    """
    height = model.input.height or _DETECT_HEIGHT
    width = model.input.width or _DETECT_WIDTH
    wanted = _COUNT[model.task] if count is None else count
    return np.stack([_picture(height, width, seed) for seed in range(1, wanted + 1)])


def _picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    rng = np.random.Generator(np.random.PCG64(seed))
    y, x = np.mgrid[:height, :width]
    base, rise = rng.integers(40, 160, 3), rng.integers(-60, 60, (2, 3))
    picture = base + (x[..., None] * rise[0]) // width + (y[..., None] * rise[1]) // height
    for _ in range(2):
        row, column = rng.integers(height // 4, 3 * height // 4), rng.integers(width // 4, 3 * width // 4)
        radius = rng.integers(min(height, width) // 8, min(height, width) // 3)
        picture[(y - row) ** 2 + (x - column) ** 2 < radius**2] = rng.integers(0, 255, 3)
    top, bottom = np.sort(rng.integers(0, height, 2))
    picture[top:bottom, width // 3 : width // 2] += rng.integers(-80, 80, 3)
    picture += rng.integers(-12, 13, picture.shape)
    drawn: NDArray[np.uint8] = np.clip(picture, 0, 255).astype(np.uint8)
    return drawn
