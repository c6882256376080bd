"""The challenge: a head that answers is live; every other way it can end."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.liveness import Cause, Challenge, Phase
from appliance.core.liveness_steps import WAYS, Step
from appliance.core.types import Box, Cue, Instant, LivenessVerdict
from tests.core.challenges import (
    CLOSER,
    DOT,
    LEFT,
    RIGHT,
    RULE,
    begun,
    challenges,
    detector,
    distances,
    poses,
    seeds,
    seen,
    turned,
    turning,
    waiting,
)
from tests.fakes.heads import (
    Asked,
    Pose,
    head,
    outcome,
    projected,
    rotated,
    sample,
    shape,
    watched,
)

# ---- a head that answers


@settings(max_examples=40)
@given(challenges(), seeds, st.floats(20, 35), st.floats(0.4, 0.55), distances.filter(lambda d: d is None or d > 6))
def test_a_head_that_does_as_asked_is_live(
    steps: tuple[Step, ...], seed: int, degrees: float, depth: float, distance: float | None
) -> None:
    """Whatever is drawn, far and near, without noise of the detector."""
    end = outcome(head(depth, distance), turning(degrees, seed), detector(seed), steps, RULE)
    assert (end.verdict, end.cause, end.progress) == (LivenessVerdict.LIVE, Cause.ANSWERED, 1.0)


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
@pytest.mark.parametrize("steps", [(LEFT, CLOSER), (CLOSER, RIGHT), (DOT, LEFT)])
def test_the_frame_rate_does_not_matter(steps: tuple[Step, ...], fps: float) -> None:
    """Slow desk or fast one."""
    assert outcome(head(), turning(), detector(fps=fps), steps, RULE).verdict is LivenessVerdict.LIVE


def test_the_cue_and_the_progress_follow_the_head() -> None:
    """What is asked is what is still to be done, after a look ahead each time; progress never falls."""
    steps = tuple(replace(step, pause=0.5) for step in (LEFT, CLOSER, DOT))
    after = [waiting(*steps), *watched(head(), turning(), detector(), steps, RULE)]
    cues = [after[0].cue] + [b.cue for a, b in pairwise(after) if a.cue is not b.cue]
    expected = [Cue.STRAIGHT, Cue.LEFT, Cue.STRAIGHT, Cue.CLOSER, Cue.STRAIGHT, Cue.DOT, Cue.STRAIGHT]
    assert cues == expected
    progress = [c.progress for c in after]
    assert progress == sorted(progress)
    assert {0.0, 1 / 6, 1 / 3, 2 / 3, 7 / 9, 8 / 9, 1.0} <= set(progress)


def test_a_cue_comes_after_its_pause() -> None:
    """Not a frame before."""
    challenge = waiting(replace(LEFT, pause=0.5))
    assert turned(challenge, [0.0] * 4, start=0.1).phase is Phase.WAIT
    assert turned(challenge, [0.0] * 5, start=0.1).cue is Cue.LEFT


def test_both_directions_have_opposite_signs() -> None:
    """Own left is towards larger x in an unmirrored picture."""
    assert turned(begun(LEFT), [25] * 5).phase is Phase.RETURN
    assert turned(begun(RIGHT), [-25] * 5).phase is Phase.RETURN


def across(challenge: Challenge, at: float) -> float:
    """Where the dot is between the left and the right of the screen."""
    dot = challenge.dot(Instant(at))
    assert dot is not None
    return dot[0]


def test_the_dot_leads_the_head_to_both_sides_and_back() -> None:
    """Own left is the left of the screen; it goes on once the head is there; on the way back there is none."""
    challenge = begun(DOT)
    assert (across(challenge, 0.0), across(challenge, 3.0)) == pytest.approx((0.5, 0.08))
    challenge = turned(challenge, [25] * 5, start=0.5)
    assert (challenge.phase, challenge.reached) == (Phase.ACT, 1)
    assert across(challenge, 5.0) == pytest.approx(0.92)
    challenge = turned(challenge, [10, -10, -25, -25, -25, -25, -25], start=1.0)
    assert (challenge.phase, challenge.dot(Instant(9.0))) == (Phase.RETURN, None)
    assert turned(challenge, [-10, 0, 0, 0, 0, 0], start=1.7).cause is Cause.ANSWERED
    assert (waiting(DOT).dot(Instant(1.0)), begun(LEFT).dot(Instant(1.0))) == (None, None)


def nearer(*scales: float) -> list[Pose]:
    """Poses of a face so many times as large."""
    return [Pose(scale=scale) for scale in scales]


NEAR = nearer(1.05, 1.1, 1.16, 1.22, 1.25, 1.25, 1.25, 1.25)


def test_whoever_came_closer_turns_from_there() -> None:
    """A fifth larger; the cue for a turn follows at once, and going on a little, or going back, is no other answer."""
    challenge = seen(begun(CLOSER, LEFT), NEAR)
    assert (challenge.step, challenge.cue, challenge.near) == (1, Cue.LEFT, True)
    further = seen(challenge, nearer(1.3, 1.36, 1.42, 1.48, 1.5, 1.5, 1.5), start=1.4)
    assert (further.cause, further.near) == (None, True)
    back = seen(further, nearer(1.4, 1.3, 1.2, 1.1, 1.0, 1.0, 1.0, 1.0), start=2.2)
    assert (back.cause, back.near) == (None, False)
    turned_there = turned(back, [8, 16, 24, 25, 25, 25, 25, 16, 8, 0, 0, 0, 0, 0], start=3.1)
    assert turned_there.verdict is LivenessVerdict.LIVE


def test_coming_closer_a_second_time_is_no_answer() -> None:
    """It is asked for once: a film that goes back and forth does not get another chance."""
    challenge = seen(begun(CLOSER, LEFT), [*NEAR, *nearer(1.18, 1.1, 1.03, 1.0, 1.0, 1.0, 1.0)])
    assert (challenge.cause, challenge.near) == (None, False)
    again = seen(challenge, NEAR, start=2.1)
    assert ended(again) == (INCONCLUSIVE, Cause.WRONG_WAY)


def test_the_other_side_is_asked_for_without_a_stop() -> None:
    """The way there leads back; only the last turn has a way back of its own."""
    challenge = turned(begun(LEFT, RIGHT), [12, 20, 25, 25, 25, 25])
    assert (challenge.step, challenge.phase, challenge.cue) == (1, Phase.ACT, Cue.RIGHT)
    there = turned(challenge, [25, 15, 0, -15, -25, -25, -25, -25], start=1.2)
    assert (there.phase, there.cue, there.verdict) == (Phase.RETURN, Cue.STRAIGHT, LivenessVerdict.NOT_CHECKED)
    assert turned(there, [-15, 0, 0, 0, 0, 0], start=2.1).cause is Cause.ANSWERED


@pytest.mark.parametrize("steps", [(LEFT, RIGHT), (DOT, LEFT)])
def test_who_comes_back_must_not_turn_to_the_same_side_again(steps: tuple[Step, ...]) -> None:
    """Once the head looked ahead, the wrong side is the wrong answer: also in the middle of a dot's path."""
    challenge = turned(begun(*steps), [12, 20, 25, 25, 25, 25])
    again = turned(challenge, [25, 12, 0, 0, 0, 0, 0, 12, 20, 25, 25, 25, 25], start=1.2)
    assert ended(again) == (INCONCLUSIVE, Cause.WRONG_WAY)


