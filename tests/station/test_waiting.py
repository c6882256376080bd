"""A desk that waits: it looks often enough to notice who comes, and no more often than that."""

from dataclasses import replace

from appliance.core.policy import Policy, Timing
from appliance.core.session import State
from tests.fakes.observer import Film
from tests.station.scene import Scene, patient


def _at(fps: float, timing: Timing) -> tuple[Scene, int]:
    """Looks taken in two seconds before an empty desk."""
    scene = Scene(policy=replace(Policy(), timing=timing))
    scene.film = Film(fps=fps)
    scene.play(2.0)
    return scene, scene.observer.looks


def test_an_empty_desk_is_looked_at_fifteen_times_a_second() -> None:
    """Of 30 frames every other; a slower camera is not slowed further."""
    assert _at(30.0, Timing())[1] == 30
    assert _at(15.0, Timing())[1] == 30
    assert _at(30.0, Timing(look=0.0))[1] == 60


def test_each_frame_counts_once_somebody_is_seen() -> None:
    """From the first sighting on, before the arrival is settled."""
    scene, before = _at(30.0, Timing())
    scene.play(1.0, patient("ali"))
    assert scene.observer.looks - before >= 29
    assert scene.now.state is not State.IDLE


def test_the_screen_goes_on_while_the_desk_rests() -> None:
    """One snapshot for each frame, looked at or not."""
    scene, _ = _at(30.0, Timing())
    assert len(scene.snapshots) == 60
    assert {snapshot.state for snapshot in scene.snapshots} == {State.IDLE}
