"""What a recognised patient is asked, and what an answer, a silence or a call for help leads to."""

from dataclasses import replace

import pytest

from appliance.core.decision import Reason
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import PersonId
from sync.errors import DiskFull
from tests.station.scene import POLICY, Actor, Scene, confirmed, patient, standing

ALI = PersonId("ali")
T = POLICY.timing


def two() -> dict[str, list[str]]:
    """One patient with two services."""
    return {"ali": ["xray", "blood"]}


def chosen(scene: Scene, who: Actor, service: str) -> None:
    """Bring a visit to the confirmation of one of several services."""
    scene.until(State.CHOOSE, who)
    scene.say(IntentKind.CHOOSE, service)
    assert scene.tick(who).state is State.CONFIRM


def test_who_has_one_service_is_not_asked_which() -> None:
    """Straight to the confirmation, with that one and nothing to go back to."""
    scene = Scene()
    shown = scene.until(State.CONFIRM, patient("ali"))
    assert State.CHOOSE not in scene.states()
    assert ([offer.service for offer in shown.offers], shown.choice) == (["xray"], False)


def test_who_has_several_services_chooses_one_and_confirms_that() -> None:
    """All are shown, then one; the event is about that one, and the other is still to be confirmed."""
    scene, ali = Scene(planned=two()), patient("ali")
    shown = scene.until(State.CHOOSE, ali)
    assert ([offer.service for offer in shown.offers], shown.greeting) == (["xray", "blood"], "Ali A.")
    chosen(scene, ali, "blood")
    assert ([offer.service for offer in scene.now.offers], scene.now.choice) == (["blood"], True)
    confirmed(scene, ali, "blood")
    assert [event.service for event in scene.events] == ["blood"]
    assert [offer.service for offer in scene.now.offers] == ["blood"]
    assert scene.desk.planned["ali"] == ["xray"]


def test_whoever_chose_wrongly_goes_back() -> None:
    """As often as they like; nothing is recorded by it."""
    scene, ali = Scene(planned=two()), patient("ali")
    chosen(scene, ali, "blood")
    scene.say(IntentKind.BACK)
    assert scene.tick(ali).state is State.CHOOSE
    assert (len(scene.now.offers), scene.events) == (2, [])
    chosen(scene, ali, "xray")
    confirmed(scene, ali, "xray")
    assert [event.service for event in scene.events] == ["xray"]


def test_without_a_choice_there_is_no_way_back() -> None:
    """The question stands."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.say(IntentKind.BACK)
    assert scene.tick(ali).state is State.CONFIRM


@pytest.mark.parametrize("kind", [IntentKind.CHOOSE, IntentKind.CONFIRM])
def test_what_was_not_offered_cannot_be_chosen(kind: IntentKind) -> None:
    """Somebody else's service, none, and one that is confirmed without having been chosen."""
    scene, ali = Scene(planned=two()), patient("ali")
    scene.until(State.CHOOSE, ali)
    for service in ("dentist", "", *(["xray"] if kind is IntentKind.CONFIRM else [])):
        scene.say(kind, service)
    assert scene.tick(ali).state is State.CHOOSE
    assert scene.events == []


def test_who_comes_hours_before_is_told_when_to_come() -> None:
    """Known, with nothing to confirm yet; a refusal that names the patient and says why."""
    scene = Scene()
    scene.desk.early = "2026-11-23T14:30:00+05:00"
    shown = scene.until(State.TOO_EARLY, patient("dana"))
    assert (shown.early, shown.greeting, shown.offers) == ("2026-11-23T14:30:00+05:00", "", ())
    (event,) = scene.events
    assert (event.kind, event.person, event.reasons) == ("refused", "dana", (Reason.TOO_EARLY,))
    assert scene.until(State.LEAVING, patient("dana"), within=T.receipt + 1).early == ""


# ---- silence


