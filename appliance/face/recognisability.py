"""Measures how well a face will be recognised: the pack's quality network on an aligned crop, as one number.

Single reasons, such as light or pose, are measured in `quality`; what is good enough is judged in `core`.
"""

import math

import numpy as np
from numpy.typing import NDArray

from appliance.face.align import Aligner
from appliance.face.pack import Runner
from appliance.face.tensor import InputTensor


class RecognisabilityMeter:
    """LightQNet (Chen et al. 2021, "LightQNet: Lightweight Deep Face Quality Assessment"). Used by one thread."""

    def __init__(self, runner: Runner) -> None:
        """Raises ValueError for a model of another task."""
        spec, size = runner.model.quality, runner.model.input
        if spec is None:
            raise ValueError("the model measures no quality")
        self._runner = runner
        self._spec = spec
        self._aligner = Aligner(np.array(spec.template), size.width, size.height)
        self._tensor = InputTensor(size, size.width, size.height)

    def measure(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> float:
        """The unified quality score, 0..100, of the face with these landmarks (5 x 2) in a BGR frame (uint8).

        The crop is aligned by both eyes and the middle of the mouth corners. The network's own number becomes a score
        with the logistic curve of the manifest, as ISO/IEC 29794-5 maps native measures.
        """
        points = np.stack([landmarks[0], landmarks[1], (landmarks[3] + landmarks[4]) / 2])
        (native,) = self._runner.run(self._tensor.fill(self._aligner.crop(pixels, points)))
        steps = (float(native.ravel()[0]) - self._spec.centre) / self._spec.width
        return 50 * (1 + math.tanh(steps / 2))  # 100 / (1 + exp(-steps)) that cannot overflow
