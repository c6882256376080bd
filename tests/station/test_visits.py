"""Whole visits before a scripted camera: each ends in what was promised to patient, clinic and fund."""

from itertools import pairwise

import pytest

from appliance.core.decision import Reason
from appliance.core.events import LivenessMethod
from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import LivenessVerdict, MatchMode, PersonId
from tests.fakes.observer import template
from tests.station.scene import POLICY, STEPS, Scene, confirmed, patient, standing, wrong_way

ALI = PersonId("ali")
T = POLICY.timing


# ---- recognised


def test_a_patient_is_recognised_confirms_and_gets_a_receipt() -> None:
    """The everyday visit, state by state; the receipt is the id of the recorded event."""
    scene, ali = Scene(), patient("ali")
    confirmed(scene, ali)
    assert scene.states() == [
        State.IDLE,
        State.HOLD,
        State.CHALLENGE,
        State.CONFIRM,
        State.RECEIPT,
    ]
    (event,) = scene.events
    assert (event.kind, event.person, event.service) == ("checked_in", ALI, "xray")
    assert event.reasons == (Reason.MATCH, Reason.LIVE)
    assert scene.now.receipt == event.event_id
    about = scene.about
    assert (about.liveness, about.liveness_method, about.liveness_cause) == (
        LivenessVerdict.LIVE,
        LivenessMethod.CHALLENGE,
        "answered",
    )
    assert about.liveness_steps == tuple(step.cue for step in STEPS)
    assert (about.liveness_score, about.liveness_accept) == (None, None)
    assert (about.attempts, about.earlier, about.camera, about.software) == (1, (), "front", "0.1.0")
    assert about.policy == POLICY.policy_id
    assert about.quality is not None
    assert about.quality > 50


def test_the_screen_says_what_the_desk_works_on() -> None:
    """Checking while somebody is looked for, saving until the visit is written: on a slow disk this is seen."""
    scene = Scene()
    confirmed(scene, patient("ali"))
    checking, saving = scene.at_work
    assert (checking.state, saving.state) == (State.CHECKING, State.SAVING)
    assert (checking.greeting, saving.greeting, saving.receipt) == ("", "", ""), "nothing is promised yet"
    assert saving.at == next(shown.at for shown in scene.snapshots if shown.state is State.RECEIPT)


def test_today_s_list_is_searched_first_then_everybody() -> None:
    """The whole gallery is searched as well, for a better match elsewhere."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    assert set(scene.matcher.asked) == {MatchMode.IDENTIFY, MatchMode.LIST}


def test_a_claimed_identity_is_verified() -> None:
    """1:1, and somebody else is not recognised as the claimed person."""
    scene = Scene(claimed="ali")
    scene.until(State.CONFIRM, patient("ali"))
    assert MatchMode.VERIFY in scene.matcher.asked
    other = Scene(claimed="ali")
    other.until(State.NOT_RECOGNISED, patient("bota"), within=60)
    assert other.events[-1].reasons == (Reason.NO_MATCH,)


def test_what_is_asked_for_is_shown_while_it_is_asked_for() -> None:
    """Cues in the challenge only, a dot where one is to be followed; progress is real and ends at the top."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    in_challenge = [s for s in scene.snapshots if s.state is State.CHALLENGE]
    cues = [s.cue for s in in_challenge]
    changes = [cues[0]] + [b for a, b in pairwise(cues) if a is not b]
    assert changes == ["straight", "left", "straight", "closer", "straight", "dot", "straight"]
    assert all(s.cue is None and s.dot is None for s in scene.snapshots if s.state is not State.CHALLENGE)
    dots = [s.dot for s in in_challenge if s.cue == "dot"]
    assert dots[0] == (0.5, 0.5)
    assert dots[-1] is not None
    assert dots[-1][0] > 0.9
    assert all(s.dot is None for s in in_challenge if s.cue in ("left", "closer", "straight"))
    held = [s.progress for s in scene.snapshots if s.state is State.HOLD]
    assert held == sorted(held)
    assert 0 < held[-1] < 1


def test_who_has_confirmed_all_is_told_so_and_it_is_recorded() -> None:
    """Already: with the receipt of the earlier confirmation, and a refusal that names the patient."""
    scene, ali = Scene(), patient("ali")
    confirmed(scene, ali)
    scene.play(T.receipt + 1, ali)
    scene.play(3)
    assert scene.now.state is State.IDLE
    scene.until(State.ALREADY, patient("ali"))
    assert (scene.now.receipt, scene.now.before) == (scene.events[0].event_id, scene.desk.at)
    assert [(e.kind, e.person, e.reasons) for e in scene.events[1:]] == [
        ("refused", "ali", (Reason.ALREADY_CONFIRMED,))
    ]


