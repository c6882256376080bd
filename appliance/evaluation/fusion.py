"""Fuses frames into one probe as the desk does.

The rule is `appliance.recognition.fuse`; this keeps the quality that weighs the frames beside their embeddings.
"""

from dataclasses import dataclass

import numpy as np

from appliance.core.types import Embedding, PackDigest, Sensitive
from appliance.evaluation.comparisons import Ints, Scores
from appliance.recognition import Probe, fuse

UNKNOWN_QUALITY = 50
"""Of frames whose quality the pack does not tell: all weigh the same."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Fuser(Sensitive):
    """Embeddings (n, d) and unified quality (n,), 0..100 or NaN, of one cohort."""

    vectors: Scores
    quality: Scores
    pack: PackDigest

    def __call__(self, rows: Ints) -> Scores:
        """The fused embedding of the frames at these rows."""
        if len(rows) == 1:
            return np.asarray(self.vectors[rows[0]])
        weights = np.where(np.isfinite(self.quality[rows]), self.quality[rows], UNKNOWN_QUALITY)
        probes = [
            Probe(Embedding(self.vectors[row], self.pack), round(float(weight)))
            for row, weight in zip(rows, weights, strict=True)
        ]
        return fuse(probes).vector
