"""The fund in memory, for one device: follows PROTOCOL.md, verifies every byte, misbehaves on demand."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sync.compact import digest_of
from sync.envelope import EVENT_TYP, GENESIS, MAX_TOKEN, Event, read_event
from sync.errors import (
    DeviceRefused,
    EnvelopeInvalid,
    FundBusy,
    RequestRefused,
    SignatureInvalid,
    TransportFailure,
)
from sync.protocol import (
    HEAD_TYP,
    RECEIPT_TYP,
    Decision,
    Head,
    Receipt,
    Result,
    decode_batch,
    encode_head,
    encode_receipt,
    head_members,
    offer_of,
    receipt_members,
)
from sync.signing import PublicJwk, Signer, sign_members, verify
from tests.fakes.clock import ManualClock


class Fault(StrEnum):
    """How the next request goes wrong."""

    LOSE_REQUEST = "the request never arrives"
    LOSE_REPLY = "the events are taken, the answer is lost"
    DUPLICATE = "the network delivers the request twice"
    REVERSE = "the events are judged last first"
    BUSY = "429 with Retry-After"
    UNAVAILABLE = "503 without Retry-After"
    GARBAGE = "an answer that is not JSON"
    FEWER = "fewer results than events"
    FORGED = "a receipt signed by somebody else"
    OTHER_DEVICE = "a receipt for another device"
    OTHER_BATCH = "a receipt for other events"
    OTHER_HISTORY = "a receipt over another chain"
    BOASTING = "accepted, though the fund says it holds fewer"
    MALFORMED = "400 for the request as such"


BEFORE_JUDGING = {
    Fault.LOSE_REQUEST: TransportFailure("connection refused"),
    Fault.BUSY: FundBusy("429", 30.0),
    Fault.UNAVAILABLE: FundBusy("503"),
    Fault.MALFORMED: RequestRefused("400 malformed", 400),
}


@dataclass(frozen=True)
class Stored:
    """An event in the fund's chain; reason: why it was refused, None when it was accepted."""

    event: Event
    digest: str
    token: str
    reason: str | None


@dataclass
class FundSimulator:
    """Implements `sync.worker.Exchange`.

    faults: what happens to the next requests, one each; None lets one pass. unwanted: kinds that the fund's rules
    refuse. poison: digests of events that make it answer 400 to any request that holds one.
    """

    device: str
    device_jwk: PublicJwk
    signer: Signer
    clock: ManualClock
    faults: deque[Fault | None] = field(default_factory=deque)
    unwanted: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)
    down: bool = False
    blocked: bool = False
    chain: list[Stored] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    heads: int = 0
    impostor: Signer | None = None

    @property
    def have(self) -> int:
        """The highest number in the chain."""
        return len(self.chain)

    @property
    def digest(self) -> str:
        """The digest of the last event."""
        return self.chain[-1].digest if self.chain else GENESIS

    def post_events(self, body: bytes) -> bytes:
        """Judge a batch."""
        tokens = decode_batch(body)
        self.sizes.append(len(tokens))
        fault = self.faults.popleft() if self.faults else None
        if self.down:
            raise TransportFailure("connection refused")
        if fault in BEFORE_JUDGING:
            raise BEFORE_JUDGING[fault]
        if self.blocked:
            raise DeviceRefused("403 device_blocked")
        if any(digest_of(token) in self.poison for token in tokens):
            raise RequestRefused("400 malformed", 400)
        if fault is Fault.DUPLICATE:
            self._judge_all(tokens, fault)
        decisions = self._judge_all(tokens, fault)
        if fault is Fault.LOSE_REPLY:
            raise TransportFailure("no answer in time")
        offered = offer_of(digest_of(token) for token in tokens)
        receipt = Receipt(self.device, offered, decisions, self.have, self.digest, self.clock.wall)
        return self._answer(receipt, fault)

    def get_head(self, nonce: str) -> bytes:
        """What the fund holds of the device."""
        self.heads += 1
        if self.down:
            raise TransportFailure("connection refused")
        head = Head(self.device, self.have, self.digest, self.blocked, nonce, self.clock.wall)
        return encode_head(sign_members(self.signer, HEAD_TYP, head_members(head)))

    def forget_after(self, seq: int) -> None:
        """The fund is restored from an older copy."""
        del self.chain[seq:]

    def _answer(self, receipt: Receipt, fault: Fault | None) -> bytes:
        signer = self.signer
        match fault:
            case Fault.GARBAGE:
                return b"<html>captive portal</html>"
            case Fault.FEWER:
                receipt = replace(receipt, decisions=receipt.decisions[1:])
            case Fault.OTHER_DEVICE:
                receipt = replace(receipt, device="desk-2")
            case Fault.OTHER_BATCH:
                receipt = replace(receipt, offered=offer_of(["ab" * 32]))
            case Fault.OTHER_HISTORY:
                receipt = replace(receipt, digest="ab" * 32)
            case Fault.BOASTING:
                receipt = replace(receipt, have=0, digest=GENESIS)
            case Fault.FORGED:
                assert self.impostor is not None
                signer = self.impostor
        return encode_receipt(sign_members(signer, RECEIPT_TYP, receipt_members(receipt)))

    def _judge_all(self, tokens: Sequence[str], fault: Fault | None) -> tuple[Decision, ...]:
        order = range(len(tokens))
        judged = {place: self._judge(tokens[place]) for place in (reversed(order) if fault is Fault.REVERSE else order)}
        return tuple(judged[place] for place in order)

    def _judge(self, token: str) -> Decision:
        try:
            compact = verify(self.device_jwk, token, EVENT_TYP, MAX_TOKEN)
            event = read_event(compact).event
        except SignatureInvalid:
            return Decision(Result.REJECTED, "signature")
        except EnvelopeInvalid:
            return Decision(Result.REJECTED, "malformed")
        if event.device != self.device:
            return Decision(Result.REJECTED, "device")
        return Decision(*self._place(event, compact.digest, token))

    def _place(self, event: Event, digest: str, token: str) -> tuple[Result, str | None]:
        if event.seq <= self.have:
            stored = self.chain[event.seq - 1]
            if stored.digest != digest:
                return self._block(token, "seq")
            return (Result.KNOWN, None) if stored.reason is None else (Result.REFUSED, stored.reason)
        if self.blocked:
            return Result.GAP, "device_blocked"
        if event.seq > self.have + 1:
            return Result.GAP, "missing"
        if event.prev != self.digest:
            return self._block(token, "prev")
        reason = "kind_unknown" if event.kind in self.unwanted else None
        self.chain.append(Stored(event, digest, token, reason))
        return (Result.ACCEPTED, None) if reason is None else (Result.REFUSED, reason)

    def _block(self, token: str, reason: str) -> tuple[Result, str]:
        self.blocked = True
        self.evidence.append(token)
        return Result.FORKED, reason
