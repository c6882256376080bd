"""A demonstration that is stopped in the middle leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sync.home import Home
from sync.worker import single_flight

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_gateway_and_delivery_end_with_the_demonstration(
    tmp_path: Path, pack_path: Path, number: signal.Signals
) -> None:
    """A supervisor's stop ends it as Ctrl-C does: nobody listens, nobody delivers, no stack trace."""
    folder = tmp_path / "day"
    listening = ["env", "--default-signal=INT"]  # a shell's background jobs are started deaf to it
    started = [sys.executable, "-m", "appliance", "--packs", str(pack_path.parent), "demo", "--dir", str(folder)]
    command = [*listening, *started]
    demo = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready, delivering = folder / "gateway.json", folder / "desk" / "log" / "sync.log"
    end = time.monotonic() + 120
    while not (ready.exists() and delivering.exists()) and demo.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    gateway = int(json.loads(ready.read_bytes())["pid"])
    demo.send_signal(number)
    _, told = demo.communicate(timeout=150)
    assert demo.returncode == 130
    assert "Traceback" not in told
    with pytest.raises(ProcessLookupError):
        os.kill(gateway, 0)
    with single_flight(Home(folder / "desk").sync_lock):
        pass


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    """A file of that name: a known failure, and the file stays."""
    (tmp_path / "day").write_text("mine")
    command = [sys.executable, "-m", "appliance", "demo", "--dir", str(tmp_path / "day")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, "E-DEMO-01" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
    assert (tmp_path / "day").read_text() == "mine"
