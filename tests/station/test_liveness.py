"""How a visit proves a living person: by live scores, by a challenge, or by both, as the policy says."""

from dataclasses import replace

import pytest

from appliance.core.decision import Reason
from appliance.core.events import LivenessMethod
from appliance.core.policy import LivenessMode, Policy
from appliance.core.session import State
from appliance.core.types import LivenessVerdict
from tests.fakes.heads import Asked
from tests.fakes.observer import Sight
from tests.station.scene import LIMITS, POLICY, STEPS, Actor, Scene, confirmed, patient, scored, standing

RULE = POLICY.liveness


def policy(mode: LivenessMode, tries: int = 2) -> Policy:
    """The default with another mode."""
    return Policy(tries=tries, liveness=replace(RULE, mode=mode))


def seeing(mode: LivenessMode = RULE.mode, tries: int = 2) -> Scene:
    """A desk whose pack has anti-spoofing models and their calibration."""
    return Scene(policy=policy(mode, tries), limits=LIMITS)


def in_turn(first: Actor, then: Actor, after: float) -> Actor:
    """One until some second, then another in the same place."""
    return lambda asked, at: (first if at < after else then)(asked, at)


# ---- live scores


def test_who_looks_alive_checks_in_without_a_challenge() -> None:
    """Everyday: hold for a moment, confirm; the event says on which score and limits it rests."""
    scene, ali = seeing(), scored(patient("ali"), 0.98)
    confirmed(scene, ali)
    assert State.CHALLENGE not in scene.states()
    about = scene.about
    assert (about.liveness, about.liveness_method) == (LivenessVerdict.LIVE, LivenessMethod.PASSIVE)
    assert (about.liveness_score, about.liveness_accept, about.liveness_reject) == (0.98, 0.75, 0.05)
    assert (about.liveness_cause, about.liveness_steps) == (None, ())


