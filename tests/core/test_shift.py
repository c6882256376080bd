"""Pauses after wrong PINs grow and survive what is done to clocks; sessions lock, and end."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.operators import Mark, Misses, Role
from appliance.core.policy import ReceptionRule
from appliance.core.shift import Shift, pause_after, pause_left
from appliance.core.types import Instant, PersonId

RULE = ReceptionRule()
SHIFT = Shift(PersonId("p"), "99" * 32, Role.RECEPTIONIST, Instant(100.0), Instant(100.0), face_missing=False)


def test_the_first_pause_comes_after_five_and_each_is_twice_the_one_before() -> None:
    """Up to an hour; a count that only an attack reaches overflows nothing."""
    assert [pause_after(n, RULE) for n in range(8)] == [0, 0, 0, 0, 0, 30, 60, 120]
    assert pause_after(12, RULE) == pause_after(10_000, RULE) == RULE.most_pause


def test_guessing_is_hopeless() -> None:
    """A year of trying whenever it is allowed: below a hundredth of the shortest PINs."""
    tries, at = 0, 0.0
    while at < 365 * 86_400:
        tries += 1
        at += pause_after(tries, RULE)
    assert tries / 10**6 < 0.01


def test_nobody_waits_who_missed_nothing() -> None:
    """No miss, no pause."""
    assert pause_left(Misses(), Mark("b", 0), RULE) == 0


@given(st.integers(5, 40), st.integers(0, 10**9), st.integers(0, 10**7))
def test_a_pause_runs_on_the_monotonic_clock(count: int, missed: int, later: int) -> None:
    """In one boot exactly as long as it is; time is what passed, never what a wall clock says."""
    left = pause_left(Misses(count, Mark("b", missed)), Mark("b", missed + later), RULE)
    assert left == max(0.0, pause_after(count, RULE) - later / 1000)


@given(st.integers(5, 40), st.integers(0, 10**9), st.integers(0, 10**7))
def test_a_restart_shortens_no_pause(count: int, missed: int, up: int) -> None:
    """Only the time since the machine started counts: how long it was off only the wall clock would know."""
    left = pause_left(Misses(count, Mark("b", missed)), Mark("another", up), RULE)
    assert left == max(0.0, pause_after(count, RULE) - up / 1000)


def test_a_session_locks_after_five_minutes_and_ends_after_eight_hours() -> None:
    """Whatever was typed meanwhile; a lock ends with the PIN, and the session when it would have."""
    assert SHIFT.at(Instant(399.9), RULE) == SHIFT
    locked = SHIFT.at(Instant(400.0), RULE)
    assert locked == replace(SHIFT, locked=True)
    assert locked.touch(Instant(401.0)) == locked
    opened = locked.unlock(Instant(500.0))
    assert (opened.locked, opened.touched, opened.began) == (False, 500.0, 100.0)
    busy = opened.touch(Instant(28_890.0))
    assert busy.at(Instant(28_899.0), RULE) == busy
    assert busy.at(Instant(28_900.0), RULE) is None
