"""The gateway as a process of its own, for tests that kill it, or look at it from outside."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.sync_fund.conftest import Fund

ROOT = Path(__file__).parents[2]


class Process:
    """A gateway process; starts again on the same port after its death."""

    def __init__(self, fund: Fund, folder: Path) -> None:
        self.fund, self.ready, self.log = fund, folder / "ready.json", folder / "gateway.log"
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start and wait until it answers."""
        command = [sys.executable, "-m", "sync.fund", "--dir", str(self.fund.root), "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--ready-file", str(self.ready)], cwd=ROOT, stdout=log, stderr=log
            )
        for _ in range(400):
            if self.ready.exists() and json.loads(self.ready.read_text())["pid"] == self.process.pid:
                self.port = json.loads(self.ready.read_text())["port"]
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError("the gateway does not start")

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextlib.contextmanager
def process_of(fund: Fund, folder: Path) -> Iterator[Process]:
    """A running gateway process of a fund, killed at the end."""
    running = Process(fund, folder)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)
