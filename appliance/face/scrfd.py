"""Reads the outputs of SCRFD with landmarks.

Guo et al. 2021, "Sample and Computation Redistribution for Efficient Face Detection".

The picture that goes in and the choice among overlapping faces belong to `detector`.
"""

import numpy as np

from appliance.face.candidates import Candidates, Floats, join
from models.manifest import DetectSpec

_STRIDES = (8, 16, 32)
_ANCHORS = 2
"""Of one cell; both sit at its upper left corner."""


class Scrfd:
    """Nine outputs, for each stride: scores; then boxes; then landmarks, as InsightFace's `SCRFD` class reads them.

    For each cell, row by row, two anchors. With grid g (column, row) and stride s: corners = (g - box[:2]) s and
    (g + box[2:]) s, landmark = (g + kps) s.
    """

    def __init__(self, spec: DetectSpec, outputs: tuple[str, ...]) -> None:
        """outputs: names in the network's order, which alone tells their meaning. Raises ValueError unless nine."""
        if len(outputs) != 3 * len(_STRIDES):
            raise ValueError(f"SCRFD with landmarks has {3 * len(_STRIDES)} outputs, this network {len(outputs)}")
        self._score = np.float32(spec.score)

    def decode(self, outputs: tuple[Floats, ...], width: int) -> Candidates:
        """Only anchors above the threshold are turned into boxes."""
        parts: list[Candidates] = []
        for index, stride in enumerate(_STRIDES):
            scores = outputs[index].ravel()
            anchors = np.flatnonzero(scores >= self._score)
            if anchors.size:
                row, column = np.divmod(anchors // _ANCHORS, width // stride)
                origin = np.stack([column, row], axis=1).astype(np.float32) * np.float32(stride)
                reach = outputs[index + 3].reshape(-1, 4)[anchors] * np.float32(stride)
                marks = outputs[index + 6].reshape(-1, 5, 2)[anchors] * np.float32(stride) + origin[:, None]
                parts.append(Candidates(origin - reach[:, :2], reach[:, :2] + reach[:, 2:], marks, scores[anchors]))
        return join(parts)
