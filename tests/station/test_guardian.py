"""A guardian's face speaks for a child: named on the screen before anything is confirmed, and never mixed up."""

from dataclasses import replace

import pytest

from appliance.core.decision import Reason
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import PersonId
from tests.fakes.reception import offer
from tests.station.scene import POLICY, Scene, patient

ARU, DAUREN = replace(offer("vaccine"), child="Aru S."), replace(offer("dentist-2"), child="Dauren S.")
DANA = PersonId("dana")
T = POLICY.timing


def desk(*services: str) -> Scene:
    """Dana speaks for Aru, who has a vaccination today; her own services besides."""
    scene = Scene(planned={"dana": list(services), "bota": ["dentist"]})
    scene.desk.wards["dana"] = [ARU]
    return scene


def test_a_guardian_checks_a_child_in() -> None:
    """The child is named, then the service; the event is of whom the desk recognised."""
    scene, dana = desk(), patient("dana")
    shown = scene.until(State.GUARDIAN, dana)
    assert (shown.child, shown.offers, shown.choice) == ("Aru S.", (ARU,), False)
    scene.say(IntentKind.CHOOSE, "vaccine")
    shown = scene.tick(dana)
    assert (shown.state, shown.child, shown.greeting, shown.offers) == (State.CONFIRM, "Aru S.", "Dana A.", (ARU,))
    scene.say(IntentKind.CONFIRM, "vaccine")
    shown = scene.tick(dana)
    assert (shown.state, shown.child, shown.greeting) == (State.RECEIPT, "", "")
    (event,) = scene.events
    assert (event.kind, event.person, event.service) == ("checked_in", DANA, "vaccine")


def test_the_name_on_the_receipt_is_nobody_s() -> None:
    """The service stays for the way to the room; whose it was is wiped with the question."""
    scene, dana = desk(), patient("dana")
    scene.until(State.GUARDIAN, dana)
    for kind in (IntentKind.CHOOSE, IntentKind.CONFIRM):
        scene.say(kind, "vaccine")
    shown = scene.tick(dana)
    assert shown.state is State.RECEIPT
    assert [(each.service, each.child) for each in shown.offers] == [("vaccine", "")]


def test_a_double_tap_does_not_answer_two_questions() -> None:
    """Nor does a yes to the service stand for one to the child."""
    scene, dana = desk(), patient("dana")
    scene.until(State.GUARDIAN, dana)
    scene.say(IntentKind.CONFIRM, "vaccine")
    assert scene.tick(dana).state is State.GUARDIAN
    for _ in range(2):
        scene.say(IntentKind.CHOOSE, "vaccine")
    assert (scene.tick(dana).state, scene.events) == (State.CONFIRM, [])


def test_own_and_children_s_services_are_told_apart() -> None:
    """All in one choice, each with whose it is; the child's leads to the guardian's question, one's own does not."""
    scene, dana = desk("xray"), patient("dana")
    shown = scene.until(State.CHOOSE, dana)
    assert [(each.service, each.child) for each in shown.offers] == [("xray", ""), ("vaccine", "Aru S.")]
    assert shown.child == ""
    scene.say(IntentKind.CHOOSE, "vaccine")
    assert scene.tick(dana).state is State.GUARDIAN
    scene.say(IntentKind.BACK)
    assert (scene.tick(dana).state, scene.now.child) == (State.CHOOSE, "")
    scene.say(IntentKind.CHOOSE, "xray")
    assert (scene.tick(dana).state, scene.now.child) == (State.CONFIRM, "")


def test_of_two_children_the_one_is_confirmed_that_was_chosen() -> None:
    """The other's service stays open."""
    scene, dana = desk(), patient("dana")
    scene.desk.wards["dana"].append(DAUREN)
    scene.until(State.CHOOSE, dana)
    scene.say(IntentKind.CHOOSE, "dentist-2")
    assert scene.tick(dana).child == "Dauren S."
    for kind, service in ((IntentKind.CHOOSE, "vaccine"), (IntentKind.CHOOSE, "dentist-2")):
        scene.say(kind, service)
    scene.say(IntentKind.CONFIRM, "vaccine")
    assert (scene.tick(dana).state, scene.events) == (State.CONFIRM, [])
    scene.say(IntentKind.CONFIRM, "dentist-2")
    scene.tick(dana)
    assert [event.service for event in scene.events] == ["dentist-2"]
    assert scene.desk.wards["dana"] == [ARU]


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (IntentKind.NOT_ME, State.NOT_ME, Reason.NOT_ME),
        (IntentKind.NOT_MY_SERVICE, State.HELP, Reason.NOT_MY_SERVICE),
        (IntentKind.HELP, State.HELP, Reason.ASKED_FOR_HELP),
    ],
)
def test_a_guardian_can_say_no(kind: IntentKind, state: State, reason: Reason) -> None:
    """Nothing is confirmed, and why is recorded."""
    scene, dana = desk(), patient("dana")
    scene.until(State.GUARDIAN, dana)
    scene.say(kind)
    assert (scene.tick(dana).state, scene.now.child) == (state, "")
    assert [(e.kind, e.reasons) for e in scene.events] == [("declined", (reason,))]


def test_a_silent_guardian_is_asked_without_the_child_s_name() -> None:
    """And comes back to the same child."""
    scene, dana = desk(), patient("dana")
    scene.until(State.GUARDIAN, dana)
    shown = scene.until(State.STILL_THERE, dana, within=T.answer + 1)
    assert (shown.child, shown.greeting, shown.offers) == ("", "", ())
    scene.say(IntentKind.STAY)
    assert (scene.tick(dana).state, scene.now.child) == (State.GUARDIAN, "Aru S.")


def test_a_guardian_who_walks_off_confirms_nothing() -> None:
    """As any patient."""
    scene = desk()
    scene.until(State.GUARDIAN, patient("dana"))
    scene.until(State.LEAVING, within=3)
    assert [e.reasons for e in scene.events] == [(Reason.NO_ANSWER,)]
