"""A run says plainly what it had no files for, and a wrong folder is a mistake, not a shorter run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

TESTS = """
import pytest

@pytest.mark.upstream
def test_weights(upstream):
    pass

@pytest.mark.upstream
@pytest.mark.evaluation
def test_pictures(upstream, evaluation):
    pass

def test_nothing():
    pass
"""


def _run(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Pytest in a process of its own, on three tests, with nothing of this run's folders."""
    (folder / "test_three.py").write_text(TESTS)
    (folder / "conftest.py").write_text("from tests.conftest import *\n")  # as the tests themselves have it
    (folder / "pytest.ini").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KELDIM_", "PYTEST_"))}
    # A folder of its own: else it closes the one that all runs share to others, and with it the servers of this run.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    command += [f"--basetemp={folder / 'base'}", str(folder)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_tests_without_their_folder_are_named_at_the_end(tmp_path: Path) -> None:
    """How many, which folder, which variable; they count as deselected."""
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "NOT RUN: 2 tests marked upstream. To run them: KELDIM_UPSTREAM=DIR" in done.stdout
    assert "NOT RUN: 1 tests marked evaluation. To run them: KELDIM_EVALUATION=DIR" in done.stdout
    assert "1 passed, 2 deselected" in done.stdout


def test_processes_that_share_the_tests_name_them_too(tmp_path: Path) -> None:
    """The summary is printed by a process that collects nothing itself."""
    done = _run(tmp_path, PYTEST_ADDOPTS="-p xdist -n 2")
    assert "NOT RUN: 2 tests marked upstream. To run them: KELDIM_UPSTREAM=DIR" in done.stdout
    assert "1 passed" in done.stdout


def test_with_the_folders_everything_runs(tmp_path: Path) -> None:
    """And nothing is said."""
    one, both = _run(tmp_path, KELDIM_UPSTREAM=str(tmp_path)), {"KELDIM_UPSTREAM", "KELDIM_EVALUATION"}
    assert "2 passed, 1 deselected" in one.stdout
    assert "NOT RUN: 1 tests marked evaluation" in one.stdout
    done = _run(tmp_path, **dict.fromkeys(both, str(tmp_path)))
    assert "3 passed" in done.stdout
    assert "NOT RUN" not in done.stdout


def test_a_folder_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    """A typing error in CI would otherwise leave tests out for ever."""
    stopped = _run(tmp_path, KELDIM_EVALUATION=str(tmp_path / "none"))
    assert stopped.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is not the folder of evaluation sets" in stopped.stdout + stopped.stderr
