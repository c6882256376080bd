"""Runs networks while a pack is being made: what they make of the golden pictures, and the finished pack as a whole.

Making packs belongs to `models.recipes`, which knows no inference library.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.face.pack import Pack, open_pack, run_pictures
from models.manifest import Model


class Laboratory:
    """`models.recipes.build.Laboratory` with onnxruntime."""

    def outputs(self, data: bytes, model: Model, pictures: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
        """What the network makes of each picture, joined. Raises PackInvalid for what is no such model."""
        return run_pictures(data, model, pictures)

    def check(self, staged: Path) -> Pack:
        """Open the pack, calibrated or not. Raises PackInvalid."""
        return open_pack(staged, evaluation=True)