def test_who_has_no_service_today_is_told_so_and_it_is_recorded() -> None:
    """A refusal with the patient's identity."""
    scene = Scene()
    scene.until(State.NO_SERVICE, patient("dana"))
    (event,) = scene.events
    assert (event.kind, event.person, event.reasons) == ("refused", "dana", (Reason.NO_SERVICE_TODAY,))


def test_an_empty_list_of_today_means_a_search_of_the_gallery() -> None:
    """Nobody is expected, yet who comes is known."""
    scene = Scene(planned={})
    scene.until(State.NO_SERVICE, patient("dana"))
    assert set(scene.matcher.asked) == {MatchMode.IDENTIFY}


# ---- not recognised


def test_a_stranger_is_tried_again_and_offered_another_way() -> None:
    """Two tries, one event, nobody's name."""
    scene = Scene()
    scene.until(State.NOT_RECOGNISED, patient("stranger"), within=60)
    assert [s for s in scene.states() if s is State.CHALLENGE] == [State.CHALLENGE] * POLICY.tries
    (event,) = scene.events
    assert (event.kind, event.person, event.reasons) == ("refused", None, (Reason.NO_MATCH,))
    assert (scene.about.attempts, scene.about.earlier) == (2, (Reason.NO_MATCH,))
    assert scene.about.liveness is LivenessVerdict.LIVE


def test_a_twin_needs_another_factor() -> None:
    """Also when the other twin has no service today."""
    scene = Scene(gallery={"ali": template("ali"), "twin": template("ali", like="bota", share=0.2)})
    scene.until(State.NOT_RECOGNISED, patient("ali"), within=60)
    assert scene.events[-1].reasons == (Reason.AMBIGUOUS_MATCH,)


def test_a_flagged_look_alike_is_sent_to_the_second_factor_at_once() -> None:
    """No second try, which could only end the same way; the receptionist's screen says why, the event too."""
    scene = Scene(siblings=frozenset({"ali"}))
    scene.until(State.NOT_RECOGNISED, patient("ali"))
    assert scene.now.refused == (Reason.LOOK_ALIKE,)
    (event,) = scene.events
    assert (event.kind, event.reasons, event.about and event.about.attempts) == ("refused", (Reason.LOOK_ALIKE,), 1)


def test_a_child_is_not_searched_for() -> None:
    """A guardian confirms; the event says why."""
    scene = Scene()
    scene.desk.children = frozenset({ALI})
    scene.until(State.NOT_RECOGNISED, patient("ali"), within=60)
    assert scene.events[-1].reasons == (Reason.UNDER_AGE,)
    assert scene.events[-1].person is None


def test_who_does_not_turn_is_not_recognised_however_well_the_face_fits() -> None:
    """No comparison is even made."""
    scene = Scene()
    scene.until(State.NOT_RECOGNISED, standing("ali"), within=60)
    assert scene.events[-1].reasons == (Reason.LIVENESS_INCONCLUSIVE,)
    assert (scene.about.liveness_cause, scene.about.attempts) == ("no_answer", 2)
    assert scene.matcher.asked == []


def test_who_turns_the_wrong_way_may_try_again() -> None:
    """One mistake is forgiven."""
    scene = Scene()
    scene.until(State.CHALLENGE, wrong_way("ali"))
    scene.until(State.ALIGN, wrong_way("ali"))
    confirmed(scene, patient("ali"))
    assert (scene.about.attempts, scene.about.earlier) == (2, (Reason.LIVENESS_INCONCLUSIVE,))


def test_another_face_while_holding_starts_the_collection_anew() -> None:
    """Probes of two places in the picture never mix."""
    scene = Scene()
    scene.until(State.HOLD, standing("bota"))
    scene.play(0.2, standing("bota"))
    assert scene.now.state is State.HOLD
    scene.tick(standing("ali", x=-3.0))
    assert scene.now.progress == pytest.approx(1 / POLICY.hold_frames)


