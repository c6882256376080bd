"""After a restart the patient still gets the receipt of a visit that was saved, and nobody gets anything else."""

import pytest

from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import Instant
from sync.errors import DatabaseBusy
from tests.fakes.reception import offer
from tests.station.scene import POLICY, Scene, confirmed, patient

T = POLICY.timing
SAVED = ("e" * 32, offer("xray"))


def restarted(waiting: int = 0) -> Scene:
    """A desk whose window came up again just after a visit was saved."""
    scene = Scene()
    scene.desk.last, scene.desk.waiting = SAVED, waiting
    scene.station.resume(Instant(0.0))
    return scene


@pytest.mark.parametrize("waiting", [0, 1])
def test_a_receipt_that_was_saved_is_shown_again(waiting: int) -> None:
    """With its service and number, no name, and whether it waits for the key; for its usual time; recorded once."""
    scene = restarted(waiting)
    shown = scene.tick()
    assert (shown.state, shown.receipt, shown.offers) == (State.RECEIPT, SAVED[0], (SAVED[1],))
    assert (shown.greeting, shown.unsigned) == ("", waiting > 0)
    assert shown.seconds_left == pytest.approx(T.receipt, abs=0.1)
    scene.until(State.IDLE, within=T.receipt + 1)
    assert (scene.now.receipt, scene.now.offers, scene.events) == ("", (), [])


def test_it_can_be_closed_and_the_next_patient_is_served() -> None:
    """As any receipt."""
    scene = restarted()
    scene.tick()
    scene.say(IntentKind.CLOSE)
    bota = patient("bota")
    confirmed(scene, bota, "dentist")
    assert [event.person for event in scene.events] == ["bota"]


def test_without_a_visit_just_before_the_desk_waits() -> None:
    """The ordinary start."""
    scene = Scene()
    scene.station.resume(Instant(0.0))
    assert scene.tick().state is State.IDLE


def test_a_database_that_cannot_be_read_is_said() -> None:
    """By whoever starts the desk."""
    scene = Scene()
    scene.desk.failing["just_confirmed"] = DatabaseBusy("locked")
    with pytest.raises(DatabaseBusy):
        scene.station.resume(Instant(0.0))
