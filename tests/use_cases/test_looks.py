"""Looks for an enrolment: good frames only, some time apart, and a clear word when there are none."""

import pytest

from appliance.core.errors import CameraUnavailable, FaceNotUsable
from appliance.core.policy import EnrolmentGate, Policy
from appliance.core.types import Observation
from appliance.looks import LOOKS, SPACING, from_picture, from_source
from tests.core.sights import observation, seen
from tests.use_cases.seeing import FPS, PIXELS, Eyes, Film

GATE = EnrolmentGate()


def good(index: int) -> Observation:
    """A frame to keep."""
    assert index >= 0
    return seen()


def test_looks_are_some_time_apart() -> None:
    """Neighbouring frames would only repeat each other's noise."""
    eyes = Eyes(good)
    probes = from_source(eyes, Policy(), Film(100), seconds=20)
    assert len(probes) == LOOKS
    assert eyes.embedded == [0, 4, 8]
    assert 3 / FPS < SPACING <= 4 / FPS


def test_bad_frames_are_passed_over() -> None:
    """A turned head, then a good look: only the good one is embedded."""
    eyes = Eyes(lambda index: seen(yaw=40.0) if index < 30 else seen())
    from_source(eyes, Policy(), Film(100), seconds=20)
    assert eyes.embedded[0] == 30


def test_a_recording_that_ends_early_gives_what_it_had() -> None:
    """One good look is enough for an enrolment."""
    assert len(from_source(Eyes(good), Policy(), Film(3), seconds=20)) == 1


def test_looking_ends_after_the_time_given() -> None:
    """The receptionist is told after the seconds asked for, not when the film is over."""
    eyes = Eyes(lambda index: seen(yaw=40.0) if index < 30 else seen())
    with pytest.raises(FaceNotUsable):
        from_source(eyes, Policy(), Film(100), seconds=2)
    assert eyes.embedded == []


@pytest.mark.parametrize(
    ("sight", "word"),
    [
        (observation(None), "Look at the camera"),
        (seen(luminance=0.02), "Turn towards the light"),
        (seen(second_face=0.9), "One person at a time, please"),
    ],
)
def test_the_last_hint_says_what_was_wrong(sight: Observation, word: str) -> None:
    """So that the receptionist knows what to change."""
    with pytest.raises(FaceNotUsable, match=f"film: .*{word}"):
        from_source(Eyes(lambda _: sight), Policy(), Film(20), seconds=20)


def test_no_frame_at_all_is_said() -> None:
    """An empty recording."""
    with pytest.raises(FaceNotUsable, match="no frames"):
        from_source(Eyes(good), Policy(), Film(0), seconds=20)


def test_a_camera_that_fails_is_not_a_bad_face() -> None:
    """The camera's own failure goes through as it is."""
    with pytest.raises(CameraUnavailable):
        from_source(Eyes(good), Policy(), Film(2, CameraUnavailable("unplugged")), seconds=20)


def test_a_picture_gives_one_probe_with_its_quality() -> None:
    """The quality goes into the event."""
    probe = from_picture(Eyes(good), GATE, PIXELS, "anna.jpg")
    assert 0 < probe.quality <= 100


def test_a_picture_that_breaks_the_rules_is_named() -> None:
    """The file's name and the hint, for whoever enrols a folder of photos."""
    with pytest.raises(FaceNotUsable, match=r"anna\.jpg.*Look at the camera"):
        from_picture(Eyes(lambda _: observation(None)), GATE, PIXELS, "anna.jpg")


def test_a_picture_must_please_the_quality_model_too() -> None:
    """Where the pack has one and the gate asks for it; its figure is the probe's."""
    floor = GATE.min_unified
    assert from_picture(Eyes(good, unified=lambda _: floor + 1), GATE, PIXELS, "anna.jpg").quality == floor + 1
    with pytest.raises(FaceNotUsable, match="Hold still"):
        from_picture(Eyes(good, unified=lambda _: floor - 1), GATE, PIXELS, "anna.jpg")
    assert from_picture(Eyes(good, unified=lambda _: 3.0), Policy().gate, PIXELS, "anna.jpg").quality == 3
