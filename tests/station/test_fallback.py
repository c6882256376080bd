"""Who does not want to be seen, or was not recognised, proves who they are by number and code."""

import pytest

from appliance.core.decision import Reason
from appliance.core.events import LivenessMethod
from appliance.core.ports import Claim
from appliance.core.session import State
from appliance.core.snapshot import IntentKind, Snapshot
from appliance.core.types import LivenessVerdict, PersonId
from sync.errors import DatabaseBusy, DiskFull
from tests.station.scene import POLICY, Scene, patient, standing

ALI = PersonId("ali")
T = POLICY.timing


def desk(services: tuple[str, ...] = ("xray",)) -> Scene:
    """Ali has services today, and a code."""
    scene = Scene(planned={"ali": list(services), "bota": ["dentist"]})
    scene.desk.codes["ali"] = "123456"
    return scene


def fallback(scene: Scene) -> Snapshot:
    """Somebody in front of no camera presses the button."""
    scene.say(IntentKind.WITHOUT_FACE)
    shown = scene.tick()
    assert shown.state is State.FALLBACK
    return shown


def test_a_patient_checks_in_without_ever_being_seen() -> None:
    """From the first screen to the receipt; an event of its own kind, without a comparison or a proof of life."""
    scene = desk()
    fallback(scene)
    scene.type("ali", "123456")
    shown = scene.tick()
    assert (shown.state, shown.greeting, len(shown.offers)) == (State.CONFIRM, "Ali A.", 1)
    scene.play(3)
    assert scene.now.state is State.CONFIRM
    scene.say(IntentKind.CONFIRM, "xray")
    assert scene.tick().state is State.RECEIPT
    (event,) = scene.events
    assert (event.kind, event.person, event.service) == ("confirmed_without_face", ALI, "xray")
    assert event.reasons == (Reason.WITHOUT_FACE,)
    assert scene.now.receipt == event.event_id
    about = scene.about
    assert (about.liveness, about.liveness_method) == (LivenessVerdict.NOT_CHECKED, LivenessMethod.NONE)
    assert (about.quality, about.earlier) == (None, ())
    assert scene.matcher.asked == []
    scene.until(State.IDLE, within=T.receipt + 1)


def test_several_services_are_chosen_from_as_ever() -> None:
    """And one can go back."""
    scene = desk(("xray", "blood"))
    fallback(scene)
    scene.type("ali", "123456")
    assert scene.tick().state is State.CHOOSE
    for answer in ((IntentKind.CHOOSE, "xray"), (IntentKind.BACK, ""), (IntentKind.CHOOSE, "blood")):
        scene.say(*answer)
    scene.say(IntentKind.CONFIRM, "blood")
    assert scene.tick().state is State.RECEIPT
    assert [event.service for event in scene.events] == ["blood"]


@pytest.mark.parametrize(
    ("state", "reasons"),
    [
        (State.ALIGN, (Reason.WITHOUT_FACE,)),
        (State.HOLD, (Reason.WITHOUT_FACE,)),
        (State.CHALLENGE, (Reason.LIVENESS_INCONCLUSIVE,)),
        (State.NOT_RECOGNISED, (Reason.NO_MATCH,)),
    ],
)
def test_another_way_is_open_at_any_time_and_the_event_says_why(state: State, reasons: tuple[Reason, ...]) -> None:
    """The face that was being looked at is dropped; what had failed before is told."""
    scene = desk()
    actor = standing("ali", sharpness=1.0) if state is State.ALIGN else patient("stranger")
    scene.until(state, actor, within=60)
    scene.say(IntentKind.WITHOUT_FACE)
    assert scene.tick(actor).state is State.FALLBACK
    scene.play(2, actor)
    scene.type("ali", "123456")
    scene.tick(actor)
    scene.say(IntentKind.CONFIRM, "xray")
    assert scene.tick(actor).state is State.RECEIPT
    assert (scene.events[-1].kind, scene.events[-1].reasons) == ("confirmed_without_face", reasons)
    assert scene.about.liveness is LivenessVerdict.NOT_CHECKED
    refused = 1 if state is State.NOT_RECOGNISED else 0
    assert len(scene.events) == 1 + refused


def test_a_recognised_patient_has_no_use_for_it() -> None:
    """The question stands."""
    scene, ali = desk(), patient("ali")
    scene.until(State.CONFIRM, ali)
    scene.say(IntentKind.WITHOUT_FACE)
    scene.type("ali", "123456")
    assert scene.tick(ali).state is State.CONFIRM


def test_a_slip_is_forgiven_and_counted() -> None:
    """The next entry may be right; the event says that one was not."""
    scene = desk()
    fallback(scene)
    scene.type("ali", "000000")
    shown = scene.tick()
    assert (shown.state, shown.wrong, shown.greeting) == (State.FALLBACK, 1, "")
    scene.type("ali", "123456")
    scene.tick()
    scene.say(IntentKind.CONFIRM, "xray")
    scene.tick()
    assert [e.reasons for e in scene.events] == [(Reason.WITHOUT_FACE, Reason.WRONG_CODE)]


