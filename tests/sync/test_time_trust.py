"""When a wall clock may be believed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.clock import SYSTEM_UNCERTAINTY_MS, SystemClock
from sync.envelope import Moment, TimeTrust, event_payload
from sync.time_trust import STEP_MS, TimeAnchor, judge
from tests.fakes.clock import ManualClock
from tests.sync.test_envelope import EVENT

CLOCK = ManualClock()
NOW = CLOCK.moment()


def later(moment: Moment, wall_ms: int, mono_ms: int | None = None) -> Moment:
    """The clocks some time later; monotonic as the wall, unless given."""
    passed = wall_ms if mono_ms is None else mono_ms
    return replace(moment, wall=moment.wall + timedelta(milliseconds=wall_ms), mono_ms=moment.mono_ms + passed)


def anchor(error_ms: int = 0, uncertainty_ms: int = 50) -> TimeAnchor:
    """The fund's time, taken now, with the desk's clock off by this much."""
    return TimeAnchor(NOW.boot_id, NOW.mono_ms, NOW.wall - timedelta(milliseconds=error_ms), uncertainty_ms)


def test_the_first_event_of_a_desk_has_only_the_system_to_trust() -> None:
    """Nothing to compare with."""
    assert judge(NOW, None, None) == NOW


@given(st.integers(0, 10**10))
def test_time_that_passes_evenly_stays_trusted(passed_ms: int) -> None:
    """Wall and monotonic agree for as long as you like."""
    assert judge(later(NOW, passed_ms), NOW, None).trust is TimeTrust.SYSTEM


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**7))
def test_a_step_is_suspect_exactly_when_it_exceeds_its_limit(step_ms: int, passed_ms: int) -> None:
    """Forwards and backwards alike; the uncertainty covers the step."""
    limit = STEP_MS + passed_ms * 100e-6
    judged = judge(later(NOW, passed_ms + step_ms, passed_ms), NOW, None)
    assert (judged.trust is TimeTrust.SUSPECT) == (abs(step_ms) > limit)
    if judged.trust is TimeTrust.SUSPECT:
        assert judged.uncertainty_ms >= max(abs(step_ms), SYSTEM_UNCERTAINTY_MS)


def test_monotonic_time_that_runs_backwards_is_suspect() -> None:
    """Impossible within one boot, so something lies."""
    assert judge(later(NOW, -10_000), NOW, None).trust is TimeTrust.SUSPECT


def test_after_a_boot_only_running_backwards_shows() -> None:
    """Nothing measured how long the machine was off."""
    rebooted = replace(NOW, boot_id="boot-2", mono_ms=0)
    assert judge(later(rebooted, 10**9), NOW, None).trust is TimeTrust.SYSTEM
    assert judge(later(rebooted, -STEP_MS), NOW, None).trust is TimeTrust.SYSTEM
    behind = judge(later(rebooted, -3_600_000), NOW, None)
    assert behind.trust is TimeTrust.SUSPECT
    assert behind.uncertainty_ms == 3_600_000


def test_suspicion_lasts_until_the_fund_clears_it() -> None:
    """A clock that once jumped is not trustworthy because it then ran evenly."""
    suspect = replace(NOW, trust=TimeTrust.SUSPECT, uncertainty_ms=7_200_000)
    assert judge(later(NOW, 1000), suspect, None) == replace(
        later(NOW, 1000), trust=TimeTrust.SUSPECT, uncertainty_ms=7_200_000
    )
    assert judge(later(NOW, 1000), suspect, anchor()).trust is TimeTrust.FUND


def test_agreement_with_the_fund_is_the_best_there_is() -> None:
    """The uncertainty is that of the exchange, of the drift since, and of the deviation seen."""
    judged = judge(later(NOW, 1_000_000), None, anchor(error_ms=300))
    assert judged.trust is TimeTrust.FUND
    assert judged.uncertainty_ms == 50 + 100 + 300


def test_disagreement_with_the_fund_is_suspect() -> None:
    """Even when the desk's own clocks agree with each other."""
    judged = judge(later(NOW, 1000), NOW, anchor(error_ms=60_000))
    assert judged.trust is TimeTrust.SUSPECT
    assert judged.uncertainty_ms >= 60_000


def test_the_fund_s_time_of_another_boot_says_nothing() -> None:
    """Monotonic axes of two boots do not compare."""
    other = replace(anchor(), boot_id="boot-0")
    assert judge(later(NOW, 1000), NOW, other).trust is TimeTrust.SYSTEM


def test_the_system_clock_gives_recordable_moments() -> None:
    """With an offset, a boot id, milliseconds, and monotonic order."""
    clock = SystemClock()
    before, first = clock.monotonic(), clock.moment()
    clock.sleep(0.002)
    second = clock.moment()
    assert clock.monotonic() > before
    assert second.mono_ms > first.mono_ms
    assert first.wall.utcoffset() is not None
    assert first.wall.microsecond % 1000 == 0
    assert judge(second, first, None).trust is TimeTrust.SYSTEM
    assert event_payload(replace(EVENT, moment=second))


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_the_manual_clock_moves_only_by_hand(seconds: float) -> None:
    """The fake keeps the port's promises."""
    clock = ManualClock()
    before = clock.moment()
    clock.sleep(seconds)
    assert clock.moment().wall - before.wall == timedelta(seconds=seconds)
    clock.reboot("boot-2")
    assert (clock.moment().boot_id, clock.moment().mono_ms) == ("boot-2", 0)
