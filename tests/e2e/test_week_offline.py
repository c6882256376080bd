"""A week without a network at twenty desks, then all of them at once, while the fund's processes are killed."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from sync.__main__ import read_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import SyncFailure
from sync.fund.audit import verify_fund
from sync.fund.office import create_fund, list_events
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import Ledger, ledger_entries
from sync.signing import FileSigner
from tests.fakes.documents import join_desk
from tests.sync_fund.postgresql import Server

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()
DAYS = 7
BUSY = 4200
"""Events of the busy desk: a week of six hundred visits a day."""
QUIET = 60
"""Events of each of the others."""
DESKS = 20
LONGEST_S = 120.0


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


@pytest.fixture
def fund(tmp_path: Path) -> Iterator[Fund]:
    """A gateway over a PostgreSQL that keeps what it acknowledged."""
    database = Server(tmp_path / "postgresql")
    database.create()
    database.start()
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    create_fund(tmp_path / "fund", f"https://127.0.0.1:{port}", CLOCK.moment().wall, database.new_database())
    fund = Fund(tmp_path / "fund", port, database)
    fund.start()
    yield fund
    if fund.gateway is not None:
        fund.gateway.terminate()
        fund.gateway.wait(30)
    database.stop()


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


def test_a_week_offline_reaches_the_fund_exactly_once_whatever_is_killed(fund: Fund, tmp_path: Path) -> None:
    """Twenty desks at once, 4,200 visits at one of them; gateway and database killed three times each meanwhile."""
    desks = {f"desk-{number}": Home(tmp_path / f"desk-{number}") for number in range(DESKS)}
    for number, (device, home) in enumerate(desks.items()):
        join_desk(home, fund.root, device)
        open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
        record_a_week(home, device, QUIET if number else BUSY)
    problems: list[BaseException] = []
    threads = [threading.Thread(target=deliver, args=(home, problems), daemon=True) for home in desks.values()]
    for thread in threads:
        thread.start()
    kills = [fund.kill_gateway, fund.kill_database] * 3
    for kill in kills:
        time.sleep(0.3)
        assert any(thread.is_alive() for thread in threads), "the fund was too quick to be killed"
        kill()
    for thread in threads:
        thread.join(LONGEST_S)
    assert problems == []
    stored: dict[str, list[str]] = {}
    for row in list_events(fund.root):
        stored.setdefault(row.event.device, []).append(row.event.token)
    for number, (device, home) in enumerate(desks.items()):
        with contextlib.closing(open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS)) as db:
            signed = [entry.token for entry in ledger_entries(db, 0, BUSY + 1)]
        assert len(signed) >= (QUIET if number else BUSY)
        assert stored[device] == signed, f"{device}: in order, each once"
        status = read_status(home, CLOCK)
        assert (status.pending, status.parked_count, status.settled) == (0, 0, len(signed))
    assert verify_fund(fund.root).intact
