"""Reads the outputs of YuNet (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector").

Graphs of libfacedetection.train and OpenCV Zoo, small and normal alike. The picture that goes in and the choice among
overlapping faces belong to `detector`.
"""

import numpy as np

from appliance.face.candidates import Candidates, Floats, join
from models.manifest import DetectSpec

_STRIDES = (8, 16, 32)
_HALF = np.float32(0.5)


class YuNet:
    """For each stride and cell, row by row: class and objectness probability, box, five landmarks.

    With grid g (column, row) and stride s: score = sqrt(cls * obj), centre = (g + bbox[:2]) s, size = exp(bbox[2:]) s,
    landmark = (g + kps) s, as `FaceDetectorYNImpl::postProcess` of OpenCV.
    """

    def __init__(self, spec: DetectSpec, outputs: tuple[str, ...]) -> None:
        """outputs: names in the network's order. Raises ValueError when one is missing."""
        self._order = [[outputs.index(f"{kind}_{s}") for kind in ("cls", "obj", "bbox", "kps")] for s in _STRIDES]
        self._score = np.float32(spec.score)

    def decode(self, outputs: tuple[Floats, ...], width: int) -> Candidates:
        """Only cells above the threshold are turned into boxes: at a desk a handful of some 1,700."""
        parts: list[Candidates] = []
        for stride, (cls, obj, bbox, kps) in zip(_STRIDES, self._order, strict=True):
            squared = outputs[cls].ravel() * outputs[obj].ravel()
            cells = np.flatnonzero(squared >= self._score * self._score)
            if cells.size:
                row, column = np.divmod(cells, width // stride)
                grid = np.stack([column, row], axis=1).astype(np.float32)
                box = outputs[bbox][0, cells]
                size = np.exp(box[:, 2:]) * np.float32(stride)
                corner = (grid + box[:, :2]) * np.float32(stride) - size * _HALF
                marks = (outputs[kps][0, cells].reshape(-1, 5, 2) + grid[:, None]) * np.float32(stride)
                parts.append(Candidates(corner, size, marks, np.sqrt(squared[cells])))
        return join(parts)
