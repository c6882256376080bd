"""The loop that delivers: takes the next batch from the outbox, sends it, settles what the fund signed for.

Which events and when is left to `outbox`, bytes to `protocol`, the network to `transport`. Sending twice is
harmless and nothing is settled without a verified receipt, so a crash at any point needs no repair: the next
run does the same as ever.
"""

import logging
import random
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from sync.clock import Clock, pause
from sync.database import Database, immediate
from sync.envelope import Moment
from sync.errors import (
    ChainDisputed,
    DatabaseFailure,
    DeviceRefused,
    FundBusy,
    ProtocolViolation,
    RequestRefused,
    SyncFailure,
    SyncRunning,
    TransportFailure,
)
from sync.exclusive import exclusive
from sync.ledger import keep_anchor, keep_fund_head, ledger_head
from sync.outbox import MAX_BACKOFF_S, Draw, Outbox, backoff_s
from sync.protocol import Head, Outgoing, encode_batch, read_head, read_receipts
from sync.signing import PublicJwk
from sync.time_trust import TimeAnchor

_log = logging.getLogger(__name__)

IDLE_S: Final = 1.0
"""How often the outbox is asked for work; one indexed query of microseconds."""

HEAD_EVERY_S: Final = 600.0
"""How often the fund's head and time are asked for; a quartz drifts 60 ms meanwhile."""

_MAX_BATCHES: Final = 10_000
"""Batches in one run; two million events."""


class Exchange(Protocol):
    """The way to the fund, as the worker needs it; `transport.Transport` in production."""

    def post_events(self, body: bytes) -> bytes:
        """Send a batch, get the answer. Raises TransportFailure, DeviceRefused, RequestRefused, ProtocolViolation."""

    def get_head(self, nonce: str) -> bytes:
        """Get the fund's head of this device. Raises as `post_events`."""


class LogStep(Protocol):
    """A look into the fund's log after deliveries; `log_watch.LogWatch` in production."""

    def step(self, *, force: bool = False) -> SyncFailure | None:
        """Look if it is time; what went wrong is kept there, and stops no delivery."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did: events sent (repeats included), settled, refused, held; and the failure that ended it."""

    sent: int = 0
    settled: int = 0
    refused: int = 0
    held: int = 0
    reopened: int = 0
    failure: SyncFailure | None = None


