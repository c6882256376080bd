"""Finds faces with five landmarks in a frame: scales it down, runs the pack's detector, decodes its maps.

Which of the faces matters, and whether it is good enough, is decided elsewhere. Today's only family is CenterFace
(Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point").
"""

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Box, Face
from appliance.face.pack import Runner
from appliance.face.tensor import InputTensor
from appliance.opencv import cv2

Floats = NDArray[np.float32]

DETECT_SIDE = 320
"""Longest side of the picture given to the network: at a desk a face is 11 to 45 % of the frame's height."""
MAX_SIDE = 1280
"""Above, one picture takes seconds and hundreds of megabytes."""
MAX_FACES = 64
"""A desk has a handful; a frame full of them is no reason to spend a second on suppression."""

_STRIDE, _HALF = np.float32(4), np.float32(0.5)


class Detector:
    """CenterFace at one working size. Used by one thread: its buffers are overwritten by the next call."""

    def __init__(self, runner: Runner, longest_side: int = DETECT_SIDE) -> None:
        """Raises ValueError unless 32 <= longest_side <= MAX_SIDE."""
        if runner.model.detect is None:
            raise ValueError("the model is no detector")
        if not 32 <= longest_side <= MAX_SIDE:
            raise ValueError(f"the longest side lies between 32 and {MAX_SIDE}")
        self._runner = runner
        self._spec = runner.model.detect
        self._side = longest_side
        self._order = [runner.outputs.index(name) for name in ("heat", "scale", "offset", "landmarks")]
        self._shape = (0, 0)
        self._small: NDArray[np.uint8] = np.zeros((0, 0, 3), np.uint8)
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
            cv2.resize(pixels, (w, h), dst=self._small, interpolation=cv2.INTER_AREA)
            self._tensor.fill(self._small)
        maps = self._runner.run(self._tensor.values)
        heat, scale, offset, landmarks = (maps[index][0] for index in self._order)
        zoom = np.array([width / w, height / h], np.float32)
        return self._decode(heat[0], scale, offset, landmarks, zoom)

    def _prepare(self, height: int, width: int) -> None:
        shrink = min(1.0, self._side / max(height, width))
        h, w = max(1, round(height * shrink)), max(1, round(width * shrink))
        self._small = np.zeros((h, w, 3), np.uint8)
        multiple = self._runner.model.input.multiple
        self._tensor = InputTensor(self._runner.model.input, -(-w // multiple) * multiple, -(-h // multiple) * multiple)
        self._shape = (height, width)

    def _decode(self, heat: Floats, scale: Floats, offset: Floats, points: Floats, zoom: Floats) -> tuple[Face, ...]:
        """Faces from maps of h x w cells: centre and size from offset and scale, landmarks relative to the box."""
        rows, columns = np.nonzero(heat >= self._spec.score)
        scores = heat[rows, columns]
        best = np.argsort(-scores, kind="stable")[: MAX_FACES * 8]
        rows, columns, scores = rows[best], columns[best], scores[best]
        size = np.exp(scale[::-1, rows, columns].T) * _STRIDE
        cells = np.stack([columns, rows], axis=1).astype(np.float32)
        centre = (cells + offset[::-1, rows, columns].T + _HALF) * _STRIDE
        corner = centre - size * _HALF
        keep = strongest(corner, size, self._spec.overlap)
        marks = points[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
        marks = (marks * size[:, None, :] + corner[:, None, :]) * zoom
        corner, size = corner * zoom, size * zoom
        return tuple(
            Face(Box(*map(float, (*corner[i], *size[i]))), marks[i].astype(np.float32), float(scores[i])) for i in keep
        )


def strongest(corner: Floats, size: Floats, overlap: float) -> list[int]:
    """Indices of the boxes, given best first, that no better box overlaps by more than `overlap` (IoU)."""
    end, area = corner + size, size[:, 0] * size[:, 1]
    left = np.arange(len(corner))
    keep: list[int] = []
    while left.size and len(keep) < MAX_FACES:
        first, rest = left[0], left[1:]
        keep.append(int(first))
        common = np.minimum(end[first], end[rest]) - np.maximum(corner[first], corner[rest])
        shared = np.prod(np.maximum(common, 0), axis=1)
        left = rest[shared <= overlap * (area[first] + area[rest] - shared)]
    return keep
