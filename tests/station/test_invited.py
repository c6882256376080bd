"""Reception asks for another try: it begins at once, for whoever stands there, and nobody is named to the desk."""

import pytest

from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind
from sync.errors import DatabaseBusy
from tests.station.scene import Scene, patient, standing


def test_who_was_called_away_from_waiting_tries_again_and_is_recognised() -> None:
    """From the call for help straight to the oval: no time-out, no walking away, and the tries count anew."""
    scene = Scene()
    scene.tick()
    scene.station.submit(Intent(IntentKind.HELP))
    scene.until(State.HELP, patient("ali"))
    scene.play(2.0, patient("ali"))
    scene.desk.wishes = 1
    called = scene.now.visit
    assert scene.until(State.HOLD, patient("ali"), within=1.0).visit == called, "in the language they had chosen"
    assert scene.until(State.CONFIRM, patient("ali")).greeting == "Ali A."
    scene.station.submit(Intent(IntentKind.CONFIRM, "xray"))
    scene.until(State.RECEIPT, patient("ali"))
    assert (scene.events[-1].kind, scene.about.attempts) == ("checked_in", 1)


def test_somebody_else_who_stands_there_is_recognised_as_themselves() -> None:
    """Whoever the receptionist had in mind: the desk knows only whom it sees."""
    scene = Scene()
    scene.until(State.NOT_RECOGNISED, standing("zoe", sharpness=0.0), within=60.0)
    scene.desk.wishes = 1
    scene.until(State.HOLD, patient("bota"), within=1.0)
    assert scene.until(State.CONFIRM, patient("bota")).greeting == "Bota A."


def test_nobody_there_makes_the_screen_free_for_who_comes() -> None:
    """The patient went to the reception: the screen that still waits for them is idle at once, without a record."""
    scene = Scene()
    scene.tick()
    scene.station.submit(Intent(IntentKind.HELP))
    scene.until(State.HELP, patient("ali"))
    scene.play(5.0)
    before = len(scene.events)
    scene.desk.wishes = 1
    scene.until(State.IDLE, within=2.0)
    assert len(scene.events) == before


def test_a_visit_under_way_is_not_interrupted() -> None:
    """A question stays until it is answered; the wish is not taken up in it."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    scene.desk.wishes = 1
    assert scene.play(3.0, patient("ali")).state is State.CONFIRM
    assert scene.desk.wishes == 1


def test_records_that_do_not_answer_leave_the_patient_waiting(caplog: pytest.LogCaptureFixture) -> None:
    """As before; the next look asks again."""
    scene = Scene()
    scene.tick()
    scene.station.submit(Intent(IntentKind.HELP))
    scene.until(State.HELP, patient("ali"))
    scene.desk.failing["invited"] = DatabaseBusy("another process writes")
    scene.play(1.0, patient("ali"))
    assert scene.now.state is State.HELP
    assert "another try" in caplog.text
    scene.desk.wishes = 1
    scene.until(State.HOLD, patient("ali"), within=2.0)
