"""Founds the demonstration clinic: a fund, a desk, their two processes, and the network between them.

Everything is real: certificates, keys, encrypted database, gateway, delivery. Only the people are played.
"""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from appliance.core.errors import DemoFailed
from appliance.demo.cast import Person
from sync.__main__ import read_log_status, read_status, run_once
from sync.clock import Clock
from sync.fund.admission import Terms, admit, invite
from sync.fund.audit import FundReport, verify_fund
from sync.fund.home import FundHome
from sync.fund.office import add_witness, create_fund
from sync.home import Home
from sync.install import install
from sync.provision import make_desk, request_admission
from sync.signing import KeyClass
from sync.witness.home import WitnessHome, make_witness
from sync.witness.rounds import open_witness

HOST = "127.0.0.1"
START_S = 20.0
"""Longest wait for a process to start or end; seconds."""
LOG_S = 60.0
"""Longest wait for log and witness; a checkpoint is signed every few seconds."""
DELIVERY_S = 60.0
"""Longest wait for the backlog to reach the fund; seconds."""

_CONFIG = """
[desk]
language = "kk"

[log]
level = "DEBUG"

[policy.replay]
seen_hours = 0  # one photograph plays its person in every act: a real desk takes that for the replay it is
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the demonstration keeps its things."""

    root: Path

    @property
    def home(self) -> Home:
        """The desk."""
        return Home(self.root / "desk")

    @property
    def fund(self) -> Path:
        """The fund."""
        return self.root / "fund"

    @property
    def witness(self) -> WitnessHome:
        """The witness of the fund's log; in earnest it belongs to somebody else."""
        return WitnessHome(self.root / "witness")

    @property
    def ready(self) -> Path:
        """Written by the gateway once it answers."""
        return self.root / "gateway.json"


def found(root: Path, clock: Clock) -> tuple[Site, int]:
    """Make fund and desk in a directory and let the desk in; gives the site and the gateway's port."""
    site, port = Site(root), _free_port()
    create_fund(site.fund, f"https://{HOST}:{port}", clock.moment().wall)
    witness = make_witness(site.witness, "witness.demo", FundHome(site.fund).document.read_bytes())
    add_witness(site.fund, witness.public, 1)
    _join(site, clock.moment().wall)
    return site, port


def _join(site: Site, at: datetime) -> None:
    """The desk's whole way into the fund; in earnest three files travel between two people."""
    make_desk(site.home, _CONFIG)
    invitation = invite(site.fund, "demo-desk-1", "Demonstration clinic", "Reception", at)
    answer = admit(site.fund, request_admission(site.home, invitation, at), Terms(KeyClass.FILE), at)
    install(site.home, answer, at)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def schedule(people: Sequence[Person], now: datetime) -> bytes:
    """Services of the cast within this hour, as the clinic's system would drop them (CSV)."""
    quarter = now.replace(minute=now.minute // 15 * 15)
    last = now.replace(hour=23, minute=45)
    lines = ["iin,service_code,service_name_kk,service_name_ru,service_name_en,room,provider,doctor,starts,code"]
    for number, (who, errand) in enumerate((each, errand) for each in people for errand in each.errands):
        starts = f"{min(quarter + timedelta(minutes=15 * (number % 4)), last):%Y-%m-%d %H:%M}"
        lines.append(",".join((who.iin.digits, *astuple(errand), starts, who.code)))
    return "\n".join(lines).encode()


class Processes:
    """The gateway and the delivery, as processes of their own; ended with the block that made them."""

    def __init__(self, site: Site, port: int, clock: Clock) -> None:
        self._site, self._port, self._clock = site, port, clock
        self._gateway: subprocess.Popen[bytes] | None = None
        self._sync: subprocess.Popen[bytes] | None = None

    def start_gateway(self) -> None:
        """Start the fund's gateway and wait until it answers. Raises DemoFailed."""
        self._gateway = self._start(
            "gateway.log",
            "sync.fund",
            "--dir",
            self._site.fund,
            "serve",
            "--host",
            HOST,
            "--port",
            self._port,
            "--ready-file",
            self._site.ready,
        )
        self._wait("the gateway did not start", self._answers, START_S)

    def stop_gateway(self) -> None:
        """The network is down: nobody answers at the fund's address."""
        self._end(self._gateway)

    def start_sync(self) -> None:
        """Start the delivery."""
        self._sync = self._start("sync.out", "appliance", "--home", self._site.home.root, "sync", "run")

    def send_now(self) -> None:
        """The network is back: end the delivery, send everything at once as `keldim sync now` does, and start it again.

        Left alone it would do the same within its next pause, at most 15 minutes.
        """
        self._end(self._sync)
        report = run_once(self._site.home, self._clock, force=True)
        if report.failure is not None:
            raise report.failure
        self.start_sync()

    def drained(self) -> None:
        """Wait until the fund has everything. Raises DemoFailed."""
        self._wait("the backlog was not delivered", lambda: self.waiting() == 0, DELIVERY_S)

    def proven(self) -> None:
        """Wait until the witness cosigned everything and the desk proved its events in the log. Raises DemoFailed."""
        settled = read_status(self._site.home, self._clock).settled
        self._wait("the log does not hold everything", lambda: self._cosigned() >= settled, LOG_S)
        self._end(self._sync)
        run_once(self._site.home, self._clock, force=True)
        log = read_log_status(self._site.home)
        if log.waiting or log.alarm:
            raise DemoFailed(f"the desk cannot prove its events in the log: {log.summary()}")

    def _cosigned(self) -> int:
        with open_witness(self._site.witness, self._clock) as witness:
            return witness.round() or 0

    def waiting(self) -> int:
        """How many events wait for the fund."""
        status = read_status(self._site.home, self._clock)
        return status.pending + status.parked_count

    def stop(self) -> None:
        """End both, delivery first."""
        self._end(self._sync)
        self._end(self._gateway)

    def _answers(self) -> bool:
        if self._gateway is None:
            return False
        if self._gateway.poll() is not None:
            raise DemoFailed(f"the gateway ended with code {self._gateway.returncode}; see gateway.log")
        with contextlib.suppress(OSError, ValueError):  # a gateway that was killed has left its file
            return int(json.loads(self._site.ready.read_bytes())["pid"]) == self._gateway.pid
        return False

    def _start(self, log: str, *module: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *map(str, module)]
        with (self._site.root / log).open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)  # noqa: S603 - our own

    def _end(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait(self, problem: str, condition: Callable[[], bool], seconds: float) -> None:
        end = self._clock.monotonic() + seconds
        while not condition():
            if self._clock.monotonic() > end:
                raise DemoFailed(f"{problem} within {seconds:.0f} s")
            self._clock.sleep(0.05)


@contextlib.contextmanager
def running(site: Site, port: int, clock: Clock) -> Iterator[Processes]:
    """Both processes for the time of the block."""
    processes = Processes(site, port, clock)
    try:
        processes.start_gateway()
        processes.start_sync()
        yield processes
    finally:
        processes.stop()


def audit(site: Site, signed: int) -> FundReport:
    """What the fund holds, proven again from the stored tokens; what the desk signed and the fund lacks is missing."""
    report = verify_fund(site.fund)
    lacking = max(signed - report.events, 0)
    return replace(report, missing=report.missing + lacking)
