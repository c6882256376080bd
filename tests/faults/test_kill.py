"""kill -9 of desk, delivery and gateway at random instants: the fund has every acknowledged event, proven, once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

import pytest

from appliance.composition import DESK_MIGRATIONS
from appliance.demo import clinic
from sync.__main__ import read_status
from sync.clock import SystemClock
from sync.database import open_database
from sync.envelope import parse_event
from sync.fund.audit import verify_fund
from sync.fund.office import list_events
from sync.keyfile import load_key
from tests.fakes.working_desk import WorkingDesk
from tests.faults.busy_desk import PATIENTS

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()
DESK_KILLS = 25
OTHER_KILLS = 4
SERVICES = 250
PATIENCE_S = 90.0
"""Only a machine that is much too busy comes near it."""


class Restless(threading.Thread):
    """A process that is started plainly and killed at a random instant, again and again, until told to end."""

    def __init__(self, seed: int, longest_s: float, log: Path, *module: object) -> None:
        """longest_s: of a life, its start included."""
        super().__init__(name=str(module[0]))
        self._chance, self._longest_s, self._log = random.Random(seed), longest_s, log
        self._command = [sys.executable, "-m", *map(str, module)]
        self._end = threading.Event()
        self.kills = 0
        self.deaths: list[int] = []

    def run(self) -> None:
        """Life after life."""
        while not self._end.is_set():
            with self._log.open("ab") as out, subprocess.Popen(self._command, cwd=ROOT, stdout=out, stderr=out) as life:
                self._end.wait(self._chance.uniform(0.0, self._longest_s))
                life.kill()
            self.kills += 1
            self.deaths.append(life.returncode)

    def finish(self) -> None:
        """Kill it for the last time; it never ended otherwise."""
        self._end.set()
        self.join()
        assert set(self.deaths) == {-signal.SIGKILL}, self._log.read_text()


def one_life(orders: IO[bytes], answers: IO[bytes], delay_s: float) -> list[str]:
    """Start a desk, wait for its first receipt, kill it after the delay; the events it acknowledged."""
    orders.write(b"go\n")
    orders.flush()
    acknowledged: list[str] = []
    pid, killer = 0, None
    for line in iter(answers.readline, b""):
        word, *rest = line.decode().split()
        if word == "end":
            assert killer is not None, "the desk ended by itself"
            killer.join()
            return acknowledged
        if word == "pid":
            pid = int(rest[0])
        else:
            acknowledged.append(rest[0])
        if pid and acknowledged and killer is None:
            killer = threading.Timer(delay_s, os.kill, (pid, signal.SIGKILL))
            killer.start()
    raise AssertionError("the desk's parent ended")


def settled(site: clinic.Site) -> int:
    """How many events the fund has signed for."""
    return read_status(site.home, CLOCK).settled


def busy_day(site: clinic.Site, others: list[Restless]) -> list[str]:
    """Desks are killed one after the other while delivery and gateway are killed as well; what was acknowledged."""
    chance, acknowledged = random.Random(2026), list[str]()
    end = time.monotonic() + PATIENCE_S
    command = [sys.executable, "-m", "tests.faults.busy_desk", str(site.home.root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as desks:
        assert desks.stdin is not None
        assert desks.stdout is not None
        for other in others:
            other.start()
        for _ in range(DESK_KILLS):
            acknowledged += one_life(desks.stdin, desks.stdout, chance.uniform(0.0, 0.4))
        while min(other.kills for other in others) < OTHER_KILLS and time.monotonic() < end:
            time.sleep(0.05)
    for other in others:
        other.finish()
    return acknowledged


@pytest.mark.timeout(600)
def test_kill_9_of_every_process_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Every restart is a plain start; in the end one ordinary delivery brings the fund up to the desk's last event."""
    site, port = clinic.found(tmp_path, CLOCK)
    open_database(site.home.database, load_key(site.home.database_key), DESK_MIGRATIONS).close()
    desk = WorkingDesk(site.home, CLOCK)
    for number in range(PATIENTS):
        desk.enrol(number)
        desk.plan(number, SERVICES)
    desk.close()
    serve = ("sync.fund", "--dir", site.fund, "serve", "--port", port, "--ready-file", site.ready)
    gateway = Restless(1, 4.0, tmp_path / "gateway.log", *serve)
    delivery = ("appliance", "--home", site.home.root, "sync", "run")
    sync = Restless(2, 7.0, tmp_path / "sync.out", *delivery)
    acknowledged = busy_day(site, [gateway, sync])
    assert len(acknowledged) >= DESK_KILLS
    deliver_rest(site, port)
    check_everything(site, acknowledged)


def deliver_rest(site: clinic.Site, port: int) -> None:
    """An ordinary start of the gateway and one ordinary delivery."""
    processes = clinic.Processes(site, port, CLOCK)
    processes.start_gateway()
    try:
        now = [sys.executable, "-m", "appliance", "--home", str(site.home.root), "sync", "now"]
        done = subprocess.run(now, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        processes.stop()


def check_everything(site: clinic.Site, acknowledged: list[str]) -> None:
    """Desk and fund prove their records and hold the same events."""
    desk = WorkingDesk(site.home, CLOCK)
    desk.check_everything(tuple(acknowledged))
    assert desk.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    signed = [event.event_id for event in desk.events()]
    assert desk.ledger.verify(desk.fund_jwk).receipts >= 1
    assert read_status(site.home, CLOCK).settled == len(signed)  # each by a receipt that covers it
    desk.close()
    report = verify_fund(site.fund)
    assert report.intact
    assert (report.events, report.forks, report.blocked) == (len(signed), 0, 0)
    stored = [parse_event(row.event.token).event.event_id for row in list_events(site.fund)]
    assert stored == signed
    assert settled(site) == len(signed)
