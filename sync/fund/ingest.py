"""What the fund decides about one offered token: the table of PROTOCOL.md section 4, row by row.

Pure: it is given the device, the head of its chain and a way to look up what is stored, and returns a verdict. Keeping
what was decided, and telling the desk, is left to `sync.fund.gateway`.
"""

from dataclasses import dataclass
from typing import Protocol

from sync.compact import digest_of
from sync.envelope import EVENT_TYP, MAX_TOKEN, SignedEvent, read_event
from sync.errors import DatabaseDamaged, EnvelopeInvalid, SignatureInvalid
from sync.fund.rows import Decided, Device, Fork, Head, NewEvent
from sync.protocol import Result
from sync.signing import verify


class Chain(Protocol):
    """What judging needs to know of the events stored so far."""

    def decided(self, device: str, seq: int) -> Decided | None:
        """What was decided about a stored event."""

    def knows_id(self, device: str, event_id: str) -> bool:
        """Whether an event with this id is stored."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one token and what must be kept of it.

    digest: of the token, or of any text offered as one. seq: None unless the token is an event of this device.
    event: the next event of the chain; the head moves to it. fork: evidence; the device must be blocked.
    """

    digest: str
    seq: int | None
    result: Result
    reason: str | None = None
    event: NewEvent | None = None
    fork: Fork | None = None


def judge(token: str, device: Device, head: Head, chain: Chain) -> Verdict:
    """Decide about one token offered for a device whose chain ends at `head`.

    Raises DatabaseDamaged when the store lacks an event below its own head: nothing may be decided then.
    """
    try:
        signed = read_event(verify(device.public_jwk, token, EVENT_TYP, MAX_TOKEN))
    except SignatureInvalid:
        return _nothing(token, "signature")
    except EnvelopeInvalid:
        return _nothing(token, "malformed")
    if signed.event.device != device.device:
        return _nothing(token, "device")
    if signed.event.seq <= head.seq:
        return _again(signed, chain)
    return _further(signed, device, head, chain)


def _nothing(token: str, reason: str) -> Verdict:
    """Rows 1 to 3: the fund cannot know what the device meant."""
    return Verdict(digest_of(token), None, Result.REFUSED, reason)


def _again(signed: SignedEvent, chain: Chain) -> Verdict:
    """Rows 4 and 5: a number the chain already has. Never decided by the number alone."""
    event = signed.event
    stored = chain.decided(event.device, event.seq)
    if stored is None:
        raise DatabaseDamaged(f"event {event.seq} of device {event.device} is missing below its head")
    if stored.digest != signed.digest:
        return _forked(signed, "seq", stored.digest)
    if stored.refused is not None:
        return Verdict(signed.digest, event.seq, Result.REFUSED, stored.refused)
    return Verdict(signed.digest, event.seq, Result.KNOWN)


def _further(signed: SignedEvent, device: Device, head: Head, chain: Chain) -> Verdict:
    """Rows 6 to 10: a number beyond the head."""
    event = signed.event
    if device.blocked is not None:
        return Verdict(signed.digest, event.seq, Result.GAP, "device_blocked")
    if event.seq > head.seq + 1:
        return Verdict(signed.digest, event.seq, Result.GAP, "missing")
    if event.prev != head.digest:
        return _forked(signed, "prev", head.digest)
    broken = "id_reused" if chain.knows_id(event.device, event.event_id) else None
    new = NewEvent(event.device, event.seq, signed.digest, event.event_id, event.kind, signed.token, broken)
    return Verdict(signed.digest, event.seq, Result.REFUSED if broken else Result.ACCEPTED, broken, event=new)


def _forked(signed: SignedEvent, reason: str, kept_digest: str) -> Verdict:
    event = signed.event
    fork = Fork(event.device, event.seq, signed.digest, kept_digest, signed.token)
    return Verdict(signed.digest, event.seq, Result.FORKED, reason, fork=fork)
