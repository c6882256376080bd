"""The verdict about a pack that was watched beside the one in use: by counts, whatever the order of visits."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.shadow import (
    FEWEST_VISITS,
    LEAST_VISITS,
    LONGEST_S,
    SLOWEST_S,
    Agreed,
    Compared,
    ShadowTally,
    ShadowVerdict,
    judge_shadow,
)

GOOD = Compared(found=True, passed=True, alike=True, live=True, strangers=7, taken=0, slowest=0.05)


def _after(*visits: Compared, seconds: float = 0.0) -> ShadowVerdict:
    tally = ShadowTally()
    for visit in visits:
        tally = tally.plus(visit)
    return judge_shadow(tally, seconds, visits[-1].slowest)


def test_a_pack_that_agrees_passes_after_enough_visits() -> None:
    """Not one earlier."""
    assert _after(*[GOOD] * (LEAST_VISITS - 1)) is ShadowVerdict.WAIT
    assert _after(*[GOOD] * LEAST_VISITS) is ShadowVerdict.PASSED


def test_a_desk_with_few_visits_waits_so_long_and_no_longer() -> None:
    """Three are enough by then, since they refuse a pack that agrees in none; fewer never are."""
    few = [GOOD] * FEWEST_VISITS
    assert _after(*few, seconds=LONGEST_S - 1) is ShadowVerdict.WAIT
    assert _after(*few, seconds=LONGEST_S) is ShadowVerdict.PASSED
    assert _after(*few[1:], seconds=LONGEST_S * 9) is ShadowVerdict.WAIT
    assert _after(*[replace(GOOD, alike=False)] * FEWEST_VISITS, seconds=LONGEST_S) is ShadowVerdict.DIFFERS


@pytest.mark.parametrize("fault", ["found", "passed", "alike", "live"])
def test_each_likeness_counts_by_itself(fault: str) -> None:
    """Three visits seen otherwise are no chance, one is; one that cannot be compared is none."""
    bad = replace(GOOD, **{fault: False})
    assert _after(bad) is ShadowVerdict.WAIT
    assert _after(bad, bad, bad) is ShadowVerdict.DIFFERS
    assert _after(*[GOOD] * (LEAST_VISITS - 1), bad) is ShadowVerdict.PASSED
    if fault in ("alike", "live"):
        unknown = replace(GOOD, alike=None, live=None)
        assert _after(*[unknown] * LEAST_VISITS) is ShadowVerdict.PASSED


def test_one_stranger_may_be_taken_for_the_visitor_and_two_of_one_visit_not() -> None:
    """Somebody may look like somebody; a pack that accepts everybody is found at the first visit."""
    assert _after(replace(GOOD, taken=1)) is ShadowVerdict.WAIT
    assert _after(replace(GOOD, taken=2)) is ShadowVerdict.DIFFERS
    assert _after(replace(GOOD, taken=7)) is ShadowVerdict.DIFFERS


@pytest.mark.parametrize("slowest", [SLOWEST_S * 1.01, float("nan")])
def test_one_slow_step_is_enough(slowest: float) -> None:
    """Measured in processor time, so a busy machine is no excuse; no number is none."""
    assert _after(*[GOOD] * LEAST_VISITS, replace(GOOD, slowest=slowest)) is ShadowVerdict.SLOW


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.none() | st.booleans(), st.integers(0, 7))))
def test_a_tally_is_the_sum_of_its_visits(visits: list[tuple[bool, bool, bool | None, int]]) -> None:
    """Whatever came in whatever order."""
    tally = ShadowTally()
    for found, passed, alike, taken in visits:
        tally = tally.plus(Compared(found, passed, alike, None, 7, taken))
    assert tally.visits == len(visits)
    assert tally.found == Agreed(sum(one[0] for one in visits), len(visits))
    assert tally.alike == Agreed(sum(one[2] is True for one in visits), sum(one[2] is not None for one in visits))
    assert tally.live == Agreed()
    assert tally.taken == Agreed(sum(one[3] for one in visits), 7 * len(visits))
