"""A desk that waits: it looks often enough to notice who comes, and no more often than that."""

from dataclasses import replace

from appliance.core.policy import Policy, Timing
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind
from tests.fakes.observer import Film
from tests.station.scene import Scene, patient


def _at(fps: float, timing: Timing) -> tuple[Scene, int]:
    """Looks taken in two seconds before an empty desk."""
    scene = Scene(policy=replace(Policy(), timing=timing))
    scene.film = Film(fps=fps)
    scene.play(2.0)
    return scene, scene.observer.looks


def test_a_desk_looks_fifteen_times_a_second() -> None:
    """Of 30 frames every other; a slower camera is not slowed further."""
    assert _at(30.0, Timing())[1] == 30
    assert _at(15.0, Timing())[1] == 30
    assert _at(20.0, Timing())[1] == 40
    assert _at(30.0, Timing(look=0.0))[1] == 60


def test_whoever_is_there_is_looked_at_as_often() -> None:
    """Through the whole visit; each look is shown."""
    scene, before = _at(30.0, Timing())
    scene.until(State.CONFIRM, patient("ali"))
    began, looks = scene.film.now, scene.observer.looks
    scene.play(1.0, patient("ali"))
    assert scene.observer.looks - looks == round((scene.film.now - began) * 15)
    assert len(scene.snapshots) == scene.observer.looks > before
    assert scene.now.state is State.CONFIRM


def test_an_answer_is_taken_with_the_very_next_frame() -> None:
    """Whoever presses does not wait for the next look."""
    scene, _ = _at(30.0, Timing())
    scene.until(State.CONFIRM, patient("ali"))
    for _ in range(2):  # whichever of them was to be looked at
        scene.station.submit(Intent(IntentKind.NOT_ME))
        looks = scene.observer.looks
        scene.tick(patient("ali"))
        assert scene.observer.looks == looks + 1


def test_the_next_visit_is_told_from_the_last_without_an_idle_screen() -> None:
    """Who stands there when the screen gets free is met with the very look that frees it, and under another number."""
    scene = Scene()
    scene.until(State.CONFIRM, patient("ali"))
    scene.station.submit(Intent(IntentKind.NOT_ME))
    first = scene.until(State.LEAVING, patient("ali"), within=20.0).visit
    scene.until(State.HOLD, patient("ali"), within=60.0)
    assert State.IDLE not in {shown.state for shown in scene.snapshots[-3:]}
    assert scene.now.visit == first + 1


def test_the_oval_is_on_its_way_before_the_visit_begins() -> None:
    """Whoever steps up is followed at once, so that the oval is there when they are asked to hold still."""
    scene = Scene()
    assert scene.play(0.3).face is None
    arriving = scene.play(0.3, patient("ali"))
    assert (arriving.state, arriving.face is not None) == (State.IDLE, True)
    assert scene.play(0.3).face is None
