"""Frozen and looping pictures, and faces shown before: numbers in, verdict out."""

import math
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.policy import ReplayRule
from appliance.core.replay import Repeats, Repetition, shown_before
from appliance.core.types import Instant, Recurrence

RULE = ReplayRule()
FPS = 15
NEW = Recurrence(Instant(0.0))


def film(*pictures: Recurrence, fps: int = FPS, start: float = 0.0) -> list[Recurrence]:
    """These pictures at so many a second."""
    return [Recurrence(Instant(start + n / fps), p.same, p.seen, p.nearest, p.moved) for n, p in enumerate(pictures)]


def judged(pictures: Iterable[Recurrence]) -> Repeats:
    """The verdict after all of them."""
    found = Repeats()
    for picture in pictures:
        found = found.follow(picture, RULE)
    return found


SAME = Recurrence(Instant(0), same=True, seen=True, nearest=0.0)
SEEN = Recurrence(Instant(0), seen=True, nearest=0.0, moved=0.0)
CLOSE = Recurrence(Instant(0), nearest=0.1, moved=2.0)
STILL = Recurrence(Instant(0), nearest=0.1, moved=0.05)
AWAY = Recurrence(Instant(0), nearest=0.6, moved=2.0)


def test_pictures_that_stand_still_are_frozen_after_a_second() -> None:
    """Not before, and not for a few that a slow camera gave twice."""
    assert judged(film(NEW, *[SAME] * FPS)).found is Repetition.FROZEN
    assert judged(film(SAME, *[SAME] * FPS)).found is Repetition.FROZEN, "also when it did before the visit"
    assert judged(film(NEW, *[SAME] * (FPS - 1))).found is None
    assert judged(film(*[NEW, SAME, SAME] * 40)).found is None
    assert judged(film(NEW, *[SAME] * 3, fps=2)).found is None


def test_pictures_that_came_before_pixel_for_pixel_are_a_loop() -> None:
    """A few are enough, in a row or not: no sensor gives one twice."""
    assert judged(film(*[SEEN] * RULE.exact_frames)).found is Repetition.LOOPING
    assert judged(film(*[SEEN, NEW, NEW] * RULE.exact_frames)).found is Repetition.LOOPING
    assert judged(film(*[SEEN] * (RULE.exact_frames - 1))).found is None


def test_coming_close_to_the_past_while_moving_is_a_loop() -> None:
    """Coded anew it is never equal, but it retraces its way."""
    assert judged(film(*[CLOSE] * (2 * FPS))).found is Repetition.LOOPING


def test_somebody_who_stands_still_is_none() -> None:
    """Close to the past for as long as one likes: nothing moves."""
    assert judged(film(*[STILL] * 1000)).found is None


def test_a_way_that_is_left_now_and_then_is_none() -> None:
    """Somebody sways past where they were: each time for less than a second."""
    assert judged(film(*([CLOSE] * (FPS - 2) + [AWAY]) * 50)).found is None


def test_motion_before_the_run_does_not_count() -> None:
    """Somebody walks off and the empty room comes back: what moved was no part of what came again."""
    walked = [CLOSE] * (round(RULE.stride * FPS) - 1)
    assert judged(film(AWAY, *walked, *[STILL] * 200)).found is None


def test_what_was_found_stays_found() -> None:
    """Until the visit ends, whatever comes."""
    found = judged([*film(*[SEEN] * 5), *film(*[NEW] * 100, start=10.0)])
    assert found.found is Repetition.LOOPING


DISTANCE = st.one_of(st.just(math.inf), st.floats(0, 50))
NATURAL = st.builds(
    lambda nearest, moved: Recurrence(Instant(0), nearest=nearest, moved=moved),
    st.one_of(st.just(math.inf), st.floats(RULE.near + 1e-6, 50)),
    st.floats(0, 50),
)


@given(st.lists(NATURAL, max_size=200))
def test_pictures_that_never_come_again_are_never_doubted(pictures: list[Recurrence]) -> None:
    """However they move."""
    assert judged(film(*pictures)).found is None


ANY = st.builds(
    lambda same, seen, nearest, moved: Recurrence(Instant(0), same, seen, nearest, moved),
    st.booleans(),
    st.booleans(),
    DISTANCE,
    st.floats(0, 50),
)


@given(st.lists(ANY, max_size=60), st.lists(ANY, max_size=60))
def test_more_pictures_never_take_a_verdict_back(before: list[Recurrence], after: list[Recurrence]) -> None:
    """The judge only ever goes from no doubt to one doubt."""
    first = judged(film(*before)).found
    assert first is None or judged(film(*before, *after)).found is first


@given(st.floats(-1, 0.999), st.floats(-1, 1))
def test_a_face_is_shown_before_only_beyond_what_two_captures_reach(alike: float, similarity: float) -> None:
    """The limit lies between the threshold of one person and the same picture, for any pack."""
    if shown_before(similarity, alike, RULE):
        assert similarity > alike
    assert shown_before(1.0, alike, RULE)
    assert not shown_before(alike, alike, RULE)


def test_a_similarity_that_is_no_number_is_none() -> None:
    """NaN meets no limit."""
    assert not shown_before(math.nan, 0.5, RULE)
