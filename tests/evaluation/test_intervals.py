"""Intervals: exact where a closed form is known, honest on simulated experiments, and silent below 3 / n."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.evaluation.intervals import (
    Rate,
    beta_share,
    by_person,
    clopper_pearson,
    counted,
    people_weights,
    supports,
    wilson,
)  # fmt: skip

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def _at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) of a binomial, added up."""
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


@given(st.integers(1, 60), st.data(), st.floats(0.001, 0.999))
def test_the_beta_function_is_the_binomial_tail(n: int, data: st.DataObject, p: float) -> None:
    """I_p(k, n - k + 1) = P(X >= k): the identity that the exact interval rests on."""
    k = data.draw(st.integers(1, n))
    assert beta_share(k, n - k + 1, p) == pytest.approx(_at_least(k, n, p), abs=1e-9)


@pytest.mark.parametrize("n", [1, 10, 1000, 8_000_000])
def test_the_exact_interval_without_an_error_has_its_closed_form(n: int) -> None:
    """0 .. 1 - (alpha / 2) ** (1 / n), also for millions of trials."""
    low, high = clopper_pearson(0, n)
    assert low == 0
    assert high == pytest.approx(-math.expm1(math.log(0.025) / n), rel=1e-9)
    assert clopper_pearson(n, n)[0] == pytest.approx(1 - high, rel=1e-9)
    assert clopper_pearson(n, n)[1] == 1


@given(COUNTS)
def test_intervals_hold_the_observed_rate(count: tuple[int, int]) -> None:
    """Wilson's and the exact one, within 0..1; the exact one reaches at least as far where it matters, at no error."""
    errors, trials = count
    for low, high in (wilson(errors, trials), clopper_pearson(errors, trials)):
        assert 0 <= low <= errors / trials <= high <= 1


@pytest.mark.parametrize(("p", "n"), [(0.02, 60), (0.1, 40), (0.5, 20)])
def test_the_exact_interval_covers_the_truth_at_least_as_often_as_it_says(p: float, n: int) -> None:
    """Over all outcomes of the experiment, weighed by their chance: no simulation error."""
    ends = [clopper_pearson(k, n) for k in range(n + 1)]
    chance = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    covered = sum(weight for (low, high), weight in zip(ends, chance, strict=True) if low <= p <= high)
    assert covered >= 0.95


def test_pairs_that_hang_together_get_a_wider_interval() -> None:
    """People who fail always or never: the bootstrap over people sees that 30 people are not 3,000 trials."""
    trials = np.full(30, 100.0)
    errors = np.where(np.arange(30) < 3, 100.0, 0.0)
    clustered = by_person(errors, trials, people_weights(30, 400, 1))
    naive = wilson(300, 3000)
    assert clustered.value == pytest.approx(0.1)
    assert clustered.high - clustered.low > 3 * (naive[1] - naive[0])


def test_the_bootstrap_over_people_covers_the_truth() -> None:
    """120 simulated clinics of 60 people, each with a failure rate of his own: 95 % intervals cover in nine of ten."""
    rng = np.random.default_rng(3)
    weights = people_weights(60, 300, 5)
    hits = 0
    for _ in range(120):
        own = rng.beta(1, 9, size=60)
        rate = by_person(rng.binomial(20, own).astype(np.float64), np.full(60, 20.0), weights)
        hits += rate.low <= 0.1 <= rate.high
    assert hits >= 108


def test_nothing_is_claimed_with_fewer_than_three_errors() -> None:
    """No error: at most 3 / n. One or two: at most the interval's end. Three: the rate."""
    assert not counted(0, 1000).supported
    assert counted(0, 1000).at_most == pytest.approx(0.003)
    assert not counted(2, 1000).supported
    assert counted(2, 1000).at_most > 0.006
    assert counted(3, 1000).supported


@given(st.integers(1, 10**7), st.floats(1e-9, 1))
def test_a_rate_needs_three_over_n(n: int, rate: float) -> None:
    """Neither more nor less."""
    assert supports(rate, n) == (rate * n >= 3 * (1 - 1e-12))


def test_without_a_trial_nothing_is_known() -> None:
    """The interval is everything; the rate is no number."""
    empty = Rate(0, 0, *wilson(0, 0))
    assert (empty.low, empty.high, empty.at_most) == (0, 1, 1)
    assert math.isnan(empty.value)
    assert clopper_pearson(0, 0) == (0, 1)


@given(st.integers(1, 40), st.integers(1, 30))
def test_as_many_people_are_drawn_as_there_are(people: int, draws: int) -> None:
    """Each draw is a crowd of the same size."""
    assert np.all(people_weights(people, draws, 7).sum(axis=1) == people)