def test_a_second_face_beside_the_turning_one_changes_nothing() -> None:
    """The challenge follows its own face, also when another is larger; its probes are of that face only."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CHALLENGE, ali)
    scene.until(State.CONFIRM, ali, standing("bota", x=-3.5, size=1.2))
    assert set(scene.observer.embedded) == {"ali"}


# ---- quality


def test_nobody_leaves_nothing() -> None:
    """An empty room stays idle, without events."""
    scene = Scene()
    scene.play(60)
    assert (scene.states(), scene.events) == ([State.IDLE], [])


def test_a_passer_by_leaves_nothing() -> None:
    """Too short to be an arrival."""
    scene = Scene()
    scene.play(0.5, standing("bota"))
    scene.play(3)
    assert (scene.states(), scene.events) == ([State.IDLE], [])


def test_somebody_who_looks_and_goes_leaves_nothing() -> None:
    """An arrival without an attempt is nobody's business."""
    scene = Scene()
    scene.until(State.HOLD, standing("bota"))
    scene.until(State.IDLE, within=3)
    scene.until(State.ALIGN, standing("bota", sharpness=1.0))
    scene.until(State.IDLE, within=3)
    assert scene.events == []


def test_people_in_the_waiting_room_leave_nothing() -> None:
    """A small face in the background is not somebody at the desk."""
    scene = Scene()
    scene.play(60, standing("bota", inter_eye_distance=15.0))
    assert (scene.states(), scene.events) == ([State.IDLE], [])


def test_somebody_a_little_too_far_is_asked_closer() -> None:
    """Near enough to have come, not to be recognised."""
    scene = Scene()
    scene.play(2, standing("ali", inter_eye_distance=30.0))
    assert (scene.now.state, scene.now.hint) == (State.ALIGN, Hint.CLOSER)


def test_two_people_are_asked_for_one_and_refused_after_the_time() -> None:
    """The hint stays; the event names the reason and the hint; no face was embedded."""
    scene, both = Scene(), (standing("ali"), standing("bota", x=-3.0))
    scene.play(3, *both)
    assert (scene.now.state, scene.now.hint) == (State.ALIGN, Hint.ONE_PERSON)
    scene.until(State.NOT_RECOGNISED, *both)
    (event,) = scene.events
    assert (event.reasons, event.hint) == ((Reason.MORE_THAN_ONE_PERSON,), Hint.ONE_PERSON)
    assert (scene.about.quality, scene.observer.embedded) == (None, [])
    assert scene.about.liveness_method is LivenessMethod.NONE


def test_too_dark_then_corrected_is_an_ordinary_visit() -> None:
    """The hint goes at once when the light is on."""
    scene = Scene()
    scene.play(4, standing("ali", luminance=0.03))
    assert (scene.now.state, scene.now.hint) == (State.ALIGN, Hint.MORE_LIGHT)
    scene.tick(patient("ali"))
    assert (scene.now.state, scene.now.hint) == (State.HOLD, None)
    confirmed(scene, patient("ali"))
    assert scene.events[-1].reasons == (Reason.MATCH, Reason.LIVE)


def test_too_dark_for_too_long_is_refused_for_want_of_light() -> None:
    """After the time for an attempt, with its own reason."""
    scene = Scene()
    scene.until(State.NOT_RECOGNISED, standing("ali", luminance=0.03))
    assert (scene.events[-1].reasons, scene.events[-1].hint) == ((Reason.LOW_LIGHT,), Hint.MORE_LIGHT)


def test_a_face_that_never_gets_good_enough_was_not_acquired() -> None:
    """Any other flaw for too long; a hand before the lens at times does not start the time anew."""
    scene = Scene()
    scene.until(State.HOLD, standing("ali"))
    scene.until(State.NOT_RECOGNISED, standing("ali", yaw=30.0), within=T.acquire + 1)
    assert scene.events[-1].reasons == (Reason.NOT_ACQUIRED,)


def test_who_is_not_seen_well_gets_a_picture_and_then_another_way() -> None:
    """The hint is drawn after 8 s, the way without a face catches the eye after 15; with success both are gone."""
    scene, far = Scene(), standing("ali", inter_eye_distance=20.0)
    scene.until(State.ALIGN, far)
    began = scene.now.at
    scene.play(T.way_out + 1, far)
    drawn = next(shown.at for shown in scene.snapshots if shown.pictured)
    offered = next(shown.at for shown in scene.snapshots if shown.in_vain)
    assert drawn - began == pytest.approx(T.hint_picture, abs=0.2)
    assert offered - began == pytest.approx(T.way_out, abs=0.2)
    assert all(shown.hint is Hint.CLOSER for shown in scene.snapshots if shown.pictured)
    shown = scene.until(State.CHALLENGE, patient("ali"))
    assert (shown.pictured, shown.in_vain) == (False, False)


def test_a_gate_that_fails_while_holding_goes_back_to_the_hints() -> None:
    """What was collected is dropped."""
    scene = Scene()
    scene.until(State.HOLD, standing("ali"))
    scene.play(0.2, standing("ali"))
    scene.tick(standing("ali", sharpness=1.0))
    assert (scene.now.state, scene.now.hint) == (State.ALIGN, Hint.HOLD_STILL)
    scene.until(State.HOLD, standing("ali"))
    assert scene.now.progress == 0.0


