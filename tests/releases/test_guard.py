"""The guard as a program: on the standard library alone, with exit codes and remedies."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.releases.__main__ import main
from appliance.releases.shelf import Shelf
from appliance.releases.switching import Switching
from tests.architecture.source import ROOT
from tests.fakes.releases import FakeSystem, put_release, put_systemctl


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with two releases, the older in use."""
    for version in ("0.1.0", "0.2.0"):
        put_release(tmp_path, version)
    assert main(["--root", str(tmp_path), "adopt", "0.1.0"]) == 0
    return tmp_path


def test_the_releases_are_listed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for machines."""
    Switching(Shelf(root), FakeSystem()).activate(Shelf(root).versions()[1])
    capsys.readouterr()
    assert main(["--root", str(root), "list"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  0.1.0\tproven; the way back",
        "* 0.2.0\ton trial, look 0 of 144, well for 0 of 6",
    ]
    assert main(["--root", str(root), "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["in_use"], told["trial"], told["proven"]) == ("0.2.0", "0.2.0", "0.1.0")


def test_a_refusal_says_what_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, reason and remedy on the error stream; exit code 3. No package of that name is installed here."""
    assert main(["--root", str(root), "activate", "0.2.0"]) == 3
    assert capsys.readouterr().err.startswith("E-REL-02 release 0.2.0: the package keldim-0.2.0 is not installed whole")
    assert main(["--root", str(root), "activate", "../../etc"]) == 3
    assert main(["--root", str(root), "rollback"]) == 3
    assert main(["--root", str(root), "may-remove", "0.1.0"]) == 3
    assert main(["--root", str(root), "may-remove", "0.2.0"]) == 0


@pytest.mark.parametrize(
    ("result", "job", "left"),
    [("success", "1123", {}), ("success", "", {"keldim-window": 1}), ("exit-code", "1123", {"keldim-window": 1})],
)
def test_systemd_says_how_a_service_ended(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: str, job: str, left: dict[str, int]
) -> None:
    """$SERVICE_RESULT, as ExecStopPost= gets it, and the job that stops it: cage ends well when its window crashed."""
    shelf = Shelf(root)
    Switching(shelf, FakeSystem()).activate(shelf.versions()[1])
    main(["--root", str(root), "starting", "keldim-window"])
    monkeypatch.setenv("SERVICE_RESULT", result)
    monkeypatch.setenv("PATH", put_systemctl(tmp_path / "bin", show=job), prepend=":")
    main(["--root", str(root), "stopped", "keldim-window"])
    assert dict(shelf.state().tries) == left


def test_the_guard_needs_no_library(root: Path, tmp_path: Path) -> None:
    """With the system's Python, isolated and without site-packages, from the files that its package holds."""
    for name in ("appliance/__init__.py", "sync/__init__.py", "sync/durable.py", "sync/errors.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "appliance/releases", tmp_path / "appliance/releases")
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    start += "from appliance.releases.__main__ import main; sys.exit(main())"
    command = ["/usr/bin/python3", "-I", "-S", "-B", "-c", start, "--root", str(root), "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("* 0.1.0\tin use")
