"""The messages between desk and fund as bytes, without a socket; `PROTOCOL.md` is their specification.

Delivery is left to `transport`, what an answer changes at the desk to `outbox`, and what the fund
decides to `fund`. Any bytes from the other side give a value or ProtocolViolation, nothing else.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Final

from sync.envelope import DEVICE_ID, GENESIS, HEX64, MAX_SEQ, format_time, parse_time
from sync.errors import EnvelopeInvalid, ProtocolViolation
from sync.signing import PublicJwk, verify
from sync.strict_json import Json, JsonObject, Members, dump

RECEIPT_TYP: Final = "receipt+jws"
HEAD_TYP: Final = "head+jws"
RECEIPT_V: Final = 2
HEAD_V: Final = 1

MAX_EVENTS: Final = 200
"""Events in one request: a day's backlog of a busy desk goes in three; costs the fund about 10 ms."""

MAX_COMMAS: Final = 4 * MAX_EVENTS
"""In a request: a batch has one between two events, and tokens have none."""

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of one request, whether as sent or after decompression."""

MAX_HEAD: Final = 4096
"""Characters of one head; it takes about 600."""

MAX_RECEIPT: Final = 32 * 1024
"""Characters of one receipt; it takes about 700, and 24,000 when each of MAX_EVENTS events has a long reason."""

MAX_ANSWER: Final = 256 * 1024
"""Bytes of one answer: a receipt, and room for what a newer fund says beside it."""

REASON: Final = re.compile(r"[a-z0-9_]{1,64}")
NONCE: Final = re.compile(r"[0-9a-f]{32}")

_ENVELOPE: Final = len(b'{"events":[]}')


class Result(StrEnum):
    """The fund's answer to one event."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    FORKED = "forked"
    REFUSED = "refused"
    """Breaks a rule of the fund; recorded under its number."""
    REJECTED = "rejected"
    """Could not be verified, so it has no number."""
    GAP = "gap"

    @property
    def decides(self) -> bool:
        """Whether the fund has decided about the event, rather than missing one before it."""
        return self is not Result.GAP


