"""Times the way of signed events from a desk to the fund's disk, and the desk's own recording and signing.

Everything is real: gateway processes, mutual TLS, the desk's transport, signed receipts that are verified. Events are
signed before the clock starts, as a desk signs at the visit and not when it delivers. What is held against it is what
no gateway can do without: one bare verification by `cryptography` for each event.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.checkin import sign
from appliance.composition import open_desk
from appliance.core.errors import DemoFailed
from appliance.core.events import Alarm
from sync.clock import SystemClock
from sync.compact import digest_of, split
from sync.envelope import EVENT_TYP, GENESIS, MAX_TOKEN, Event, Moment, TimeTrust, event_payload
from sync.fund.admission import Terms, admit, invite
from sync.fund.office import create_fund
from sync.home import FundSettings, Home, load_settings
from sync.install import install
from sync.protocol import MAX_EVENTS, Outgoing, Result, encode_batch, read_receipts
from sync.provision import make_desk, request_admission
from sync.signing import FileSigner, KeyClass, PublicJwk, public_key, sign_compact
from sync.squeeze import squeeze
from sync.strict_json import JsonObject
from sync.transport import Transport

HOST: Final = "127.0.0.1"
START_S: Final = 30.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_BARE: Final = 2000
"""Bare verifications that are timed."""


@dataclass
class Desk:
    """A desk that was let in, with its batches signed. taken: how many events the fund accepted."""

    home: Home
    device: str
    fund: FundSettings
    batches: list[tuple[Outgoing, ...]]
    wire: int = 0
    taken: int = 0
    failures: list[str] = field(default_factory=list)

    def deliver(self, port: int, clock: SystemClock) -> None:
        """All batches, one after the other, each receipt verified."""
        settings = FundSettings(f"https://{HOST}:{port}", self.fund.ca, self.fund.jwk)
        with contextlib.closing(Transport(settings, self.device, clock)) as transport:
            transport.show(self.home.tls)
            for batch in self.batches:
                body = encode_batch([sent.token for sent in batch])
                answer = transport.post_events(body)
                told = read_receipts(answer, self.fund.jwk, self.device, batch).receipt
                self.taken += sum(decision.result is Result.ACCEPTED for decision in told.decisions)
                self.wire += len(squeeze(body)) + len(answer)


@dataclass(frozen=True, slots=True)
class Run:
    """One delivery of everything. CPU in seconds; rest: all else on this machine, the database and the kernel."""

    seconds: float
    client: float
    gateways: float
    rest: float


def measure(
    database: str | None, gateways: int, desks: int, batches: int, clock: SystemClock, tell: Callable[[str], None]
) -> Report:
    """Deliver `desks` x `batches` x 200 events. database: address of an empty PostgreSQL database; None: the file.

    gateways: processes; several need PostgreSQL. Raises DemoFailed (a gateway that does not start, events not taken).
    """
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        root = Path(folder)
        create_fund(root / "fund", f"https://{HOST}:8443", clock.moment().wall, database)
        tell("signing events")
        crowd = [_admitted(root, number, batches, clock) for number in range(desks)]
        bare = _bare_us(crowd[0], clock)
        tell("recording and signing at the desk")
        latencies = _recorded_ms(crowd[0].home, 300, clock)
        tell("delivering")
        with _served(root, gateways, clock) as served:
            run = _delivered(crowd, served, clock)
        events = desks * batches * MAX_EVENTS
        if sum(desk.taken for desk in crowd) != events:
            raise DemoFailed(f"{sum(desk.taken for desk in crowd)} of {events} events were accepted")
        return _report(run, crowd, bare, latencies, database is not None, gateways)


def _report(
    run: Run, crowd: list[Desk], bare: float, latencies: list[float], postgresql: bool, gateways: int
) -> Report:
    events, cores = sum(desk.taken for desk in crowd), len(os.sched_getaffinity(0))
    limit, rate = cores * 1e6 / bare, events / run.seconds
    each = 1e6 / events
    tokens = [sent.token for desk in crowd for batch in desk.batches for sent in batch]
    last = latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))]
    return Report(
        "sync",
        "one bare ES256 verification by cryptography for each event, on all cores, and nothing else",
        {
            "events": events,
            "desks": len(crowd),
            "batch": MAX_EVENTS,
            "cores": cores,
            "gateway processes": gateways,
            "database": "PostgreSQL" if postgresql else "embedded file",
        },
        (
            Figure(
                "signed events a second, verified and stored, client included",
                rate,
                "1/s",
                None,
                Goal(Bound.AT_LEAST, 20_000.0) if postgresql else None,
            ),
            Figure("bare verifications a second, all cores", limit, "1/s"),
            Figure("share of that", 100 * rate / limit, "%"),
            Figure("CPU of an event: desk (send, receipt)", run.client * each, "us"),
            Figure("CPU of an event: gateway (of that one bare verification)", run.gateways * each, "us", bare),
            Figure("CPU of an event: database, kernel, rest", run.rest * each, "us"),
            Figure("one event signed (JWS)", statistics.mean(map(len, tokens)), "bytes"),
            Figure("one event on the wire, receipt included", sum(d.wire for d in crowd) / events, "bytes"),
            Figure("desk: record and sign, durable in database and journal, p50", statistics.median(latencies), "ms"),
            Figure("desk: record and sign, durable in database and journal, p99", last, "ms"),
        ),
    )


def _admitted(root: Path, number: int, batches: int, clock: SystemClock) -> Desk:
    """A desk with a key in a file, its events signed."""
    home, device, now = Home(root / f"desk-{number}"), f"bench-{number}", clock.moment().wall
    make_desk(home)
    invitation = invite(root / "fund", device, "Bench", "Bench", now)
    install(home, admit(root / "fund", request_admission(home, invitation, now), Terms(KeyClass.FILE), now), now)
    signer, sent, prev = FileSigner.load(home.device_key), list[Outgoing](), GENESIS
    for seq in range(1, batches * MAX_EVENTS + 1):
        moment = Moment(now, seq * 1000, "0b5e1f6c-bench", TimeTrust.FUND, 50)
        event = Event("checked_in", 2, os.urandom(16).hex(), device, seq, prev, moment, _visit())
        token = sign_compact(signer, EVENT_TYP, event_payload(event))
        prev = digest_of(token)
        sent.append(Outgoing(seq, prev, token))
    parts = [tuple(sent[at : at + MAX_EVENTS]) for at in range(0, len(sent), MAX_EVENTS)]
    return Desk(home, device, load_settings(home).fund, parts)


def _visit() -> JsonObject:
    """As much as a real check-in says, and as random."""
    return {
        "patient": os.urandom(32).hex(),
        "service": os.urandom(8).hex(),
        "service_code": "A02.001",
        "provider": "d-017",
        "consent": os.urandom(16).hex(),
        "template": os.urandom(32).hex(),
        "reasons": ["match", "live"],
        "comparison": {"mode": "one_to_many", "score": 0.7312, "threshold": 0.4415, "margin": 0.2107, "gallery": 5000},
        "pack": "05a8aac12fc8" * 5,
        "policy": "7cc8b64308cca6dc",
        "liveness": {"verdict": "live", "method": "challenge", "cause": "answered"},
    }


def _bare_us(desk: Desk, clock: SystemClock) -> float:
    """Microseconds of one verification and nothing else."""
    key: ec.EllipticCurvePublicKey = public_key(_jwk(desk))
    ready, kind = [], ec.ECDSA(hashes.SHA256())
    for sent in desk.batches[0]:
        parts = split(sent.token, EVENT_TYP, MAX_TOKEN)
        r, s = (int.from_bytes(half, "big") for half in (parts.signature[:32], parts.signature[32:]))
        ready.append((utils.encode_dss_signature(r, s), parts.signing_input))
    before = clock.thread_cpu()
    for count in range(_BARE):
        signature, signed = ready[count % len(ready)]
        key.verify(signature, signed, kind)
    return (clock.thread_cpu() - before) / _BARE * 1e6


def _jwk(desk: Desk) -> PublicJwk:
    return FileSigner.load(desk.home.device_key).public_jwk


def _recorded_ms(home: Home, count: int, clock: SystemClock) -> list[float]:
    """Wall milliseconds of recording one event the way a desk does, sorted."""
    with open_desk(home, clock) as desk:
        times = []
        for _ in range(count):
            before = clock.monotonic()
            sign(desk.records, desk.ledger, clock, Alarm("bench", "", desk.software))
            times.append(1000 * (clock.monotonic() - before))
    return sorted(times)


def _delivered(crowd: list[Desk], served: dict[int, int], clock: SystemClock) -> Run:
    """All desks at once, spread over the gateways. served: port of each process."""
    ports = list(served.values())

    def work(desk: Desk, port: int) -> None:
        try:
            desk.deliver(port, clock)
        except Exception as error:
            desk.failures.append(f"{type(error).__name__}: {error}")
            raise

    threads = [
        threading.Thread(target=work, args=(desk, ports[number % len(ports)])) for number, desk in enumerate(crowd)
    ]
    cpu, own, all_of_it = {pid: _cpu_of(pid) for pid in served}, clock.process_cpu(), _busy()
    begun = clock.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = clock.monotonic() - begun
    client = clock.process_cpu() - own
    gateways = sum(_cpu_of(pid) - before for pid, before in cpu.items())
    return Run(seconds, client, gateways, max(0.0, _busy() - all_of_it - client - gateways))


def _cpu_of(pid: int) -> float:
    """Seconds of processor a process has used (proc(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _busy() -> float:
    """Seconds all processors of this machine were not idle (proc(5), user, nice, system, irq, softirq)."""
    user, nice, system, _idle, _wait, irq, soft = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + soft) / _TICKS


@contextlib.contextmanager
def _served(root: Path, gateways: int, clock: SystemClock) -> Iterator[dict[int, int]]:
    """Gateway processes that answer: port by process id. Raises DemoFailed."""
    processes = []
    try:
        for number in range(gateways):
            ready = root / f"ready-{number}.json"
            serve = ["serve", "--host", HOST, "--port", "0", "--ready-file", str(ready)]
            command = [sys.executable, "-m", "sync.fund", "--dir", str(root / "fund"), *serve]
            with (root / "gateway.log").open("ab") as log:
                processes.append((subprocess.Popen(command, stdout=log, stderr=log), ready))  # noqa: S603 - our own
        yield dict(_answering(process, ready, clock) for process, ready in processes)
    finally:
        for process, _ in processes:
            process.terminate()
        for process, _ in processes:
            process.wait(START_S)


def _answering(process: "subprocess.Popen[bytes]", ready: Path, clock: SystemClock) -> tuple[int, int]:
    end = clock.monotonic() + START_S
    while clock.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(ready.read_bytes())
            return int(told["pid"]), int(told["port"])
        clock.sleep(0.05)
    raise DemoFailed("a gateway did not start")
