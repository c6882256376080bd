"""The steps by which a new desk is made ready, what each found, and which comes next.

Judges what was measured; measuring is `desk_setup`'s, keeping `setup_record`'s, the words `texts`'. Any step may be
taken again at any time, in any order: only its newest result counts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from appliance.core.quality import Hint


class SetupStep(StrEnum):
    """In the order in which they are offered."""

    CLINIC = "clinic"
    """Fund, clinic and desk are the right ones: they come from the fund's answer and are read back."""
    LANGUAGE = "language"
    CAMERA = "camera"
    LIGHT = "light"
    CLOCK = "clock"
    PRINTER = "printer"


class Outcome(StrEnum):
    """How a step ended. skipped: it has no meaning here, or somebody chose to go on without."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Problem(StrEnum):
    """Why a step failed or was skipped."""

    NOT_JOINED = "not_joined"
    WRONG_CLINIC = "wrong_clinic"
    CAMERA_FAILED = "camera_failed"
    CAMERA_SLOW = "camera_slow"
    CAMERA_SMALL = "camera_small"
    NOBODY_SEEN = "nobody_seen"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    FROM_ONE_SIDE = "from_one_side"
    CLOCK_UNPROVEN = "clock_unproven"
    CLOCK_WRONG = "clock_wrong"
    ZONE_WRONG = "zone_wrong"
    NO_PRINTER = "no_printer"
    NOTHING_PRINTED = "nothing_printed"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one run of a step found. values: by the name of their place in the text. at: RFC 3339, empty until kept."""

    step: SetupStep
    outcome: Outcome
    problem: Problem | None = None
    values: tuple[tuple[str, str | int], ...] = ()
    at: str = ""


@dataclass(frozen=True, slots=True)
class SetupProgress:
    """The newest result of each step that was taken."""

    results: tuple[StepResult, ...] = ()

    def of(self, step: SetupStep) -> StepResult | None:
        """The newest result of a step."""
        return next((result for result in self.results if result.step is step), None)

    def after(self, result: StepResult) -> "SetupProgress":
        """With this result in place of the step's last one, in the order of the steps."""
        others = [each for each in self.results if each.step is not result.step]
        order = list(SetupStep)
        return SetupProgress(tuple(sorted([*others, result], key=lambda each: order.index(each.step))))

    @property
    def following(self) -> SetupStep | None:
        """The first step that has not passed and was not skipped; None when the desk is ready."""
        done = {result.step for result in self.results if result.outcome is not Outcome.FAILED}
        return next((step for step in SetupStep if step not in done), None)


LEAST_WIDTH, LEAST_HEIGHT = 640, 480
"""Pixels: a face at half a metre then has the 40 px between the eyes that the gate of a check-in asks for."""

LEAST_RATE = 8.0
"""Frames a second: a challenge of a few seconds follows a turning head with no fewer."""


def judge_camera(frames: int, seconds: float, width: int, height: int) -> StepResult:
    """frames: how many different ones came in so many seconds. width, height: of the last, pixels."""
    rate = round(frames / seconds) if seconds > 0 else 0
    values = (("width", width), ("height", height), ("rate", rate))
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return StepResult(SetupStep.CAMERA, Outcome.FAILED, Problem.CAMERA_SMALL, values)
    if frames < LEAST_RATE * seconds:
        return StepResult(SetupStep.CAMERA, Outcome.FAILED, Problem.CAMERA_SLOW, values)
    return StepResult(SetupStep.CAMERA, Outcome.PASSED, None, values)


_LIGHT = {
    Hint.MORE_LIGHT: Problem.TOO_DARK,
    Hint.LESS_LIGHT: Problem.TOO_BRIGHT,
    Hint.EVEN_LIGHT: Problem.FROM_ONE_SIDE,
}

LEAST_FACES = 5
"""Frames with a face, below which the light on faces was not seen."""


def judge_light(hints: Sequence[Hint | None]) -> StepResult:
    """hints: what the gate of a check-in says to each frame with a face; the light is bad where most frames say so."""
    if len(hints) < LEAST_FACES:
        return StepResult(SetupStep.LIGHT, Outcome.FAILED, Problem.NOBODY_SEEN)
    told = Counter(_LIGHT[hint] for hint in hints if hint in _LIGHT)
    good = round(100 * (1 - told.total() / len(hints)))
    if told.total() * 2 > len(hints):
        return StepResult(SetupStep.LIGHT, Outcome.FAILED, told.most_common(1)[0][0], (("good", good),))
    return StepResult(SetupStep.LIGHT, Outcome.PASSED, None, (("good", good),))


ZONE = timedelta(hours=5)
"""Kazakhstan has one time, +05:00, since 1 March 2024; a system whose zone data are older is an hour off."""


def judge_clock(off_s: float | None, *, proven: bool, offset: timedelta | None) -> StepResult:
    """off_s: how far the clock may be from the time that the fund signed last, None before the first. proven: by it."""
    if offset != ZONE:
        return StepResult(SetupStep.CLOCK, Outcome.FAILED, Problem.ZONE_WRONG)
    if off_s is None:
        return StepResult(SetupStep.CLOCK, Outcome.FAILED, Problem.CLOCK_UNPROVEN)
    values = (("seconds", round(off_s)),)
    if not proven:
        return StepResult(SetupStep.CLOCK, Outcome.FAILED, Problem.CLOCK_WRONG, values)
    return StepResult(SetupStep.CLOCK, Outcome.PASSED, None, values)