_TAKEN: Final = frozenset({Result.ACCEPTED, Result.KNOWN})
_HELD_BY_FUND: Final = _TAKEN | {Result.REFUSED}
"""Results of events that the fund keeps under their number."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way: its number, its digest, its signed bytes."""

    seq: int
    digest: str
    token: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the fund decided about one event. reason: None for accepted and known."""

    result: Result
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The fund's signed answer to a batch.

    offered: `offer_of` the batch, which binds the receipt to it. decisions: one per event, in the order of the batch.
    have, digest: the last event of the fund's chain of this device afterwards. By the chain the digest stands for every
    event up to there. at: when it was signed.
    """

    device: str
    offered: str
    decisions: tuple[Decision, ...]
    have: int
    digest: str
    at: datetime

    @property
    def forked(self) -> bool:
        """Whether the fund saw two histories, so that its `digest` need not be ours."""
        return any(decision.result is Result.FORKED for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A verified receipt and the token that proves it."""

    receipt: Receipt
    token: str


@dataclass(frozen=True, slots=True)
class Head:
    """What the fund holds of a device: the highest number and that event's digest; at: when it was asked.

    blocked: the fund takes nothing from it just now. reason: why, as the code of section 3; None when it does.
    """

    device: str
    have: int
    digest: str
    blocked: bool
    nonce: str
    at: datetime
    reason: str | None = None


def fits(tokens: Sequence[str]) -> int:
    """How many of these tokens, from the first on, one request can carry."""
    size = _ENVELOPE
    for count, token in enumerate(tokens[:MAX_EVENTS]):
        size += len(json.dumps(token)) + 1
        if size > MAX_BODY:
            return count
    return min(len(tokens), MAX_EVENTS)


def encode_batch(tokens: Sequence[str]) -> bytes:
    """The body of a request."""
    return json.dumps({"events": list(tokens)}, separators=(",", ":")).encode("utf-8")


def decode_batch(body: bytes) -> tuple[str, ...]:
    """Read a request as the fund does. Raises ProtocolViolation when the whole request is malformed or too large.

    The tokens themselves are unread: each is answered on its own.
    """
    if len(body) > MAX_BODY:
        raise ProtocolViolation(f"a request of {len(body)} bytes is larger than {MAX_BODY}")
    try:
        tokens = Members.parse(body, MAX_COMMAS).texts("events", MAX_EVENTS)
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"not a batch of events: {error}") from error
    if not tokens:
        raise ProtocolViolation("a batch holds at least one event")
    return tokens


def offer_of(digests: Iterable[str]) -> str:
    """SHA-256, hex, over the digests of the offered tokens, joined in their order: the identity of a batch."""
    return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()


def receipt_members(receipt: Receipt) -> JsonObject:
    """The payload of a receipt, for the fund to sign; equal decisions in a row stand as one."""
    runs: list[Json] = [
        [decision.result.value, decision.reason, sum(1 for _ in same)] for decision, same in groupby(receipt.decisions)
    ]
    return {
        "v": RECEIPT_V,
        "device": receipt.device,
        "offered": receipt.offered,
        "results": runs,
        "have": receipt.have,
        "digest": receipt.digest,
        "at": format_time(receipt.at),
    }


def encode_receipt(token: str) -> bytes:
    """The body of an answer."""
    return dump({"receipt": token})


def read_receipts(body: bytes, fund_jwk: PublicJwk, device: str, batch: Sequence[Outgoing]) -> SignedReceipt:
    """Read and verify the answer to exactly this batch: one decision per event. Raises ProtocolViolation."""
    try:
        signed = read_receipt(_members(body, MAX_ANSWER).text("receipt"), fund_jwk)
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"the answer is not a receipt of the fund: {error}") from error
    receipt = signed.receipt
    if receipt.device != device or receipt.offered != offer_of(sent.digest for sent in batch):
        raise ProtocolViolation("the receipt is for another batch")
    if len(receipt.decisions) != len(batch):
        raise ProtocolViolation(f"{len(receipt.decisions)} decisions about {len(batch)} events")
    if (receipt.have == 0) != (receipt.digest == GENESIS):
        raise ProtocolViolation("the receipt names no event as the last one")
    for sent, decision in zip(batch, receipt.decisions, strict=True):
        if decision.result in _HELD_BY_FUND and receipt.have < sent.seq:
            raise ProtocolViolation(f"the fund has taken event {sent.seq} but holds only {receipt.have}")
    return signed


def read_receipt(token: str, fund_jwk: PublicJwk) -> SignedReceipt:
    """Verify and read one receipt. Raises EnvelopeInvalid, SignatureInvalid."""
    members = Members.parse(verify(fund_jwk, token, RECEIPT_TYP, MAX_RECEIPT).payload)
    _version(members, RECEIPT_V)
    receipt = Receipt(
        device=members.text("device", DEVICE_ID),
        offered=members.text("offered", HEX64),
        decisions=_decisions(members.content.get("results")),
        have=members.integer("have", 0, MAX_SEQ),
        digest=members.text("digest", HEX64),
        at=parse_time(members.text("at")),
    )
    return SignedReceipt(receipt, token)


def head_members(head: Head) -> JsonObject:
    """The payload of a head, for the fund to sign."""
    return {
        "v": HEAD_V,
        "device": head.device,
        "have": head.have,
        "digest": head.digest,
        "blocked": head.blocked,
        "reason": head.reason,
        "nonce": head.nonce,
        "at": format_time(head.at),
    }


def encode_head(token: str) -> bytes:
    """The body of an answer to a head request."""
    return dump({"head": token})


def read_head(body: bytes, fund_jwk: PublicJwk, device: str, nonce: str) -> Head:
    """Read and verify the fund's head of this device, fresh for this nonce. Raises ProtocolViolation."""
    try:
        token = _members(body, MAX_ANSWER).text("head")
        members = Members.parse(verify(fund_jwk, token, HEAD_TYP, MAX_HEAD).payload)
        _version(members, HEAD_V)
        head = Head(
            device=members.text("device", DEVICE_ID),
            have=members.integer("have", 0, MAX_SEQ),
            digest=members.text("digest", HEX64),
            blocked=members.flag("blocked"),
            nonce=members.text("nonce", NONCE),
            at=parse_time(members.text("at")),
            reason=members.optional_text("reason", REASON),
        )
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"the answer is not a head of the fund: {error}") from error
    if head.device != device or head.nonce != nonce:
        raise ProtocolViolation("the head answers another question")
    return head


def _members(body: bytes, maximum: int) -> Members:
    if len(body) > maximum:
        raise EnvelopeInvalid(f"{len(body)} bytes are more than {maximum}")
    return Members.parse(body)


def _version(members: Members, version: int) -> None:
    if members.integer("v", 1, MAX_SEQ) != version:
        raise EnvelopeInvalid("unknown version of the message")


def _decisions(runs: Json) -> tuple[Decision, ...]:
    """One decision per event from [[result, reason, count], ...]; MAX_EVENTS bounds what a short text can claim."""
    if not isinstance(runs, list):
        raise EnvelopeInvalid("the results of a receipt are a list")
    decisions: list[Decision] = []
    for run in runs:
        decision, count = _run(run)
        if not 0 < count <= MAX_EVENTS - len(decisions):
            raise EnvelopeInvalid("a receipt counts more events than a batch holds, or none")
        decisions += [decision] * count
    return tuple(decisions)


def _run(run: Json) -> tuple[Decision, int]:
    match run:
        case [str(result), None | str() as reason, int(count)] if not isinstance(count, bool):
            pass
        case _:
            raise EnvelopeInvalid("a result of a receipt has the form [result, reason, count]")
    try:
        decision = Decision(Result(result), reason)
    except ValueError as error:
        raise EnvelopeInvalid("unknown result of a receipt") from error
    if (reason is None) != (decision.result in _TAKEN) or (reason is not None and not REASON.fullmatch(reason)):
        raise EnvelopeInvalid("a result of a receipt lacks its reason, or has one too many")
    return decision, count