@pytest.mark.parametrize("question", [State.CHOOSE, State.CONFIRM])
def test_who_says_nothing_is_asked_whether_they_are_there(question: State) -> None:
    """The screen shows nobody's name meanwhile; a touch brings the question back, with all its time."""
    scene, ali = Scene(planned=two() if question is State.CHOOSE else None), patient("ali")
    before = scene.until(question, ali)
    silent = scene.until(State.STILL_THERE, ali, within=T.answer + 0.2)
    assert (silent.greeting, silent.offers, silent.child) == ("", (), "")
    assert silent.seconds_left == pytest.approx(T.still_there)
    scene.play(T.still_there - 1, ali)
    scene.say(IntentKind.STAY)
    again = scene.tick(ali)
    assert (again.state, again.greeting, again.offers) == (question, before.greeting, before.offers)
    assert again.seconds_left == pytest.approx(T.answer)
    assert scene.events == []


def test_whoever_touches_the_screen_is_not_asked() -> None:
    """Each touch gives the time anew."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    for _ in range(3):
        scene.play(T.answer - 1, ali)
        scene.say(IntentKind.STAY)
    assert scene.tick(ali).state is State.CONFIRM
    assert scene.now.seconds_left == pytest.approx(T.answer)
    assert State.STILL_THERE not in scene.states()


def test_who_has_gone_while_asked_whether_they_are_there_confirms_nothing() -> None:
    """Recorded as unanswered, once; the answer of the next in the queue comes too late."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.until(State.STILL_THERE, ali)
    scene.until(State.LEAVING, within=3)
    scene.say(IntentKind.STAY)
    scene.say(IntentKind.CONFIRM, "xray")
    scene.play(1)
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (Reason.NO_ANSWER,))]


# ---- help


def test_reception_can_be_called_before_anything_else() -> None:
    """Also where no camera sees who calls; the place in the queue is shown, no event is made of a mere call."""
    scene = Scene()
    scene.desk.calls += [None, None]
    scene.play(1)
    scene.say(IntentKind.HELP)
    shown = scene.tick()
    assert (shown.state, shown.queue, scene.events) == (State.HELP, 3, [])
    assert shown.seconds_left == pytest.approx(T.help)
    scene.say(IntentKind.CLOSE)
    assert scene.play(0.2).state is State.IDLE
    assert scene.now.queue == 0


def test_help_is_shown_its_time_and_then_the_desk_is_free() -> None:
    """Also when nobody closes it."""
    scene = Scene()
    scene.say(IntentKind.HELP)
    scene.play(T.help - 1)
    assert scene.now.state is State.HELP
    scene.until(State.IDLE, within=2)


@pytest.mark.parametrize("state", [State.ALIGN, State.HOLD])
def test_who_calls_before_an_attempt_leaves_no_event(state: State) -> None:
    """Somebody stood there and asked for help."""
    scene = Scene()
    actor = standing("ali", sharpness=1.0 if state is State.ALIGN else 10.0)
    scene.until(state, actor)
    scene.say(IntentKind.HELP)
    assert scene.tick(actor).state is State.HELP
    assert (scene.events, scene.desk.calls) == ([], [None])


