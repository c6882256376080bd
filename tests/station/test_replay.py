"""What was shown before is no visit: alarm once, nothing live, no bug; and the same with a real film in a loop."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.capture.replay import VideoFile
from appliance.core.decision import Reason
from appliance.core.policy import ReplayRule
from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import Embedding, Frame, Instant, LivenessVerdict
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from appliance.recognition import Recogniser
from appliance.station import Equipment, Station
from appliance.vigilance import Vigilance
from sync.errors import DatabaseDamaged
from tests.fakes.clock import ManualClock
from tests.fakes.matcher import DictMatcher, FixedThresholds
from tests.fakes.observer import DIMENSION, PACK, template
from tests.fakes.reception import ScriptedDesk
from tests.station.scene import POLICY, STEPS, Scene, confirmed, patient

Pixels = NDArray[np.uint8]
ALIKE = 0.9


def _noise(seed: int, count: int) -> list[Pixels]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(count)]


def _endless() -> Iterator[Pixels]:
    rng = np.random.default_rng(7)
    while True:
        yield rng.integers(0, 255, (48, 64, 3), np.uint8)


class Watched(Scene):
    """A scene whose pictures are looked at too. look: how far a face is from its template in each frame."""

    def __init__(self, pictures: Iterator[Pixels], rule: ReplayRule | None = None, spread: float = 0.3) -> None:
        def watch(desk: ScriptedDesk) -> Vigilance:
            return Vigilance(rule or ReplayRule(), ALIKE, desk.record_alarm)

        super().__init__(watch=watch)
        self.film.pictures = pictures
        self.observer.templates = _Captures(spread)

    def alarms(self) -> list[str]:
        """What was recorded as an alarm."""
        return [e.kind for e in self.events if e.about is None]


class _Captures(dict[str, Embedding]):
    """No two captures of a face are equal: each look at a template is a little off it."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self._rng, self._spread = np.random.default_rng(3), spread

    def get(self, who: str, default: object = None) -> Embedding:  # noqa: ARG002 - dict's
        away = self._rng.normal(0, self._spread / np.sqrt(DIMENSION), DIMENSION)
        vector = (template(who).vector + away).astype(np.float32)
        return Embedding(vector / np.float32(np.linalg.norm(vector)), PACK)


def test_a_patient_before_a_camera_is_not_doubted() -> None:
    """Visits one after the other, of one and of two people."""
    scene = Watched(_endless())
    confirmed(scene, patient("ali"))
    scene.play(5)
    confirmed(scene, patient("bota"), "dentist")
    scene.play(5)
    scene.until(State.ALREADY, patient("ali"))
    assert scene.alarms() == []


def test_a_film_in_a_loop_is_one_alarm_and_no_visit() -> None:
    """However well the face does what is asked."""
    scene = Watched(cycle(_noise(1, 30)))
    scene.play(4)
    scene.until(State.NOT_RECOGNISED, patient("ali"))
    assert scene.alarms() == ["frames_looping"]
    assert scene.events[-1].kind == "refused"
    assert (scene.about.liveness, scene.about.liveness_cause) == (LivenessVerdict.INCONCLUSIVE, "frames_looping")
    assert Reason.LIVENESS_INCONCLUSIVE in scene.events[-1].reasons


def test_a_picture_that_stands_still_is_one_alarm_and_no_visit() -> None:
    """A hung driver, or a still injected."""
    scene = Watched(cycle(_noise(1, 1)))
    scene.until(State.NOT_RECOGNISED, patient("ali"))
    assert scene.alarms() == ["frames_frozen"]
    assert scene.about.liveness_cause == "frames_frozen"


def test_the_next_visit_is_doubted_anew() -> None:
    """One alarm for each visit, and none for who comes to the mended camera."""
    scene = Watched(cycle(_noise(1, 30)))
    for _ in range(2):
        scene.play(4)
        scene.until(State.NOT_RECOGNISED, patient("ali"))
        scene.play(10)
    assert scene.alarms() == ["frames_looping"] * 2
    scene.film.pictures = _endless()
    confirmed(scene, patient("bota"), "dentist")
    assert scene.alarms() == ["frames_looping"] * 2


def test_a_loop_that_begins_after_the_decision_confirms_nothing() -> None:
    """The last chance is the confirmation: an answer in the same frame comes too late."""
    scene = Watched(_endless())
    scene.until(State.CONFIRM, patient("ali"))
    scene.film.pictures = cycle(_noise(1, 20))
    for _ in range(60):
        scene.tick(patient("ali"))
        if scene.alarms():
            break
        if scene.now.at > 0:
            assert scene.now.state is State.CONFIRM
    scene.say(IntentKind.CONFIRM, "xray")
    scene.play(1, patient("ali"))
    assert [(e.kind, e.reasons) for e in scene.events if e.about] == [("declined", (Reason.LIVENESS_INCONCLUSIVE,))]
    assert scene.alarms() == ["frames_looping"]


