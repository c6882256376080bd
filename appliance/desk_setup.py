"""The first run of a desk: takes the steps of `core.setup_steps` on the real camera, clock, settings and printer.

Whoever shows them (a terminal, the window) asks the questions and keeps the answers through here. Nothing is recorded
in the ledger: a desk that is being set up has no visits.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from appliance import config as configuration
from appliance.composition import OpenDesk, open_desk
from appliance.config_edit import write_language
from appliance.core.errors import CameraFrozen, CameraUnavailable, ImageUnreadable, PrinterFailed
from appliance.core.policy import QualityGate
from appliance.core.ports import FrameSource, Observer
from appliance.core.quality import Hint, judge
from appliance.core.setup_steps import (
    Outcome,
    Problem,
    SetupProgress,
    SetupStep,
    StepResult,
    judge_camera,
    judge_clock,
    judge_light,
)
from appliance.printing import list_printers, print_text
from appliance.setup_record import keep, read_progress
from appliance.texts import Language
from sync.clock import Clock
from sync.envelope import TimeTrust
from sync.home import Home, is_installed, load_settings
from sync.ledger import read_anchor
from sync.time_trust import judge as judge_time

CAMERA_S = 3.0
LIGHT_S = 6.0
"""Seconds: time to step up to the place where patients will stand."""


CAMERA_FAILURES = (CameraUnavailable, CameraFrozen, ImageUnreadable)
"""What a camera, or a recording in its place, may raise when it is opened or read."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the fund's answer says of this desk."""

    device: str
    clinic: str
    desk: str
    fund: str


@dataclass(frozen=True, slots=True)
class DeskSetup:
    """The set-up of one desk. printers, print_page: CUPS, or a test's."""

    home: Home
    clock: Clock
    printers: Callable[[], tuple[str, ...]] = list_printers
    print_page: Callable[[str, str], None] = print_text

    @property
    def progress(self) -> SetupProgress:
        """How far it has come. Raises SetupUnreadable."""
        return read_progress(self.home)

    def keep(self, result: StepResult) -> StepResult:
        """Keep a step's newest result, with the present time. Raises SetupUnreadable."""
        stamped = replace(result, at=self.clock.moment().wall.isoformat())
        keep(self.home, self.progress.after(stamped))
        return stamped

    def place(self) -> Place | None:
        """Which desk the fund admitted this one as; None before. Raises SettingsInvalid."""
        if not is_installed(self.home):
            return None
        settings = load_settings(self.home)
        device = settings.device
        return Place(device.device, device.clinic, device.desk, settings.fund.url)

    def clinic(self, *, right: bool) -> StepResult:
        """right: what somebody who knows the clinic says to `place`."""
        if self.place() is None:
            return self.keep(StepResult(SetupStep.CLINIC, Outcome.FAILED, Problem.NOT_JOINED))
        if not right:
            return self.keep(StepResult(SetupStep.CLINIC, Outcome.FAILED, Problem.WRONG_CLINIC))
        return self.keep(StepResult(SetupStep.CLINIC, Outcome.PASSED))

    def language(self, language: Language) -> StepResult:
        """Write the screen's first language into the settings. Raises ConfigInvalid."""
        write_language(self.home.config, language.value)
        return self.keep(StepResult(SetupStep.LANGUAGE, Outcome.PASSED))

    def camera(self, source: FrameSource, seconds: float = CAMERA_S) -> StepResult:
        """Look for some seconds whether frames come, fast and large enough."""
        frames, first, last = 0, None, None
        try:
            while (frame := source.read()) is not None:
                first, last = first or frame, frame
                frames += 1
                if frame.at - first.at >= seconds:
                    break
        except CAMERA_FAILURES as failure:
            return self.camera_failed(failure.code)
        if first is None or last is None:
            return self.camera_failed(CameraUnavailable.code)
        return self.keep(judge_camera(frames - 1, last.at - first.at, last.width, last.height))

    def camera_failed(self, code: str, step: SetupStep = SetupStep.CAMERA) -> StepResult:
        """The camera cannot be opened, may not serve, or fails. code: of the known failure."""
        return self.keep(StepResult(step, Outcome.FAILED, Problem.CAMERA_FAILED, (("code", code),)))

    def light(self, source: FrameSource, observer: Observer, gate: QualityGate, seconds: float = LIGHT_S) -> StepResult:
        """Judge the light on the face of whoever stands where patients will stand."""
        hints: list[Hint | None] = []
        began = None
        try:
            while (frame := source.read()) is not None:
                began = frame.at if began is None else began
                seen = observer.observe(frame)
                if seen.measures is not None:
                    hints.append(judge(seen, gate).hint)
                if frame.at - began >= seconds:
                    break
        except CAMERA_FAILURES as failure:
            return self.camera_failed(failure.code, SetupStep.LIGHT)
        return self.keep(judge_light(hints))

    def time(self) -> StepResult:
        """Compare the clock with the time that the fund signed last. Raises as `open_desk`."""
        if self.place() is None:
            return self.keep(judge_clock(None, proven=False, offset=self.clock.moment().wall.utcoffset()))
        with open_desk(self.home, self.clock) as desk:
            return self.keep(self._time(desk))

    def _time(self, desk: OpenDesk) -> StepResult:
        moment, anchor = self.clock.moment(), read_anchor(desk.records.db)
        judged = judge_time(moment, None, anchor)
        told = judged.trust is not TimeTrust.SYSTEM  # by an anchor of another boot nothing is proven
        off = judged.uncertainty_ms / 1000 if told else None
        return judge_clock(off, proven=judged.trust is TimeTrust.FUND, offset=moment.wall.utcoffset())

    def printer(self, name: str, text: str, came_out: Callable[[], bool]) -> StepResult:
        """Print a page and ask whether it came out. name: one of `printers`; empty: there is none, or none wanted."""
        if not name:
            return self.keep(StepResult(SetupStep.PRINTER, Outcome.SKIPPED, Problem.NO_PRINTER))
        try:
            self.print_page(name, text)
        except PrinterFailed:
            return self.keep(StepResult(SetupStep.PRINTER, Outcome.FAILED, Problem.NOTHING_PRINTED))
        if not came_out():
            return self.keep(StepResult(SetupStep.PRINTER, Outcome.FAILED, Problem.NOTHING_PRINTED))
        return self.keep(StepResult(SetupStep.PRINTER, Outcome.PASSED))

    def skip(self, step: SetupStep) -> StepResult:
        """Go on without a step, and keep that somebody chose to."""
        last = self.progress.of(step)
        return self.keep(StepResult(step, Outcome.SKIPPED, last.problem if last else None, last.values if last else ()))

    @property
    def first_language(self) -> Language:
        """What the settings say. Raises ConfigInvalid."""
        return configuration.load(self.home.config).desk.language
