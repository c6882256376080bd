"""Cross-check: the tested half never sets the threshold, and honest thresholds keep their rate on average."""

import numpy as np
import pytest

from appliance.evaluation.crosscheck import Compared, cross_check
from tests.evaluation.people import vectors


def _compared(people: int, spread: float, seed: int = 1) -> Compared:
    table, person = vectors(people, 4, spread, seed=seed)
    return Compared(f"set-{people}", table, person, np.full(len(person), -1))


def test_a_threshold_from_like_people_keeps_its_rate() -> None:
    """200 invented people, halves of 100: about one in a thousand on the half that did not set it."""
    (row,) = cross_check([_compared(200, 0.9)], 1e-3)
    assert row.tests == 10
    assert row.fmr.value == pytest.approx(1e-3, rel=0.6)
    assert row.lowest_threshold <= row.highest_threshold
    assert row.worst_fmr >= row.fmr.value
    assert row.worst_fnmr >= row.fnmr.value


def test_the_strictest_cohort_of_the_calibrating_half_decides() -> None:
    """Beside a cohort of people who look alike, the other gets that one's threshold: fewer matches of both kinds."""
    wide = _compared(60, 0.9)
    table, person = vectors(20, 4, 0.9, dimension=6, seed=2)
    narrow = Compared("narrow", table, person, np.full(len(person), -1))
    alone = cross_check([wide], 1e-3)[0]
    beside = cross_check([wide, narrow], 1e-3)[0]
    assert beside.lowest_threshold > alone.highest_threshold
    assert beside.fmr.value <= alone.fmr.value
    assert beside.fnmr.value > alone.fnmr.value
