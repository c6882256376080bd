"""The scripted scene: deterministic, answers prompts, tells nothing but pixels."""

import itertools

import numpy as np
import pytest

from appliance.capture.scene import Scene
from appliance.capture.scene_actor import DOT_REACH, PersonActor, PhotoActor, actor_for
from appliance.capture.scene_geometry import project
from appliance.capture.scene_light import Illumination, Lighting, Sensor, defocus, motion_blur
from appliance.capture.scene_script import (
    Action,
    Approach,
    Enter,
    Focus,
    HeldPhoto,
    Leave,
    Light,
    LivePerson,
    Script,
    Subject,
    Temper,
    Tilt,
    Turn,
)
from appliance.core.liveness_signs import nose_place
from appliance.core.types import Cue, Frame, Instant
from tests.capture.portraits import LANDMARKS, drawn_portrait

PORTRAIT = drawn_portrait()
PERSON, PHOTO = LivePerson(PORTRAIT), HeldPhoto(PORTRAIT)
SIZE = (640, 480)


def _actor(subject: Subject, *actions: Action, seed: int = 1) -> PersonActor | PhotoActor:
    actor = actor_for(Enter(0.0, subject), SIZE, np.random.default_rng(seed))
    for action in actions:
        assert not isinstance(action, Enter | Light | Focus)
        actor.motion.act(action)
    return actor


def _frames(scene: Scene, count: int) -> list[Frame]:
    frames = [scene.read() for _ in range(count)]
    return [f for f in frames if f is not None]


def _dark_dots(pixels: np.ndarray, expected: np.ndarray, reach: int = 9) -> np.ndarray:
    """The centre of the dark dot near each expected point."""
    found = []
    for x, y in expected:
        x0, y0 = round(float(x)) - reach, round(float(y)) - reach
        patch = 255.0 - pixels[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1].astype(float).mean(axis=2)
        weight = np.clip(patch - np.percentile(patch, 60) - 30, 0, None)
        ys, xs = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]]
        found.append((x0 + (xs * weight).sum() / weight.sum(), y0 + (ys * weight).sum() / weight.sum()))
    return np.array(found)


def _turn(subject: Subject, yaw: float) -> float:
    """Parallax of the drawn dots between looking straight and turned."""
    script = Script((Enter(0.0, subject, seconds=0.2), Turn(1.0, yaw=yaw, seconds=0.2)))
    scene = Scene(script, seed=2)
    truth = scene._actors[0]
    frames = _frames(scene, 30)
    places = []
    for index in (14, 28):
        dots = _dark_dots(frames[index].pixels, truth.landmarks(index / 15))
        assert dots == pytest.approx(truth.landmarks(index / 15), abs=1.6), "drawn where the geometry says"
        place = nose_place(dots.astype(np.float32))
        assert place is not None
        places.append(place)
    return places[1] - places[0]


@pytest.mark.parametrize("yaw", [-25.0, 25.0])
def test_a_living_head_is_drawn_with_the_parallax_of_a_head(yaw: float) -> None:
    """Measured on the pixels, not on the model."""
    assert _turn(PERSON, yaw) * np.sign(yaw) > 0.15


@pytest.mark.parametrize("yaw", [-35.0, -20.0, 20.0, 35.0])
def test_a_held_photo_is_drawn_flat_at_any_tilt(yaw: float) -> None:
    """Measured on the pixels: what is left is the error of finding the dots."""
    assert abs(_turn(PHOTO, yaw)) < 0.03


def test_a_held_photo_moves_by_a_homography_at_every_moment() -> None:
    """Raised, swaying, tilted, leaning, brought nearer: one plane."""
    actor = _actor(PHOTO, Turn(1.0, yaw=30, pitch=12), Tilt(1.5, roll=14), Approach(2.0, eye_distance=90), Leave(4.0))
    assert isinstance(actor, PhotoActor)
    face = PORTRAIT.face_landmarks
    start = nose_place(face)
    for t in np.arange(0, 5, 0.1):
        points = actor.landmarks(float(t))
        assert points == pytest.approx(project(actor.homography(float(t)), face), abs=1e-3)
        assert nose_place(points) == pytest.approx(start, abs=2e-3)


