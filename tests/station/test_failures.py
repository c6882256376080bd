"""When the disk or the camera fails: it is said, it is recorded where it can be, and never a tick."""

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import CameraFrozen, CameraRefused, CameraUnavailable, ConsentMissing, TemplateDamaged
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import Frame, Instant
from sync.errors import DatabaseBusy, DatabaseDamaged, DiskFull
from tests.station.scene import POLICY, Scene, patient, standing

T = POLICY.timing
ROOM_FULL = DiskFull("no space left")


def never_a_receipt(scene: Scene) -> None:
    """No screen claimed a record."""
    assert State.RECEIPT not in scene.states()
    assert not any(s.receipt for s in scene.snapshots)


def test_a_visit_that_cannot_be_saved_shows_no_tick() -> None:
    """Save failed with the code, the person is sent to reception, the desk goes on."""
    scene, ali = Scene(), patient("ali")
    scene.desk.failing["record_visit"] = ROOM_FULL
    scene.until(State.CONFIRM, ali)
    scene.say(IntentKind.CONFIRM, "xray")
    shown = scene.tick(ali)
    assert (shown.state, shown.failure) == (State.SAVE_FAILED, "E-DISK-01")
    assert scene.events == []
    never_a_receipt(scene)
    scene.play(T.receipt + 0.5, ali)
    scene.play(2)
    assert (scene.now.state, scene.now.failure) == (State.IDLE, "")


def test_a_refusal_that_cannot_be_saved_is_told() -> None:
    """Not recognised and not recorded."""
    scene = Scene()
    scene.desk.failing["record_refusal"] = ROOM_FULL
    scene.until(State.SAVE_FAILED, standing("ali", luminance=0.03))
    assert (scene.now.failure, scene.events) == ("E-DISK-01", [])
    never_a_receipt(scene)


def test_a_refusal_for_want_of_a_service_that_cannot_be_saved_is_told() -> None:
    """The same for a known patient."""
    scene = Scene()
    scene.desk.failing["record_refusal"] = ROOM_FULL
    scene.until(State.SAVE_FAILED, patient("dana"))
    assert scene.events == []


@pytest.mark.parametrize("answer", [IntentKind.NOT_ME, IntentKind.NOT_MY_SERVICE])
def test_a_no_that_cannot_be_saved_is_told(answer: IntentKind) -> None:
    """Declined and not recorded."""
    scene, ali = Scene(), patient("ali")
    scene.desk.failing["record_decline"] = ROOM_FULL
    scene.until(State.CONFIRM, ali)
    scene.say(answer)
    assert scene.tick(ali).state is State.SAVE_FAILED
    never_a_receipt(scene)


def test_no_answer_that_cannot_be_saved_is_told() -> None:
    """By time-out and by walking off."""
    for staying in (True, False):
        scene, ali = Scene(), patient("ali")
        scene.desk.failing["record_decline"] = ROOM_FULL
        scene.until(State.CONFIRM, ali)
        scene.until(State.SAVE_FAILED, *([ali] if staying else []), within=T.answer + T.still_there + 1)
        scene.until(State.IDLE, within=T.receipt + 3)


def test_walking_off_that_cannot_be_saved_is_told() -> None:
    """In the middle of the challenge."""
    scene = Scene()
    scene.desk.failing["record_refusal"] = ROOM_FULL
    scene.until(State.CHALLENGE, patient("ali"))
    scene.until(State.SAVE_FAILED, within=3)
    scene.until(State.IDLE, within=T.receipt + 3)


@pytest.mark.parametrize("step", ["expected", "receive"])
def test_a_database_that_fails_before_the_answer_offers_another_way(step: str) -> None:
    """The patient is not asked to confirm what could not be saved; long enough on the screen to be read."""
    scene, ali = Scene(), patient("ali")
    scene.desk.failing[step] = DatabaseBusy("locked")
    scene.until(State.SAVE_FAILED, ali)
    assert scene.now.failure == "E-DB-03"
    scene.play(T.receipt - 1, ali)
    assert (scene.now.state, scene.now.greeting, scene.now.offers) == (State.SAVE_FAILED, "", ())


@pytest.mark.parametrize("step", ["receive", "record_visit"])
def test_a_visit_that_came_to_nothing_is_told_where_the_database_can_be_written(step: str) -> None:
    """A template that was altered, a consent that was withdrawn in the meantime: an auditor sees it."""
    scene, ali = Scene(), patient("ali")
    scene.desk.failing[step] = ConsentMissing("erased") if step == "record_visit" else TemplateDamaged("altered")
    code = scene.desk.failing[step].code
    if step == "record_visit":
        scene.until(State.CONFIRM, ali)
        scene.say(IntentKind.CONFIRM, "xray")
    assert scene.until(State.SAVE_FAILED, ali).failure == code
    assert [(e.kind, e.detail) for e in scene.events] == [("visit_failed", code)]
    never_a_receipt(scene)