def test_who_calls_in_the_middle_of_an_attempt_leaves_its_outcome() -> None:
    """A refusal with the reasons, and that help was asked for; only one, whatever follows."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CHALLENGE, ali)
    scene.say(IntentKind.HELP)
    assert scene.tick(ali).state is State.HELP
    scene.play(T.help + T.leaving + 1)
    (event,) = scene.events
    assert (event.kind, event.person) == ("refused", None)
    assert event.reasons == (Reason.LIVENESS_INCONCLUSIVE, Reason.ASKED_FOR_HELP)


@pytest.mark.parametrize("question", [State.CHOOSE, State.CONFIRM, State.STILL_THERE])
def test_who_calls_when_recognised_is_known_to_reception(question: State) -> None:
    """The call is for that patient; the question is recorded as unanswered for this reason."""
    scene, ali = Scene(planned=two() if question is State.CHOOSE else None), patient("ali")
    scene.until(question, ali, within=60)
    scene.say(IntentKind.HELP)
    shown = scene.tick(ali)
    assert (shown.state, shown.greeting, scene.desk.calls) == (State.HELP, "", [ALI])
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (Reason.ASKED_FOR_HELP,))]


def test_who_was_told_the_outcome_may_call_and_it_stays_one_event() -> None:
    """Not recognised is in an event already."""
    scene = Scene()
    scene.until(State.NOT_RECOGNISED, standing("ali", luminance=0.03))
    scene.say(IntentKind.HELP)
    assert scene.tick().state is State.HELP
    assert [e.kind for e in scene.events] == ["refused"]


def test_a_call_that_cannot_be_kept_is_not_shown_as_one() -> None:
    """Nobody waits for a receptionist who was never told."""
    scene = Scene()
    scene.desk.failing["call"] = DiskFull("no space left")
    scene.say(IntentKind.HELP)
    shown = scene.tick()
    assert (shown.state, shown.failure) == (State.SAVE_FAILED, "E-DISK-01")


@pytest.mark.parametrize("step", ["record_decline", "call"])
def test_what_was_decided_is_recorded_before_anybody_is_called(step: str) -> None:
    """A call that fails loses no outcome; an outcome that fails is told as such, and nobody is said to be coming."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.desk.failing[step] = DiskFull("no space left")
    scene.say(IntentKind.HELP)
    shown = scene.tick(ali)
    assert (shown.state, shown.failure, scene.desk.calls) == (State.SAVE_FAILED, "E-DISK-01", [])
    assert [event.kind for event in scene.events] == (["declined"] if step == "call" else [])


# ---- what the screen is told beside


def test_the_face_is_where_the_camera_sees_it_while_it_is_looked_at() -> None:
    """Shares of the unmirrored frame, from stepping up to the end of the challenge, and not after."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CONFIRM, ali)
    looking = [s for s in scene.snapshots if s.state in (State.ALIGN, State.HOLD, State.CHALLENGE)]
    assert looking
    for shown in looking:
        assert shown.face is not None
        x, y, w, h = shown.face
        assert 0 < x < x + w < 1
        assert 0 < y < y + h < 1
    assert all(s.face is None for s in scene.snapshots if s not in looking and s.state is not State.IDLE)


def test_the_place_of_a_lost_face_is_not_made_up() -> None:
    """None while nobody is found."""
    scene = Scene()
    scene.until(State.ALIGN, standing("ali", sharpness=1.0))
    assert scene.tick().face is None


def test_the_screen_becomes_a_lamp_for_a_dark_face_and_does_not_flicker() -> None:
    """On in the dark, on when its own light has made the face just bright enough, off in real light and afterwards."""
    scene = Scene()
    scene.until(State.ALIGN, standing("ali", luminance=0.03))
    assert scene.now.lamp
    assert scene.play(0.5, standing("ali", luminance=POLICY.gate.min_luminance * 2, sharpness=1.0)).lamp
    assert not scene.play(0.5, standing("ali", luminance=0.5, sharpness=1.0)).lamp
    assert scene.play(0.5, standing("ali", luminance=0.03)).lamp
    assert not scene.until(State.IDLE, within=3).lamp


def test_a_desk_in_training_says_so_on_every_screen() -> None:
    """With and without a visit."""
    scene, ali = Scene(training=True), patient("ali")
    confirmed(scene, ali)
    assert all(shown.training for shown in scene.snapshots)
    assert not any(shown.training for shown in [Scene().tick()])


def test_what_is_shown_and_said_is_never_printed() -> None:
    """Snapshots, offers and answers hold names, numbers and codes."""
    scene = Scene()
    shown = scene.until(State.CONFIRM, patient("ali"))
    for text in (repr(shown), repr(shown.offers[0]), repr(replace(shown, child="Aru S."))):
        assert "redacted" in text