def test_the_same_script_seed_and_answers_give_the_same_frames() -> None:
    """Another seed gives others."""

    def run(seed: int) -> list[Frame]:
        scene = Scene(Script((Enter(0.0, PERSON), Light(1.0, gain=0.5))), seed=seed, width=320, height=240, fps=5)
        frames = _frames(scene, 14)
        scene.respond(Cue.LEFT, frames[-1].at)
        return frames + _frames(scene, 10)

    one, two, other = run(5), run(5), run(6)
    assert all((a.pixels == b.pixels).all() for a, b in zip(one, two, strict=True))
    assert all((a.pixels != b.pixels).any() for a, b in zip(one, other, strict=True))


def test_frames_have_the_times_of_the_rate_and_a_neutral_name() -> None:
    """Nothing about the subject travels with a frame."""
    for subject in (PERSON, PHOTO):
        scene = Scene(Script((Enter(0.0, subject),), seconds=0.4), start=Instant(50.0), fps=10)
        frames = _frames(scene, 20)
        assert [f.at for f in frames] == pytest.approx([50.0, 50.1, 50.2, 50.3])
        assert [f.index for f in frames] == [0, 1, 2, 3]
        assert {f.source for f in frames} == {"scene"} == {scene.name}
        assert frames[0].pixels.shape == (480, 640, 3)
        assert frames[0].pixels.dtype == np.uint8


def test_a_closed_scene_has_ended() -> None:
    """Closing twice is harmless."""
    scene = Scene(Script((Enter(0.0, PERSON),)))
    assert scene.read() is not None
    scene.close()
    scene.close()
    assert scene.read() is None


@pytest.mark.parametrize(("cue", "sign"), [(Cue.LEFT, 1), (Cue.RIGHT, -1)])
@pytest.mark.parametrize("subject", [PERSON, PHOTO], ids=["person", "photo"])
def test_a_subject_answers_a_prompt_after_a_human_reaction_time(subject: Subject, cue: Cue, sign: int) -> None:
    """The person's own left: towards larger x. Held, and back again by itself."""
    motion = _actor(subject).motion
    calm = max(abs(motion.pose(t).yaw) for t in np.arange(3, 5, 0.1))
    motion.answer(cue, 5.0)
    assert max(abs(motion.pose(5.0 + dt).yaw) for dt in np.arange(0, 0.4, 0.05)) <= max(calm, 2.6) + 0.5
    turned = motion.pose(6.5).yaw * sign
    assert 20 < turned < 33
    assert abs(motion.pose(9.0).yaw) < 3


def test_a_repeated_prompt_is_one_prompt_and_straight_ends_it() -> None:
    """A screen shows the prompt for as long as it stands; the answer comes once."""
    once, often = _actor(PERSON).motion, _actor(PERSON).motion
    once.answer(Cue.RIGHT, 5.0)
    for t in np.arange(5.0, 6.4, 0.07):
        often.answer(Cue.RIGHT, float(t))
    assert once.pose(6.3).yaw == often.pose(6.3).yaw
    often.answer(Cue.STRAIGHT, 6.4)
    assert abs(often.pose(7.8).yaw) < 3
    often.answer(Cue.RIGHT, 8.0)
    assert often.pose(9.4).yaw < -20


@pytest.mark.parametrize("subject", [PERSON, PHOTO], ids=["person", "photo"])
def test_a_subject_comes_closer_when_asked(subject: Subject) -> None:
    """A quarter larger at least, and stays; a photo can do that too."""
    motion = _actor(subject).motion
    far = motion.pose(5.0).eye_distance
    motion.answer(Cue.CLOSER, 5.0)
    assert motion.pose(5.35).eye_distance == pytest.approx(far, rel=0.03)
    assert motion.pose(7.0).eye_distance > 1.24 * far
    motion.answer(Cue.STRAIGHT, 7.0)
    assert motion.pose(9.0).eye_distance > 1.24 * far