def test_holding_too_long_without_enough_frames_ends_as_well() -> None:
    """A face that jumps about from frame to frame collects nothing."""
    scene = Scene()
    for _ in range(round(30 * scene.film.fps)):
        if scene.tick(standing("ali", x=(len(scene.snapshots) % 2) * 4.0 - 2.0)).state is State.NOT_RECOGNISED:
            break
    assert scene.events[-1].reasons == (Reason.NOT_ACQUIRED,)


# ---- answers


def test_not_me_wipes_the_greeting_and_is_recorded() -> None:
    """An incident with the identity the desk believed in."""
    scene, ali = Scene(), patient("ali")
    assert scene.until(State.CONFIRM, ali).greeting == "Ali A."
    scene.say(IntentKind.NOT_ME)
    shown = scene.tick(ali)
    assert (shown.state, shown.greeting, shown.offers) == (State.NOT_ME, "", ())
    assert (scene.events[-1].kind, scene.events[-1].reasons) == ("declined", (Reason.NOT_ME,))


def test_another_service_is_recorded_as_such() -> None:
    """The patient is who the desk said, the service is not: reception is called for them."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.say(IntentKind.NOT_MY_SERVICE)
    assert scene.tick(ali).state is State.HELP
    assert scene.desk.calls == [ALI]
    assert (scene.events[-1].kind, scene.events[-1].reasons) == ("declined", (Reason.NOT_MY_SERVICE,))


def test_no_answer_is_recorded_after_the_time() -> None:
    """And nothing is confirmed."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.until(State.STILL_THERE, ali, within=T.answer + 1)
    scene.until(State.LEAVING, ali, within=T.still_there + 1)
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (Reason.NO_ANSWER,))]


def test_an_answer_after_the_time_confirms_nothing() -> None:
    """However long the front end or the camera kept the answer waiting: who gave it may long be somebody else."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.say(IntentKind.CONFIRM, "xray")
    scene.film.now += T.answer  # the front end held the loop up
    assert scene.tick(ali).state is State.STILL_THERE
    scene.say(IntentKind.CONFIRM, "xray")
    scene.film.now += T.still_there
    assert scene.tick(ali).state is State.LEAVING
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (Reason.NO_ANSWER,))]


def test_walking_off_before_confirming_is_no_confirmation() -> None:
    """The tap of the next in the queue comes too late."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    scene.until(State.LEAVING, within=3)
    scene.say(IntentKind.CONFIRM, "xray")
    scene.play(2)
    assert [e.kind for e in scene.events] == ["declined"]
    assert scene.now.state is State.IDLE


@pytest.mark.parametrize(
    ("kind", "service"),
    [(IntentKind.CONFIRM, "dentist"), (IntentKind.CONFIRM, ""), (IntentKind.CLOSE, "")],
    ids=["somebody else's service", "no service", "close"],
)
def test_an_answer_that_was_not_offered_is_no_answer(kind: IntentKind, service: str) -> None:
    """Nothing is recorded; the question stands."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.say(kind, service)
    scene.tick(ali)
    assert (scene.now.state, scene.events) == (State.CONFIRM, [])


def test_answers_before_the_question_are_forgotten() -> None:
    """Before the confirmation nobody can confirm, whatever is pressed; help and another way are there throughout."""
    scene, ali, state = Scene(), patient("ali"), State.IDLE
    while state is not State.CONFIRM:
        for kind in set(IntentKind) - {IntentKind.HELP, IntentKind.WITHOUT_FACE}:
            scene.say(kind, "xray")
        state = scene.tick(ali).state
    scene.play(1, ali)
    assert (scene.now.state, scene.events) == (State.CONFIRM, [])


def test_a_second_tap_is_not_a_second_confirmation() -> None:
    """Two taps within one frame, one event."""
    scene, ali = Scene(planned={"ali": ["xray", "blood"]}), patient("ali")
    scene.until(State.CHOOSE, ali)
    scene.say(IntentKind.CHOOSE, "xray")
    for service in ("xray", "xray", "blood"):
        scene.say(IntentKind.CONFIRM, service)
    scene.tick(ali)
    assert [e.service for e in scene.events] == ["xray"]


def test_close_ends_the_receipt() -> None:
    """At once."""
    scene, ali = Scene(), patient("ali")
    confirmed(scene, ali)
    scene.say(IntentKind.CLOSE)
    assert scene.tick(ali).state is State.LEAVING
