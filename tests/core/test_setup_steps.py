"""The steps of a first run: which is next, and what each measurement means."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.quality import Hint
from appliance.core.setup_steps import (
    LEAST_FACES,
    ZONE,
    Outcome,
    Problem,
    SetupProgress,
    SetupStep,
    StepResult,
    judge_camera,
    judge_clock,
    judge_light,
)

RESULTS = st.builds(StepResult, st.sampled_from(SetupStep), st.sampled_from(Outcome))


def test_a_new_desk_begins_with_the_first_step_and_ends_with_the_last() -> None:
    """Each in its order; then the desk is ready."""
    progress = SetupProgress()
    for step in SetupStep:
        assert progress.following is step
        progress = progress.after(StepResult(step, Outcome.PASSED))
    assert progress.following is None


@given(st.lists(RESULTS, max_size=20))
def test_only_the_newest_result_of_a_step_counts(results: list[StepResult]) -> None:
    """Taken in any order, as often as one likes; the next step is the first without a pass or a decision to skip."""
    progress = SetupProgress()
    for result in results:
        progress = progress.after(result)
    newest = {result.step: result for result in results}
    assert {step: progress.of(step) for step in SetupStep} == {step: newest.get(step) for step in SetupStep}
    assert [result.step for result in progress.results] == [step for step in SetupStep if step in newest]
    left = [s for s in SetupStep if s not in newest or newest[s].outcome is Outcome.FAILED]
    assert progress.following is (left[0] if left else None)


@pytest.mark.parametrize(
    ("frames", "seconds", "width", "height", "problem"),
    [
        (90, 3.0, 1280, 720, None),
        (24, 3.0, 640, 480, None),
        (23, 3.0, 640, 480, Problem.CAMERA_SLOW),
        (90, 3.0, 639, 480, Problem.CAMERA_SMALL),
        (90, 3.0, 640, 479, Problem.CAMERA_SMALL),
        (0, 0.0, 640, 480, None),
    ],
)
def test_a_camera_is_fast_and_large_enough(
    frames: int, seconds: float, width: int, height: int, problem: Problem | None
) -> None:
    """At its limits it passes; a size too small is told first, because speed would not help."""
    result = judge_camera(frames, seconds, width, height)
    assert (result.problem, result.outcome is Outcome.PASSED) == (problem, problem is None)
    assert dict(result.values) == {"width": width, "height": height, "rate": round(frames / (seconds or 1))}


@pytest.mark.parametrize(
    ("hints", "problem"),
    [
        ([None] * 10, None),
        ([None] * 5 + [Hint.MORE_LIGHT] * 5, None),
        ([None] * 4 + [Hint.MORE_LIGHT] * 6, Problem.TOO_DARK),
        ([Hint.LESS_LIGHT] * 10, Problem.TOO_BRIGHT),
        ([Hint.EVEN_LIGHT] * 6 + [Hint.MORE_LIGHT] * 4, Problem.FROM_ONE_SIDE),
        ([Hint.CLOSER] * 10, None),
        ([None] * (LEAST_FACES - 1), Problem.NOBODY_SEEN),
        ([], Problem.NOBODY_SEEN),
    ],
)
def test_the_light_is_bad_where_most_frames_say_so(hints: list[Hint | None], problem: Problem | None) -> None:
    """Where somebody stands is no matter of the light; without a face nothing is known."""
    assert judge_light(hints).problem is problem


@pytest.mark.parametrize(
    ("off", "proven", "offset", "problem"),
    [
        (1.2, True, ZONE, None),
        (None, False, ZONE, Problem.CLOCK_UNPROVEN),
        (3600.0, False, ZONE, Problem.CLOCK_WRONG),
        (1.2, True, timedelta(hours=6), Problem.ZONE_WRONG),
        (1.2, True, None, Problem.ZONE_WRONG),
    ],
)
def test_the_clock_is_proven_by_the_fund_and_in_the_countrys_zone(
    off: float | None, proven: bool, offset: timedelta | None, problem: Problem | None
) -> None:
    """An hour off is the zone of before March 2024; nobody vouches for a clock that the fund never saw."""
    assert judge_clock(off, proven=proven, offset=offset).problem is problem
