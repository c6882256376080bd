"""A new pack sees real visits in a process of its own before it decides anything; a bad one ends there, listed."""

import json
import os
import queue
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.capture.picture import read_image
from appliance.core.policy import Policy
from appliance.core.quality import judge
from appliance.core.session import State
from appliance.core.shadow import FEWEST_VISITS, LEAST_VISITS, LONGEST_S, Compared
from appliance.core.snapshot import Snapshot
from appliance.core.types import Frame, Instant, LivenessVerdict
from appliance.demo.cast import PATIENTS, locate
from appliance.examination import pictures
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.shadow import Shadow, Watching, read_progress
from appliance.shadow_link import Deadlines, ShadowLink, command
from appliance.shadow_wire import Visit, write_answer
from appliance.shadow_worker import ShadowWorker
from models.releases import Wanted
from models.slot_state import Bad, Fault
from models.slots import Slots
from models.store import read_pack
from sync.clock import SystemClock
from sync.home import Home
from tests.fakes.bad_packs import deadly, slow, with_card, with_embedder

CLOCK = SystemClock()
PATIENCE_S = 60.0
PATIENT = locate(PATIENTS[-1].picture)


@pytest.fixture(scope="module")
def eyes(pack_path: Path) -> FacePipeline:
    """The pack in use."""
    return FacePipeline(open_pack(pack_path))


@dataclass
class Desk:
    """A desk whose visits the pack in use sees, and a new pack beside it."""

    folder: Path
    eyes: FacePipeline
    run: Callable[[Path], tuple[str, ...]]
    deadlines: Deadlines | None = None

    def __post_init__(self) -> None:
        """Nothing is installed yet."""
        self.slots, self.changes, self.now = Slots(self.folder / "slots"), 0, 0.0
        self.prepared: list[Path] = []
        self.settings_on_trial = False
        self.shadow = self.start()

    def start(self) -> Shadow:
        """The desk starts."""
        return Shadow(
            self.slots,
            self.folder / "shadow.json",
            lambda: self.now,
            Watching(self.link, self.prepared.append, lambda: not self.settings_on_trial),
            self.changed,
        )

    def link(self, pack: Path) -> ShadowLink:
        """A real process."""
        return ShadowLink(self.run(pack), CLOCK.monotonic, self.deadlines)

    def changed(self) -> None:
        """What the desk would tell the fund."""
        self.changes += 1

    def install(self, pack: Path, number: int = 2) -> Wanted:
        """A release comes while the desk runs."""
        wanted = Wanted(number, read_pack(pack).digest)
        self.slots.install(pack, wanted, waits=True)
        self.idle()
        return wanted

    def idle(self, seconds: float = 20.0) -> None:
        """Nobody is there for a while."""
        self.now += seconds
        self.shadow.see(Snapshot(Instant(self.now), State.IDLE))

    def visit(self, picture: Path) -> None:
        """Somebody stands there for a while, found live, and goes."""
        for step in range(2):
            frame = Frame(read_image(picture), Instant(self.now + step), "camera", step)
            seen = self.eyes.observe(frame)
            self.shadow.look(frame, seen, judge(seen, Policy().gate).passed)
            self.shadow.see(Snapshot(Instant(self.now), State.HOLD))
        self.shadow.end(LivenessVerdict.LIVE)

    def wait_for(self, happened: Callable[[], bool], step: float = 20.0) -> None:
        """Let the process work. step: seconds by the desk's clock between two looks."""
        until = CLOCK.monotonic() + PATIENCE_S
        while not happened():
            assert CLOCK.monotonic() < until, "the process did not come to an end"
            self.idle(step)
            CLOCK.sleep(0.01)


@pytest.fixture
def desk(tmp_path: Path, eyes: FacePipeline) -> Iterator[Desk]:
    """With the real process."""
    Home(tmp_path).config.touch()
    made = Desk(tmp_path, eyes, lambda pack: command(pack, tmp_path, tmp_path))
    yield made
    made.shadow.close()


