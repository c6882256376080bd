"""Times every stage from a frame to the signed event, on one thread, median over repeated runs.

The frame is a scripted scene with a real face; the galleries hold random unit vectors of the pack's length.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.bench.crowd import crowd
from appliance.checkin import append
from appliance.composition import software_version
from appliance.core.decision import Evidence, Reason, decide
from appliance.core.errors import DemoFailed
from appliance.core.events import Circumstances, Comparison, LivenessMethod, Refused
from appliance.core.policy import Policy
from appliance.core.types import Frame, Instant, LivenessVerdict, MatchMode
from appliance.demo.cast import PATIENTS, photograph
from appliance.demo.staging import enrolment_scene
from appliance.face.detector import Detector
from appliance.face.embedder import Embedder
from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import PackThresholds
from models.store import PackStore
from sync.clock import Clock
from sync.database import immediate, open_database
from sync.keyfile import create_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.signing import FileSigner

SETTLED_S = 3.9
"""When the person in the scene has stepped up and stands still."""

GALLERIES = (10_000, 100_000)
"""People in the galleries searched: a clinic, and the largest desk planned for."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One stage. Times in milliseconds of wall time."""

    stage: str
    median_ms: float
    worst_ms: float


def _time(stage: str, work: Callable[[], object], runs: int, clock: Clock) -> Timing:
    work()  # the first run fills caches and buffers
    spent = []
    for _ in range(runs):
        begin = clock.monotonic()
        work()
        spent.append((clock.monotonic() - begin) * 1000)
    return Timing(stage, statistics.median(spent), max(spent))


def measure(packs: Path, runs: int, clock: Clock, name: str = "builtin") -> tuple[Timing, ...]:
    """Every stage. Raises PackInvalid, PackUnknown, DemoFailed without a test picture."""
    pack = open_pack(PackStore(packs).path(name))
    frame = standing(pack)
    return (*_vision(pack, frame, runs, clock), *_search(pack, frame, runs, clock), _record(runs, clock))


@dataclass(frozen=True, slots=True)
class Rates:
    """What follows from the medians. watching, deciding: frames a second on one thread. decision_ms: frame to event."""

    watching: float
    deciding: float
    decision_ms: float


def rates(timings: tuple[Timing, ...]) -> Rates:
    """Frame rates for looking only, and for deciding every frame with 100,000 people enrolled."""
    ms = {timing.stage: timing.median_ms for timing in timings}
    looking = ms["observe (detect and measure)"]
    whole = looking + ms["align"] + ms["embed"] + ms["match 100k"] + ms["decide"] + ms["record and sign"]
    return Rates(1000 / looking, 1000 / whole, whole)


def standing(pack: Pack) -> Frame:
    """Somebody of the demonstration who stands before the desk. Raises DemoFailed."""
    portrait = photograph(PATIENTS[0].picture, FacePipeline(pack)).portrait
    scene = enrolment_scene(portrait, Instant(0.0), seed=1)
    for frame in iter(scene.read, None):
        if frame.at >= SETTLED_S:
            return frame
    raise DemoFailed("the scene ended before the person stood still")


def _vision(pack: Pack, frame: Frame, runs: int, clock: Clock) -> Iterator[Timing]:
    detector, pipeline = Detector(pack.detector), FacePipeline(pack)
    faces = pipeline.observe(frame).faces
    if not faces:
        raise DemoFailed("no face was found in the test picture")
    embedder, marks = Embedder(pack.embedder, pack.digest), faces[0].landmarks
    crop = embedder.align(frame.pixels, marks)
    yield _time("detect", lambda: detector.detect(frame.pixels), runs, clock)
    yield _time("observe (detect and measure)", lambda: pipeline.observe(frame), runs, clock)
    yield _time("align", lambda: embedder.align(frame.pixels, marks), runs, clock)
    yield _time("embed", lambda: embedder.embed_crop(crop), runs, clock)


def _search(pack: Pack, frame: Frame, runs: int, clock: Clock) -> Iterator[Timing]:
    pipeline = FacePipeline(pack)
    probe = pipeline.embed(frame, pipeline.observe(frame).faces[0])
    for people in GALLERIES:
        matcher = GalleryMatcher(crowd(pack, people))
        yield _time(f"match {people // 1000}k", partial(matcher.identify, probe), runs, clock)
    policy = Policy()
    thresholds = PackThresholds(pack.measured).thresholds(MatchMode.IDENTIFY, GALLERIES[-1], policy)
    result = matcher.identify(probe)
    evidence = Evidence(probe, LivenessVerdict.LIVE, 1.0, result, result, thresholds, pack.digest, policy.policy_id)
    yield _time("decide", lambda: decide(evidence), runs, clock)


def _record(runs: int, clock: Clock) -> Timing:
    about = Circumstances(
        "0" * 64, "0" * 16, software_version(), "bench", "2026-01-01T00:00:00+05:00", 1, (), 80,
        LivenessVerdict.LIVE, LivenessMethod.CHALLENGE, None,
    )  # fmt: skip
    compared = Comparison("0" * 64, "list", 0.5, 0.4, 0.9, 0.05, 0.95, 40, 5000, 120, 0, extrapolated=True)
    event = Refused(None, (Reason.NO_MATCH,), None, compared, about)
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        root = Path(folder)
        db = open_database(root / "bench.db", create_key(root / "db.key"), [LEDGER_MIGRATIONS], create=True)
        ledger = Ledger(db, FileSigner.create(root / "device.pem"), "bench")

        def record() -> None:
            with immediate(db):
                append(ledger, event, clock.moment())

        timing = _time("record and sign", record, runs, clock)
        db.close()
    return timing
