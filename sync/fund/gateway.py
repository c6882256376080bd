"""The gateway without HTTP: a batch of tokens becomes stored events and signed receipts, in one transaction.

Deciding about a token is left to `sync.fund.ingest`, requests and status codes to `sync.fund.app`. A gateway belongs to
the thread that opened its store.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sync.envelope import DEVICE_ID, Moment
from sync.errors import ProtocolViolation
from sync.fund.ingest import Verdict, judge
from sync.fund.rows import Device, DeviceSummary, Head
from sync.fund.store import FundStore
from sync.protocol import (
    HEAD_TYP,
    MAX_BODY,
    NONCE,
    RECEIPT_TYP,
    Receipt,
    Result,
    decode_batch,
    encode_head,
    encode_receipts,
    head_members,
    receipt_members,
)
from sync.protocol import Head as HeadAnswer
from sync.signing import Signer, sign_members

logger = logging.getLogger(__name__)


class WallClock(Protocol):
    """The part of a clock that the gateway needs."""

    def moment(self) -> Moment:
        """All clocks of the machine, read together."""


class RequestDenied(Exception):
    """A whole request that changes nothing: part of the conversation with a desk, not a failure of the fund.

    status: of HTTP. code: of PROTOCOL.md section 3. retry_after: seconds, or None.
    """

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Overview:
    """What the gateway shows to people: every device, and the number of events by kind."""

    devices: tuple[DeviceSummary, ...]
    kinds: Mapping[str, int]


class Gateway:
    """Receives batches and answers questions; single-threaded."""

    def __init__(self, store: FundStore, signer: Signer, clock: WallClock) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock

    def receive(self, device: str, body: bytes) -> bytes:
        """Judge and keep a batch; the answer is made only after everything it says is on the disk.

        Raises RequestDenied, DatabaseFailure, KeyUnusable; nothing is kept then.
        """
        if len(body) > MAX_BODY:
            raise RequestDenied(413, "too_large", f"a request holds at most {MAX_BODY} bytes")
        try:
            tokens = decode_batch(body)
        except ProtocolViolation as error:
            raise RequestDenied(400, "malformed", str(error)) from error
        with self._store.transaction():
            answers = self._judge_all(self._admitted(device), tokens, self._clock.moment().wall)
        counts = Counter(verdict.result.value for verdict, _ in answers)
        logger.info("device %s: %s, head %d", device, dict(counts), answers[-1][1])
        at = self._clock.moment().wall
        receipts = [
            Receipt(device, verdict.digest, verdict.seq, verdict.result, verdict.reason, have, at)
            for verdict, have in answers
        ]
        return encode_receipts([sign_members(self._signer, RECEIPT_TYP, receipt_members(r)) for r in receipts])

    def head(self, device: str, nonce: str) -> bytes:
        """The signed head of a device's chain, fresh for this nonce. Raises RequestDenied, as `receive` otherwise."""
        if not NONCE.fullmatch(nonce):
            raise RequestDenied(400, "malformed", "the nonce has 32 hex digits")
        known = self._known(device)
        head = self._store.head(device)
        answer = HeadAnswer(device, head.seq, head.digest, known.blocked is not None, nonce, self._clock.moment().wall)
        return encode_head(sign_members(self._signer, HEAD_TYP, head_members(answer)))

    def probe(self) -> None:
        """Raises DatabaseFailure unless something can be stored just now."""
        with self._store.transaction():
            self._store.probe(self._clock.moment().wall)

    def overview(self) -> Overview:
        """What the gateway shows to people."""
        return Overview(self._store.summaries(), self._store.kinds())

    def close(self) -> None:
        """Let the store go."""
        self._store.close()

    def _known(self, device: str) -> Device:
        # The pattern first: what fails it is never looked up, logged or echoed.
        found = self._store.device(device) if DEVICE_ID.fullmatch(device) else None
        if found is None:
            raise RequestDenied(403, "unknown_device", "no such device is registered here")
        return found

    def _admitted(self, device: str) -> Device:
        found = self._known(device)
        if found.blocked is not None:
            raise RequestDenied(403, "device_blocked", "this device is blocked; call the fund")
        return found

    def _judge_all(self, device: Device, tokens: Sequence[str], at: datetime) -> list[tuple[Verdict, int]]:
        """Judge and keep token by token; each answer with the number of the head after it."""
        head = self._store.head(device.device)
        answers: list[tuple[Verdict, int]] = []
        for token in tokens:
            verdict = judge(token, device, head, self._store)
            if verdict.fork is not None and device.blocked is None:
                device = replace(device, blocked=f"forked at event {verdict.seq}")
            head = self._keep(verdict, head, at)
            answers.append((verdict, head.seq))
        self._note(device, [verdict for verdict, _ in answers], at)
        return answers

    def _keep(self, verdict: Verdict, head: Head, at: datetime) -> Head:
        """Keep what a verdict says; the head afterwards."""
        if verdict.fork is not None:
            self._store.keep_fork(verdict.fork, at)
            logger.warning("device %s forked at event %d: blocked", verdict.fork.device, verdict.fork.seq)
        if verdict.event is None:
            return head
        self._store.append(verdict.event, at)
        return Head(verdict.event.seq, verdict.event.digest)

    def _note(self, device: Device, verdicts: Sequence[Verdict], at: datetime) -> None:
        """Remember a block, that the device spoke, and how much was refused."""
        if device.blocked is not None:
            self._store.block(device.device, device.blocked)
        if any(verdict.seq is not None for verdict in verdicts):  # else nobody proved to be the device
            self._store.seen(device.device, at)
        refused = Counter(v.reason for v in verdicts if v.result is Result.REFUSED and v.seq is None)
        for reason, count in refused.items():
            self._store.count_refusals(device.device, str(reason), count, at)
