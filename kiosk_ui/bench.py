"""Measures the window: processor time of the whole kiosk at work, and how long a patient waits for each stage.

A desk of its own, real models, a drawn patient, frames at the pace of a camera. Showing the report is the command's.
"""

import contextlib
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer

from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.capture.scene import Scene
from appliance.capture.scene_script import Enter, LivePerson, Script
from appliance.cli.opening import eyes_at
from appliance.cli.place import Place
from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.ports import FrameSource
from appliance.core.snapshot import Intent, Snapshot
from appliance.core.types import Frame, Instant
from appliance.demo import cast, clinic, day
from appliance.demo.performance import Result
from appliance.demo.plan import PLAN
from appliance.opencv import cv2
from kiosk_ui.bench_stages import Shown as Seen
from kiosk_ui.bench_stages import Stage, without_thinking
from kiosk_ui.bench_stages import visits as visits_of
from kiosk_ui.demonstration import Watched
from kiosk_ui.desk import DeskThread
from kiosk_ui.kiosk import Shown
from kiosk_ui.program import Placing, Program
from kiosk_ui.samples import STATES
from sync.clock import SystemClock

RATE = 30.0
WARM_S = 2.0
"""Left out at the start: loading, first frames."""

MOST_CORES = 0.8
MOST_SECONDS = 5.0


class _Loop:
    """The same second of a person before the camera, again and again, 30 frames a second of 1280x720."""

    name = "loop"

    def __init__(self, frames: tuple[Frame, ...], clock: SystemClock, program: Program) -> None:
        self._frames, self._clock, self._program = frames, clock, program
        self._began = clock.monotonic()
        self._index = -1

    def read(self) -> Frame | None:
        """Wait until a frame is due that was not given before; those that were missed are skipped, as a camera does."""
        due = int((self._clock.monotonic() - self._began) * RATE)
        if due <= self._index:
            due = self._index + 1
            self._clock.sleep(max(self._began + due / RATE - self._clock.monotonic(), 0))
        self._index = due
        pixels = self._frames[due % len(self._frames)].pixels
        frame = Frame(pixels, Instant(self._clock.monotonic()), self.name, due)
        self._program.preview(frame)
        return frame

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class _Opening:
    where: Place
    clock: SystemClock
    frames: tuple[Frame, ...]
    program: Program

    def eyes(self) -> contextlib.AbstractContextManager[SeeingDesk]:
        return eyes_at(self.where, self.clock)

    def source(self, desk: OpenDesk) -> contextlib.AbstractContextManager[FrameSource]:
        del desk
        return contextlib.nullcontext(_Loop(self.frames, self.clock, self.program))


class _Preview:
    """A worker that only shows frames, on a thread of its own as the desk does: the window without a desk."""

    def __init__(self, frames: tuple[Frame, ...], clock: SystemClock, program: Program) -> None:
        self._program = program
        self._source = _Loop(frames, clock, program)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, name="preview")

    def _show(self) -> None:
        while not self._over.is_set():
            self._source.read()

    def start(self) -> None:
        self._program.publish(Shown(STATES["align"]))
        self._thread.start()

    def stop(self) -> bool:
        self._over.set()
        self._thread.join()
        return True

    def submit(self, intent: Intent) -> None:
        del intent


class _Timed(Watched):
    """The demonstration, with the moments at which the screen changed, on the axis of the camera's pictures.

    A desk that is slower than its camera skips pictures; the demonstration shows each, later. `behind` tells how much.
    """

    def __init__(self, program: Program, clock: SystemClock, play: Callable[[Watched], bool]) -> None:
        super().__init__(program, clock, 0.0, play)
        self._first: tuple[float, float] | None = None
        self.behind = 0.0
        self.seen: list[Seen] = []
        self._at = clock

    def shown(self, snapshot: Snapshot, receipt: str) -> None:
        wall = self._at.monotonic()
        self._first = self._first or (wall, snapshot.at)
        self.behind = (wall - self._first[0]) / max(snapshot.at - self._first[1], 1 / RATE)
        now = Seen(snapshot.at, snapshot.state, snapshot.cue)
        if not self.seen or (self.seen[-1].state, self.seen[-1].cue) != (now.state, now.cue):
            self.seen.append(now)
        super().shown(snapshot, receipt)