@pytest.mark.parametrize("subject", [PERSON, PHOTO], ids=["person", "photo"])
def test_a_head_follows_the_dot(subject: Subject) -> None:
    """A little later, to both sides, and stays where the dot stays; without a dot it waits for one."""
    motion = _actor(subject).motion
    motion.answer(Cue.DOT, 5.0)
    for t in np.arange(5.0, 9.0, 0.05):
        to_left = min((t - 5.0) / 0.8, 1.0)
        share = to_left if t < 7.0 else to_left - 2 * min((t - 7.0) / 0.8, 1.0)
        motion.answer(Cue.DOT, float(t), (0.5 - DOT_REACH * share, 0.5))
        yaw = motion.pose(float(t)).yaw
        assert abs(yaw) < 3.5 or t > 5.4, "not before anybody could have seen it"
        if 6.7 < t < 7.4:
            assert 20 < yaw < 33
        if t > 8.7:
            assert -33 < yaw < -20


def test_who_does_not_obey_does_not_turn() -> None:
    """A temper may ignore prompts."""
    motion = _actor(LivePerson(PORTRAIT, Temper(obeys=False))).motion
    motion.answer(Cue.LEFT, 5.0)
    assert max(abs(motion.pose(t).yaw) for t in np.arange(5, 8, 0.1)) < 3


def test_the_nearest_subject_answers() -> None:
    """Somebody behind the patient is not who is asked."""
    scene = Scene(
        Script((Enter(0.0, PERSON, eye_distance=70), Enter(0.0, PERSON, who="companion", x=0.2, eye_distance=34)))
    )
    _frames(scene, 45)
    scene.respond(Cue.LEFT, Instant(3.0))
    patient, companion = (a.motion.pose(4.4).yaw for a in scene._actors)
    assert patient > 20
    assert abs(companion) < 3


def test_a_prompt_before_anybody_entered_is_seen_by_nobody() -> None:
    """An empty room does not answer, and does not fail."""
    scene = Scene(Script((Enter(2.0, PERSON),)))
    scene.respond(Cue.LEFT, Instant(0.5))
    assert abs(scene._actors[0].motion.pose(6.0).yaw) < 3


def test_subjects_come_from_outside_and_leave() -> None:
    """Before and after, the room is as empty as without them; in between it is not."""

    def small(*actions: Action) -> list[Frame]:
        return _frames(Scene(Script(actions), width=320, height=240, fps=5), 30)

    empty = small()
    for subject in (PERSON, PHOTO):
        frames = small(Enter(1.0, subject, seconds=1.5), Leave(4.0, seconds=1.0))
        same = [bool((a.pixels == b.pixels).all()) for a, b in zip(empty, frames, strict=True)]
        assert all(same[:6])
        assert not any(same[8:20])
        assert all(same[25:])


def test_a_subject_steps_up_and_stands_where_told() -> None:
    """Small at first, then at the working size, near the place asked for."""
    motion = _actor(PERSON, Approach(4.0, eye_distance=100, x=0.4, y=0.5)).motion
    assert motion.pose(0.1).eye_distance < 0.6 * motion.pose(3.0).eye_distance
    pose = motion.pose(3.0)
    assert (pose.x, pose.y, pose.eye_distance) == pytest.approx((320, 0.42 * 480, 62), abs=6)
    near = motion.pose(7.0)
    assert (near.x, near.y, near.eye_distance) == pytest.approx((256, 240, 100), abs=8)


