"""Patients who leave: before, during and after a visit, and what of it is recorded."""

import logging
import re

import pytest

from appliance.core.decision import Reason
from appliance.core.policy import Policy
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import PersonId
from tests.station.scene import POLICY, Scene, confirmed, patient, standing

ALI = PersonId("ali")
T = POLICY.timing


def test_walking_off_in_the_middle_of_the_challenge_is_recorded() -> None:
    """First the lost track (a failed try), then the absence."""
    scene = Scene()
    scene.until(State.CHALLENGE, patient("ali"))
    scene.until(State.LEAVING, within=3)
    (event,) = scene.events
    assert (event.kind, event.reasons[-1]) == ("refused", Reason.LEFT)
    assert scene.about.earlier == (Reason.LIVENESS_INCONCLUSIVE,)
    scene.until(State.IDLE, within=1)


def test_walking_off_before_the_track_counts_as_lost_is_recorded_too() -> None:
    """A policy that waits longer for a face than for a person."""
    scene = Scene(policy=Policy(timing=type(T)(absence=0.3)))
    scene.until(State.CHALLENGE, patient("ali"))
    scene.until(State.LEAVING, within=1)
    assert scene.events[-1].reasons == (Reason.LIVENESS_INCONCLUSIVE, Reason.LEFT)


def test_a_blink_of_the_detector_in_the_challenge_is_forgiven() -> None:
    """Shorter than the track may be lost."""
    scene, ali = Scene(), patient("ali")
    scene.until(State.CHALLENGE, ali)
    scene.play(POLICY.liveness.max_gap / 2)
    scene.until(State.CONFIRM, ali)


def test_the_same_person_must_leave_before_the_next_visit() -> None:
    """Who stays after the receipt is not checked in again, until gone (or after a long time)."""
    scene, ali = Scene(planned={"ali": ["xray", "blood"]}), patient("ali")
    scene.until(State.CHOOSE, ali)
    scene.say(IntentKind.CHOOSE, "xray")
    confirmed(scene, ali)
    scene.until(State.LEAVING, ali, within=T.receipt + 1)
    scene.play(T.leaving - 2, ali)
    assert scene.now.state is State.LEAVING
    assert scene.play(2).state == State.IDLE
    confirmed(scene, patient("ali"), "blood")


def test_who_stays_for_ever_does_not_block_the_desk() -> None:
    """After the time for leaving the next visit may begin."""
    scene, ali = Scene(), patient("ali")
    confirmed(scene, ali)
    scene.until(State.LEAVING, ali, within=T.receipt + 1)
    scene.until(State.HOLD, ali, within=T.leaving + 1)


def test_the_next_patient_does_not_wait_for_one_who_left_during_the_receipt() -> None:
    """The receipt stands its time; then the desk is free at once, although somebody stands there."""
    scene = Scene()
    confirmed(scene, patient("ali"))
    scene.play(T.absence + 0.5)
    assert scene.now.state is State.RECEIPT
    bota = patient("bota")
    scene.until(State.HOLD, bota, within=T.receipt + 1)
    confirmed(scene, bota, "dentist")
    assert [e.person for e in scene.events] == ["ali", "bota"]


def test_nothing_personal_is_shown_after_the_visit() -> None:
    """Greeting in the confirmation only, the receipt and its service with the receipt; nothing in the next visit."""
    scene, ali = Scene(), patient("ali")
    confirmed(scene, ali)
    scene.play(T.receipt + 1, ali)
    scene.play(3)
    scene.play(3, standing("stranger"))
    for shown in scene.snapshots:
        assert bool(shown.greeting) == (shown.state is State.CONFIRM)
        assert bool(shown.offers) == (shown.state in (State.CONFIRM, State.RECEIPT))
        assert bool(shown.receipt) == (shown.state is State.RECEIPT)
        assert "Ali" not in repr(shown)


def test_the_log_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """At the finest level, through a whole visit: no person, no service, no greeting."""
    with caplog.at_level(logging.DEBUG):
        scene, ali = Scene(), patient("ali")
        confirmed(scene, ali)
        scene.play(T.receipt + 1, ali)
        scene.play(3)
    assert caplog.text
    assert not re.search(r"\bali\b|xray|dentist", caplog.text, re.IGNORECASE)


def test_the_time_left_is_shown_where_there_is_a_limit() -> None:
    """It counts down to the end of the confirmation."""
    scene, ali = Scene(), patient("ali")
    first = scene.until(State.CONFIRM, ali).seconds_left
    scene.play(5, ali)
    assert first == pytest.approx(T.answer)
    assert scene.now.seconds_left == pytest.approx(T.answer - 5, abs=0.1)
    assert all(s.seconds_left is None for s in scene.snapshots if s.state is State.IDLE)


def test_somebody_else_in_another_place_does_not_answer_for_the_patient() -> None:
    """The recognised face has gone from its place: the question ends, recorded as unanswered."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    scene.play(T.absence + 0.5, standing("bota", x=4.0))
    assert scene.now.state is State.LEAVING
    assert [(e.kind, e.person, e.reasons) for e in scene.events] == [("declined", "ali", (Reason.NO_ANSWER,))]
