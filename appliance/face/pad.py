"""Measures how live a face looks: the pack's presentation attack detectors on the face with its surroundings.

What several frames' scores mean is judged in `core`; the limits come from the pack's calibration.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Box
from appliance.face.pack import Runner
from appliance.face.tensor import InputTensor
from appliance.opencv import cv2
from models.manifest import PadSpec


def surroundings(box: Box, context: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels a model sees of a frame of width x height: left, top, right, bottom, right and bottom not included.

    The box is enlarged `context` times about its centre, or as often as the frame has room for, and then moved inside
    the frame. The rule is part of the models: `CropImage._get_new_box` of minivision-ai/Silent-Face-Anti-Spoofing,
    whose bounds are whole pixels and include the last one.
    """
    w, h = max(box.w, 1.0), max(box.h, 1.0)
    scale = min(context, (width - 1) / w, (height - 1) / h)
    x, y = box.centre
    left = min(max(x - w * scale / 2, 0.0), width - 1 - w * scale)
    top = min(max(y - h * scale / 2, 0.0), height - 1 - h * scale)
    return max(int(left), 0), max(int(top), 0), int(left + w * scale) + 1, int(top + h * scale) + 1


class _Member:
    """One model of the ensemble with its buffers."""

    def __init__(self, runner: Runner, spec: PadSpec) -> None:
        size = runner.model.input
        self._runner = runner
        self._spec = spec
        self._crop: NDArray[np.uint8] = np.zeros((size.height, size.width, 3), np.uint8)
        self._tensor = InputTensor(size, size.width, size.height)

    def live(self, pixels: NDArray[np.uint8], box: Box) -> float:
        height, width = pixels.shape[:2]
        left, top, right, bottom = surroundings(box, self._spec.context, width, height)
        size = (self._crop.shape[1], self._crop.shape[0])
        cv2.resize(pixels[top:bottom, left:right], size, dst=self._crop, interpolation=cv2.INTER_LINEAR)
        (classes,) = self._runner.run(self._tensor.fill(self._crop))
        return float(classes[0, self._spec.live])


class PadEnsemble:
    """MiniFASNet at one or several contexts. Used by one thread: its buffers are overwritten by the next call.

    A face that fills the frame leaves less context than the models learned with. They then see what there is, and tend
    to take a living face for an attack, not an attack for a living face.
    """

    def __init__(self, runners: tuple[Runner, ...]) -> None:
        """Raises ValueError without a model, or for a model of another task."""
        members = [_Member(runner, runner.model.pad) for runner in runners if runner.model.pad is not None]
        if not members or len(members) != len(runners):
            raise ValueError("an ensemble holds presentation attack detectors, one at least")
        self._members = members

    def live_score(self, pixels: NDArray[np.uint8], box: Box) -> float:
        """The mean of the models' probabilities that this face of a BGR frame (uint8, H x W x 3) is live, 0..1.

        box: the detector's, in frame pixels. The plain mean is what the models' authors use.
        """
        return sum(member.live(pixels, box) for member in self._members) / len(self._members)
