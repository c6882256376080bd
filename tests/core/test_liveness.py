"""The head-turn challenge: a head that answers is live, a flat picture never is; every way it can end."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from appliance.core.liveness import Cause, Challenge, Phase, Reading, nose_place, slimness
from appliance.core.policy import LivenessRule
from appliance.core.types import Box, Direction, Instant, LivenessVerdict
from tests.fakes.heads import (
    Detector,
    Motion,
    Pose,
    Subject,
    Turning,
    bent_card,
    card,
    head,
    outcome,
    projected,
    rotated,
    sample,
    shape,
    still,
    swaying,
    watched,
)

RULE = LivenessRule()
LEFT, RIGHT = Direction.LEFT, Direction.RIGHT
SIGMA = 0.02

angles = st.floats(-40, 40)
poses = st.builds(Pose, angles, angles, st.floats(-180, 180), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.4, 3))
distances = st.one_of(st.none(), st.floats(3.5, 20))
turns_asked = st.lists(st.sampled_from(Direction), min_size=1, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def detector(seed: int = 1, sigma: float = 0.0, fps: float = 30.0) -> Detector:
    """A seeded detector; without noise unless asked for."""
    return Detector(np.random.default_rng(seed), sigma, fps=fps)


def turning(degrees: float = 25.0, seed: int = 1) -> Turning:
    """A patient who answers."""
    return Turning(np.random.default_rng(seed), degrees)


def begun(*turns: Direction, at: float = 0.0) -> Challenge:
    """A challenge of a head that looks ahead."""
    return Challenge.begin(turns or (LEFT,), [sample(head().seen(Pose()), at)] * 5)


def followed(challenge: Challenge, yaws: list[float], start: float = 0.5, step: float = 0.1) -> Challenge:
    """The challenge after a head was seen at these yaws."""
    for count, yaw in enumerate(yaws):
        challenge = challenge.follow(sample(head().seen(Pose(yaw=yaw)), start + count * step), RULE)
    return challenge


# ---- what is measured


@given(poses, distances, st.floats(-15, 15))
def test_no_motion_of_a_flat_picture_moves_its_nose(pose: Pose, distance: float | None, taken_at: float) -> None:
    """Tilt about both axes, roll, shift, scale, perspective: the nose's place in the picture stays."""
    picture = card(taken_at, distance)
    before, now = nose_place(picture.seen(Pose())), nose_place(picture.seen(pose))
    assert before is not None
    assert now == pytest.approx(before, abs=2e-3)


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_no_homography_moves_the_nose(entries: list[float]) -> None:
    """Not only those a camera makes: any that keeps the face on one side of the horizon."""
    a, b, c, d, e, f, g, h = entries
    matrix = np.array([(2 + a, b, c), (d, 2 + e, f), (g / 3, h / 3, 1.0)])
    points = np.array([(x, y, 1.0) for x, y, _ in card().points])
    mapped = points @ matrix.T
    assume(np.linalg.det(matrix) > 0.5)
    assume((mapped[:, 2] > 0.2).all())
    place = nose_place((mapped[:, :2] / mapped[:, 2:] * 60).astype(np.float32))
    assert place == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize(("depth", "yaw"), [(0.3, 20), (0.4, 20), (0.5, 20), (0.5, 30), (0.5, -20), (0.5, -30)])
def test_the_nose_of_a_head_moves_with_the_tangent_of_its_turn(depth: float, yaw: float) -> None:
    """In widths of the face at the height of the nose, 0.887 eye distances for this head; own left is positive."""
    shift = (nose_place(head(depth).seen(Pose(yaw=yaw))) or 0) - (nose_place(head(depth).seen(Pose())) or 0)
    assert shift == pytest.approx(depth * math.tan(math.radians(yaw)) / 0.887, abs=5e-3)


@given(poses, st.floats(0.3, 0.6))
def test_the_nose_of_a_head_moves_in_perspective_too(pose: Pose, depth: float) -> None:
    """Close to the camera the parallax of a turn is not smaller than half of that far away."""
    plain = Pose(yaw=pose.yaw, scale=pose.scale)
    near, far = head(depth, 6.0), head(depth)
    shifts = [(nose_place(who.seen(plain)) or 0) - 0.5 for who in (near, far)]
    assert abs(shifts[0]) >= 0.5 * abs(shifts[1]) - 1e-3
    assert shifts[0] * shifts[1] >= -1e-6


