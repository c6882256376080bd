"""A passer-by starts no visit, a blink of the detector ends none."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.policy import Timing
from appliance.core.presence import Presence
from appliance.core.types import Instant

TIMING = Timing(presence=0.7, absence=1.2)


def _after(*seen: tuple[float, bool]) -> Presence:
    presence = Presence()
    for at, face in seen:
        presence = presence.follow(face, Instant(at), TIMING)
    return presence


def test_a_face_counts_after_a_while() -> None:
    """Not at once; from the time on that the policy sets."""
    assert not _after((0.0, True), (0.6, True)).present
    assert _after((0.0, True), (0.6, True), (0.7, True)).present


def test_a_passer_by_never_arrives() -> None:
    """Each gap starts the count anew."""
    assert not _after((0.0, True), (0.6, True), (0.65, False), (0.7, True), (1.3, True)).present


def test_a_blink_of_the_detector_is_not_leaving() -> None:
    """Absence must last, without a sighting in between."""
    here = ((0.0, True), (0.7, True))
    assert _after(*here, (0.8, False), (1.9, False)).present
    assert _after(*here, (0.8, False), (1.9, True), (2.1, False), (3.2, False)).present
    assert not _after(*here, (0.8, False), (2.0, False)).present


@given(st.lists(st.tuples(st.floats(0.01, 0.4), st.booleans())))
def test_the_answer_changes_only_after_an_unbroken_while(steps: list[tuple[float, bool]]) -> None:
    """Whenever the answer flips, the opposite was seen in every frame of the time needed."""
    presence, now, since = Presence(), 0.0, 0.0
    last = False
    for step, face in steps:
        now += step
        if face != last:
            since, last = now, face
        after = presence.follow(face, Instant(now), TIMING)
        if after.present != presence.present:
            assert after.present is face
            assert now - since >= (TIMING.presence if face else TIMING.absence)
        presence = after