@pytest.mark.parametrize("steps", [(CLOSER, LEFT), (LEFT, CLOSER)])
def test_who_was_still_stepping_up_need_not_step_back(steps: tuple[Step, ...]) -> None:
    """Coming closer, and the way back, count from where one stood at the cue, not from where the hold began."""
    move = turning()

    def stepping_up(asked: Asked, at: float) -> Pose:
        pose = move(asked, at)
        return replace(pose, scale=pose.scale * min(1.0, 0.86 + 0.2 * at))

    end = outcome(head(), stepping_up, detector(), tuple(replace(step, pause=1.0) for step in steps), RULE)
    assert (end.verdict, end.cause) == (LivenessVerdict.LIVE, Cause.ANSWERED)


# ---- every other way it can end


def ended(challenge: Challenge) -> tuple[LivenessVerdict, Cause | None]:
    """How."""
    return challenge.verdict, challenge.cause


INCONCLUSIVE = LivenessVerdict.INCONCLUSIVE


def test_a_turn_the_wrong_way_is_no_answer_to_the_cue() -> None:
    """A film that shows the other direction does not pass."""
    assert ended(turned(begun(LEFT), [-10, -20, -25, -25, -25, -25])) == (INCONCLUSIVE, Cause.WRONG_WAY)


def test_coming_closer_is_no_answer_to_being_asked_for_a_turn() -> None:
    """Or else a film could try one motion after the other."""
    nearer = [Pose(scale=s) for s in (1.06, 1.12, 1.18, 1.24, 1.28, 1.28, 1.28, 1.28)]
    assert ended(seen(begun(LEFT), nearer)) == (INCONCLUSIVE, Cause.WRONG_WAY)


