"""The steps of a first run on a real home: what each measures, writes and keeps."""

from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from appliance.config import load
from appliance.core.errors import CameraFrozen, CameraUnavailable, PrinterFailed
from appliance.core.policy import QualityGate
from appliance.core.setup_steps import Outcome, Problem, SetupStep
from appliance.core.types import Frame, Instant, Observation
from appliance.desk_setup import DeskSetup
from appliance.texts import Language
from sync.database import immediate
from sync.envelope import TimeAnchor
from sync.home import Home
from sync.ledger import keep_anchor
from tests.core.sights import GOOD
from tests.fakes.clock import START, ManualClock
from tests.fakes.working_desk import WorkingDesk

ALMATY = timezone(timedelta(hours=5))


class Frames:
    """A camera of `rate` frames a second, for so many; then `then`."""

    name = "camera"

    def __init__(self, count: int, rate: float = 15.0, then: Exception | None = None, height: int = 480) -> None:
        self._left, self._rate, self._then, self._index = count, rate, then, 0
        self._pixels = np.zeros((height, 640, 3), np.uint8)

    def read(self) -> Frame | None:
        """The next."""
        if self._index == self._left:
            if self._then is not None:
                raise self._then
            return None
        self._index += 1
        return Frame(self._pixels, Instant(self._index / self._rate), self.name, self._index)

    def close(self) -> None:
        """Nothing."""


class Sees:
    """An observer that finds a face under this light, or none."""

    def __init__(self, luminance: float | None) -> None:
        self._measures = None if luminance is None else replace(GOOD, luminance=luminance)

    def observe(self, frame: Frame) -> Observation:
        """As told."""
        return Observation(frame.at, frame.width, frame.height, (), self._measures, 0.5)

    embed = live_score = unified_quality = None  # a light test asks for nothing else


@pytest.fixture
def setup(home: Home) -> DeskSetup:
    """Of a joined desk in Kazakhstan without a printer."""
    return DeskSetup(home, ManualClock(START.astimezone(ALMATY)), lambda: (), lambda _name, _text: None)


def test_clinic_and_desk_are_what_the_fund_says(setup: DeskSetup, tmp_path: Path) -> None:
    """They are read back, not typed: a desk cannot give itself another name."""
    place = setup.place()
    assert place is not None
    assert (place.device, place.fund) == ("desk-1", "https://127.0.0.1:1")
    assert setup.clinic(right=True).outcome is Outcome.PASSED
    assert setup.clinic(right=False).problem is Problem.WRONG_CLINIC
    (tmp_path / "new").mkdir()
    new = DeskSetup(Home(tmp_path / "new"), setup.clock)
    assert (new.place(), new.clinic(right=True).problem) == (None, Problem.NOT_JOINED)
    assert new.time().problem is Problem.CLOCK_UNPROVEN


def test_the_language_goes_into_the_settings(setup: DeskSetup) -> None:
    """And nothing else there changes."""
    before = setup.home.config.read_text()
    assert setup.language(Language.RUSSIAN).outcome is Outcome.PASSED
    assert setup.first_language is load(setup.home.config).desk.language is Language.RUSSIAN
    added = [line for line in setup.home.config.read_text().splitlines() if line not in before.splitlines()]
    assert added == ["[desk]", 'language = "ru"']


def test_a_camera_is_watched_for_some_seconds(setup: DeskSetup) -> None:
    """Rate and size of what really came; each way to fail is kept with its code."""
    good = setup.camera(Frames(100))
    assert (good.outcome, dict(good.values)) == (Outcome.PASSED, {"width": 640, "height": 480, "rate": 15})
    assert setup.camera(Frames(100, rate=5.0)).problem is Problem.CAMERA_SLOW
    assert setup.camera(Frames(100, height=360)).problem is Problem.CAMERA_SMALL
    assert setup.camera(Frames(0)).values == (("code", "E-CAM-01"),)
    assert setup.camera(Frames(3, then=CameraFrozen("black"))).values == (("code", "E-CAM-02"),)


@pytest.mark.parametrize(
    ("luminance", "problem"),
    [(0.5, None), (0.05, Problem.TOO_DARK), (0.99, Problem.TOO_BRIGHT), (None, Problem.NOBODY_SEEN)],
)
def test_the_light_is_judged_on_a_face(setup: DeskSetup, luminance: float | None, problem: Problem | None) -> None:
    """By the same gate as a check-in's."""
    sees = Sees(luminance)
    assert setup.light(Frames(100), sees, QualityGate(), 3.0).problem is problem  # type: ignore[arg-type]
    failed = setup.light(Frames(0, then=CameraUnavailable("gone")), sees, QualityGate())  # type: ignore[arg-type]
    assert (failed.step, failed.problem) == (SetupStep.LIGHT, Problem.CAMERA_FAILED)


def test_the_clock_is_compared_with_the_funds(setup: DeskSetup, desk: WorkingDesk) -> None:
    """Unproven before the first answer; right beside it; wrong when somebody sets it; and the zone counts."""
    assert setup.time().problem is Problem.CLOCK_UNPROVEN
    clock = setup.clock
    assert isinstance(clock, ManualClock)
    moment = clock.moment()
    with immediate(desk.db):
        keep_anchor(desk.db, TimeAnchor(moment.boot_id, moment.mono_ms, moment.wall, 800))
    clock.advance(60)
    assert setup.time().outcome is Outcome.PASSED
    clock.step_wall(3600)
    wrong = setup.time()
    assert (wrong.problem, dict(wrong.values)["seconds"]) == (Problem.CLOCK_WRONG, 3601)
    clock.wall = clock.wall.astimezone(timezone(timedelta(hours=6)))
    assert setup.time().problem is Problem.ZONE_WRONG


def test_a_page_is_printed_and_somebody_says_whether_it_came_out(setup: DeskSetup) -> None:
    """CUPS takes pages for printers without paper: only people know."""
    pages: list[tuple[str, str]] = []
    with_printer = replace(setup, print_page=lambda name, text: pages.append((name, text)))
    assert with_printer.printer("Receipts", "page", lambda: True).outcome is Outcome.PASSED
    assert with_printer.printer("Receipts", "page", lambda: False).problem is Problem.NOTHING_PRINTED
    assert pages == [("Receipts", "page")] * 2
    none = setup.printer("", "page", lambda: pytest.fail("asked without a page"))
    assert (none.outcome, none.problem) == (Outcome.SKIPPED, Problem.NO_PRINTER)

    def refuse(_name: str, _text: str) -> None:
        raise PrinterFailed("no paper")

    assert (
        replace(setup, print_page=refuse).printer("Receipts", "page", lambda: True).problem is Problem.NOTHING_PRINTED
    )


def test_what_was_found_is_kept_with_its_time_and_can_be_skipped(setup: DeskSetup) -> None:
    """Another process goes on where this one stopped; what was skipped still says why."""
    setup.camera(Frames(100, rate=5.0))
    again = DeskSetup(setup.home, setup.clock)
    found = again.progress.of(SetupStep.CAMERA)
    assert found is not None
    assert found.at == setup.clock.moment().wall.isoformat()
    assert again.progress.following is SetupStep.CLINIC
    skipped = again.skip(SetupStep.CAMERA)
    assert (skipped.outcome, skipped.problem) == (Outcome.SKIPPED, Problem.CAMERA_SLOW)
    assert again.skip(SetupStep.LIGHT).problem is None
