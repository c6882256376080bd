"""The plan plays what the issue of the demonstration asks for, and every act can be staged."""

from itertools import groupby

import pytest

from appliance.capture.scene import Scene
from appliance.core.decision import Reason
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import Instant, LivenessVerdict
from appliance.demo.cast import EVERYBODY, GUARDIAN, PATIENTS
from appliance.demo.performance import ENDS
from appliance.demo.plan import PLAN, RECOGNISED, Act, Outcome, Staging
from appliance.demo.staging import FPS, empty_room, stage

KEYS = {role.key for role in PATIENTS}


def test_every_patient_is_recognised() -> None:
    """Each of the enrolled gets a receipt."""
    assert {act.who for act in PLAN if act.outcome is RECOGNISED} == KEYS


def test_everything_that_can_go_wrong_is_played() -> None:
    """A stranger, nobody, two at once, darkness, a printed photo, "not me", and somebody who comes again."""
    assert {act.staging for act in PLAN} == set(Staging)
    reasons = {reason for act in PLAN for reason in (*act.outcome.reasons, *act.outcome.any_of)}
    assert {Reason.NO_MATCH, Reason.MORE_THAN_ONE_PERSON, Reason.NOT_ME, Reason.LIVENESS_SPOOF} <= reasons
    assert State.ALREADY in {act.outcome.state for act in PLAN}
    assert IntentKind.NOT_ME in {act.answer for act in PLAN}
    assert {"checked_in", "confirmed_without_face"} <= {act.outcome.kind for act in PLAN}
    assert any(act.who == "stranger" and act.outcome.kind == "refused" for act in PLAN)


def test_only_live_people_check_in() -> None:
    """No act of the plan lets in who was not found alive; a photo must not become live."""
    for act in PLAN:
        if act.outcome.kind == "checked_in":
            assert act.outcome.liveness == {LivenessVerdict.LIVE}
        if act.staging is Staging.PRINTED_PHOTO:
            assert LivenessVerdict.LIVE not in act.outcome.liveness


def test_the_network_is_down_for_several_visits_and_comes_back() -> None:
    """Once: up, down for at least three receipts, up again."""
    phases = [(up, list(acts)) for up, acts in groupby(PLAN, key=lambda act: act.network)]
    assert [up for up, _ in phases] == [True, False, True]
    assert sum(act.outcome is RECOGNISED for act in phases[1][1]) >= 3


def test_everybody_named_is_in_the_cast() -> None:
    """No act waits for somebody who does not exist."""
    everybody = {who.key for who in EVERYBODY}
    assert {name for act in PLAN for name in (act.who, act.beside, act.child) if name} <= {*everybody, "stranger"}
    assert {act.who for act in PLAN if act.child} == {GUARDIAN}


def test_every_end_of_the_plan_is_one_the_screen_shows() -> None:
    """Or the act begins no visit at all."""
    assert {act.outcome.state for act in PLAN} <= ENDS | {State.IDLE}


def test_the_empty_room_shows_nobody_for_a_while() -> None:
    """Between two visits."""
    room = empty_room(Instant(3.0), seed=1, seconds=0.4)
    frames = list(iter(room.read, None))
    assert len(frames) == round(0.4 * FPS)
    assert frames[0].at == 3.0
    assert isinstance(room, Scene)


@pytest.mark.parametrize("staging", [s for s in Staging if s is not Staging.NOBODY])
def test_an_act_without_its_person_is_refused(staging: Staging) -> None:
    """A slip in the plan is a bug, told before anything is drawn."""
    with pytest.raises(ValueError, match="names nobody"):
        stage(Act("slip", staging, Outcome(State.IDLE, None)), {}, Instant(0.0), 1)
