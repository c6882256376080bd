"""A machine that slept in the middle of a visit: whoever stands there afterwards is somebody else."""

from collections.abc import Callable

import pytest

from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from tests.station.scene import Scene, confirmed, patient, standing

ALI, BOTA = patient("ali"), patient("bota")


def pad(scene: Scene) -> None:
    """Somebody types a number."""
    scene.say(IntentKind.WITHOUT_FACE)
    scene.until(State.FALLBACK)


def asked_again(scene: Scene) -> None:
    """Nobody has typed for long."""
    pad(scene)
    scene.until(State.STILL_THERE, within=scene.policy.timing.answer + 1)


def called(scene: Scene) -> None:
    """Reception is called."""
    scene.say(IntentKind.HELP)
    scene.until(State.HELP, ALI)


@pytest.mark.parametrize(
    ("reach", "recorded"),
    [
        (lambda scene: scene.until(State.ALIGN, standing("ali", sharpness=1.0)), []),
        (lambda scene: scene.until(State.HOLD, ALI), []),
        (lambda scene: scene.until(State.CHALLENGE, ALI), ["refused"]),
        (lambda scene: scene.until(State.CONFIRM, ALI), ["declined"]),
        (lambda scene: confirmed(scene, ALI), ["checked_in"]),
        (pad, []),
        (asked_again, []),
        (called, []),
    ],
    ids=["align", "hold", "challenge", "confirm", "receipt", "pad", "still_there", "help"],
)
def test_nobody_goes_on_with_what_another_was_asked(reach: Callable[[Scene], object], recorded: list[str]) -> None:
    """What came of the visit is recorded; the screen is the next patient's, with nothing of the last one."""
    scene = Scene()
    reach(scene)
    before = len(scene.snapshots)
    scene.clock.suspend(3600)
    scene.tick(BOTA)
    assert [event.kind for event in scene.events] == recorded
    scene.say(IntentKind.CONFIRM, "xray")
    scene.until(State.CONFIRM, BOTA)
    states = [shown.state for shown in scene.snapshots[before:]]
    assert set(states) <= {State.IDLE, State.ALIGN, State.HOLD, State.CHALLENGE, State.CONFIRM}
    assert [event.kind for event in scene.events] == recorded


def test_a_visit_goes_on_while_the_machine_is_awake() -> None:
    """However often the wall clock is set."""
    scene = Scene()
    scene.until(State.CONFIRM, ALI)
    scene.clock.step_wall(7200)
    scene.play(1, ALI)
    assert scene.now.state is State.CONFIRM
