"""The benchmarks run with real models, processes and a real stream, and tell what they measured; no time is judged."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path

from appliance.bench import delivery, end_to_end, startup, transparency, update, vision
from appliance.bench.clock_strip import read_stamp
from appliance.bench.recording import NotRecorded, record_with_each
from appliance.bench.report import Report
from appliance.bench.soft_keys import HOLDERS, Holder
from appliance.bench.virtual_camera import running
from appliance.capture.camera import Camera
from appliance.face.pack import open_pack
from appliance.probation import LOOK_S
from sync.clock import Clock, SystemClock
from sync.errors import KeyUnsupported


def _values(report: Report) -> Mapping[str, float]:
    assert all(figure.value >= 0 for figure in report.figures)
    return {figure.what: figure.value for figure in report.figures}


def test_the_virtual_camera_shows_when_each_picture_was_taken() -> None:
    """Frames come newest first, each older than its arrival and younger than the one after it."""
    clock = SystemClock()
    with running(640, 480, 30.0, None) as url, closing(Camera(url, clock)) as camera:
        seen = []
        for _ in range(12):
            frame = camera.read()
            assert frame is not None
            shown = read_stamp(frame.pixels)
            assert shown is not None
            assert shown / 1e6 <= clock.monotonic()
            seen.append(shown)
    assert seen == sorted(set(seen))


def test_every_frame_becomes_a_decision_in_the_ledger(pack_path: Path) -> None:
    """The whole way on a live stream, with people enrolled; and an empty desk is watched."""
    told: list[str] = []
    report = end_to_end.measure(open_pack(pack_path), pack_path, 300, 1.0, (640, 480), SystemClock(), told.append)
    values = _values(report)
    assert values["decisions a second"] > 0
    assert values["frame in hand to durable decision, p50"] > 0
    assert values["core used while watching an empty desk"] > 0
    assert len(told) == 3


def test_a_desk_is_started_with_everybody_enrolled(pack_path: Path) -> None:
    """A real process opens real records; the package that is slow to import stays out."""
    steps: list[int] = []
    report = startup.measure(
        open_pack(pack_path), pack_path.parent, 20, 1, SystemClock(), lambda: steps.append(len(steps))
    )
    assert report.facts["insightface imported"] == "no"
    assert [figure.reference is not None for figure in report.figures] == [True, True]
    assert len(steps) == 2


def test_a_pack_that_no_peer_can_open_is_compared_with_none(pack_path: Path) -> None:
    """CenterFace and dlib's network are neither OpenCV's nor InsightFace's: no figure is invented."""
    report = vision.measure(pack_path, 3, SystemClock())
    assert report.figures == ()
    assert report.facts["pack"] == "builtin"


def test_the_log_is_measured_on_a_receipt_that_verifies() -> None:
    """A receipt holds its event and its checkpoint, and a proof beside them."""
    values = _values(transparency.measure(2_500, 2, SystemClock()))
    assert values["receipt"] > values["of that the event"] + values["of that the checkpoint with one witness"]
    assert values["appends a second"] > 0


def test_every_event_on_the_way_is_stored_once() -> None:
    """Real gateway process, mutual TLS, several desks: all are accepted, the fund holds as many as were sent."""
    told: list[str] = []
    load = delivery.Load(desks=2, events=30, rounds=1, recorded=20)
    report = delivery.measure(load, SystemClock(), told.append)
    values = _values(report)
    assert report.facts["events stored"] == 2 * 30 * 2
    assert values["events verified and stored a second, median"] > 0
    assert values["signed event (JWS)"] > values["event on the wire, zstd"] > 64
    for holder in HOLDERS:
        assert (
            values[f"visit recorded and signed, {holder}, p99"] >= values[f"visit recorded and signed, {holder}, p50"]
        )
    assert told[-1] == "round 1 of 1"


class _Leaping(SystemClock):
    """The machine's clock, set forward by a test: a desk looks at its slots every fifteen seconds."""

    ahead = 0.0

    def monotonic(self) -> float:
        """Seconds, with those that were left out."""
        return super().monotonic() + self.ahead


def test_a_pack_comes_is_watched_tried_and_given_up(pack_path: Path) -> None:
    """Real server, command, watching process and station, one whole update; a pause is told for every phase."""
    clock, begun = _Leaping(), list[str]()

    def told(phase: str) -> None:
        begun.append(phase)
        clock.ahead += LOOK_S

    pace = update.Pace(fps=8.0, visit=2.0, empty=2.5, settle=0.6, scenes=1)
    report = update.measure(pack_path.parent, pack_path.name, clock, told, pace)
    assert ("before", *begun) == update.PHASES
    kinds = ("frames", "snapshots")
    told_of = {f"{phase}: longest time between two {kind}" for phase in update.PHASES for kind in kinds}
    assert _values(report).keys() == told_of
    assert all(value > 0 for value in _values(report).values())


def test_a_class_of_key_without_its_software_is_named(tmp_path: Path) -> None:
    """No figure, no silence: which one, and why."""

    def away(_folder: Path, _clock: Clock) -> AbstractContextManager[Holder]:
        raise KeyUnsupported("not installed")

    assert record_with_each(tmp_path, 1, SystemClock(), {"chip": away}) == (NotRecorded("chip", "not installed"),)
