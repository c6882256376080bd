"""The kiosk lives while its picture changes and its window's timer runs; nothing less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.pulse import Missing, PulseLimits, Sight, missing
from appliance.core.types import Instant

LIMITS = PulseLimits(picture=10.0, window=5.0, told=600.0)


def at(seconds: float) -> Instant:
    """An instant."""
    return Instant(seconds)


@pytest.mark.parametrize(
    ("changed", "window", "lacking"),
    [
        (100, 100, None),
        (90, 95, None),
        (89.9, 100, Missing.PICTURE),
        (100, 94.9, Missing.WINDOW),
        (0, 0, Missing.WINDOW),
    ],
)
def test_both_signs_are_wanted_within_their_limits(changed: float, window: float, lacking: Missing | None) -> None:
    """At the limit it still lives; a hung window is named first."""
    assert missing(Sight(at(changed)), at(window), at(100), LIMITS) is lacking


def test_a_picture_that_stands_still_is_no_sign_of_life() -> None:
    """Frames come, and all are one."""
    sight = Sight(at(0)).seen(7, at(1))
    for second in range(2, 12):
        sight = sight.seen(7, at(second))
    assert sight.changed == at(1)
    assert missing(sight, at(11.5), at(11.5), LIMITS) is Missing.PICTURE
    assert missing(sight.seen(8, at(11.5)), at(11.5), at(11.5), LIMITS) is None


def test_a_failure_that_the_screen_tells_is_life_for_a_while() -> None:
    """Counted from the first of several; then a restart may help. A new picture ends it."""
    sight = Sight(at(0), 7).failed(at(3)).failed(at(500))
    assert missing(sight, at(603), at(603), LIMITS) is None
    assert missing(sight, at(604), at(604), LIMITS) is Missing.PICTURE
    assert sight.seen(8, at(604)) == Sight(at(604), 8)


def test_a_hung_camera_that_repeats_its_picture_does_not_end_its_failure() -> None:
    """The failure is told on the screen until there is something new to see."""
    sight = Sight(at(0), 7).failed(at(3))
    assert sight.seen(7, at(4)) == sight


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.1, 30.0)), max_size=30))
def test_without_a_new_picture_nothing_lives_for_long(steps: list[tuple[int, float]]) -> None:
    """Whatever is seen and fails: alive means a change, or a told failure, within the limits."""
    sight, now = Sight(at(0)), at(0)
    for mark, pause in steps:
        now = at(now + pause)
        sight = sight.failed(now) if mark == 0 else sight.seen(mark, now)
        alive = missing(sight, now, now, LIMITS) is None
        told = sight.fault is not None and now - sight.fault <= LIMITS.told
        assert alive == (told or now - sight.changed <= LIMITS.picture)
