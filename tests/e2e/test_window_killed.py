"""The window is killed in the middle: what was confirmed is kept, what was not is not."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.composition import open_desk
from appliance.demo.clinic import Site
from sync.clock import SystemClock
from sync.envelope import parse_event

ROOT = Path(__file__).parents[2]
LONGEST_S = 120.0


@contextlib.contextmanager
def _window(folder: Path, packs: Path, patience: str) -> Iterator[subprocess.Popen[bytes]]:
    """The demonstration's first visit in a window without a screen, with everything it starts in a group of its own."""
    command = [sys.executable, "-m", "kiosk_ui", "demo", "--visits", "1", "--patience", patience, "--dir", str(folder)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "KELDIM_PACKS": str(packs)}
    with (folder.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


@pytest.mark.parametrize(
    ("moment", "patience", "after_s"),
    [
        ("checking + matched -> confirm", "600", 1.0),
        ("confirm + confirmed -> saving", "0.3", 0.0),
    ],
)
def test_a_kill_neither_loses_a_visit_nor_makes_one(
    moment: str, patience: str, after_s: float, pack_path: Path, tmp_path: Path
) -> None:
    """Killed while it asks, or while it saves: the ledger holds the visit exactly if it must."""
    folder = tmp_path / "clinic"
    site, told = Site(folder), ""
    with _window(folder, pack_path.parent, patience) as process:
        end = time.monotonic() + LONGEST_S
        while moment not in told and process.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
            with contextlib.suppress(FileNotFoundError):
                told = (site.home.log / "desk.log").read_text()
        assert moment in told, (tmp_path / "log").read_text(errors="replace")[-2000:]
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
    told = (site.home.log / "desk.log").read_text()
    with open_desk(site.home, SystemClock()) as desk:
        desk.ledger.verify()
        kinds = [parse_event(entry.token).event.kind for entry in desk.ledger.entries()]
        if "saved -> receipt" in told:
            assert kinds.count("checked_in") == 1, "what the screen showed as done is recorded"
        if not re.search("confirm . confirmed", told):
            assert "checked_in" not in kinds, "nobody confirmed"
