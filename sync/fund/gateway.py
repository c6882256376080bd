"""The gateway without HTTP: a batch of tokens becomes stored events and signed receipts, in one transaction.

Deciding about a token is left to `sync.fund.ingest`, requests and status codes to `sync.fund.app`. A gateway belongs to
one event loop: what it computes itself (signatures) holds the loop up, for 20 ms with a full batch; storing does not.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.envelope import DEVICE_ID, Moment
from sync.errors import ProtocolViolation
from sync.fund.allowed import Allowed
from sync.fund.denial import RequestDenied
from sync.fund.fleet import Desk, desks
from sync.fund.ingest import examine_all, judge_batch, wanted
from sync.fund.peer import check_good, check_peer
from sync.fund.rows import Certificate, Device, DeviceSummary
from sync.fund.standing import objection
from sync.fund.store import FundStore
from sync.protocol import (
    HEAD_TYP,
    MAX_BODY,
    NONCE,
    RECEIPT_TYP,
    Decision,
    Receipt,
    decode_batch,
    encode_head,
    encode_receipt,
    head_members,
    offer_of,
    receipt_members,
)
from sync.protocol import Head as HeadAnswer
from sync.signing import Signer, sign_members

logger = logging.getLogger(__name__)


class WallClock(Protocol):
    """The part of a clock that the gateway needs."""

    def moment(self) -> Moment:
        """All clocks of the machine, read together."""


@dataclass(frozen=True, slots=True)
class Known:
    """A registered device, blocked or not, that the peer is: it showed the certificate with this fingerprint."""

    device: Device
    shown: str | None
    certificates: Sequence[Certificate]


@dataclass(frozen=True, slots=True)
class Overview:
    """What the gateway shows to people: every device, the number of events by kind, and what desks said they run."""

    devices: tuple[DeviceSummary, ...]
    kinds: Mapping[str, int]
    fleet: tuple[Desk, ...] = ()


class Gateway:
    """Receives batches and answers questions, all in one event loop."""

    def __init__(
        self, store: FundStore, signer: Signer, clock: WallClock, allowed: Callable[[], Allowed] = Allowed
    ) -> None:
        """allowed: what may decide a visit; asked for each batch, and may raise SettingsInvalid."""
        self._allowed = allowed
        self._store = store
        self._signer = signer
        self._clock = clock

    async def open(self) -> None:
        """Make the store ready, in this event loop. Raises DatabaseFailure, KeyUnusable."""
        await self._store.open()

    async def close(self) -> None:
        """Let the store go."""
        await self._store.close()

    async def known(self, device: str, shown: str | None) -> Known:
        """Who is asking: looked up before anything of a body is read, so that a stranger's is never waited for.

        shown: fingerprint of the certificate of the connection, None without one.

        Raises RequestDenied, DatabaseFailure.
        """
        found = await self._registered(device)
        certificates = await self._store.certificates(device) if shown is not None else ()
        check_peer(shown, certificates, self._clock.moment().wall)
        return Known(found, shown, certificates)

    async def receive(self, known: Known, body: bytes) -> bytes:
        """Judge and keep a batch; the answer is made only after everything it says is on the disk.

        Raises RequestDenied, DatabaseFailure, KeyUnusable; nothing is kept then.
        """
        if len(body) > MAX_BODY:
            raise RequestDenied(413, "too_large", f"a request holds at most {MAX_BODY} bytes")
        try:
            tokens = decode_batch(body)
        except ProtocolViolation as error:
            raise RequestDenied(400, "malformed", str(error)) from error
        now = self._clock.moment().wall
        _check_open(known.device, now)
        check_good(known.shown, known.certificates, now)
        return await self._answer(known.device, tokens)

    async def carried(self, device: str, tokens: Sequence[str]) -> bytes:
        """As `receive`, for a batch that came without a connection: the events prove themselves."""
        registered = await self._registered(device)
        _check_open(registered, self._clock.moment().wall)
        return await self._answer(registered, tokens)

    async def _answer(self, registered: Device, tokens: Sequence[str]) -> bytes:
        device = registered.device
        claims, allowed = examine_all(tokens, registered), self._allowed()
        judged = await self._store.settle(
            device, wanted(claims), lambda view: judge_batch(claims, view, allowed), self._clock.moment().wall
        )
        for fork in judged.forks:
            logger.warning("device %s forked at event %d: blocked", device, fork.seq)
        counts = Counter(verdict.result.value for verdict, _ in judged.verdicts)
        logger.info("device %s: %s, head %d", device, dict(counts), judged.head.seq)
        at = self._clock.moment().wall
        receipt = Receipt(
            device,
            offer_of(claim.digest for claim in claims),
            tuple(Decision(verdict.result, verdict.reason) for verdict, _ in judged.verdicts),
            judged.head.seq,
            judged.head.digest,
            at,
        )
        return encode_receipt(sign_members(self._signer, RECEIPT_TYP, receipt_members(receipt)))

    async def head(self, known: Known, nonce: str) -> bytes:
        """The signed head of a device's chain, fresh for this nonce. Raises as `receive`."""
        if not NONCE.fullmatch(nonce):
            raise RequestDenied(400, "malformed", "the nonce has 32 hex digits")
        device, now = known.device, self._clock.moment().wall
        head = await self._store.head(device.device)
        against = objection(device, now)
        answer = HeadAnswer(
            device.device, head.seq, head.digest, against is not None, nonce, now, against and against.value
        )
        return encode_head(sign_members(self._signer, HEAD_TYP, head_members(answer)))

    async def probe(self) -> None:
        """Raises DatabaseFailure unless something can be stored just now."""
        await self._store.probe(self._clock.moment().wall)

    async def overview(self) -> Overview:
        """What the gateway shows to people."""
        devices, now = await self._store.summaries(), self._clock.moment().wall
        heard = await self._store.last_heard()
        fleet = await asyncio.to_thread(desks, devices, heard, now)  # 20,000 desks take a second
        return Overview(devices, await self._store.kinds(), fleet)

    async def _registered(self, device: str) -> Device:
        # The pattern first: what fails it is never looked up, logged or echoed.
        found = await self._store.device(device) if DEVICE_ID.fullmatch(device) else None
        if found is None:
            raise RequestDenied(403, "unknown_device", "no such device is registered here")
        return found


def _check_open(device: Device, now: datetime) -> None:
    against = objection(device, now)
    if against is not None:
        raise RequestDenied(403, against.value, against.message)
