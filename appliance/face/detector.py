"""Finds faces with five landmarks in a frame: scales it down, runs the pack's detector, keeps the strongest.

How each family's outputs are read belongs to `centerface`, `yunet` and `scrfd`. Which of the faces matters, and whether
it is good enough, is decided elsewhere.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Box, Face
from appliance.face.candidates import Candidates, Decoder, best_first, strongest
from appliance.face.centerface import CenterFace
from appliance.face.pack import Runner
from appliance.face.scrfd import Scrfd
from appliance.face.tensor import InputTensor
from appliance.face.yunet import YuNet
from appliance.opencv import cv2
from models.manifest import DetectSpec

DETECT_SIDE = 320
"""Longest side of the picture given to the network: at a desk a face is 11 to 45 % of the frame's height."""
MAX_SIDE = 1280
"""Above, one picture takes seconds and hundreds of megabytes."""

_FAMILIES: Mapping[str, Callable[[DetectSpec, tuple[str, ...]], Decoder]] = {
    "centerface": CenterFace,
    "yunet": YuNet,
    "scrfd": Scrfd,
}


class Detector:
    """A pack's detector at one working size. Used by one thread: its buffers are overwritten by the next call."""

    def __init__(self, runner: Runner, longest_side: int = DETECT_SIDE) -> None:
        """Raises ValueError unless 32 <= longest_side <= MAX_SIDE."""
        if runner.model.detect is None:
            raise ValueError("the model is no detector")
        if not 32 <= longest_side <= MAX_SIDE:
            raise ValueError(f"the longest side lies between 32 and {MAX_SIDE}")
        self._runner = runner
        self._overlap = runner.model.detect.overlap
        self._decoder = _FAMILIES[runner.model.family](runner.model.detect, runner.outputs)
        self._side = longest_side
        self._shape = (0, 0)
        self._small: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
        self._half: NDArray[np.uint8] | None = None
        self._tensor = InputTensor(runner.model.input, 0, 0)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """The faces of a BGR frame (uint8, H x W x 3), best score first; boxes and landmarks in frame pixels."""
        height, width = pixels.shape[:2]
        if (height, width) != self._shape:
            self._prepare(height, width)
        h, w = self._small.shape[:2]
        if (h, w) == (height, width):
            self._tensor.fill(pixels)
        else:
            self._shrink(pixels)
            self._tensor.fill(self._small)
        found = self._decoder.decode(self._runner.run(self._tensor.values), self._tensor.values.shape[3])
        return self._faces(found, np.array([width / w, height / h], np.float32))

    def _prepare(self, height: int, width: int) -> None:
        shrink = min(1.0, self._side / max(height, width))
        h, w = max(1, round(height * shrink)), max(1, round(width * shrink))
        self._small = np.zeros((h, w, 3), np.uint8)
        halves = width % (2 * w) == 0 and height % (2 * h) == 0 and width > 2 * w
        self._half = np.zeros((height // 2, width // 2, 3), np.uint8) if halves else None
        multiple = self._runner.model.input.multiple
        self._tensor = InputTensor(self._runner.model.input, -(-w // multiple) * multiple, -(-h // multiple) * multiple)
        self._shape = (height, width)

    def _shrink(self, pixels: NDArray[np.uint8]) -> None:
        """The mean of each block of pixels. In two steps it is the same to one grey level, and takes a third as long.

        OpenCV has fast code for blocks of two pixels each way, and for no larger ones.
        """
        if self._half is not None:
            size = self._half.shape[1::-1]
            pixels = np.asarray(cv2.resize(pixels, size, dst=self._half, interpolation=cv2.INTER_AREA), np.uint8)
        cv2.resize(pixels, self._small.shape[1::-1], dst=self._small, interpolation=cv2.INTER_AREA)

    def _faces(self, found: Candidates, zoom: NDArray[np.float32]) -> tuple[Face, ...]:
        if not found.scores.size:
            return ()
        found = best_first(found)
        keep = strongest(found.corner, found.size, self._overlap)
        corner, size, marks = found.corner[keep] * zoom, found.size[keep] * zoom, found.marks[keep] * zoom
        boxes = np.concatenate([corner, size], axis=1).tolist()
        scores = found.scores[keep].tolist()
        return tuple(Face(Box(*box), m, s) for box, m, s in zip(boxes, marks, scores, strict=True))
