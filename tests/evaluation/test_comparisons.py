"""Comparisons: every pair once, on its right side, traced to its people."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.evaluation import comparisons
from appliance.evaluation.comparisons import compare
from tests.evaluation.people import vectors

NOWHEN = -1


def _all_pairs(table: np.ndarray, person: np.ndarray) -> tuple[list[float], list[float]]:
    genuine: list[float] = []
    impostor: list[float] = []
    for a in range(len(person)):
        for b in range(a + 1, len(person)):
            (genuine if person[a] == person[b] else impostor).append(float(table[a] @ table[b]))
    return sorted(genuine), sorted(impostor, reverse=True)


@settings(max_examples=25)
@given(st.integers(2, 9), st.integers(2, 5), st.integers(0, 100))
def test_every_pair_is_compared_once(people: int, looks: int, seed: int) -> None:
    """As two plain loops do."""
    table, person = vectors(people, looks, 0.5, seed=seed)
    found = compare(table, person, np.full(len(person), NOWHEN))
    genuine, impostor = _all_pairs(table, person)
    assert found.genuine == pytest.approx(genuine, abs=1e-5)
    assert found.impostor == pytest.approx(impostor, abs=1e-5)
    assert found.people == people
    assert not found.apart.any()


def test_traced_scores_stand_for_all() -> None:
    """The people of a traced score are those who made it; what stands between is counted."""
    table, person = vectors(30, 3, 0.6)
    found = compare(table, person, np.full(len(person), NOWHEN))
    assert found.stands.sum() == len(found.impostor)
    for rank, first, second in list(zip(found.traced, found.first, found.second, strict=True))[:200]:
        scores = table[person == first] @ table[person == second].T
        assert first != second
        assert np.isclose(scores, found.impostor[rank], atol=1e-5).any()


def test_a_long_list_is_traced_at_the_top_and_evenly_below() -> None:
    """The highest scores one by one, the rest with as many ranks as each stands for."""
    ranks = comparisons._traced(10 * comparisons.MAX_TRACED)  # the whole would take 600,000 comparisons
    assert np.array_equal(ranks[: comparisons.MAX_TRACED // 2], np.arange(comparisons.MAX_TRACED // 2))
    assert ranks[-1] == 10 * comparisons.MAX_TRACED - 1
    assert len(ranks) == comparisons.MAX_TRACED


def test_pictures_of_one_session_are_not_apart() -> None:
    """Only known and different sessions are."""
    table, person = vectors(2, 3, 0.1)
    found = compare(table, person, np.array([0, 0, 1, NOWHEN, NOWHEN, 1]))
    assert found.apart.sum() == 2


@settings(max_examples=25)
@given(st.floats(0.001, 0.5), st.integers(0, 50))
def test_a_threshold_gives_at_most_its_rate(fmr: float, seed: int) -> None:
    """And one comparison more would go beyond. A rate that misses a count by rounding alone stands for that count."""
    table, person = vectors(12, 3, 0.8, seed=seed)
    found = compare(table, person, np.full(len(person), NOWHEN))
    wrong = found.false_matches(found.threshold(fmr))
    assert wrong - 1e-9 <= fmr * len(found.impostor) < wrong + 1 + 1e-9


def test_a_set_that_is_too_large_is_sampled_by_people() -> None:
    """Whole people, as many as the memory takes, the same every time."""
    person = np.repeat(np.arange(20_000), 2)
    rows = comparisons._within_limit(person, seed=1)
    assert len(rows) * (len(rows) - 1) // 2 <= comparisons.MAX_COMPARISONS
    assert len(rows) > 10_000
    assert np.array_equal(np.bincount(person[rows])[np.unique(person[rows])], np.full(len(rows) // 2, 2))
    assert np.array_equal(rows, comparisons._within_limit(person, seed=1))


def test_a_single_person_cannot_be_compared() -> None:
    """Neither can strangers who have one picture each."""
    table, person = vectors(1, 3, 0.1)
    with pytest.raises(ValueError, match="two people"):
        compare(table, person, np.full(3, NOWHEN))
    with pytest.raises(ValueError, match="two people"):
        compare(table, np.arange(3), np.full(3, NOWHEN))