class Cable:
    """Implements `FrameSource`: reads are frames, failures or the end, as listed."""

    name = "front"

    def __init__(self, scene: Scene, *reads: Frame | Exception | None) -> None:
        self._scene, self._reads = scene, list(reads)

    def read(self) -> Frame | None:
        """The next listed."""
        read = self._reads.pop(0)
        if isinstance(read, Exception):
            raise read
        return read

    def close(self) -> None:
        """Nothing to release."""


def test_a_lost_camera_takes_the_desk_out_of_service_until_it_is_back() -> None:
    """One alarm for however many failed reads; half a second between tries; the first frame heals."""
    scene = Scene()
    gone = CameraUnavailable("unplugged")
    reads: list[Frame | Exception | None] = [scene.film.next(), gone, gone, gone, scene.film.next(), None]
    scene.station.run(Cable(scene, *reads), lambda: False)
    assert scene.states() == [State.IDLE, State.OUT_OF_SERVICE, State.IDLE]
    out = next(s for s in scene.snapshots if s.state is State.OUT_OF_SERVICE)
    assert out.failure == "E-CAM-01"
    assert scene.now.failure == ""
    assert [(e.kind, e.detail) for e in scene.events] == [("camera_failure", "E-CAM-01")]
    assert scene.clock.slept_s == pytest.approx(1.5)


def test_another_camera_plugged_in_while_the_desk_runs_is_an_alarm_of_its_own() -> None:
    """Told once behind the alarm of the lost one, however the two failures alternate until somebody comes."""
    scene = Scene()
    gone, other = CameraUnavailable("unplugged"), CameraRefused("another camera")
    scene.station.run(Cable(scene, scene.film.next(), gone, other, gone, other, gone, None), lambda: False)
    assert [(e.kind, e.detail) for e in scene.events] == [
        ("camera_failure", "E-CAM-01"),
        ("camera_refused", "E-CAM-03"),
    ]
    assert (scene.now.state, scene.now.failure) == (State.OUT_OF_SERVICE, "E-CAM-03")


def test_a_camera_that_comes_and_goes_is_one_alarm_in_ten_minutes() -> None:
    """A loose plug signs no alarm each second, for days; an alarm that the disk did not take is none yet."""
    scene = Scene()
    scene.desk.failing["record_alarm"] = ROOM_FULL
    for _ in range(60):
        scene.tick()
        scene.station.camera_failed(CameraUnavailable("loose"), Instant(scene.film.now))
        scene.desk.failing.clear()
        assert scene.now.state is State.OUT_OF_SERVICE
    assert [e.kind for e in scene.events] == ["camera_failure"]
    scene.tick()
    scene.station.camera_failed(CameraUnavailable("loose"), Instant(scene.film.now + 600))
    assert [e.kind for e in scene.events] == ["camera_failure"] * 2


def test_a_recording_that_ends_in_a_visit_takes_its_person_away() -> None:
    """What was begun is recorded; a quiet end leaves nothing."""
    scene = Scene()
    scene.until(State.CHALLENGE, patient("ali"))
    scene.station.run(Cable(scene, scene.film.next(), None), lambda: False)
    assert [(e.kind, e.reasons[-1]) for e in scene.events] == [("refused", Reason.LEFT)]


def test_the_loop_ends_when_it_is_told_to() -> None:
    """Before the next frame is read."""
    scene = Scene()
    scene.station.run(Cable(scene), lambda: True)
    assert scene.snapshots == []


@pytest.mark.parametrize("state", [State.ALIGN, State.HOLD, State.CHALLENGE, State.CONFIRM])
def test_a_camera_lost_in_a_visit_ends_it(state: State) -> None:
    """Whatever was gathered is forgotten; who still stands there begins anew."""
    scene = Scene()
    actor = standing("ali", sharpness=1.0) if state is State.ALIGN else patient("ali")
    scene.until(state, actor)
    scene.station.camera_failed(CameraFrozen("same frame"), Instant(scene.film.now))
    assert (scene.now.state, scene.now.failure, scene.now.greeting) == (State.OUT_OF_SERVICE, "E-CAM-02", "")
    assert scene.tick(actor).state is State.IDLE
    assert scene.play(T.presence + 0.2, actor).state in (State.ALIGN, State.HOLD)


def test_an_alarm_that_cannot_be_saved_does_not_stop_the_desk() -> None:
    """Camera and disk at once: out of service is shown, and it comes back."""
    scene = Scene()
    scene.desk.failing["record_alarm"] = DatabaseDamaged("page 7")
    scene.tick()
    scene.station.camera_failed(CameraUnavailable("unplugged"), Instant(scene.film.now))
    assert (scene.now.state, scene.events) == (State.OUT_OF_SERVICE, [])
    assert scene.tick().state is State.IDLE
