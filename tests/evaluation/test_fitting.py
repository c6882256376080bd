"""Fitting: known tails are found again, rounding never loosens a threshold, and what is written can be read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.evaluation.comparisons import compare
from appliance.evaluation.fitting import fit_cohort, fit_genuine, fit_impostors, margin
from models.calibration import Calibration, parse_calibration, write_calibration
from tests.evaluation.people import vectors


def _falling(power: float, count: int, seed: int = 1) -> np.ndarray:
    """Scores with P(score > s) = (1 - s) ** power, from 0 on."""
    chance = np.random.default_rng(seed).random(count)
    return -np.sort(-(1 - chance ** (1 / power))).astype(np.float32)


@pytest.mark.parametrize("power", [5.0, 12.0])
def test_a_known_tail_is_found_again(power: float) -> None:
    """From 200,000 scores within a few percent; and a rate beyond the data lies where the law says."""
    fitted = fit_impostors(_falling(power, 200_000))
    assert fitted.power == pytest.approx(power, rel=0.1)
    assert fitted.score_at(1e-6) == pytest.approx(1 - 1e-6 ** (1 / power), abs=0.02)


@settings(max_examples=40)
@given(st.integers(60, 5000), st.integers(0, 99), st.floats(0.001, 0.4))
def test_a_threshold_from_a_calibration_is_never_looser_than_the_scores(count: int, seed: int, rate: float) -> None:
    """Rounding goes up: at an asked rate that is a stored rank no more impostors pass than the rate allows."""
    scores = _falling(9.0, count, seed)
    fitted = fit_impostors(scores)
    for rank, score in fitted.tail:
        assert np.count_nonzero(scores.astype(np.float64) > score) <= rank
        assert score >= scores[int(rank) - 1] - 1e-9
    assert fitted.score_at(rate) >= fitted.score_at(min(0.5, rate * 1.5))


def test_quantiles_are_those_of_the_scores() -> None:
    """Interpolated like any other; few scores give fewer quantiles."""
    rising = np.sort(np.random.default_rng(1).normal(0.6, 0.1, 2000)).astype(np.float32)
    fitted = fit_genuine(rising)
    assert fitted.fnmr_at(0.6) == pytest.approx(float(np.mean(rising < 0.6)), abs=0.01)
    assert fit_genuine(rising[:100]).quantiles[0][0] > fitted.quantiles[0][0]


def test_a_cohort_can_be_written_and_read() -> None:
    """The whole calibration, in its canonical form."""
    table, person = vectors(40, 3, 1.0)
    cohort = fit_cohort("made-up", "invented", compare(table, person, np.full(120, -1)), table, person)
    assert (cohort.people, cohort.images) == (40, 120)
    models = (("detect", "0" * 64), ("embed", "1" * 64))
    calibration = Calibration("2026-01-31", "made up", models, (cohort,))
    assert parse_calibration(write_calibration(calibration)) == calibration


def test_the_margin_catches_nine_tenths_of_the_wrong_firsts() -> None:
    """Counted again on the same draws; nothing to catch gives no margin."""
    table, person = vectors(60, 2, 1.3)
    lead = margin(table, person)
    assert 0 < lead < 0.5
    clean, who = vectors(20, 2, 0.01)
    assert margin(clean, who) == 0.0
    assert margin(clean[:1], who[:1]) == 0.0
