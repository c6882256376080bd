"""Three different good looks of one person, the best of each moment, and a clear word on what is missing."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.errors import CameraUnavailable, FaceNotUsable
from appliance.core.policy import Policy
from appliance.core.quality import Hint
from appliance.core.types import Embedding, Observation, View
from appliance.guided_looks import ASIDE, PATIENCE, SPACING, STRANGE, VIEWS, WINDOW, GuidedLooks, Progress, take_looks
from appliance.recognition import Probe, agreement
from tests.core.sights import observation, seen
from tests.fakes.patients import make_embedding
from tests.use_cases.seeing import FPS, Eyes, Film

POLICY = Policy()
LIMIT = POLICY.enrolment_gate
TURNS = {View.STRAIGHT: 0.0, View.LEFT: 11.0, View.RIGHT: -11.0}


def anybody(_: Sequence[Probe]) -> bool:
    """All looks are of one person."""
    return True


def guided(eyes: Eyes, agree: Callable[[Sequence[Probe]], bool] = anybody) -> GuidedLooks:
    """With the default policy."""
    return GuidedLooks(eyes, POLICY, agree)


class Obedient:
    """Somebody who turns as the screen says, some frames after it says so. told: what the screen showed."""

    def __init__(self, straight: float = 0.0) -> None:
        self._straight, self._yaw = straight, straight
        self.told: list[Progress] = []

    def __call__(self, progress: Progress) -> None:
        """Obey."""
        self.told.append(progress)
        if progress.wanted is not None:
            self._yaw += 0.4 * (self._straight + TURNS[progress.wanted] - self._yaw)

    def sight(self, _: int) -> Observation:
        """The face as it is turned now."""
        return seen(yaw=self._yaw)


def ahead(_: int) -> Observation:
    """Looks straight at the camera and never turns."""
    return seen()


@pytest.mark.parametrize("straight", [0.0, 4.0, -6.0])
def test_three_different_looks_are_taken(straight: float) -> None:
    """Straight, a little to the left, a little to the right of that; within some seconds."""
    person = Obedient(straight)
    eyes = Eyes(person.sight)
    looks = take_looks(guided(eyes), Film(200), 20.0, person)
    assert (len(looks.probes), looks.missing) == (3, ())
    assert len(person.told) < 5 * FPS
    wanted = [p.wanted for p in person.told]
    assert [view for view in VIEWS if view in wanted] == list(VIEWS)
    assert wanted[-1] is None
    assert [p.looks for p in person.told] == sorted(p.looks for p in person.told)


def test_of_each_moment_the_best_frame_is_kept() -> None:
    """Not the first good one: the one that the quality model likes best within the window."""
    eyes = Eyes(ahead, unified=lambda index: 90.0 if index == 3 else 60.0 + index / 100)
    looks = take_looks(guided(eyes), Film(int(WINDOW * FPS) + 1), 20.0, lambda _: None)
    assert eyes.embedded == [3]
    assert [p.quality for p in looks.probes] == [90]


def test_who_does_not_turn_is_enrolled_all_the_same() -> None:
    """Some cannot: other looks stand in after a while, and what is missing is said."""
    eyes, told = Eyes(ahead), list[Progress]()
    looks = take_looks(guided(eyes), Film(200), 20.0, told.append)
    assert (len(looks.probes), looks.missing) == (3, (View.LEFT, View.RIGHT))
    assert 2 * PATIENCE * FPS < len(told) < (2 * PATIENCE + 2) * FPS
    times = [index / FPS for index in eyes.embedded]
    assert all(later - sooner >= SPACING for sooner, later in pairwise(times))


def test_a_short_recording_gives_what_it_had() -> None:
    """One good frame is enough for an enrolment; the missing views are named."""
    looks = take_looks(guided(Eyes(ahead)), Film(1), 20.0, lambda _: None)
    assert (len(looks.probes), looks.missing) == (1, (View.LEFT, View.RIGHT))
    longer = take_looks(guided(Eyes(ahead)), Film(20), 20.0, lambda _: None)
    assert (len(longer.probes), longer.missing) == (3, (View.LEFT, View.RIGHT))


def test_looking_ends_after_the_time_given() -> None:
    """Of the camera's own time."""
    told = list[Progress]()
    with pytest.raises(FaceNotUsable):
        take_looks(guided(Eyes(lambda i: seen(luminance=0.15) if i < 30 else seen())), Film(100), 2.0, told.append)
    assert len(told) == 2 * FPS + 1


