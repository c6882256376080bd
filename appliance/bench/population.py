"""Faces of people who do not exist, as an embedder would describe them: unit vectors with the spread of real ones.

Real embeddings use fewer dimensions than they have: impostor scores of LFW under EdgeFace-XS (512-d) have a standard
deviation of 0.075, as random vectors of 171 dimensions have, and under a 128-d network 0.094, as of 108; two pictures
of a person score 0.62 and 0.66. What is searched among these faces is the benchmarks'.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.codebook import CodeBook

Floats = NDArray[np.float32]

MATED: Final = 0.62
"""Correlation of two pictures of one person, about the mean face; where that is nothing, their cosine similarity."""

_IN_USE: Final = 171


@dataclass(frozen=True, slots=True)
class Spread:
    """How faces differ. axes: (m, d), a standard deviation each. mean: (d,), the mean face."""

    axes: Floats
    mean: Floats


def spread(dimension: int, book: CodeBook | None = None, seed: int = 7) -> Spread:
    """Faces about the origin; with a code book, as spread and about the mean of those it was trained on."""
    rng = np.random.default_rng(seed)
    if book is None:
        return Spread(_some_axes(np.eye(dimension, dtype=np.float32), rng), np.zeros(dimension, np.float32))
    middle = book.centroids.mean(axis=1).ravel()
    length = book.centroids.shape[2]
    # The centroids of n-d parts lie further apart than the points: their variance is (n + 2) / n of it (Zador 1982).
    deviation = book.centroids.std(axis=1).ravel() * np.float32(np.sqrt(length / (length + 2)))
    matrix = book.matrix()
    return Spread(_some_axes(deviation[:, np.newaxis] * matrix, rng), np.asarray(middle @ matrix, np.float32))


def _some_axes(all_of_them: Floats, rng: np.random.Generator) -> Floats:
    """Turned at random into as many as are in use, the variance kept."""
    k = len(all_of_them)
    used = min(_IN_USE, round(0.84 * k))
    turn = np.linalg.qr(rng.standard_normal((k, used)))[0] * np.sqrt(k / used)
    return np.asarray(turn.T @ all_of_them, dtype=np.float32)


def drawn(faces: Spread, count: int, rng: np.random.Generator) -> Floats:
    """So many people's templates, float32 (count, d), unit length."""
    return _unit(rng.standard_normal((count, len(faces.axes)), dtype=np.float32) @ faces.axes + faces.mean)


def seen_again(templates: Floats, faces: Spread, rng: np.random.Generator) -> Floats:
    """Another picture of each of these people."""
    others = drawn(faces, len(templates), rng) - faces.mean
    return _unit(faces.mean + MATED * (templates - faces.mean) + np.float32(np.sqrt(1 - MATED**2)) * others)


def _unit(vectors: Floats) -> Floats:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
