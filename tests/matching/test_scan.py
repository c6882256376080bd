"""The shortlist is as long as it has to be."""

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.matching.scan import ScanIndex
from models.codebook import CodeBook
from models.codebook_training import train

DIMENSION = 64


def _unit(count: int, seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSION))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


def _index(book: CodeBook, vectors: NDArray[np.float32]) -> ScanIndex:
    index = ScanIndex(book)
    index.append(vectors)
    return index


VECTORS = _unit(20_000, 1)
FITTING = train(_unit(2000, 2), parts=32)
COARSE = train(_unit(2000, 2), parts=4)
"""Sixteen dimensions to four bits: its codes say next to nothing."""


@pytest.mark.parametrize("book", [FITTING, COARSE], ids=["fitting", "coarse"])
@pytest.mark.parametrize("count", [1, 5, 300])
def test_the_best_rows_are_those_of_a_full_comparison(book: CodeBook, count: int) -> None:
    """With a code book that fits and one that does not: the list grows until it is long enough, or is everything."""
    index = _index(book, VECTORS)
    for probe in _unit(25, 3):
        scores, rows = index.nearest(probe, count, count)
        exact, best = index.nearest_of_all(probe, count)
        assert set(rows.tolist()) == set(best.tolist())
        assert scores.tolist() == exact.tolist()
        assert (np.diff(scores) <= 0).all()


def test_rows_at_the_bottom_of_the_scale_are_found_too() -> None:
    """Everybody has the same template and the probe is its opposite: faiss names no row, and all are compared."""
    angles = np.arange(16) * np.pi / 8
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32) / 2
    book = CodeBook(np.eye(8, dtype=np.int8), 1.0, np.stack([circle] * 4))
    template = np.tile(circle[3], 4)
    index = _index(book, np.stack([template] * 5000))
    scores, rows = index.nearest(-template, 3, 3)
    assert scores == pytest.approx([-1.0] * 3, abs=1e-4)
    assert len(set(rows.tolist())) == 3


def test_everything_may_be_asked_for() -> None:
    """As many rows as there are."""
    index = _index(FITTING, VECTORS[:3000])
    _, rows = index.nearest(VECTORS[0], 3000, 3000)
    assert sorted(rows.tolist()) == list(range(3000))


def test_what_is_removed_is_not_found_and_leaves_nothing() -> None:
    """Neither a code nor a number."""
    index = _index(FITTING, VECTORS[:3000])
    assert index.nearest(VECTORS[17], 1, 1)[1].tolist() == [17]
    index.remove(17)
    scores, _ = index.nearest(VECTORS[17], 1, 1)
    assert scores[0] < 0.9
    assert len(index) == 2999
    assert index.nearest(VECTORS[2999], 1, 1)[1].tolist() == [17]
    numbers = index._short._blocks[0][0]
    assert not numbers[2999].any()
    index.wipe()
    assert len(index) == 0
    assert not numbers[:3000].any()
