"""Times the whole way on a virtual camera: how old a picture is, how fast it becomes a signed, durable decision.

Every newest frame is decided as if a patient stood there for the first time: detect, measure, judge, liveness, embed,
search among everybody, decide, sign, commit. A desk asks less of most frames; this is the most it can be asked. What
each stage costs is measured in `stages`.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from appliance.bench.clock_strip import read_stamp
from appliance.bench.crowd import crowd
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.bench.virtual_camera import running
from appliance.capture.camera import Camera
from appliance.capture.camera_device import CaptureSettings
from appliance.checkin import append
from appliance.composition import software_version
from appliance.core.decision import Decision
from appliance.core.errors import DemoFailed
from appliance.core.events import Circumstances, Comparison, LivenessMethod, Refused
from appliance.core.policy import Policy
from appliance.core.quality import judge
from appliance.core.types import Frame, LivenessVerdict, PersonId
from appliance.face.pack import Pack
from appliance.face.pipeline import FacePipeline
from appliance.matching.matcher import GalleryMatcher
from appliance.opencv import cv2
from appliance.recognition import PackThresholds, Probe, Recogniser
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.keyfile import create_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.signing import FileSigner

FPS = 30.0
PREVIEW = (640, 480)
SLOW_S = 0.1
_WARM_UP = 20
"""First frames left out: opening a stream reads ahead, caches fill."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles of times, milliseconds."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, times: list[float]) -> "Spread":
        """Of times in milliseconds; raises DemoFailed when there are none."""
        if not times:
            raise DemoFailed("the virtual camera gave no frame with a clock in it")
        p50, p95, p99 = np.percentile(times, [50, 95, 99]).tolist()
        return cls(p50, p95, p99)


@dataclass(frozen=True, slots=True)
class Live:
    """What one run showed.

    age: of the newest picture when the camera hands it over. hand: from there to the durable commit. glass: from
    the camera's clock to the commit. rate: decisions a second. core: share of one core this process used.
    """

    age: Spread
    hand: Spread
    glass: Spread
    rate: float
    core: float