@pytest.mark.parametrize(
    ("sight", "word"),
    [
        (observation(None), "Look at the camera"),
        (seen(luminance=LIMIT.min_luminance - 0.02), "Turn towards the light"),
        (seen(sharpness=LIMIT.min_sharpness - 0.5), "Hold still"),
        (seen(eye_light=LIMIT.min_eye_light - 0.05), "Take off dark glasses"),
    ],
)
def test_what_was_wrong_is_said_in_the_words_of_the_hint(sight: Observation, word: str) -> None:
    """An enrolment is stricter than a check-in: three of these would pass there."""
    with pytest.raises(FaceNotUsable, match=word):
        take_looks(guided(Eyes(lambda _: sight)), Film(20), 20.0, lambda _: None)


def test_the_quality_model_keeps_poor_frames_out() -> None:
    """Below the floor of an enrolment nothing is kept, and the screen asks to hold still."""
    told = list[Progress]()
    eyes = Eyes(ahead, unified=lambda _: LIMIT.min_unified - 1)
    with pytest.raises(FaceNotUsable, match="Hold still"):
        take_looks(guided(eyes), Film(20), 20.0, told.append)
    assert {p.hint for p in told} == {Hint.HOLD_STILL}
    assert eyes.embedded == []


def test_the_screen_hears_of_every_frame() -> None:
    """Live bars: components and figure of the newest frame; nothing without a face."""
    told = list[Progress]()
    sights = [observation(None), seen(yaw=40.0), seen()]
    take_looks(guided(Eyes(lambda index: sights[min(index, 2)])), Film(6), 20.0, told.append)
    assert (told[0].components, told[0].quality, told[0].hint) == ((), 0, Hint.LOOK_AT_CAMERA)
    assert dict(told[1].components)["head_pose_yaw"] < 60
    assert (told[2].hint, told[2].quality > 50) == (None, True)


def test_no_frame_at_all_is_said() -> None:
    """An empty recording."""
    with pytest.raises(FaceNotUsable, match="no frames"):
        take_looks(guided(Eyes(ahead)), Film(0), 20.0, lambda _: None)


def test_a_camera_that_fails_is_not_a_bad_face() -> None:
    """The camera's own failure goes through as it is."""
    with pytest.raises(CameraUnavailable):
        take_looks(guided(Eyes(ahead)), Film(2, CameraUnavailable("unplugged")), 20.0, lambda _: None)


def _two_people(swap: Callable[[int], bool]) -> tuple[Eyes, Callable[[Sequence[Probe]], bool]]:
    """Frames of one person, but for those of another."""
    one, other = make_embedding(1), make_embedding(2)

    def whose(index: int) -> Embedding:
        return other if swap(index) else one

    return Eyes(ahead, whose=whose), lambda probes: agreement(probes) > 0.9


def test_somebody_who_looks_in_does_not_become_a_look() -> None:
    """A look unlike the others is not kept; the next one is."""
    eyes, agree = _two_people(lambda index: 6 <= index <= 11)
    looks = take_looks(guided(eyes, agree), Film(200), 20.0, lambda _: None)
    assert len(looks.probes) == 3
    assert agree(looks.probes)
    assert any(6 <= index <= 11 for index in eyes.embedded)


def test_two_people_are_handed_on_to_be_refused() -> None:
    """Looks unlike the first again and again: the enrolment sees them, refuses, and leaves its alarm."""
    eyes, agree = _two_people(lambda index: index > 6)
    looks = take_looks(guided(eyes, agree), Film(200), 20.0, lambda _: None)
    assert len(looks.probes) > STRANGE
    assert not agree(looks.probes)


@given(st.lists(st.floats(-30, 30), max_size=120))
@settings(max_examples=40, deadline=None)
def test_whatever_is_seen_the_looks_are_good_and_apart(yaws: list[float]) -> None:
    """At most three, each of a frame that passes the gate, in time apart, the sides apart from the straight one."""
    eyes = Eyes(lambda index: seen(yaw=yaws[index]))
    try:
        looks = take_looks(guided(eyes), Film(len(yaws)), 20.0, lambda _: None)
    except FaceNotUsable:
        assert not any(abs(yaw) <= LIMIT.max_yaw * (1 - LIMIT.reserve) for yaw in yaws)
        return
    assert 1 <= len(looks.probes) == len(eyes.embedded) <= 3
    assert len(set(eyes.embedded)) == len(eyes.embedded)
    assert all(abs(yaws[index]) <= LIMIT.max_yaw for index in eyes.embedded)
    if not looks.missing:
        straight, left, right = (yaws[index] for index in eyes.embedded)
        assert left - straight >= ASIDE <= straight - right