def test_a_turn_is_no_answer_to_being_asked_closer() -> None:
    """One thing is asked at a time."""
    assert ended(turned(begun(CLOSER, LEFT), [10, 20, 25, 25, 25, 25])) == (INCONCLUSIVE, Cause.WRONG_WAY)


@pytest.mark.parametrize("pose", [Pose(yaw=25.0), Pose(yaw=-25.0), Pose(scale=1.3)])
def test_motion_before_the_cue_is_too_early(pose: Pose) -> None:
    """A turn to any side, or coming closer, while nothing is asked for but to look ahead."""
    challenge = waiting(replace(LEFT, pause=1.0))
    way = [replace(pose, yaw=pose.yaw * s, scale=1 + (pose.scale - 1) * s) for s in (0.3, 0.6, 0.9, 1, 1, 1, 1, 1)]
    assert ended(seen(challenge, way, start=0.1)) == (INCONCLUSIVE, Cause.TOO_EARLY)


def test_a_turn_before_anybody_could_have_seen_the_cue_is_no_answer() -> None:
    """The motion was under way already."""
    early = turned(begun(LEFT), [8, 14, 20, 24, 25, 25], start=0.03, step=0.033)
    assert ended(early) == (INCONCLUSIVE, Cause.TOO_EARLY)


def test_coming_closer_before_anybody_could_have_seen_the_cue_is_no_answer() -> None:
    """The same for growth: the film is of somebody who comes nearer all the time."""
    waited = seen(waiting(replace(CLOSER, pause=0.25), LEFT), [Pose(scale=s) for s in (1.05, 1.1, 1.17)], start=0.1)
    assert waited.phase is Phase.ACT
    early = seen(waited, [Pose(scale=s) for s in (1.22, 1.25, 1.25, 1.25, 1.25, 1.25)], start=0.34, step=0.04)
    assert ended(early) == (INCONCLUSIVE, Cause.TOO_EARLY)


def test_a_turn_that_began_in_time_is_an_answer() -> None:
    """The same motion after the reaction time."""
    late = turned(begun(LEFT), [8, 14, 20, 24, 25, 25], start=RULE.reaction, step=0.033)
    assert late.phase is Phase.RETURN


def test_no_answer_ends_after_the_time_for_a_turn() -> None:
    """Standing still is not a spoof, but not live either."""
    end = turned(begun(LEFT), [0.0] * 70)
    assert ended(end) == (INCONCLUSIVE, Cause.NO_ANSWER)
    assert end.last.at <= RULE.turn_timeout


def test_a_head_that_does_not_come_back_is_not_live() -> None:
    """The way back belongs to the answer."""
    assert ended(turned(begun(LEFT), [12, 20] + [25.0] * 70)) == (INCONCLUSIVE, Cause.NO_ANSWER)


def test_a_face_that_was_gone_too_long_is_another_face() -> None:
    """A gap in the sightings ends the challenge."""
    gap = begun(LEFT).follow(sample(head().seen(Pose()), RULE.max_gap + 0.1), RULE)
    assert ended(gap) == (INCONCLUSIVE, Cause.TRACK_LOST)


def test_a_face_elsewhere_in_the_picture_is_another_face() -> None:
    """The track is kept by overlap."""
    elsewhere = begun(LEFT).follow(sample(head().seen(Pose(x=6.0)), 0.1), RULE)
    assert ended(elsewhere) == (INCONCLUSIVE, Cause.TRACK_LOST)


def test_frames_without_a_face_only_let_time_pass() -> None:
    """A blink of the detector is forgiven; a lost face or a missed time is not."""
    challenge = begun(LEFT)
    assert challenge.expire(Instant(RULE.max_gap), RULE) is challenge
    assert challenge.expire(Instant(RULE.max_gap + 0.01), RULE).cause is Cause.TRACK_LOST
    patient = replace(challenge, last=sample(head().seen(Pose()), RULE.turn_timeout))
    assert patient.expire(Instant(RULE.turn_timeout + 0.01), RULE).cause is Cause.NO_ANSWER


def test_a_pause_longer_than_the_time_for_a_turn_is_still_a_pause() -> None:
    """A policy of little patience asks for no answer before its cue."""
    hasty = replace(RULE, turn_timeout=0.2)
    challenge = waiting(replace(LEFT, pause=0.5))
    for count in range(1, 6):
        challenge = challenge.follow(sample(head().seen(Pose()), 0.1 * count), hasty)
    assert challenge.cue is Cue.LEFT


