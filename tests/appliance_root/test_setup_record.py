"""How far a desk's set-up has come outlives the process, and a damaged file is told."""

from pathlib import Path

import pytest

from appliance.core.errors import SetupUnreadable
from appliance.core.setup_steps import Outcome, Problem, SetupProgress, SetupStep, StepResult
from appliance.setup_record import keep, read_progress, record_file
from sync.home import Home

FOUND = SetupProgress(
    (
        StepResult(SetupStep.CLINIC, Outcome.PASSED, None, (), "2026-11-23T09:00:00+05:00"),
        StepResult(SetupStep.CAMERA, Outcome.FAILED, Problem.CAMERA_FAILED, (("code", "E-CAM-01"),), "2026-11-23"),
        StepResult(SetupStep.LIGHT, Outcome.FAILED, Problem.TOO_DARK, (("good", 12),), "2026-11-23"),
    )
)


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    """To the last figure; before the first step there is nothing."""
    home = Home(tmp_path)
    assert read_progress(home) == SetupProgress()
    keep(home, FOUND)
    assert read_progress(home) == FOUND
    assert record_file(home).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "results": []}',
        '{"version": 1, "results": [{"step": "dance", "outcome": "passed", "problem": null, "values": {}, "at": ""}]}',
        '{"version": 1, "results": [{"step": "light", "outcome": "passed", "problem": null, "values": [], "at": ""}]}',
    ],
)
def test_a_file_that_is_not_ours_is_a_known_failure(tmp_path: Path, content: str) -> None:
    """Its remedy says to begin again."""
    record_file(Home(tmp_path)).write_text(content)
    with pytest.raises(SetupUnreadable):
        read_progress(Home(tmp_path))


def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nothing is made on the side."""
    with pytest.raises(SetupUnreadable, match="cannot be written"):
        keep(Home(tmp_path / "none"), FOUND)