@given(angles, st.floats(-180, 180), st.floats(0.4, 3))
def test_slimness_follows_the_turn_flat_or_not(yaw: float, roll: float, scale: float) -> None:
    """Cosine of the yaw, whatever roll and scale."""
    for subject in (head(), card()):
        ratio = (slimness(subject.seen(Pose(yaw=yaw, roll=roll, scale=scale))) or 0) / (
            slimness(subject.seen(Pose())) or 1
        )
        assert ratio == pytest.approx(math.cos(math.radians(yaw)), abs=1e-3)


def _line() -> NDArray[np.float32]:
    return np.array([(i, 2 * i) for i in range(5)], np.float32)


@pytest.mark.parametrize(
    "landmarks",
    [
        _line(),
        np.zeros((5, 2), np.float32),
        np.array([(0, 0), (1, 0), (0.5, 0.5), (1, 1), (0, 1)], np.float32),
        np.full((5, 2), np.nan, np.float32),
        np.full((5, 2), np.inf, np.float32),
    ],
    ids=["on a line", "on a spot", "mouth crossed", "no numbers", "infinite"],
)
def test_degenerate_landmarks_are_no_evidence(landmarks: NDArray[np.float32]) -> None:
    """Neither reading nor error; a challenge takes no notice of such a frame."""
    assert nose_place(landmarks) is None
    bad = replace(sample(head().seen(Pose()), 0.2), landmarks=landmarks)
    assert Reading.of(bad) is None
    challenge = begun()
    assert challenge.follow(bad, RULE) is challenge


def test_a_nose_that_cannot_be_placed_is_no_evidence() -> None:
    """On the crossing of the two face lines its place would be anything."""
    trapezium = np.array([(0, 0), (4, 0), (2, 4), (1, 2), (3, 2)], np.float32)
    assert nose_place(trapezium) is None


def test_eyes_on_the_mouth_have_no_slimness() -> None:
    """No division by zero."""
    assert slimness(np.zeros((5, 2), np.float32)) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=10))
def test_any_landmarks_give_a_number_or_nothing(values: list[float]) -> None:
    """Never an exception, never NaN."""
    landmarks = np.array(values, np.float32).reshape(5, 2)
    for figure in (nose_place(landmarks), slimness(landmarks)):
        assert figure is None or math.isfinite(figure)


# ---- a head that answers


@settings(max_examples=40)
@given(turns_asked, seeds, st.floats(20, 35), st.floats(0.4, 0.55), distances.filter(lambda d: d is None or d > 6))
def test_a_head_that_turns_as_asked_is_live(
    turns: tuple[Direction, ...], seed: int, degrees: float, depth: float, distance: float | None
) -> None:
    """Any directions, far and near, without noise of the detector."""
    end = outcome(head(depth, distance), turning(degrees, seed), detector(seed), turns, RULE)
    assert (end.verdict, end.cause, end.progress) == (LivenessVerdict.LIVE, Cause.ANSWERED, 1.0)


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
def test_the_frame_rate_does_not_matter(fps: float) -> None:
    """Slow desk or fast one."""
    end = outcome(head(), turning(), detector(fps=fps), (LEFT, RIGHT), RULE)
    assert end.verdict is LivenessVerdict.LIVE


def test_the_cue_and_the_progress_follow_the_head() -> None:
    """Turn, straight, turn, straight: what is asked is what is still to be done; progress never falls."""
    seen = list(watched(head(), turning(), detector(), (LEFT, RIGHT), RULE))
    cues = [seen[0].cue]
    cues += [after.cue for before, after in pairwise(seen) if after.cue is not before.cue]
    assert cues == [LEFT, None, RIGHT, None]
    progress = [c.progress for c in seen]
    assert progress == sorted(progress)
    assert {0.0, 0.25, 0.5, 0.75, 1.0} == set(progress)


def test_both_directions_in_turn_have_opposite_signs() -> None:
    """Own left is towards larger x in an unmirrored picture."""
    assert (LEFT.sign, RIGHT.sign) == (1, -1)
    assert followed(begun(LEFT), [25] * 5).phase is Phase.RETURN
    assert followed(begun(RIGHT), [-25] * 5).phase is Phase.RETURN