@pytest.mark.parametrize(
    "actions", [(Turn(1.0, yaw=5),), (Enter(2.0, PERSON), Leave(1.0)), (Enter(-1.0, PERSON),)], ids=str
)
def test_an_impossible_script_is_a_mistake_of_the_caller(actions: tuple[Action, ...]) -> None:
    """Told at once, not in the middle of a demonstration."""
    with pytest.raises(ValueError, match=r"entered|before the scene"):
        Script(actions)


def test_light_changes_brightness_colour_and_side() -> None:
    """Dark room, bulb, window at one side."""

    def look(light: Light) -> np.ndarray:
        return _frames(Scene(Script((light,))), 30)[-1].pixels.astype(float)

    plain, dark = look(Light(0.0)), look(Light(0.0, gain=0.3))
    assert dark.mean() == pytest.approx(0.3 * plain.mean(), rel=0.05)
    bulb = look(Light(0.0, warmth=1.0))
    assert (bulb[..., 2] - bulb[..., 0]).mean() > (plain[..., 2] - plain[..., 0]).mean() + 20
    window = look(Light(0.0, side=-0.8))
    assert window[:, :100].mean() > 2 * window[:, -100:].mean()


def test_focus_takes_away_detail() -> None:
    """A lens out of focus."""
    sharp, soft = (
        _frames(Scene(Script((Enter(0.0, PERSON, seconds=0.1), Focus(0.0, s, seconds=0.1)))), 12)[-1]
        for s in (0.0, 3.0)
    )
    gradient = [np.abs(np.diff(f.pixels[100:300, 250:400].astype(float), axis=1)).max() for f in (sharp, soft)]
    assert gradient[1] < 0.6 * gradient[0]


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_noise_grows_with_signal_and_amplification_and_never_repeats(gain: float) -> None:
    """Variance as announced; two frames share no noise."""
    sensor = Sensor(640, 480, seed=1)
    for level in (20, 120, 220):
        flat = np.full((480, 640, 3), level, np.uint8)
        first, second = (sensor.expose(flat, gain, n).astype(float) for n in (0, 1))
        expected = float(sensor.sigma(np.array([level], np.float32), gain)[0])
        assert first.std() == pytest.approx(expected, rel=0.12)
        assert first.mean() == pytest.approx(level, abs=0.5)
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
        assert (sensor.expose(flat, gain, 0) == first).all()
    dark, light = sensor.sigma(np.array([10, 240], np.float32), gain)
    assert light > 1.5 * dark


def test_blur_keeps_brightness_and_slow_motion_keeps_detail() -> None:
    """Blur moves light, it does not make or lose any."""
    image = np.random.default_rng(1).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    assert motion_blur(image, (1.0, 1.0)) is image
    assert defocus(image, 0.1) is image
    for blurred in (motion_blur(image, (24.0, -8.0)), defocus(image, 2.0)):
        assert blurred.mean() == pytest.approx(image.mean(), abs=1.5)
        assert blurred.std() < image.std()


def test_plain_light_keeps_the_middle_of_the_picture() -> None:
    """Only the corners darken, as with a cheap lens."""
    flat = np.full((480, 640, 3), 200, np.uint8)
    lit = Illumination(640, 480).apply(flat, Lighting())
    assert lit[240, 320] == pytest.approx([200, 200, 200], abs=1)
    assert lit[0, 0] == pytest.approx([160, 160, 160], abs=2)


def test_no_two_frames_of_somebody_standing_still_are_equal() -> None:
    """A camera's frozen picture stays recognisable: a scene never looks like one."""
    frames = _frames(Scene(Script((Enter(0.0, PERSON, seconds=0.1),))), 12)
    assert all((a.pixels != b.pixels).any() for a, b in itertools.pairwise(frames))


def test_the_portrait_of_a_drawn_face_keeps_its_landmarks() -> None:
    """Upright, on the canvas, at 60 pixels between the eyes."""
    assert PORTRAIT.scale == 60
    assert PORTRAIT.face_landmarks == pytest.approx((LANDMARKS - (200, 200)) / 60, abs=0.02)