def measure(packs: Path, seconds: float, visits: int) -> Report:
    """Run the window alone, the whole kiosk with a face that is searched for, then visits of the demonstration."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        root = Path(folder)
        site, _ = clinic.found(root / "desk", clock)
        where = Place(site.home, packs)
        with eyes_at(where, clock) as eyes:
            frames = tuple(_frames(eyes))
        program = Program(clock, None, Placing())
        alone = _cores(program, _Preview(frames, clock, program), seconds, clock)
        program = Program(clock, None, Placing())
        opening = _Opening(where, clock, frames, program)
        desk = DeskThread(opening, clock, program.publish, program.ended, program.tell)
        whole = _cores(program, desk, seconds, clock)
        program = Program(clock, None, Placing())
        (root / "day").mkdir(mode=0o700)
        timed = _Timed(program, clock, lambda who: _visits(root / "day", packs, clock, visits, who))
        program.run(timed)
        if timed.failure is not None:
            raise timed.failure
    figures = [
        Figure("window with preview alone", alone, "cores"),
        Figure("whole kiosk, searching a face", whole, "cores", MOST_CORES, Goal(Bound.AT_MOST, MOST_CORES)),
        *_stages(timed.seen),
        Figure("time the pictures took, to the time they were taken in", timed.behind, "x"),
    ]
    facts = {"preview": f"{RATE:g} frames a second of 1280x720 in 1280x800", "visits": str(visits)}
    return Report("ui", "limit", facts, tuple(figures))


class _Silent:
    """A benchmark tells what it found, not what it does."""

    def step(self, text: str) -> None:
        del text

    def result(self, result: Result, waiting: int) -> None:
        del result, waiting


def _visits(root: Path, packs: Path, clock: SystemClock, visits: int, audience: Watched) -> bool:
    return day.scripted(root, packs, clock, _Silent(), PLAN[:visits], audience).as_planned


def _cores(program: Program, worker: "_Preview | DeskThread", seconds: float, clock: SystemClock) -> float:
    """Processor seconds of this process for a second of the clock, once warm."""
    marks: list[tuple[float, float]] = []

    def mark() -> None:
        marks.append((clock.monotonic(), clock.process_cpu()))

    timers = [QTimer(singleShot=True, interval=round(1000 * at)) for at in (WARM_S, WARM_S + seconds)]
    for timer in timers:
        timer.timeout.connect(mark)
        timer.start()
    timers[-1].timeout.connect(program.quit)
    program.run(worker)
    (began, before), (ended, after) = marks
    return (after - before) / (ended - began)


def _frames(eyes: SeeingDesk) -> Iterator[Frame]:
    portrait = cast.photograph(cast.STRANGER, eyes.observer).portrait
    scene = Scene(Script((Enter(0.0, LivePerson(portrait)),), seconds=4.0), fps=RATE)
    while (frame := scene.read()) is not None:
        if frame.at >= 3.0:
            pixels = np.asarray(cv2.resize(frame.pixels, (1280, 720), interpolation=cv2.INTER_LINEAR), np.uint8)
            yield Frame(pixels, frame.at, frame.source, frame.index)


def _stages(seen: list[Seen]) -> Iterator[Figure]:
    """Median seconds of each stage of the visits that came to a receipt, and of the whole with and without thinking."""
    timed = list(visits_of(seen))
    if not timed:
        return
    for stage in Stage:
        yield Figure(f"{stage}: median of a visit", statistics.median(visit[stage] for visit in timed), "s")
    reading = "stepping up to receipt, without reading the question"
    yield Figure(reading, statistics.median(sum(visit.values()) for visit in timed), "s")
    whole = statistics.median(without_thinking(visit) for visit in timed)
    goal = Goal(Bound.AT_MOST, MOST_SECONDS)
    yield Figure("stepping up to receipt, without thinking", whole, "s", MOST_SECONDS, goal)
