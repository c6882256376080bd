"""Trains a code book on embeddings of public faces; the same faces and seed give the same book.

Which faces is the caller's to choose: never a patient's, for a code book goes wherever the pack goes.

Embedders often use fewer dimensions than they have: every EdgeFace-XS embedding (512-d) lies in a subspace of 192,
every retail-0095 one (256-d) in one of 152, every one of dlib's (128-d) in one of 78. The vectors are first projected
onto the axes that matter, and turned at random within them, so that every part has its share to carry.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.codebook import CENTROIDS, CodeBook

SINGLE: Final = 128
"""Up to so many dimensions in use each is a part, beyond, every two are. Two of dlib's a part would make its shortlist
six times as long; one of EdgeFace's 192, the codes twice as long for a shortlist that is short already."""

ENERGY: Final = 0.9999
"""Share of the variance that the projection has to keep: what is left out is below the error of a code."""

ROUNDS: Final = 25
"""Of Lloyd's algorithm; with 16 centroids it has settled by then."""

Floats = NDArray[np.float32]


def train(vectors: Floats, parts: int | None = None, seed: int = 1) -> CodeBook:
    """A code book from unit vectors float32 (n, d), giving codes of `parts` times 4 bits; None: as many as serve.

    Raises ValueError for an odd number of parts or fewer than 39 vectors a centroid: k-means would learn its data by
    heart.
    """
    needed, axes = _principal(vectors)
    parts = _parts(needed) if parts is None else parts
    if parts < 2 or parts % 2 or len(vectors) < 39 * CENTROIDS:
        raise ValueError(f"{len(vectors)} vectors for {parts} parts")
    rng = np.random.default_rng(seed)
    k = min(-(-needed // parts) * parts, len(axes))
    turn = np.linalg.qr(rng.standard_normal((k, k)))[0]
    projection, step = _in_steps(np.asarray(turn @ axes[:k], dtype=np.float32))
    turned = vectors @ (projection.astype(np.float32) * step).T
    cut = turned.reshape(len(turned), parts, -1)
    return CodeBook(projection, float(step), np.stack([_centroids(cut[:, part], rng) for part in range(parts)]))


def _parts(needed: int) -> int:
    """An even number, for two parts share a byte."""
    return 2 * -(-needed // (2 if needed <= SINGLE else 4))


def _principal(vectors: Floats) -> tuple[int, NDArray[np.float64]]:
    """How many principal axes, about the origin, keep the energy; and all axes (d, d), the principal ones first."""
    values, axes = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors / len(vectors))
    mean = vectors.mean(axis=0, dtype=np.float64)
    lost = (1 - ENERGY) * (values.sum() - mean @ mean)
    return int(np.count_nonzero(np.cumsum(values) > lost)), axes[:, ::-1].T


def _in_steps(projection: Floats) -> tuple[NDArray[np.int8], np.float32]:
    step = np.float32(np.abs(projection).max() / 127)
    return np.rint(projection / step).astype(np.int8), step


def _centroids(points: Floats, rng: np.random.Generator) -> Floats:
    """Lloyd's k-means of points (n, part): centroids (16, part). One that loses its points begins again at a point."""
    centres = points[rng.choice(len(points), CENTROIDS, replace=False)].astype(np.float64)
    for _ in range(ROUNDS):
        nearest = np.argmin(np.einsum("kj,kj->k", centres, centres) - 2 * points @ centres.T, axis=1)
        counts = np.bincount(nearest, minlength=CENTROIDS)
        for axis in range(points.shape[1]):
            sums = np.bincount(nearest, weights=points[:, axis], minlength=CENTROIDS)
            centres[:, axis] = np.where(
                counts > 0, sums / np.maximum(counts, 1), points[rng.integers(len(points)), axis]
            )
    return np.asarray(centres, dtype=np.float32)