def test_a_good_pack_goes_on_trial_after_so_many_visits(desk: Desk, pack_path: Path, tmp_path: Path) -> None:
    """It decides nothing until then, its counts outlive a restart, and nothing but counts is on the disk."""
    pack = desk.install(with_card(pack_path, tmp_path / "newer", b"# newer\n"))
    assert desk.slots.begin() is None, "the delivered pack is in use"

    def seen() -> int:
        return read_progress(tmp_path / "shadow.json").tally.visits

    desk.visit(PATIENT)
    desk.wait_for(lambda: seen() == 1)
    desk.shadow.close()
    _have_seen(tmp_path / "shadow.json", LEAST_VISITS - 2)
    desk.shadow = desk.start()
    desk.idle()
    desk.visit(PATIENT)
    desk.wait_for(lambda: seen() == LEAST_VISITS - 1)
    assert desk.slots.waiting() is not None
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {Home(tmp_path).config.name, "shadow.json"}
    assert (tmp_path / "shadow.json").stat().st_mode & 0o777 == 0o640, "the delivery's user tells how far it is"
    desk.visit(PATIENT)
    desk.wait_for(lambda: desk.slots.waiting() is None)
    state = desk.slots.state()
    assert (state.pack(state.in_use), state.bad) == (pack, ())
    tally = read_progress(tmp_path / "shadow.json").tally
    assert {each.times for each in (tally.found, tally.passed, tally.alike)} == {LEAST_VISITS}
    assert (tally.taken.times, tally.taken.of) == (0, 7 * LEAST_VISITS)
    desk.wait_for(lambda: bool(desk.prepared) and not desk.shadow.preparing)
    assert desk.changes == 3, "watched, watched again after the restart, on trial"


def test_a_desk_with_few_visits_tries_it_after_so_long_and_never_unopened(
    tmp_path: Path, eyes: FacePipeline, pack_path: Path
) -> None:
    """The time is the desk's own, outlives restarts, and stands still while settings are on trial."""
    answers = (
        "import sys\nfor line in sys.stdin.buffer: sys.stdin.buffer.read(2 * 512 * 512 * 3); print(SAID, flush=True)"
    )
    said = write_answer(Compared(found=True, passed=True, alike=True)).decode().strip()
    program = (sys.executable, "-c", READY + f"SAID = {said!r}\n" + answers)
    desk, kept = Desk(tmp_path, eyes, lambda _: program), tmp_path / "shadow.json"

    def restart() -> None:
        desk.shadow.close()
        desk.shadow = desk.start()
        desk.idle()

    def seen(visits: int) -> bool:
        return read_progress(kept).tally.visits == visits

    pack = desk.install(with_card(pack_path, tmp_path / "newer", b"# newer\n"))
    for visits in range(1, FEWEST_VISITS + 1):
        desk.visit(PATIENT)
        desk.wait_for(lambda visits=visits: seen(visits), step=0.0)  # type: ignore[misc]
    desk.now += LONGEST_S / 2
    restart()
    desk.settings_on_trial = True
    desk.idle()
    desk.idle(LONGEST_S)
    desk.settings_on_trial = False
    desk.idle()
    desk.visit(PATIENT)
    desk.wait_for(lambda: seen(FEWEST_VISITS + 1), step=0.0)
    desk.idle(LONGEST_S / 2 - 1000)
    assert desk.slots.waiting() is not None
    assert read_progress(kept).seconds == LONGEST_S - 1000
    desk.run = lambda _: (os.fspath(tmp_path / "no-such-program"),)
    restart()
    kept.write_text(json.dumps({**json.loads(kept.read_bytes()), "seconds": LONGEST_S}))
    desk.shadow = desk.start()
    desk.idle()
    assert desk.slots.waiting() is not None, "no process, so nobody knows whether it can be opened"
    desk.run = lambda _: program
    restart()
    desk.wait_for(lambda: desk.slots.waiting() is None)
    assert (desk.slots.state().on_trial, desk.slots.state().bad) == (pack, ())


def _have_seen(file: Path, visits: int) -> None:
    """As if so many visits like the first had been seen."""
    counts = json.loads(file.read_bytes())
    for name, count in counts.items():
        if isinstance(count, dict):
            counts[name] = {key: value * visits for key, value in count.items()}
    file.write_text(json.dumps(counts))


def test_a_pack_that_kills_the_runtime_dies_alone(desk: Desk, pack_path: Path, tmp_path: Path) -> None:
    """A real network that ends onnxruntime by a signal: given up, listed, not installed again; the desk lives."""
    pack = desk.install(with_embedder(pack_path, tmp_path / "deadly", deadly))
    desk.wait_for(lambda: bool(desk.slots.state().bad))
    assert desk.slots.state().bad == (Bad(pack, Fault.CRASHED),)
    assert desk.slots.unwanted(pack) is not None
    assert desk.slots.state().packs == ()


def test_a_pack_that_is_really_slow_is_given_up(desk: Desk, pack_path: Path, tmp_path: Path) -> None:
    """A real network that multiplies matrices for longer than a step may take, by the processor's time."""
    pack = desk.install(with_embedder(pack_path, tmp_path / "slow", slow(8000)))
    desk.wait_for(lambda: bool(desk.slots.state().bad))
    assert desk.slots.state().bad == (Bad(pack, Fault.SLOW),)


