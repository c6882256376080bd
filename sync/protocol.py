"""The messages between desk and fund as bytes, without a socket; `PROTOCOL.md` is their specification.

Delivery is left to `transport`, what an answer changes at the desk to `outbox`, and what the fund
decides to `fund`. Any bytes from the other side give a value or ProtocolViolation, nothing else.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sync.envelope import DEVICE_ID, HEX64, MAX_SEQ, format_time, parse_time
from sync.errors import EnvelopeInvalid, ProtocolViolation
from sync.signing import PublicJwk, verify
from sync.strict_json import Json, JsonObject, Members, dump

RECEIPT_TYP: Final = "receipt+jws"
HEAD_TYP: Final = "head+jws"

MAX_EVENTS: Final = 200
"""Events in one request: a day's backlog of a busy desk goes in three; costs the fund about 10 ms."""

MAX_BODY: Final = 2 * 1024 * 1024
"""Bytes of one request."""

MAX_RECEIPT: Final = 4096
"""Characters of one receipt; they take about 600."""

MAX_ANSWER: Final = 1024 * 1024
"""Bytes of one answer: MAX_EVENTS receipts of MAX_RECEIPT characters, and room."""

REASON: Final = re.compile(r"[a-z0-9_]{1,64}")
NONCE: Final = re.compile(r"[0-9a-f]{32}")

_ENVELOPE: Final = len(b'{"events":[]}')


class Result(StrEnum):
    """The fund's answer to one event."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    FORKED = "forked"
    REFUSED = "refused"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way: its number, its digest, its signed bytes."""

    seq: int
    digest: str
    token: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The fund's signed answer to one event.

    event: digest of the event. seq: None where the fund could not verify the event. have: highest number
    in the fund's chain of this device afterwards. at: when it was signed.
    """

    device: str
    event: str
    seq: int | None
    result: Result
    reason: str | None
    have: int
    at: datetime


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
        tokens = Members.parse(body).texts("events", MAX_EVENTS)
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"not a batch of events: {error}") from error
    if not tokens:
        raise ProtocolViolation("a batch holds at least one event")
    return tokens


def receipt_members(receipt: Receipt) -> JsonObject:
    """The payload of a receipt, for the fund to sign."""
    return {
        "v": 1,
        "device": receipt.device,
        "event": receipt.event,
        "seq": receipt.seq,
        "result": receipt.result.value,
        "reason": receipt.reason,
        "have": receipt.have,
        "at": format_time(receipt.at),
    }


def encode_receipts(tokens: Sequence[str]) -> bytes:
    """The body of an answer."""
    receipts: list[Json] = list(tokens)
    return dump({"receipts": receipts})


def read_receipts(
    body: bytes, fund_jwk: PublicJwk, device: str, batch: Sequence[Outgoing]
) -> tuple[SignedReceipt, ...]:
    """Read and verify the answer to a batch: one receipt per event, in its order. Raises ProtocolViolation."""
    try:
        tokens = _members(body, MAX_ANSWER).texts("receipts", MAX_EVENTS)
        receipts = tuple(read_receipt(token, fund_jwk) for token in tokens)
    except EnvelopeInvalid as error:
        raise ProtocolViolation(f"the answer is not made of receipts of the fund: {error}") from error
    if len(receipts) != len(batch):
        raise ProtocolViolation(f"{len(receipts)} receipts for {len(batch)} events")
    for signed, sent in zip(receipts, batch, strict=True):
        _check_answers(signed.receipt, sent, device)
    return receipts


def read_receipt(token: str, fund_jwk: PublicJwk) -> SignedReceipt:
    """Verify and read one receipt. Raises EnvelopeInvalid, SignatureInvalid."""
    members = Members.parse(verify(fund_jwk, token, RECEIPT_TYP, MAX_RECEIPT).payload)
    _version(members)
    try:
        result = Result(members.text("result"))
    except ValueError as error:
        raise EnvelopeInvalid("unknown result of a receipt") from error
    receipt = Receipt(
        device=members.text("device", DEVICE_ID),
        event=members.text("event", HEX64),
        seq=members.optional_integer("seq", 1, MAX_SEQ),
        result=result,
        reason=members.optional_text("reason", REASON),
        have=members.integer("have", 0, MAX_SEQ),
        at=parse_time(members.text("at")),
    )
    return SignedReceipt(receipt, token)


def head_members(head: Head) -> JsonObject:
    """The payload of a head, for the fund to sign."""
    return {
        "v": 1,
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
        members = Members.parse(verify(fund_jwk, token, HEAD_TYP, MAX_RECEIPT).payload)
        _version(members)
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


def _version(members: Members) -> None:
    if members.integer("v", 1, MAX_SEQ) != 1:
        raise EnvelopeInvalid("unknown version of the message")


def _check_answers(receipt: Receipt, sent: Outgoing, device: str) -> None:
    if receipt.device != device or receipt.event != sent.digest:
        raise ProtocolViolation(f"the receipt for event {sent.seq} is for another event")
    if receipt.seq != sent.seq and not (receipt.seq is None and receipt.result is Result.REFUSED):
        raise ProtocolViolation(f"the receipt for event {sent.seq} names number {receipt.seq}")
    if receipt.result in {Result.ACCEPTED, Result.KNOWN} and receipt.have < sent.seq:
        raise ProtocolViolation(f"the fund accepts event {sent.seq} but holds only {receipt.have}")