def test_three_wrong_entries_call_reception() -> None:
    """With one refusal that names nobody: whose number it was is that person's word."""
    scene = desk()
    fallback(scene)
    for wrong in range(1, POLICY.entries):
        scene.type("ali", "000000")
        assert scene.tick().wrong == wrong
    scene.type("ali", "000000")
    shown = scene.tick()
    assert (shown.state, shown.queue, shown.wrong) == (State.HELP, 1, 0)
    (event,) = scene.events
    assert (event.kind, event.person, event.reasons) == ("refused", None, (Reason.WRONG_CODE,))
    (call,) = scene.desk.calls
    assert isinstance(call, Claim)
    assert (call.patient, call.reception) == ("ali", None)
    scene.type("ali", "123456")
    assert scene.tick().state is State.HELP


def test_who_has_no_code_is_helped_as_who_they_say_they_are() -> None:
    """Reception is told the claim; nothing was tried, and no event is made."""
    scene = desk()
    fallback(scene)
    scene.type("bota")
    assert scene.tick().state is State.HELP
    assert scene.events == []
    (call,) = scene.desk.calls
    assert isinstance(call, Claim)
    assert (call.patient, call.reception) == ("bota", None)


@pytest.mark.parametrize("wrong", [0, 1])
def test_who_gives_up_leaves_an_event_only_of_what_was_tried(wrong: int) -> None:
    """After the silence; a wrong code is an outcome, an empty pad is none."""
    scene = desk()
    fallback(scene)
    for _ in range(wrong):
        scene.type("ali", "000000")
    scene.until(State.STILL_THERE, within=T.answer + 1)
    scene.play(2)
    assert scene.now.state is State.STILL_THERE
    scene.say(IntentKind.STAY)
    assert (scene.tick().state, scene.now.wrong) == (State.FALLBACK, wrong)
    scene.until(State.STILL_THERE, within=T.answer + 1)
    scene.until(State.IDLE, within=T.still_there + 1)
    assert [e.reasons for e in scene.events] == [(Reason.WRONG_CODE, Reason.LEFT)] * wrong


@pytest.mark.parametrize("kind", [IntentKind.BACK, IntentKind.CLOSE])
def test_whoever_changes_their_mind_goes_back(kind: IntentKind) -> None:
    """The desk is free at once where nobody stands before it."""
    scene = desk()
    fallback(scene)
    scene.say(kind)
    scene.play(0.2)
    assert (scene.now.state, scene.events) == (State.IDLE, [])


def test_a_touch_keeps_the_pad_open() -> None:
    """Slow typing is no silence."""
    scene = desk()
    fallback(scene)
    for _ in range(3):
        scene.play(T.answer - 1)
        scene.say(IntentKind.STAY)
    assert scene.tick().state is State.FALLBACK
    assert State.STILL_THERE not in scene.states()


def test_who_was_identified_and_says_no_is_recorded() -> None:
    """By name, without a comparison."""
    scene = desk()
    fallback(scene)
    scene.type("ali", "123456")
    scene.tick()
    scene.say(IntentKind.NOT_ME)
    assert scene.tick().state is State.NOT_ME
    assert [(e.kind, e.person, e.reasons) for e in scene.events] == [("declined", ALI, (Reason.NOT_ME,))]


def test_the_name_is_wiped_when_nobody_answers_any_more() -> None:
    """However long nobody is seen before the camera: silence ends it."""
    scene = desk()
    fallback(scene)
    scene.type("ali", "123456")
    scene.tick()
    assert scene.until(State.STILL_THERE, within=T.answer + 1).greeting == ""
    scene.until(State.IDLE, within=T.still_there + 1)
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (Reason.NO_ANSWER,))]


def test_who_comes_too_early_or_again_is_told_so() -> None:
    """A refusal that names the patient whose code was right."""
    for already in (False, True):
        scene = desk(())
        scene.desk.early = "" if already else "2026-11-23T14:30:00+05:00"
        scene.desk.confirmed = {"ali": "e1"} if already else {}
        fallback(scene)
        scene.type("ali", "123456")
        assert scene.tick().state is (State.ALREADY if already else State.TOO_EARLY)
        (event,) = scene.events
        reason = Reason.ALREADY_CONFIRMED if already else Reason.TOO_EARLY
        assert (event.kind, event.person, event.reasons) == ("refused", ALI, (reason,))


@pytest.mark.parametrize("step", ["claim", "record_without_face"])
def test_what_cannot_be_saved_is_no_visit(step: str) -> None:
    """Said, with its code, and never a tick."""
    scene = desk()
    scene.desk.failing[step] = DatabaseBusy("locked") if step == "claim" else DiskFull("no space left")
    fallback(scene)
    scene.type("ali", "123456")
    scene.tick()
    scene.say(IntentKind.CONFIRM, "xray")
    scene.tick()
    assert scene.now.state is State.SAVE_FAILED
    assert (scene.events, State.RECEIPT in scene.states()) == ([], False)


def test_the_next_visit_begins_with_a_face_again() -> None:
    """Nothing of the other way is left."""
    scene = desk()
    fallback(scene)
    scene.type("ali", "000000")
    scene.tick()
    scene.say(IntentKind.BACK)
    scene.play(1)
    bota = patient("bota")
    scene.until(State.CONFIRM, bota)
    scene.until(State.LEAVING, within=3)
    assert [e.kind for e in scene.events] == ["refused", "declined"]
