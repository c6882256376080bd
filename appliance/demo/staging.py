"""How each act of the plan looks in the camera: cast and plan become scripts for the scene renderer.

The scene never tells the desk who is alive or who anybody is; it only gives frames.
"""

from collections.abc import Mapping

from appliance.capture.scene import Scene
from appliance.capture.scene_portrait import Portrait
from appliance.capture.scene_script import Action, Enter, HeldPhoto, Light, LivePerson, Script, Turn
from appliance.core.types import Instant
from appliance.demo.plan import Act, Staging

FPS = 15.0
"""Frames a second of the scene; a webcam in a dim room gives as many."""

_LENGTH = {
    Staging.STEPS_UP: 45.0,
    Staging.NOBODY: 6.0,
    Staging.TWO_AT_ONCE: 26.0,
    Staging.DARK_THEN_LIT: 60.0,
    Staging.PRINTED_PHOTO: 45.0,
    Staging.UNSEEN: 45.0,
}


def _actions(act: Act, portraits: Mapping[str, Portrait]) -> tuple[Action, ...]:
    if act.staging is Staging.NOBODY or (act.staging is Staging.UNSEEN and act.who):
        return ()
    who = portraits[act.who] if act.who else None
    match act.staging:
        case Staging.TWO_AT_ONCE if who and act.beside:
            beside = LivePerson(portraits[act.beside])
            return (
                Enter(0.5, LivePerson(who), "patient", x=0.33, eye_distance=56.0),
                Enter(0.5, beside, "beside", side=1, x=0.7, eye_distance=54.0),
            )
        case Staging.DARK_THEN_LIT if who:
            return (Light(0.0, gain=0.1, seconds=0.0), Enter(0.5, LivePerson(who)), Light(8.0, gain=1.0))
        case Staging.PRINTED_PHOTO if who:
            moves = tuple(Turn(4.0 + 3 * n, yaw=(25.0, -25.0)[n % 2], pitch=(8.0, -8.0)[n % 2]) for n in range(2))
            return (Enter(0.5, HeldPhoto(who)), *moves, Turn(10.0))
        case Staging.STEPS_UP if who:
            return (Enter(0.5, LivePerson(who)),)
    raise ValueError(f"the act {act.title!r} names nobody")


def stage(act: Act, portraits: Mapping[str, Portrait], start: Instant, seed: int) -> Scene:
    """The act as a frame source. start: time of its first frame. seed: of everything that varies by chance."""
    script = Script(_actions(act, portraits), seconds=_LENGTH[act.staging])
    return Scene(script, name="scene", start=start, fps=FPS, seed=seed)


def enrolment_scene(portrait: Portrait, start: Instant, seed: int) -> Scene:
    """Somebody before the desk's camera for an enrolment, in slightly warmer light than on the day of the visit.

    Looks ahead, a little to the left, a little to the right.
    """
    light, enter = Light(0.0, gain=0.9, warmth=0.3, seconds=0.0), Enter(0.0, LivePerson(portrait))
    turns = (Turn(3.4, yaw=13.0), Turn(4.8, yaw=-13.0, seconds=0.8))
    script = Script((light, enter, *turns), seconds=12.0)
    return Scene(script, name="scene", start=start, fps=FPS, seed=seed)


def empty_room(start: Instant, seed: int, seconds: float = 40.0) -> Scene:
    """Nobody before the camera, between two visits."""
    return Scene(Script((), seconds=seconds), name="scene", start=start, fps=FPS, seed=seed)
