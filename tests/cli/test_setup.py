"""The first run of a desk on a terminal: step by step, gone on with later, told to machines."""

import json
import os
import subprocess
import sys
from pathlib import Path

from appliance.config import load
from tests.cli.terminal import Clinic


def answered(clinic: Clinic, answers: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """The command with somebody at the keyboard."""
    command = [
        sys.executable,
        "-m",
        "appliance",
        "--home",
        clinic.home,
        "--packs",
        clinic.packs,
        "setup-desk",
        *arguments,
    ]
    bare = {**os.environ, "PATH": str(Path(sys.executable).parent)}  # a machine without a printer
    return subprocess.run(
        [str(word) for word in command],
        input=answers,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=bare,
    )


def test_a_desk_is_made_ready_step_by_step(clinic: Clinic, film: Path) -> None:
    """Read back, chosen, measured on a film; the clock that no fund saw yet is left out; then the desk is ready."""
    begun = answered(clinic, "1\n3\n", "--video", film)
    assert begun.returncode == 4, begun.stderr
    assert "Clinic" in begun.stdout
    assert load(clinic.home / "keldim.toml").desk.language.value == "en"
    assert "The camera is good" in begun.stdout
    assert "The light is good" in begun.stdout
    assert "Standard input has ended" in begun.stderr
    left = clinic("setup-desk", "--status", "--json").json
    assert (left["ready"], left["next"]) == (False, "clock")
    done = answered(clinic, "9\nx\n2\n", "--video", film, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ready"], told["next"]) == (0, True, None)
    assert {step["step"]: step["outcome"] for step in told["steps"]} == {
        **dict.fromkeys(("clinic", "language", "camera", "light"), "passed"),
        **dict.fromkeys(("clock", "printer"), "skipped"),
    }


def test_a_step_can_be_taken_again_and_fails_plainly(clinic: Clinic, faceless: Path) -> None:
    """Nobody before the camera: what to do is said, and the step is open again."""
    (clinic.root / "pictures").mkdir()
    for number in range(100):
        (clinic.root / "pictures" / f"{number:03}.png").hardlink_to(faceless)
    told = answered(clinic, "3\n", "--step", "light", "--images", clinic.root / "pictures")
    assert told.returncode == 4
    assert "Ешкім көрінбеді" in told.stdout
    missing = answered(clinic, "3\n", "--step", "camera", "--video", clinic.root / "none.avi")
    assert "E-IMG-01" in missing.stdout or "E-CAM-01" in missing.stdout
    status = clinic("setup-desk", "--status")
    assert (status.code, "Ешкім көрінбеді" in status.out) == (4, True)
