"""Error versus discard: how false non-matches fall when the pictures of the lowest quality are turned away.

After Grother and Tabassi 2007, "Performance of biometric quality measures" (ISO/IEC 29794-1): a pair is as good as its
worse picture; the threshold stays where it was before anything was discarded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.intervals import LEAST_ERRORS, Rate, wilson

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Of the genuine pairs that are discarded."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """share: of genuine pairs discarded. fnmr: of the others. least: the quality a picture needs for it."""

    share: float
    fnmr: Rate
    least: float


@dataclass(frozen=True, slots=True)
class ErrorVersusDiscard:
    """One quality measure. area: under the curve, relative to the area of a useless measure."""

    measure: str
    threshold: float
    rows: tuple[Discarded, ...]
    area: float


def error_versus_discard(
    name: str, quality: Scores, pairs: NDArray[np.int64], scores: Scores, threshold: float
) -> ErrorVersusDiscard | None:
    """The curve of one measure; None where no rate could be claimed.

    That is when a picture has no value of it, or fewer than three pairs are below the threshold.
    quality: of each picture, higher is better. pairs: (m, 2) rows of the genuine pairs with scores (m,).
    """
    worse = np.minimum(quality[pairs[:, 0]], quality[pairs[:, 1]])
    wrong = scores < threshold
    if not np.all(np.isfinite(worse)) or np.count_nonzero(wrong) < LEAST_ERRORS:
        return None
    order: Ints = np.argsort(worse, kind="stable")
    rows = []
    for share in SHARES:
        drop = round(share * len(order))
        kept = wrong[order[drop:]]
        errors = int(kept.sum())
        rows.append(Discarded(share, Rate(errors, len(kept), *wilson(errors, len(kept))), float(worse[order[drop]])))
    area = float(np.trapezoid([row.fnmr.value for row in rows], SHARES))
    return ErrorVersusDiscard(name, threshold, tuple(rows), area / (rows[0].fnmr.value * SHARES[-1]))


def genuine_pairs(vectors: Scores, person: Ints, limit: int, seed: int = 1) -> tuple[NDArray[np.int64], Scores]:
    """(pairs (m, 2), scores (m,)) of the same person's pictures, at most `limit` of them, drawn at random."""
    found = []
    for number in np.unique(person):
        rows = np.flatnonzero(person == number)
        a, b = np.triu_indices(len(rows), 1)
        found.append(np.stack([rows[a], rows[b]], axis=1))
    pairs = np.concatenate(found)
    if len(pairs) > limit:
        pairs = pairs[np.random.default_rng(seed).choice(len(pairs), limit, replace=False)]
    return pairs, np.einsum("nd,nd->n", vectors[pairs[:, 0]], vectors[pairs[:, 1]])
