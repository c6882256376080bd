"""Rates: monotone, within their intervals, equal to the closed form of two normal distributions."""

from statistics import NormalDist

import numpy as np
import pytest

from appliance.evaluation.comparisons import Comparisons, compare
from appliance.evaluation.rates import Resampled, at_targets, curve, equal_error
from tests.evaluation.people import vectors


@pytest.fixture(scope="module")
def crowd() -> Comparisons:
    """100 people, four looks each: 600 genuine and 79,200 impostor comparisons."""
    table, person = vectors(100, 4, 0.8)
    return compare(table, person, np.tile([0, 0, 1, 1], 100))


def test_the_trade_off_is_monotone(crowd: Comparisons) -> None:
    """A stricter threshold never lowers the false non-match rate, and the curve ends at 3 / n."""
    points = curve(Resampled(crowd, 50), crowd).points
    fmr, fnmr = [p.fmr.value for p in points], [p.fnmr.value for p in points]
    assert fmr == sorted(fmr)
    assert fnmr == sorted(fnmr, reverse=True)
    assert fmr[0] >= 3 / len(crowd.impostor)


def test_every_rate_lies_in_its_interval_and_band(crowd: Comparisons) -> None:
    """Also at the ends, where nearly nothing or nearly everything is an error."""
    found = curve(Resampled(crowd, 100), crowd)
    for point, (low, high) in zip(found.points, found.band, strict=True):
        assert point.fmr.low <= point.fmr.value <= point.fmr.high
        assert point.fnmr.low <= point.fnmr.value <= point.fnmr.high
        assert low <= point.fnmr.low <= point.fnmr.high <= high


def test_equal_error_of_two_normal_distributions() -> None:
    """Unit variance, d apart: the error rate is Phi(-d / 2), at the middle."""
    rng = np.random.default_rng(1)
    genuine = np.sort(rng.normal(2, 1, 40_000)).astype(np.float32)
    impostor = -np.sort(-rng.normal(0, 1, 40_000)).astype(np.float32)
    nobody = np.zeros(0, np.int64)
    scores = Comparisons(genuine, nobody, nobody.astype(bool), impostor, nobody, nobody, nobody, nobody, nobody)
    rate, threshold = equal_error(scores)
    assert rate == pytest.approx(NormalDist().cdf(-1), abs=0.004)
    assert threshold == pytest.approx(1, abs=0.03)


def test_nothing_is_said_below_three_over_n(crowd: Comparisons) -> None:
    """79,200 comparisons support 1e-4, not 1e-5."""
    rows = {row.target: row.point for row in at_targets(Resampled(crowd, 20), crowd)}
    assert rows[1e-4] is not None
    assert rows[1e-5] is None
    assert rows[1e-6] is None


def test_every_person_weighs_the_same_in_a_draw_of_everybody(crowd: Comparisons) -> None:
    """The bootstrap's sums over all people as they are give the plain rates back."""
    resampled = Resampled(crowd, 300)
    threshold = crowd.threshold(1e-2)
    fmr = resampled.fmr(threshold)
    assert fmr.errors == crowd.false_matches(threshold)
    assert fmr.low < 1e-2 < fmr.high < 3e-2


def test_sessions_apart_are_rated_alone(crowd: Comparisons) -> None:
    """Four of six pairs of each person are of different sessions."""
    rate = Resampled(crowd, 50).fnmr_apart(crowd.threshold(1e-3))
    assert rate.trials == 400
    assert rate.low <= rate.value <= rate.high


def test_a_crowd_apart_from_itself_is_never_confused() -> None:
    """No error on either side: nothing is claimed but a bound."""
    table, person = vectors(30, 3, 0.05)
    clean = compare(table, person, np.full(len(person), -1))
    point = Resampled(clean, 50).at(0.9)
    assert point.fmr.errors == point.fnmr.errors == 0
    assert not point.fmr.supported
    assert point.fmr.at_most == pytest.approx(3 / len(clean.impostor))
