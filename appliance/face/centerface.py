"""Reads the maps of CenterFace (Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point").

The picture that goes in and the choice among overlapping faces belong to `detector`.
"""

import numpy as np

from appliance.face.candidates import NOTHING, Candidates, Floats
from models.manifest import DetectSpec

_STRIDE, _HALF = np.float32(4), np.float32(0.5)


class CenterFace:
    """Four maps, one cell for 4 x 4 pixels: heat, scale (log of height, width), offset (y, x), landmarks (y, x)."""

    def __init__(self, spec: DetectSpec, outputs: tuple[str, ...]) -> None:
        """outputs: names in the network's order. Raises ValueError when one is missing."""
        self._order = [outputs.index(name) for name in ("heat", "scale", "offset", "landmarks")]
        self._score = np.float32(spec.score)

    def decode(self, outputs: tuple[Floats, ...], width: int) -> Candidates:  # noqa: ARG002  (its maps know their width)
        """Centre and size come from offset and scale; landmarks are relative to the box."""
        heat, scale, offset, points = (outputs[index][0] for index in self._order)
        rows, columns = np.nonzero(heat[0] >= self._score)
        if not rows.size:
            return NOTHING
        size = np.exp(scale[::-1, rows, columns].T) * _STRIDE
        cells = np.stack([columns, rows], axis=1).astype(np.float32)
        corner = (cells + offset[::-1, rows, columns].T + _HALF) * _STRIDE - size * _HALF
        marks = points[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
        return Candidates(corner, size, marks * size[:, None] + corner[:, None], heat[0][rows, columns])