@contextmanager
def _decider(pack: Pack, people: int, clock: SystemClock) -> Iterator[Callable[[Frame], Decision | None]]:
    """What turns a frame into a recorded decision; None where no face was found."""
    policy, pipeline = Policy(), FacePipeline(pack)
    recogniser = Recogniser(GalleryMatcher(crowd(pack, people)), PackThresholds(pack.measured), policy, pack.digest)
    about = Circumstances(
        pack.digest, policy.policy_id, software_version(), "bench", clock.moment().wall.isoformat(), 1, (), 80,
        LivenessVerdict.LIVE, LivenessMethod.CHALLENGE, None,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        root = Path(folder)
        with closing(
            open_database(root / "bench.db", create_key(root / "db.key"), [LEDGER_MIGRATIONS], create=True)
        ) as db:
            ledger = Ledger(db, FileSigner.create(root / "device.pem"), "bench")

            def decide(frame: Frame) -> Decision | None:
                seen = pipeline.observe(frame)
                if not seen.faces:
                    return None
                face = seen.faces[0]
                report = judge(seen, policy.gate)
                pipeline.live_score(frame, face)
                probe = Probe(pipeline.embed(frame, face), report.quality)
                decision = recogniser.decide([probe], LivenessVerdict.LIVE, None, frozenset(), _grown_up)
                event = Refused(None, decision.reasons, None, Comparison.of(decision), about)
                with immediate(db):
                    append(ledger, event, clock.moment())
                return decision

            yield decide


def _grown_up(_: PersonId) -> bool:
    return False


def decisions(
    pack: Pack, folder: Path, people: int, seconds: float, size: tuple[int, int], clock: SystemClock, pause: float = 0.0
) -> Live:
    """Decide every newest frame of a camera of this size for some seconds.

    folder: the pack's. people: enrolled. pause: seconds the desk does something else after each decision.
    """
    age: list[float] = []
    hand: list[float] = []
    glass: list[float] = []
    with _decider(pack, people, clock) as decide, _camera(size, folder, clock) as camera:
        for _ in range(_WARM_UP):
            decide(camera.read())
        begin, used = clock.monotonic(), clock.process_cpu()
        while clock.monotonic() - begin < seconds:
            frame = camera.read()
            got = clock.monotonic()
            shown = read_stamp(frame.pixels)
            if shown is None or decide(frame) is None:
                continue
            done = clock.monotonic()
            age.append((got - shown / 1e6) * 1000)
            hand.append((done - got) * 1000)
            glass.append((done - shown / 1e6) * 1000)
            clock.sleep(pause)
        took, used = clock.monotonic() - begin, clock.process_cpu() - used
    return Live(Spread.of(age), Spread.of(hand), Spread.of(glass), len(hand) / took, used / took)


def watching(pack: Pack, seconds: float, size: tuple[int, int], clock: SystemClock) -> float:
    """Share of one core to look at an empty desk for some seconds.

    Every picture is made ready for a preview (`PREVIEW`, mirrored, with an alpha channel, as a window takes it;
    painting is the window's), and searched for faces as often as a desk looks while nobody is there.
    """
    pipeline = FacePipeline(pack)
    look, looked = Policy().timing.look, -math.inf
    with _camera(size, None, clock) as camera:
        for _ in range(_WARM_UP):
            pipeline.observe(camera.read())
        begin, used = clock.monotonic(), clock.process_cpu()
        while clock.monotonic() - begin < seconds:
            frame = camera.read()
            small = cv2.resize(frame.pixels, PREVIEW, interpolation=cv2.INTER_LINEAR)
            cv2.cvtColor(cv2.flip(small, 1), cv2.COLOR_BGR2BGRA)
            if frame.at - looked >= look:
                looked = frame.at
                pipeline.observe(frame)
        return (clock.process_cpu() - used) / (clock.monotonic() - begin)


def measure(
    pack: Pack,
    folder: Path,
    people: int,
    seconds: float,
    size: tuple[int, int],
    clock: SystemClock,
    step: Callable[[str], None],
) -> Report:
    """Three runs of so many seconds each: deciding every frame, the same with a slow desk, watching an empty one.

    folder: the pack's. people: enrolled. size: of the camera, pixels. step: told what comes next.
    """  # fmt: skip
    interval = 1000 / FPS
    step("deciding every frame")
    live = decisions(pack, folder, people, seconds, size, clock)
    step(f"the same, with {SLOW_S * 1000:g} ms of other work after each decision")
    slow = decisions(pack, folder, people, seconds, size, clock, SLOW_S)
    step("watching an empty desk")
    idle = watching(pack, seconds, size, clock)
    figures = (
        Figure("frame in hand to durable decision, p50", live.hand.p50, "ms", interval),
        Figure("frame in hand to durable decision, p95", live.hand.p95, "ms", interval, Goal(Bound.AT_MOST, 33.0)),
        Figure("camera's clock to durable decision, p50", live.glass.p50, "ms", interval),
        Figure("camera's clock to durable decision, p95", live.glass.p95, "ms", interval),
        Figure("decisions a second", live.rate, "/s", None, Goal(Bound.AT_LEAST, 29.0)),
        Figure("age of the newest frame, p99", live.age.p99 / interval, "intervals", None, Goal(Bound.AT_MOST, 1.5)),
        Figure("the same, slow desk", slow.age.p99 / interval, "intervals", None, Goal(Bound.AT_MOST, 1.5)),
        Figure("core used while deciding", live.core, "cores"),
        Figure("core used while watching an empty desk", idle, "cores", None, Goal(Bound.AT_MOST, 0.2)),
    )
    facts: dict[str, str | int | float] = {
        "pack": pack.name,
        "people": people,
        "camera": f"{size[0]} x {size[1]}, {FPS:g} a second",
        "seconds of each run": seconds,
    }
    return Report("end-to-end", "one camera interval", facts, figures)


class _Newest:
    """A camera whose frames never end."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def read(self) -> Frame:
        """The newest frame not given before."""
        frame = self._camera.read()
        if frame is None:
            raise DemoFailed("the virtual camera ended")
        return frame


@contextmanager
def _camera(size: tuple[int, int], person: Path | None, clock: SystemClock) -> Iterator[_Newest]:
    with (
        running(*size, FPS, person) as url,
        closing(Camera(url, clock, CaptureSettings(*size, FPS))) as camera,
    ):
        yield _Newest(camera)
