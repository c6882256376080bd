"""Visits faster than people can be served."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.pace import Confirmed, Paced, too_fast
from appliance.core.policy import PaceRule

RULE = PaceRule(provider_per_hour=3, desk_per_hour=5)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def at(minutes: float, provider: str = "d-1") -> Confirmed:
    """A visit so many minutes after noon."""
    return Confirmed(provider, NOON + timedelta(minutes=minutes))


def test_as_many_as_the_limit_are_possible() -> None:
    """The limit itself is no alarm; one more is, for whom it concerns."""
    assert too_fast(at(2), [at(0), at(1)], RULE) == ()
    assert too_fast(at(3), [at(0), at(1), at(2)], RULE) == ((Paced.PROVIDER, 4),)
    others = [at(0), at(1, "d-2"), at(2, "d-3"), at(3, "d-2"), at(4, "d-3")]
    assert too_fast(at(5), others, RULE) == ((Paced.DESK, 6),)
    assert too_fast(at(5), [at(n) for n in range(5)], RULE) == ((Paced.PROVIDER, 6), (Paced.DESK, 6))


def test_what_is_an_hour_ago_does_not_count() -> None:
    """A day of one visit each twenty minutes is a day's work."""
    assert too_fast(at(60), [at(0), at(20), at(40)], RULE) == ()


def test_a_clock_that_was_put_back_hides_no_visit() -> None:
    """Those it makes look like visits to come are counted."""
    assert too_fast(at(0), [at(10), at(11), at(12)], RULE) == ((Paced.PROVIDER, 4),)


VISITS = st.lists(st.builds(at, st.floats(-300, 300), st.sampled_from(["d-1", "d-2"])), max_size=30)


@given(VISITS, VISITS)
def test_more_visits_never_hide_an_alarm(some: list[Confirmed], more: list[Confirmed]) -> None:
    """Counts only grow, whatever the order."""
    few = dict(too_fast(at(0), some, RULE))
    many = dict(too_fast(at(0), [*more, *reversed(some)], RULE))
    assert all(many[whose] >= count for whose, count in few.items())