def test_a_pack_that_never_answers_is_given_up(desk: Desk, pack_path: Path, tmp_path: Path) -> None:
    """By the deadline; its process is ended."""
    desk.deadlines = Deadlines(opening=2.0)
    pack = desk.install(with_embedder(pack_path, tmp_path / "endless", slow(1 << 62)))
    desk.wait_for(lambda: bool(desk.slots.state().bad))
    assert desk.slots.state().bad == (Bad(pack, Fault.SLOW),)


def test_a_pack_that_takes_visitors_for_others_is_given_up(desk: Desk, pack_path: Path, tmp_path: Path) -> None:
    """Somebody of the examination comes as a visitor: the pack is right, and the count of strangers taken finds it."""
    crowd = pictures()[0]
    pack = desk.install(with_card(pack_path, tmp_path / "newer", b"# newer\n"))
    for visits in (1, 2):
        frame = Frame(read_image(crowd), Instant(desk.now), "camera", 0)
        desk.shadow.look(frame, desk.eyes.observe(frame), passed=True)
        desk.shadow.end(LivenessVerdict.LIVE)
        desk.wait_for(lambda visits=visits: read_progress(tmp_path / "shadow.json").tally.visits == visits)  # type: ignore[misc]
    assert desk.slots.state().bad == (Bad(pack, Fault.DIFFERS),)


READ = "import sys; sys.stdin.buffer.readline(), sys.stdin.buffer.read(2 * 512 * 512 * 3);"
READY = 'print(\'{"is": "Ready"}\', flush=True);'


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        ("import sys; sys.stdin.buffer.read(1); import os; os.abort()", Fault.CRASHED),
        ("import sys; sys.stdin.buffer.read(1); print('nonsense', flush=True)", Fault.CRASHED),
        (READ + "print('x' * 100000, flush=True)", Fault.CRASHED),
        ('import sys; sys.stdin.buffer.readline(); print(\'{"is": "Ready"}\', flush=True)', Fault.CRASHED),
        ("import time; time.sleep(60)", Fault.SLOW),
    ],
    ids=["dies", "talks nonsense", "does not end its line", "answers something else", "takes no pictures"],
)
def test_whatever_its_process_does_in_a_visit_is_the_packs_fault(
    tmp_path: Path, eyes: FacePipeline, pack_path: Path, does: str, fault: Fault
) -> None:
    """The desk neither waits nor ends."""
    desk = Desk(tmp_path, eyes, lambda _: (sys.executable, "-c", READY + does), Deadlines(visit=0.5))
    pack = desk.install(with_card(pack_path, tmp_path / "newer", b"# newer\n"))
    desk.visit(PATIENT)
    desk.wait_for(lambda: bool(desk.slots.state().bad))
    assert desk.slots.state().bad == (Bad(pack, fault),)


def test_what_is_not_the_packs_fault_sets_it_aside(tmp_path: Path, eyes: FacePipeline, pack_path: Path) -> None:
    """A licence that nobody accepted: it may come back. Without any process at all it goes on waiting.

    No visitor's pictures wait with it.
    """
    said = '{"is": "Unopened", "why": "no licence", "blame": "elsewhere"}'
    desk = Desk(tmp_path, eyes, lambda _: (sys.executable, "-c", f"print('{said}')"))
    pack = desk.install(with_card(pack_path, tmp_path / "newer", b"# newer\n"))
    desk.wait_for(lambda: desk.slots.waiting() is None)
    assert (desk.slots.state().bad, desk.slots.unwanted(pack)) == ((), None)
    desk.run = lambda _: (os.fspath(tmp_path / "no-such-program"),)
    desk.install(tmp_path / "newer")
    worker = desk.shadow._worker
    assert worker is not None
    desk.wait_for(lambda: worker._ended)
    desk.visit(PATIENT)
    assert desk.slots.waiting() is not None
    assert worker._visits.get_nowait() is None
    assert worker._visits.empty()


def test_a_process_is_ended_also_in_the_moment_when_it_takes_a_visit(tmp_path: Path) -> None:
    """The place that was full is empty when it is looked at: that ends no desk."""

    class Taken(queue.Queue[Visit | None]):
        def put_nowait(self, item: Visit | None) -> None:
            """Full once, by what is taken just then."""
            full, self.maxsize = self.maxsize == 1, 2
            if full:
                raise queue.Full
            super().put_nowait(item)

    def none(_: Path) -> ShadowLink:
        raise OSError("no process")

    worker = ShadowWorker(none, tmp_path)
    worker._visits = Taken(maxsize=1)
    worker.end()
    assert worker._visits.get_nowait() is None


def test_damaged_slots_and_counts_stop_no_visit(desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are told in the log."""
    (tmp_path / "slots").mkdir()
    (tmp_path / "slots" / "state.json").write_text("{")
    desk.idle()
    assert "the desk goes on" in caplog.text
    (tmp_path / "shadow.json").write_text("{")
    assert read_progress(tmp_path / "shadow.json").tally.visits == 0
