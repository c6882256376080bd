"""Faces of people who do not exist, as an embedder would describe them: unit vectors with the spread of real ones.

Real embeddings use fewer dimensions than they have: impostor scores of LFW under EdgeFace-XS (512-d) have a standard
deviation of 0.075, as random vectors of 171 dimensions have, and under a 128-d network 0.094, as of 108; two pictures
of a person score 0.62 and 0.66. What is searched among these faces is the benchmarks'.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.codebook import CodeBook

Floats = NDArray[np.float32]

MATED: Final = 0.62
"""Mean cosine similarity of two pictures of one person."""

_IN_USE: Final = 171


def axes(dimension: int, book: CodeBook | None = None, seed: int = 7) -> Floats:
    """Orthonormal rows (m, dimension) that the faces lie in; with a code book, among the axes it projects onto."""
    rng = np.random.default_rng(seed)
    inside = np.eye(dimension, dtype=np.float32) if book is None else book.matrix()
    used = min(_IN_USE, round(0.84 * len(inside)))
    turn = np.linalg.qr(rng.standard_normal((len(inside), used)))[0]
    return np.asarray(turn.T @ inside, dtype=np.float32)


def drawn(spread: Floats, count: int, rng: np.random.Generator) -> Floats:
    """So many people's templates, float32 (count, d), unit length."""
    return _unit(rng.standard_normal((count, len(spread)), dtype=np.float32) @ spread)


def seen_again(templates: Floats, spread: Floats, rng: np.random.Generator) -> Floats:
    """Another picture of each of these people."""
    return _unit(MATED * templates + np.float32(np.sqrt(1 - MATED**2)) * drawn(spread, len(templates), rng))


def _unit(vectors: Floats) -> Floats:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
