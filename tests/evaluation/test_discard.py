"""Error versus discard: a measure that knows the errors removes them, a useless one leaves the rate where it is."""

import numpy as np
import pytest

from appliance.evaluation.discard import error_versus_discard, genuine_pairs
from tests.evaluation.people import vectors


def _scored(errors: float) -> tuple[np.ndarray, np.ndarray]:
    """2,000 pairs of pictures of their own; (pairs, scores), of which a share fails at 0.5."""
    rng = np.random.default_rng(1)
    return np.arange(4000).reshape(-1, 2), np.where(rng.random(2000) < errors, 0.2, 0.8)


def test_a_measure_that_knows_removes_the_errors() -> None:
    """5 % errors: gone when the worst 5 % are discarded, and the area is a tenth of a useless measure's."""
    pairs, scores = _scored(0.05)
    quality = np.repeat(scores, 2).astype(np.float32)
    found = error_versus_discard("knows", quality, pairs, scores.astype(np.float32), 0.5)
    assert found is not None
    rates = {row.share: row.fnmr.value for row in found.rows}
    assert rates[0.0] == pytest.approx(0.05, abs=0.01)
    assert rates[0.1] == 0
    assert found.area < 0.2


def test_a_useless_measure_changes_nothing() -> None:
    """Random quality: the area is that of no measure."""
    pairs, scores = _scored(0.1)
    quality = np.random.default_rng(2).random(4000).astype(np.float32)
    found = error_versus_discard("useless", quality, pairs, scores.astype(np.float32), 0.5)
    assert found is not None
    assert found.area == pytest.approx(1, abs=0.1)


def test_a_pair_is_as_good_as_its_worse_picture() -> None:
    """One bad picture of the two is enough to be discarded."""
    pairs, scores = _scored(0.05)
    quality = np.ones(4000, np.float32)
    quality[1::2] = scores
    found = error_versus_discard("half", quality, pairs, scores.astype(np.float32), 0.5)
    assert found is not None
    assert found.rows[4].fnmr.value == 0


def test_nothing_is_said_of_an_unmeasured_or_faultless_set() -> None:
    """A picture without the measure, or too few errors to claim a rate."""
    pairs, scores = _scored(0.05)
    assert (
        error_versus_discard("none", np.full(4000, np.nan, np.float32), pairs, scores.astype(np.float32), 0.5) is None
    )
    assert error_versus_discard("all", np.ones(4000, np.float32), pairs, scores.astype(np.float32), -1) is None
    two = np.where(np.arange(2000) < 2, 0.2, 0.8).astype(np.float32)
    assert error_versus_discard("two", np.ones(4000, np.float32), pairs, two, 0.5) is None


def test_genuine_pairs_are_of_one_person_and_limited() -> None:
    """All of them, or as many as asked for."""
    table, person = vectors(5, 4, 0.1)
    pairs, scores = genuine_pairs(table, person, 1000)
    assert len(pairs) == 5 * 6
    assert np.array_equal(person[pairs[:, 0]], person[pairs[:, 1]])
    assert scores[0] == pytest.approx(float(table[pairs[0, 0]] @ table[pairs[0, 1]]), abs=1e-6)
    assert len(genuine_pairs(table, person, 10)[0]) == 10
