"""A fund of two processes that can be killed, and desks that have been without a network for a week."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from appliance.composition import DESK_MIGRATIONS
from sync.__main__ import read_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import SyncFailure
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import Ledger
from sync.signing import FileSigner
from tests.sync_fund.postgresql import Server

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()
DAYS = 7
BUSY = 4200
"""Events of the busy desk: a week of six hundred visits a day."""
LONGEST_S = 120.0


def free_port() -> int:
    """A port that nobody listens at."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Fund:
    """The fund's two processes."""

    root: Path
    port: int
    database: Server
    gateway: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the gateway and wait until it answers."""
        ready = self.root.parent / "ready.json"
        ready.unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "sync.fund",
            "--dir",
            self.root,
            "serve",
            "--port",
            self.port,
            "--ready-file",
            ready,
        ]
        with (self.root.parent / "gateway.log").open("ab") as log:
            self.gateway = subprocess.Popen(list(map(str, command)), cwd=ROOT, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                if json.loads(ready.read_bytes())["pid"] == self.gateway.pid:
                    return
            time.sleep(0.02)
        raise AssertionError((self.root.parent / "gateway.log").read_text()[-2000:])

    def kill_gateway(self) -> None:
        """Kill -9 and start again."""
        assert self.gateway is not None
        assert self.gateway.poll() is None, "the gateway outlives its database"
        self.gateway.kill()
        self.gateway.wait()
        self.start()

    def kill_database(self) -> None:
        """Kill -9 the database and start it again; the gateway goes on."""
        self.database.kill()
        self.database.start()


def record_a_week(home: Home, device: str, count: int) -> None:
    """Sign this many visits, spread over the last week, a hundred to a transaction."""
    now = CLOCK.moment()
    with contextlib.closing(open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS)) as db:
        ledger = Ledger(db, FileSigner.load(home.device_key), device)
        for first in range(0, count, 100):
            with immediate(db):
                for number in range(first, min(first + 100, count)):
                    ago = timedelta(days=DAYS) * (count - number) / count
                    moment = replace(
                        now,
                        wall=now.wall - ago // timedelta(milliseconds=1) * timedelta(milliseconds=1),
                        mono_ms=number * 1000,
                        boot_id="the-boot-of-that-week",
                    )
                    ledger.append(
                        "checked_in", 1, {"service_code": "A02.001", "provider": f"d-{number % 40:03d}"}, moment
                    )


def deliver(home: Home, problems: list[BaseException]) -> None:
    """What the sync process does, without its pauses: again and again until nothing waits."""
    end = time.monotonic() + LONGEST_S
    try:
        while read_status(home, CLOCK).pending and time.monotonic() < end:
            run_once(home, CLOCK, force=True)
            time.sleep(0.05)
    except SyncFailure as failure:
        problems.append(failure)
