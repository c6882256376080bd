"""Times the way of signed events from the desks into the fund: verified, stored, receipted, the receipt verified.

Everything is what runs in earnest: HTTPS with mutual TLS, zstd, gateway processes, database, transparency log beside.
Not in it: signing (done before each round, timed alone with each class of key by `recording`) and the desk's own
outbox. Client and fund share the machine's cores. Processor time is told apart by process; with the embedded database
the gateway's includes it.
"""

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from appliance.bench.bare_verify import verification_us
from appliance.bench.fund_site import Site, open_site
from appliance.bench.processes import cpu_of, cpu_of_family, postmaster_of
from appliance.bench.recording import NotRecorded, Recorded, record_with_each
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.core.errors import DemoFailed
from sync.clock import SystemClock
from sync.envelope import Event
from sync.fund.office import devices
from sync.protocol import Outgoing, Result, encode_batch, read_receipts
from sync.squeeze import squeeze

BATCH = 200
"""Events in a request."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much is delivered: each desk sends so many events in each round; database: an address, None for the file."""

    database: str | None = None
    gateways: int = 1
    desks: int = 4
    events: int = 2_000
    rounds: int = 5
    recorded: int = 1_000


@dataclass(frozen=True, slots=True)
class _Used:
    """Seconds: wall, and processor time of client, gateways and database (0 where it cannot be told)."""

    wall: float
    client: float
    gateway: float
    database: float

    def since(self, before: "_Used") -> "_Used":
        return _Used(
            self.wall - before.wall,
            self.client - before.client,
            self.gateway - before.gateway,
            self.database - before.database,
        )


def measure(load: Load, clock: SystemClock, step: Callable[[str], None]) -> Report:
    """Deliver in rounds, the first of them not counted. Raises DemoFailed when an event was not accepted once.

    step: told what comes next.
    """
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as name:
        folder = Path(name)
        step("recording and signing at a desk")
        desks = record_with_each(folder / "recording", load.recorded, clock)
        recorded = [found for found in desks if isinstance(found, Recorded)]
        like = recorded[0].last  # a key in a file can always be had
        step("bare verification")
        bare = verification_us(20, clock)
        step("starting the fund")
        with open_site(folder, load.database, load.gateways, load.desks, clock) as site:
            postmaster = None if load.database is None else postmaster_of(load.database)
            used = []
            for number in range(load.rounds + 1):
                step(f"round {number} of {load.rounds}")
                batches = [_batches(desk.sign(load.events, like, clock.moment())) for desk in site.desks]
                used.append(_round(site, batches, postmaster, clock))
            stored = sum(summary.head.seq for summary in devices(site.root))
            if stored != load.desks * load.events * (load.rounds + 1):
                raise DemoFailed(f"the fund holds {stored} events, not those that were sent")
            wire = _wire(site, load, like, clock)
    each = load.desks * load.events
    figures = (
        *_speed(used[1:], each, bare),
        *_shares(used[1:], each, bare, postmaster),
        *(figure for found in recorded for figure in found.figures),
        *wire,
    )
    facts: dict[str, str | int | float] = {
        "database": "embedded" if load.database is None else "PostgreSQL",
        "gateway processes": load.gateways,
        "desks at once": load.desks,
        "events of a batch": min(BATCH, load.events),
        "events of a round": each,
        "rounds": load.rounds,
        "events stored": stored,
        "cores": len(os.sched_getaffinity(0)),
        "load average of the machine before the run": round(load_before, 1),
        "key class of what is delivered": "file",
        **{f"NOT MEASURED, {found.holder}": found.why for found in desks if isinstance(found, NotRecorded)},
    }
    return Report("sync", "bare ES256 verification", facts, figures)


def _batches(events: Sequence[Outgoing]) -> list[Sequence[Outgoing]]:
    return [events[at : at + BATCH] for at in range(0, len(events), BATCH)]


def _round(
    site: Site, batches: Sequence[Sequence[Sequence[Outgoing]]], postmaster: int | None, clock: SystemClock
) -> _Used:
    """Every desk delivers its batches in order, all desks at once."""
    before = _used(site, postmaster, clock)
    with ThreadPoolExecutor(len(site.desks)) as pool:
        for done in [pool.submit(partial(_deliver, site, at, own)) for at, own in enumerate(batches)]:
            done.result()
    return _used(site, postmaster, clock).since(before)


def _deliver(site: Site, desk: int, batches: Sequence[Sequence[Outgoing]]) -> None:
    for batch in batches:
        answer = site.ways[desk].post_events(encode_batch([event.token for event in batch]))
        receipt = read_receipts(answer, site.document.public_jwk, site.desks[desk].name, batch).receipt
        if any(decision.result is not Result.ACCEPTED for decision in receipt.decisions):
            raise DemoFailed("the fund did not accept an event that was sent once")


def _used(site: Site, postmaster: int | None, clock: SystemClock) -> _Used:
    return _Used(
        clock.monotonic(),
        clock.process_cpu(),
        sum(map(cpu_of, site.gateways)),
        0.0 if postmaster is None else cpu_of_family(postmaster),
    )


def _speed(used: Sequence[_Used], each: int, bare: float) -> tuple[Figure, ...]:
    rates = [each / used_in.wall for used_in in used]
    limit = 1e6 / bare * len(os.sched_getaffinity(0))
    rate = median(rates)
    return (
        Figure("events verified and stored a second, median", rate, "/s", limit, Goal(Bound.AT_LEAST, 20_000.0)),
        Figure("the same, slowest round", min(rates), "/s"),
        Figure("the same, fastest round", max(rates), "/s"),
        Figure("share of what all cores verify bare", 100 * rate / limit, "%"),
    )


def _shares(used: Sequence[_Used], each: int, bare: float, postmaster: int | None) -> tuple[Figure, ...]:
    """Processor time of an event, by part; `bare` is what its signature alone takes.

    The last figure is what other work on the machine does not lower: wall time says how much of it was left to us.
    """

    def of(part: Callable[[_Used], float]) -> float:
        return median(map(part, used)) / each * 1e6

    cores, total = len(os.sched_getaffinity(0)), of(lambda u: u.client + u.gateway + u.database)
    database = () if postmaster is None else (Figure("database, an event", of(lambda u: u.database), "us CPU"),)
    return (
        Figure("client, an event", of(lambda u: u.client), "us CPU"),
        Figure("gateway, an event", of(lambda u: u.gateway), "us CPU", bare),
        *database,
        Figure("all of them, an event", total, "us CPU", bare),
        Figure("events a second that this allows on all cores, at most", cores * 1e6 / total, "/s", cores * 1e6 / bare),
    )


def _wire(site: Site, load: Load, like: Event, clock: SystemClock) -> tuple[Figure, ...]:
    """Bytes of an event in a full batch and its receipt, headers of HTTP and TLS left out; sends one batch more."""
    batch = site.desks[0].sign(min(BATCH, load.events), like, clock.moment())
    body = encode_batch([event.token for event in batch])
    answer = site.ways[0].post_events(body)
    return (
        Figure("signed event (JWS)", sum(len(event.token) for event in batch) / len(batch), "bytes"),
        Figure("event on the wire, zstd", len(squeeze(body)) / len(batch), "bytes"),
        Figure("its part of the receipt", len(answer) / len(batch), "bytes"),
    )
