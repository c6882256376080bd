"""LFW's protocol: ten folds, the threshold from the other nine, failures count as different."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.evaluation.datasets import StandardPair
from appliance.evaluation.protocol import accuracy, best_threshold
from tests.evaluation.people import vectors

SCORED = st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=1, max_size=30)


@given(SCORED)
def test_no_threshold_is_better_than_the_best(scored: list[tuple[int, bool]]) -> None:
    """Tried against a threshold at, below and above every score."""
    scores = np.array([s / 10 for s, _ in scored], np.float32)
    same = np.array([s for _, s in scored])

    def right(threshold: float) -> int:
        return int(np.count_nonzero((scores >= threshold) == same))

    tried = [right(at + shift) for at in scores.astype(float) for shift in (-0.05, 0.05)]
    assert right(best_threshold(scores, same)) == max(tried)


def _pairs(person: np.ndarray) -> tuple[StandardPair, ...]:
    """Ten folds of one matched and one mismatched pair of each of ten people."""
    return tuple(
        StandardPair(fold * 4 + one, fold * 4 + other, person[fold * 4 + one] == person[fold * 4 + other], fold)
        for fold in range(10)
        for one, other in ((0, 1), (0, 2))
    )


def test_people_who_are_told_apart_give_full_marks() -> None:
    """And the counts of what was compared."""
    table, person = vectors(20, 2, 0.05)
    found = accuracy(table, np.ones(40, bool), _pairs(person), absent=3)
    assert found is not None
    assert (found.mean, found.pairs, found.listed, found.failed, found.folds) == (1.0, 20, 23, 0, 10)


def test_a_picture_without_a_face_is_told_different() -> None:
    """So it costs the matched pair it is in, not the mismatched one."""
    table, person = vectors(20, 2, 0.05)
    seen = np.ones(40, bool)
    seen[0] = False
    found = accuracy(table, seen, _pairs(person), absent=0)
    assert found is not None
    assert found.failed == 2
    assert found.mean == pytest.approx(0.95)


def test_one_fold_is_no_protocol() -> None:
    """A threshold needs other folds to come from."""
    table, _ = vectors(2, 2, 0.1)
    assert accuracy(table, np.ones(4, bool), (StandardPair(0, 1, same=True, fold=0),), 0) is None