def test_a_face_of_an_earlier_visit_is_one_alarm_and_no_visit() -> None:
    """The same film again: the same embeddings, which no two captures give."""
    scene = Watched(_endless(), spread=0.0)
    confirmed(scene, patient("ali"))
    scene.play(5)
    scene.desk.planned["ali"].append("lab")
    scene.until(State.NOT_RECOGNISED, patient("ali"))
    assert scene.alarms() == ["replayed_face"]
    assert (scene.about.liveness, scene.about.liveness_cause) == (LivenessVerdict.INCONCLUSIVE, "replayed_face")


def test_the_tries_of_one_visit_are_not_compared_with_each_other() -> None:
    """Who failed once and stands there still may be very alike."""
    scene = Watched(_endless(), spread=0.0)
    scene.until(State.NOT_RECOGNISED, patient("erlan"))
    assert scene.alarms() == []


@pytest.mark.parametrize("hours", [0.0, 0.001])
def test_faces_are_remembered_as_long_as_the_policy_says(hours: float) -> None:
    """Not at all, or for seconds here."""
    scene = Watched(_endless(), ReplayRule(seen_hours=hours), spread=0.0)
    confirmed(scene, patient("ali"))
    scene.play(10)
    scene.desk.planned["ali"].append("lab")
    confirmed(scene, patient("ali"), "lab")
    assert scene.alarms() == []


def test_an_alarm_that_cannot_be_recorded_leaves_the_doubt() -> None:
    """The desk goes on, and accepts nobody."""
    scene = Watched(cycle(_noise(1, 30)))
    scene.desk.failing["record_alarm"] = DatabaseDamaged("page 7")
    scene.play(4)
    scene.until(State.NOT_RECOGNISED, patient("ali"))
    assert scene.alarms() == []
    assert scene.about.liveness_cause == "frames_looping"


def test_a_full_memory_of_faces_forgets_the_oldest_visits() -> None:
    """Bounded, whatever a day brings."""
    told: list[str] = []
    watch = Vigilance(ReplayRule(), ALIKE, lambda what, _detail: told.append(what))
    for number in range(300):
        watch.note([template("ali" if number == 0 else "bota") for _ in range(30)])
        watch.end(Instant(float(number)))
    assert watch.compare([template("ali")], Instant(300.0)) is None
    assert watch.compare([template("bota")], Instant(300.0)) == "replayed_face"
    assert told == ["replayed_face"]
    assert 8000 < watch.remembered <= 8192


def test_an_erasure_ends_all_that_is_remembered() -> None:
    """Whose a remembered face is nobody knows: who withdraws the consent is not kept in memory either."""
    erased = [0]
    watch = Vigilance(ReplayRule(), ALIKE, lambda _what, _detail: None, lambda: erased[0])
    watch.note([template("ali")])
    watch.end(Instant(0.0))
    assert watch.remembered == 1
    erased[0] = 1
    assert watch.compare([template("ali")], Instant(1.0)) is None
    assert watch.remembered == 0
    watch.end(Instant(1.0))
    assert watch.compare([template("ali")], Instant(2.0)) == "replayed_face"


class Looped:
    """A recording played twice as one camera, as a virtual camera does; every second picture, half the size."""

    name = "recording"

    def __init__(self, path: Path) -> None:
        source = VideoFile(path)
        pictures = [cv2.resize(frame.pixels, None, fx=0.5, fy=0.5) for frame in iter(source.read, None)][::2]
        self._pictures, self._interval, self._index = pictures * 2, 2 / source.fps, 0
        source.close()

    def read(self) -> Frame | None:
        """The next picture."""
        if self._index == len(self._pictures):
            return None
        at, pixels = Instant(self._index * self._interval), np.asarray(self._pictures[self._index], np.uint8)
        self._index += 1
        return Frame(pixels, at, self.name, self._index)

    def close(self) -> None:
        """Nothing is left open at the end."""


@pytest.mark.evaluation
def test_a_real_film_in_a_loop_before_the_real_eyes(evaluation: Path, pack_path: Path) -> None:
    """A live face filmed by a webcam, played twice: one alarm when it comes again, never a visit."""
    pack = open_pack(pack_path)
    desk, clock = ScriptedDesk({}), ManualClock()
    recogniser = Recogniser(DictMatcher({}), FixedThresholds(), POLICY, pack.digest)
    equipment = Equipment(
        *(FacePipeline(pack), recogniser, desk, POLICY, clock, "0.1.0", lambda _rule: STEPS),
        watch=Vigilance(POLICY.replay, ALIKE, desk.record_alarm),
    )
    Station(equipment, "recording", lambda _snapshot: None, Instant(0.0)).run(
        Looped(evaluation / "replay" / "les_real.mp4"), lambda: False
    )
    assert [e.kind for e in desk.events] == ["frames_looping", "refused"]
    assert desk.events[-1].about is not None
    assert desk.events[-1].about.liveness is not LivenessVerdict.LIVE
