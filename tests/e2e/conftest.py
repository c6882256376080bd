"""The demonstration, played once before its window, by a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_S = 1200.0
"""Two minutes on a free machine; far more where other work goes on."""


@dataclass(frozen=True)
class Played:
    """What the demonstration printed and left. rows: one for each act. summary: the line that ends it."""

    folder: Path
    code: int
    rows: "list[dict[str, object]]"
    summary: str
    err: str

    @property
    def logs(self) -> dict[str, str]:
        """Every log of every process."""
        files = [*self.folder.rglob("*.log*"), *self.folder.rglob("*.out")]
        return {str(path.relative_to(self.folder)): path.read_text() for path in files}


@pytest.fixture(scope="module", autouse=True)
def whole_programs(uncounted: None) -> None:
    """Nothing is counted in them: minutes more, and one that is killed counts none anyway."""
    del uncounted


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, pack_path: Path) -> Played:
    """What `make demo` does where there is no screen, from beginning to end."""
    folder = tmp_path_factory.mktemp("demo") / "day"
    command = [
        sys.executable,
        "-m",
        "kiosk_ui",
        "demo",
        "--packs",
        str(pack_path.parent),
        "--dir",
        str(folder),
        "--json",
    ]
    command += ["--pictures", str(folder.parent / "pictures")]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    told = json.loads(done.stdout or '{"visits": [], "summary": ""}')
    return Played(folder, done.returncode, told["visits"], told["summary"], done.stderr)
