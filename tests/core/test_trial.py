"""The verdict about a pack on trial: shares of visits, and what their looks were worth, against those before."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.trial import LEAST_S, LEAST_SPREAD, LEAST_VISITS, MOST_VISITS, Spread, Tally, Verdict, judge

GOOD_DAYS = Tally(100, 95, 90)


def _spread(*figures: float) -> Spread:
    spread = Spread()
    for figure in figures:
        spread = spread.plus(figure)
    return spread


USUAL = _spread(*[*range(60, 80)] * 5)
"""A hundred visits; three quarters of them reached 65."""


@pytest.mark.parametrize(
    ("trial", "before", "seconds", "verdict"),
    [
        (Tally(20, 19, 18), GOOD_DAYS, LEAST_S, Verdict.GOOD),
        (Tally(20, 19, 18), GOOD_DAYS, LEAST_S - 1, Verdict.WAIT),
        (Tally(19, 19, 19), GOOD_DAYS, LEAST_S, Verdict.WAIT),
        (Tally(20, 19, 8), GOOD_DAYS, LEAST_S, Verdict.DRIFT),
        (Tally(20, 8, 8), Tally(100, 90, 45), LEAST_S, Verdict.DRIFT),
        (Tally(6, 0, 0), Tally(), 0.0, Verdict.WAIT),
        (Tally(7, 0, 0), Tally(), 0.0, Verdict.DRIFT),
        (Tally(), Tally(), 0.0, Verdict.WAIT),
    ],
)
def test_the_verdict(trial: Tally, before: Tally, seconds: float, verdict: Verdict) -> None:
    """By an exact binomial test against the share before, less the allowed drop."""
    assert judge(trial, before, seconds) is verdict


@pytest.mark.parametrize("figure", ["clear", "score"])
@pytest.mark.parametrize(
    ("now", "known", "verdict"),
    [
        (_spread(*[64] * 5), USUAL, Verdict.QUALITY),
        (_spread(*[64] * 4), USUAL, Verdict.WAIT),
        (_spread(*[64] * 13, *[65] * 7), USUAL, Verdict.QUALITY),
        (_spread(*[64] * 12, *[65] * 8), USUAL, Verdict.WAIT),
        (_spread(*[0] * 20), _spread(*[60] * (LEAST_SPREAD - 1)), Verdict.WAIT),
        (_spread(*[0] * 20), _spread(*[60] * LEAST_SPREAD), Verdict.QUALITY),
        (_spread(*[100] * 20), USUAL, Verdict.WAIT),
        (Spread(), USUAL, Verdict.WAIT),
    ],
)
def test_worse_looks_are_a_reason_of_their_own(figure: str, now: Spread, known: Spread, verdict: Verdict) -> None:
    """Though as many people as before are acquired and recognised; too little known of before is no reason."""
    trial, before = (
        replace(tally, clear=spread) if figure == "clear" else replace(tally, score=spread)
        for tally, spread in ((Tally(20, 20, 20), now), (GOOD_DAYS, known))
    )
    assert judge(trial, before, 0.0) is verdict


@given(st.integers(0, 50), st.data())
def test_a_pack_as_good_as_the_one_before_has_never_drifted(visits: int, data: st.DataObject) -> None:
    """Whatever the counts and the figures are."""
    recognised = data.draw(st.integers(0, visits))
    figures = data.draw(st.lists(st.integers(0, 100), min_size=visits, max_size=visits))
    same, twice = _spread(*figures), _spread(*figures, *figures)
    trial, before = Tally(visits, visits, recognised, same, same), Tally(visits * 2, visits * 2, recognised * 2)
    verdict = judge(trial, replace(before, clear=twice, score=twice), 0.0)
    assert verdict is Verdict.WAIT or visits < LEAST_VISITS
    assert verdict is not Verdict.QUALITY


def test_old_visits_fade() -> None:
    """So that a baseline follows the seasons; a visit of which nothing was measured is in no spread."""
    tally = Tally()
    for visit in range(MOST_VISITS):
        tally = tally.plus(True, True, 20.0 if visit < MOST_VISITS - 1 else None, -1.0)
    assert (tally.clear.of, tally.score.reached(0), tally.score.reached(1)) == (MOST_VISITS - 1, MOST_VISITS, 0)
    tally = tally.plus(False, False, 100.0, None)
    half = MOST_VISITS // 2
    assert (tally.visits, tally.acquired, tally.recognised) == (half + 1, half, half)
    assert (tally.clear.of, tally.clear.reached(19), tally.score.of) == (half, 1, half)