def test_frames_without_usable_landmarks_are_no_evidence() -> None:
    """A challenge takes no notice of them."""
    challenge = begun(LEFT)
    bad = replace(sample(head().seen(Pose()), 0.2), landmarks=np.zeros((5, 2), np.float32))
    assert challenge.follow(bad, RULE) is challenge


def test_a_frame_of_another_person_is_no_evidence() -> None:
    """The turn of an accomplice counts for nothing; a blurred frame or two are forgiven."""
    challenge = begun(LEFT)
    for count in range(5):
        accomplice = sample(head().seen(Pose(yaw=25)), 0.1 + 0.1 * count)
        assert challenge.follow(accomplice, RULE, same=False) is challenge
    assert turned(challenge, [0.0, 0.0], start=0.6).phase is Phase.ACT


def test_another_person_who_stays_ends_the_challenge() -> None:
    """As long as a face may be lost, not longer."""
    other = sample(head().seen(Pose()), RULE.max_gap + 0.01)
    assert ended(begun(LEFT).follow(other, RULE, same=False)) == (INCONCLUSIVE, Cause.IDENTITY_CHANGED)


def test_a_picture_swapped_for_another_is_no_head() -> None:
    """From straight to turned between two frames: nobody moves like that, at 30 frames a second it shows."""
    end = turned(begun(LEFT), [0.0] * 10 + [28.0] * 5, start=0.2, step=1 / 30)
    assert ended(end) == (INCONCLUSIVE, Cause.JUMPED)


def test_a_larger_picture_in_place_of_another_is_nobody_who_came_closer() -> None:
    """Nor does anybody grow by a third between two frames."""
    poses = [Pose()] * 10 + [Pose(scale=1.33)] * 5
    assert ended(seen(begun(CLOSER, LEFT), poses, start=0.2, step=1 / 30)) == (INCONCLUSIVE, Cause.JUMPED)


def test_a_single_wild_frame_is_not_a_turn() -> None:
    """Medians decide: one frame in five, or two, with the nose far off change nothing, to whichever side."""
    for yaw in (35.0, -35.0):
        assert turned(begun(LEFT), [0, 0, yaw, yaw, 0, 0, 0, yaw, 0, 0]).phase is Phase.ACT


def test_what_is_over_stays_over() -> None:
    """Neither another sighting nor time changes the verdict."""
    end = turned(begun(LEFT), [-25.0] * 6)
    assert end.follow(sample(head().seen(Pose(yaw=25)), 9.0), RULE) is end
    assert end.expire(Instant(99.0), RULE) is end
    assert (end.progress, end.dot(Instant(9.0))) == (1.0, None)


@pytest.mark.parametrize("steps", [(), (CLOSER,)])
def test_a_challenge_asks_for_a_turn(steps: tuple[Step, ...]) -> None:
    """Without any it would be live at once, or with a picture brought closer."""
    with pytest.raises(ValueError, match="at least one turn"):
        Challenge.begin(steps, [sample(head().seen(Pose()), 0.0)])


def test_a_challenge_of_an_unreadable_face_is_over_before_it_began() -> None:
    """Nothing to compare with: inconclusive, not an error."""
    end = Challenge.begin((LEFT,), [sample(np.zeros((5, 2), np.float32), 0.0)])
    assert (end.phase, end.verdict, end.cause) == (Phase.DONE, INCONCLUSIVE, Cause.TRACK_LOST)


def test_nothing_of_the_face_is_shown() -> None:
    """A challenge printed by accident holds times and figures, not landmarks."""
    assert "array" not in repr(begun(LEFT))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), poses, st.booleans()), max_size=25), challenges())
def test_any_sightings_lead_to_at_most_one_verdict(
    steps: list[tuple[float, Pose, bool]], asked: tuple[Step, ...]
) -> None:
    """A head jumping about at random never breaks the judge; only a whole sequence is live."""
    challenge, at = waiting(*asked), 0.0
    for step, pose, same in steps:
        at += step
        landmarks = projected(rotated(shape(), pose), pose).astype(np.float32)
        shown = replace(sample(landmarks, at), box=Box(0, 0, 640, 480))
        challenge = challenge.follow(shown, RULE, same=same)
        assert (challenge.phase is Phase.DONE) == (challenge.cause is not None)
        assert (challenge.verdict is LivenessVerdict.LIVE) == (challenge.cause is Cause.ANSWERED)
        assert 0.0 <= challenge.progress <= 1.0
        assert challenge.cue in (*WAYS, Cue.STRAIGHT)