# ---- a flat picture


def _tilting(rng: np.random.Generator, subject: Subject) -> Motion:
    """An attacker who turns the picture as asked, or moves it about at random."""
    del subject
    if rng.random() < 0.5:
        return Turning(rng, rng.uniform(5, 40), start=Pose(yaw=rng.uniform(-10, 10)), tilt=10)
    return swaying(rng, Pose(40, 40, 15, 0.3, 0.3, 1.25))


@settings(max_examples=60)
@given(turns_asked, seeds, distances, st.floats(-12, 12))
def test_a_flat_picture_is_never_live(
    turns: tuple[Direction, ...], seed: int, distance: float | None, taken_at: float
) -> None:
    """However it is moved, with the noise of a detector."""
    rng, picture = np.random.default_rng(seed), card(taken_at, distance)
    end = outcome(picture, _tilting(rng, picture), Detector(rng, SIGMA), turns, RULE)
    assert end.verdict in (LivenessVerdict.SPOOF, LivenessVerdict.INCONCLUSIVE)


@pytest.mark.parametrize("seed", range(8))
def test_a_picture_clearly_turned_as_asked_is_told_as_a_spoof(seed: int) -> None:
    """It gets slimmer like a turning head, and its nose stays where it is."""
    end = outcome(card(), turning(38.0, seed), detector(seed, 0.01), (LEFT, RIGHT), RULE)
    assert (end.verdict, end.cause) == (LivenessVerdict.SPOOF, Cause.FLAT_MOTION)


@pytest.mark.parametrize("seed", range(4))
def test_a_picture_that_is_only_held_gives_no_answer(seed: int) -> None:
    """Nothing moved, so nothing is claimed about it."""
    end = outcome(card(), still, detector(seed, SIGMA), (LEFT, RIGHT), RULE)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.NO_ANSWER)


def test_flat_motion_is_told_even_where_the_turn_was_answered() -> None:
    """Who shows a tilted picture first and a head afterwards is not live."""
    challenge = begun()
    for count in range(12):
        flat = card().seen(Pose(yaw=min(35.0, 8.0 * count) if count < 9 else 0.0))
        challenge = challenge.follow(sample(flat, 0.1 * count), RULE)
    assert challenge.flat_frames >= RULE.planar_frames
    end = followed(challenge, [0.0, 8, 16, 24, 24, 24, 24, 16, 8, 0, 0, 0, 0], start=1.3)
    assert (end.verdict, end.cause) == (LivenessVerdict.SPOOF, Cause.FLAT_MOTION)


@pytest.mark.parametrize("radius", [2.0, 1.25])
def test_a_picture_bent_around_a_wide_tin_is_not_live(radius: float) -> None:
    """A life-size face on a tin of 16 cm diameter, turned by 40 degrees, has less parallax than a turn needs."""
    end = outcome(bent_card(radius), turning(40.0), detector(), (LEFT, RIGHT), RULE)
    assert end.verdict is not LivenessVerdict.LIVE


# ---- every other way it can end


def test_a_turn_the_wrong_way_is_no_answer_to_the_cue() -> None:
    """A film that shows the other direction does not pass."""
    end = followed(begun(LEFT), [-10, -20, -25, -25, -25, -25])
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.WRONG_WAY)


def test_a_turn_before_anybody_could_have_seen_the_cue_is_no_answer() -> None:
    """The motion was under way already."""
    end = followed(begun(LEFT), [8, 14, 20, 24, 25, 25], start=0.03, step=0.033)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.TOO_EARLY)


def test_a_turn_that_began_in_time_is_an_answer() -> None:
    """The same motion after the reaction time."""
    assert followed(begun(LEFT), [8, 14, 20, 24, 25, 25], start=RULE.reaction, step=0.033).phase is Phase.RETURN


def test_no_answer_ends_after_the_time_for_a_turn() -> None:
    """Standing still is not a spoof, but not live either."""
    end = followed(begun(LEFT), [0.0] * 70)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.NO_ANSWER)
    assert end.last.at <= RULE.turn_timeout