def test_a_face_is_held_as_long_as_the_policy_asks() -> None:
    """A window of scores, whatever the number of probes; the probes are spread over it and the ring tells the share."""
    scene = seeing()
    scene.until(State.CONFIRM, scored(standing("ali"), 0.98))
    held = [s for s in scene.snapshots if s.state is State.HOLD]
    assert held[-1].at - held[0].at == pytest.approx(RULE.window, abs=0.2)
    assert [s.progress for s in held] == sorted(s.progress for s in held)
    assert 0.4 < held[len(held) // 2].progress < 0.6
    assert scene.observer.embedded == ["ali"] * POLICY.hold_frames


def test_a_clear_spoof_is_not_recognised_and_never_compared() -> None:
    """Under every policy; the screen says what it says to everybody, the event says why."""
    for mode in LivenessMode:
        scene = seeing(mode)
        scene.until(State.NOT_RECOGNISED, scored(patient("ali"), 0.01))
        assert scene.events[-1].reasons == (Reason.LIVENESS_SPOOF,)
        assert (scene.about.liveness, scene.about.attempts) == (LivenessVerdict.SPOOF, 2)
        assert scene.about.liveness_method is LivenessMethod.PASSIVE
        assert (scene.matcher.asked, State.CHALLENGE in scene.states()) == ([], False)


def test_who_is_in_doubt_gets_a_challenge() -> None:
    """A living person in bad light turns as asked and is let in; both are told."""
    scene = seeing()
    confirmed(scene, scored(patient("ali"), 0.4))
    about = scene.about
    assert (about.liveness, about.liveness_method) == (LivenessVerdict.LIVE, LivenessMethod.PASSIVE_AND_CHALLENGE)
    assert (about.liveness_score, about.liveness_cause) == (0.4, "answered")
    assert about.liveness_steps == tuple(step.cue for step in STEPS)


def test_a_policy_without_challenges_refuses_whoever_is_in_doubt() -> None:
    """It fails closed, to the other way."""
    scene = seeing(LivenessMode.PASSIVE)
    scene.until(State.NOT_RECOGNISED, scored(patient("ali"), 0.4))
    assert scene.events[-1].reasons == (Reason.LIVENESS_INCONCLUSIVE,)
    assert State.CHALLENGE not in scene.states()


def test_a_policy_may_ask_everybody() -> None:
    """However live they look; standing still is then not enough."""
    scene = seeing(LivenessMode.ALWAYS_CHALLENGE)
    confirmed(scene, scored(patient("ali"), 0.98))
    assert scene.about.liveness_method is LivenessMethod.PASSIVE_AND_CHALLENGE
    still = seeing(LivenessMode.ALWAYS_CHALLENGE)
    still.until(State.NOT_RECOGNISED, scored(standing("ali"), 0.98), within=60)
    assert still.events[-1].reasons == (Reason.LIVENESS_INCONCLUSIVE,)


@pytest.mark.parametrize("mode", LivenessMode)
def test_without_anti_spoofing_a_challenge_is_always_needed(mode: LivenessMode) -> None:
    """Whatever the policy hopes for: a pack without the models, or whose models nobody calibrated."""
    for scene in (Scene(policy=policy(mode), limits=LIMITS), Scene(policy=policy(mode))):
        actor = scored(patient("ali"), None if scene.station._with.limits else 0.98)
        confirmed(scene, actor)
        assert scene.about.liveness_method is LivenessMethod.CHALLENGE
        assert scene.about.liveness_score is None


def test_a_minority_of_bad_frames_is_forgiven() -> None:
    """A blink, a shadow: the median decides."""
    scene, ali = seeing(), patient("ali")

    def blinking(asked: Asked, at: float) -> Sight:
        return scored(ali, 0.02 if int(at * 15) % 3 == 0 else 0.98)(asked, at)

    scene.until(State.CONFIRM, blinking)
    assert State.CHALLENGE not in scene.states()


def test_scores_of_two_faces_are_never_judged_together() -> None:
    """Somebody in another place begins a new window; so does another person in the same place."""
    away = standing("bota", x=-3.0)
    for first in (away, scored(standing("bota"), 0.98)):
        scene = seeing()
        scene.until(State.HOLD, scored(first, 0.98))
        scene.play(RULE.window * 0.8, scored(first, 0.98))
        assert scene.now.state is State.HOLD
        shown = scene.play(0.4, scored(standing("ali"), 0.3))
        assert (shown.state, shown.progress < 0.4) == (State.HOLD, True)
        scene.until(State.CHALLENGE, scored(standing("ali"), 0.3), within=2)
        assert scene.station._met.attempt.window.fused == 0.3


# ---- one person from the first frame to the last


def test_every_frame_of_a_challenge_is_of_the_one_who_was_held() -> None:
    """All are embedded; those that look into the camera become probes as well."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    frames = sum(s.state is State.CHALLENGE for s in scene.snapshots)
    probes = POLICY.hold_frames + len(STEPS)
    assert len(scene.station._met.attempt.probes) == probes
    assert scene.observer.embedded == ["ali"] * (frames + probes)


def test_an_accomplice_who_answers_in_the_patients_place_does_not_pass() -> None:
    """The picture is held up first, the living head turns: noticed at once, and no comparison is made."""
    scene = Scene(policy=Policy(tries=1))
    scene.until(State.CHALLENGE, standing("ali"))
    scene.until(State.NOT_RECOGNISED, patient("bota"), within=2)
    assert scene.events[-1].reasons == (Reason.LIVENESS_INCONCLUSIVE,)
    assert (scene.about.liveness_cause, scene.matcher.asked) == ("identity_changed", [])


def test_an_accomplice_in_the_middle_of_the_challenge_does_not_pass() -> None:
    """Also when the first turn was the patient's own."""
    scene, ali = Scene(policy=Policy(tries=1)), patient("ali")
    scene.until(State.CHALLENGE, ali)
    while scene.now.cue != "closer":
        scene.tick(ali)
    scene.until(State.NOT_RECOGNISED, patient("bota"), within=2)
    assert scene.about.liveness_cause == "identity_changed"


def test_a_few_blurred_frames_in_a_challenge_are_forgiven() -> None:
    """A quick turn may look like nobody for a moment."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CHALLENGE, ali)

    def blurred(asked: Asked, at: float) -> Sight:
        sight = ali(asked, at)
        return replace(sight, who="nobody") if int(at * 15) % 5 == 0 else sight

    scene.until(State.CONFIRM, blurred)


def test_a_spoof_may_not_try_for_ever() -> None:
    """The second try is the last, and what failed before is told."""
    scene = seeing()
    scene.until(State.ALIGN, scored(standing("ali"), 0.01))
    scene.until(State.NOT_RECOGNISED, scored(standing("ali"), 0.4), within=60)
    assert scene.about.earlier == (Reason.LIVENESS_SPOOF,)
    assert scene.about.attempts == 2
