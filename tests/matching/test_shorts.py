"""Rows of 16 bits: their precision, their blocks, and that nothing stays behind."""

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.matching.shorts import BLOCK, ShortRows


def _unit(count: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).standard_normal((count, dimension))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("dimension", [8, 128, 512])
def test_scores_are_exact_to_more_than_four_digits(dimension: int) -> None:
    """Within half a unit of the fourth digit, even where one large number leaves few steps to the others."""
    vectors = _unit(3000, dimension)
    vectors[1000:, 0] *= 30
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = ShortRows(dimension)
    rows.append(vectors)
    expected = vectors.astype(np.float64) @ vectors[1500].astype(np.float64)
    assert np.abs(rows.all_scores(vectors[1500]) - expected).max() < 5e-5
    assert np.abs(rows.scores(vectors[1500], np.array([2999, 0])) - expected[[2999, 0]]).max() < 5e-5


def test_rows_of_several_blocks_are_found_and_removed() -> None:
    """Across the border of a block; the last row may lie in another block than the hole it fills."""
    vectors = _unit(BLOCK + 40, 4)
    rows = ShortRows(4)
    rows.append(vectors[: BLOCK - 1])
    rows.append(vectors[BLOCK - 1 :])
    assert len(rows) == len(vectors)
    asked = np.array([BLOCK + 39, 0, BLOCK, BLOCK - 1, 7])
    query = _unit(1, 4, seed=9)[0]
    assert rows.scores(query, asked) == pytest.approx(vectors[asked] @ query, abs=5e-5)
    assert np.abs(rows.all_scores(query) - vectors @ query).max() < 5e-5
    rows.remove(7)
    assert rows.scores(query, np.array([7]))[0] == pytest.approx(float(vectors[-1] @ query), abs=5e-5)
    assert not rows._blocks[1][0][39].any()
    assert len(rows) == BLOCK + 39


def test_equal_rows_have_equal_scores() -> None:
    """Wherever they lie and with whatever others they are compared: to the last bit."""
    vectors = _unit(40, 128)
    vectors[::3] = vectors[0]
    rows = ShortRows(128)
    rows.append(vectors)
    query = _unit(1, 128, seed=5)[0]
    assert len(set(rows.all_scores(query)[::3].tolist())) == 1
    assert rows.scores(query, np.array([36]))[0] == rows.scores(query, np.arange(33))[0]


def test_wiping_leaves_no_number() -> None:
    """Every row is overwritten."""
    rows = ShortRows(16)
    rows.append(_unit(5000, 16))
    numbers = rows._blocks[0][0][:5000]
    assert numbers.any()
    rows.wipe()
    assert not numbers.any()
    assert len(rows) == 0