def test_a_head_that_does_not_come_back_is_not_live() -> None:
    """The way back belongs to the answer."""
    end = followed(begun(LEFT), [12, 20] + [25.0] * 70)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.NO_ANSWER)


def test_a_face_that_was_gone_too_long_is_another_face() -> None:
    """A gap in the sightings ends the challenge."""
    gap = begun(LEFT).follow(sample(head().seen(Pose()), RULE.max_gap + 0.1), RULE)
    assert (gap.verdict, gap.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.TRACK_LOST)


def test_a_face_elsewhere_in_the_picture_is_another_face() -> None:
    """The track is kept by overlap."""
    elsewhere = begun(LEFT).follow(sample(head().seen(Pose(x=6.0)), 0.1), RULE)
    assert (elsewhere.verdict, elsewhere.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.TRACK_LOST)


def test_frames_without_a_face_only_let_time_pass() -> None:
    """A blink of the detector is forgiven; a lost face or a missed time is not."""
    challenge = begun(LEFT)
    assert challenge.expire(Instant(RULE.max_gap), RULE) is challenge
    assert challenge.expire(Instant(RULE.max_gap + 0.01), RULE).cause is Cause.TRACK_LOST
    patient = replace(challenge, last=sample(head().seen(Pose()), RULE.turn_timeout))
    assert patient.expire(Instant(RULE.turn_timeout + 0.01), RULE).cause is Cause.NO_ANSWER


def test_a_picture_swapped_for_another_is_no_head() -> None:
    """From straight to turned between two frames: nobody moves like that, at 30 frames a second it shows."""
    frames = [0.0] * 10 + [28.0] * 5
    end = followed(begun(LEFT), frames, start=0.2, step=1 / 30)
    assert (end.verdict, end.cause) == (LivenessVerdict.INCONCLUSIVE, Cause.JUMPED)


def test_a_single_wild_frame_is_not_a_turn() -> None:
    """Medians decide: one frame in five, or two, with the nose far off change nothing, to whichever side."""
    for yaw in (35.0, -35.0):
        assert followed(begun(LEFT), [0, 0, yaw, yaw, 0, 0, 0, yaw, 0, 0]).phase is Phase.TURN


def test_what_is_over_stays_over() -> None:
    """Neither another sighting nor time changes the verdict."""
    end = followed(begun(LEFT), [-25.0] * 6)
    assert end.follow(sample(head().seen(Pose(yaw=25)), 9.0), RULE) is end
    assert end.expire(Instant(99.0), RULE) is end
    assert (end.cue, end.progress) == (None, 1.0)


def test_a_challenge_asks_for_a_turn() -> None:
    """Without any it would be live at once."""
    with pytest.raises(ValueError, match="at least one turn"):
        Challenge.begin((), [sample(head().seen(Pose()), 0.0)])


def test_a_challenge_of_an_unreadable_face_is_over_before_it_began() -> None:
    """Nothing to compare with: inconclusive, not an error."""
    end = Challenge.begin((LEFT,), [sample(np.zeros((5, 2), np.float32), 0.0)])
    assert (end.phase, end.verdict, end.cause) == (Phase.DONE, LivenessVerdict.INCONCLUSIVE, Cause.TRACK_LOST)


def test_nothing_of_the_face_is_shown() -> None:
    """A challenge printed by accident holds times and figures, not landmarks."""
    assert "array" not in repr(begun())


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), poses), max_size=25), turns_asked)
def test_any_sightings_lead_to_at_most_one_verdict(
    steps: list[tuple[float, Pose]], turns: tuple[Direction, ...]
) -> None:
    """A head jumping about at random never breaks the judge; only a whole sequence is live."""
    challenge, at = begun(*turns), 0.0
    for step, pose in steps:
        at += step
        landmarks = projected(rotated(shape(), pose), pose).astype(np.float32)
        seen = replace(sample(landmarks, at), box=Box(0, 0, 640, 480))
        challenge = challenge.follow(seen, RULE)
        assert (challenge.phase is Phase.DONE) == (challenge.cause is not None)
        assert (challenge.verdict is LivenessVerdict.LIVE) == (challenge.cause is Cause.ANSWERED)
        assert 0.0 <= challenge.progress <= 1.0