class Worker:
    """Delivery for one desk. Not thread-safe; one process per desk (`single_flight`)."""

    def __init__(
        self,
        db: Database,
        exchange: Exchange,
        device: str,
        fund_jwk: PublicJwk,
        clock: Clock,
        draw: Draw = random.random,
        log: LogStep | None = None,
    ) -> None:
        """Deliver from this database. draw: uniform random numbers in [0, 1) for the jitter. log: None without one."""
        self._log_step = log
        self._db = db
        self._outbox = Outbox(db)
        self._exchange = exchange
        self._device = device
        self._fund_jwk = fund_jwk
        self._clock = clock
        self._draw = draw
        self._head_due = clock.monotonic()
        self._head_failures = 0

    def run_once(self, *, force: bool = False, stopped: Callable[[], bool] = lambda: False) -> RunReport:
        """Send all that is due, batch by batch, until nothing is or something fails.

        force: try at once what still has to wait. A failure of the network or the fund is remembered for
        `status` and given in the report. Raises DatabaseFailure only.
        """
        failure = self._ask_head(force)
        if failure is not None:
            batch = self._outbox.due(self._now(), force=force)
            if batch:
                self._postpone(batch, failure)
            return RunReport(failure=failure)
        report = RunReport()
        for _ in range(_MAX_BATCHES):
            batch = () if stopped() else self._outbox.due(self._now(), force=force)
            if not batch:
                break
            report, again = self._deliver(batch, report)
            if not again:
                break
        if self._log_step is not None and not stopped() and not isinstance(report.failure, TransportFailure):
            self._log_step.step(force=force)  # its failures are shown as its own
        return report

    def _deliver(self, batch: tuple[Outgoing, ...], report: RunReport) -> tuple[RunReport, bool]:
        """One batch; the report with it added, and whether to go on."""
        report = replace(report, sent=report.sent + len(batch))
        try:
            body = self._exchange.post_events(encode_batch([sent.token for sent in batch]))
            receipt = read_receipts(body, self._fund_jwk, self._device, batch)
            applied = self._outbox.apply(batch, receipt, self._now(), self._draw)
        except RequestRefused as failure:
            again = self._outbox.reject(batch, self._now(), failure, self._draw, f"http_{failure.status}")
            _log.warning("events %d to %d refused as a request: %s", batch[0].seq, batch[-1].seq, failure.code)
            return replace(report, held=report.held + (not again), failure=None if again else failure), again
        except (TransportFailure, DeviceRefused, ProtocolViolation) as failure:
            self._postpone(batch, failure)
            return replace(report, failure=failure), False
        _log.info(
            "events %d to %d: %d settled, %d refused, %d held, %d reopened",
            *(batch[0].seq, batch[-1].seq, applied.settled, applied.refused, applied.held, applied.reopened),
        )
        report = replace(
            report,
            settled=report.settled + applied.settled,
            refused=report.refused + applied.refused,
            held=report.held + applied.held,
            reopened=report.reopened + applied.reopened,
            failure=None,
        )
        return report, applied.progressed and not applied.held

    def _postpone(self, batch: tuple[Outgoing, ...], failure: SyncFailure) -> None:
        retry_after = failure.retry_after if isinstance(failure, FundBusy) else None
        self._outbox.postpone(batch, self._now(), failure, self._draw, retry_after)
        if isinstance(failure, ChainDisputed):
            self._outbox.sound(str(failure))
        _log.warning("events %d to %d not delivered: %s", batch[0].seq, batch[-1].seq, failure.code)

    def _ask_head(self, force: bool) -> SyncFailure | None:
        """Learn the fund's time and how far it is, now and then; None when that went well or was not due."""
        if self._clock.monotonic() < self._head_due and not force:
            return None
        nonce = secrets.token_hex(16)
        before = self._clock.monotonic()
        try:
            head = read_head(self._exchange.get_head(nonce), self._fund_jwk, self._device, nonce)
        except (TransportFailure, DeviceRefused, RequestRefused, ProtocolViolation) as failure:
            self._head_failures += 1
            wait = self._draw() * backoff_s(self._head_failures, MAX_BACKOFF_S)
            self._head_due = self._clock.monotonic() + wait
            self._outbox.fail(failure)
            return failure
        trip_ms = round((self._clock.monotonic() - before) * 1000)
        self._head_failures = 0
        self._head_due = self._clock.monotonic() + HEAD_EVERY_S
        moment = self._clock.moment()
        with immediate(self._db):
            keep_anchor(self._db, _anchor(head, moment, trip_ms))
            keep_fund_head(self._db, head.have, head.digest)
        self._outbox.contact(self._now(), self._alarm(head))
        return None

    def _alarm(self, head: Head) -> str | None:
        """What a person has to look at when the fund's head and ours do not fit."""
        ours = ledger_head(self._db)
        if head.blocked:
            return f"the fund takes nothing from this desk: {head.reason or 'device_blocked'}"
        if self._outbox.disputes(head.have, head.digest):
            return str(ChainDisputed(head.have))
        if head.have > ours.seq:
            return f"the fund holds {head.have} events, this desk only {ours.seq}: an older copy of the desk is running"
        return None

    def _now(self) -> float:
        return self._clock.moment().wall.timestamp()


def serve(worker: Worker, clock: Clock, stopped: Callable[[], bool]) -> None:
    """Deliver until stopped; new events go within about a second.

    A database that cannot be written now (full disk, busy) is tried again with growing pauses.
    """
    failures = 0
    while not stopped():
        wait = IDLE_S
        try:
            worker.run_once(stopped=stopped)
            failures = 0
        except DatabaseFailure as failure:
            failures += 1
            wait = backoff_s(failures, MAX_BACKOFF_S / 10)
            _log.error("delivery waits %.0f s: %s %s", wait, failure.code, failure)
        pause(clock, wait, stopped)


def single_flight(lock: Path) -> AbstractContextManager[None]:
    """Hold the desk's delivery lock. Raises SyncRunning, DatabaseUnreachable."""
    return exclusive(lock, SyncRunning("another process is delivering events of this desk"))


def _anchor(head: Head, moment: Moment, trip_ms: int) -> TimeAnchor:
    """The fund signed its time somewhere within the round trip: take the middle, and half the trip as doubt."""
    half = trip_ms // 2
    return TimeAnchor(moment.boot_id, moment.mono_ms, head.at + timedelta(milliseconds=half), half + 1)
