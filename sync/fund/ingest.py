"""What the fund decides about offered tokens: the table of PROTOCOL.md section 4, row by row.

Pure: first each token is examined under the registered key, then a batch is judged by what is stored. Keeping what was
decided, and telling the desk, is left to `sync.fund.gateway`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync.compact import Compact, digest_of
from sync.envelope import EVENT_TYP, MAX_TOKEN, SignedEvent, read_event
from sync.errors import DatabaseDamaged, EnvelopeInvalid, SignatureInvalid
from sync.fund.allowed import Allowed
from sync.fund.rows import Decided, Device, Fork, Head, NewEvent, Ruling, View, Wanted
from sync.protocol import Result
from sync.signing import verify


@dataclass(frozen=True, slots=True)
class Claim:
    """One offered token, examined without looking at what is stored.

    digest: of the token, or of any text offered as one. signed: the event, when it is one that the device signed;
    otherwise None, and `reason` says which of the rows 1 to 3 applies.
    """

    digest: str
    signed: SignedEvent | None
    reason: str | None = None


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


@dataclass(frozen=True, slots=True)
class Judged(Ruling):
    """What was decided about a batch, with the answers. verdicts: each with the number of the head after it."""

    verdicts: tuple[tuple[Verdict, int], ...]
    head: Head


def examine_all(tokens: Sequence[str], device: Device) -> list[Claim]:
    """Rows 1 to 3 for each token: all that is costly, and needs only the registered key.

    All signatures first, then all that they signed: turning from one to the other for each event takes a seventh more
    time, because the tables of the curve and the reader drive each other out of the processor's caches.
    """
    verified = [_verified(token, device) for token in tokens]
    return [_read(found, device) if isinstance(found, Compact) else found for found in verified]


def _verified(token: str, device: Device) -> Compact | Claim:
    try:
        return verify(device.public_jwk, token, EVENT_TYP, MAX_TOKEN)
    except SignatureInvalid:
        return Claim(digest_of(token), None, "signature")
    except EnvelopeInvalid:
        return Claim(digest_of(token), None, "malformed")


def _read(compact: Compact, device: Device) -> Claim:
    try:
        signed = read_event(compact)
    except EnvelopeInvalid:
        return Claim(compact.digest, None, "malformed")
    if signed.event.device != device.device:
        return Claim(compact.digest, None, "device")
    return Claim(signed.digest, signed)


def wanted(claims: Sequence[Claim]) -> Wanted:
    """What judging these claims will look up."""
    events = [claim.signed.event for claim in claims if claim.signed is not None]
    return Wanted(frozenset(event.seq for event in events), frozenset(event.event_id for event in events))


EVERYTHING = Allowed()


def judge_batch(claims: Sequence[Claim], view: View, allowed: Allowed = EVERYTHING) -> Judged:
    """Decide about a batch, token by token in its order. allowed: what may decide a visit.

    Raises DatabaseDamaged when the store lacks an event below its own head: nothing may be decided then.
    """
    device, head, chain = view.device, view.head, _Growing(dict(view.decided), set(view.ids))
    verdicts: list[tuple[Verdict, int]] = []
    for claim in claims:
        verdict = _judge(claim, device, head, chain, allowed)
        if verdict.event is not None:
            head = chain.grow(verdict.event)
        if verdict.fork is not None and device.blocked is None:
            device = replace(device, blocked=f"forked at event {verdict.seq}")
        verdicts.append((verdict, head.seq))
    answers = [verdict for verdict, _ in verdicts]
    return Judged(
        events=tuple(answer.event for answer in answers if answer.event is not None),
        forks=tuple(answer.fork for answer in answers if answer.fork is not None),
        blocked=device.blocked if view.device.blocked is None else None,
        spoke=any(claim.signed is not None for claim in claims),  # else nobody proved to be the device
        refusals=Counter(str(claim.reason) for claim in claims if claim.signed is None),
        verdicts=tuple(verdicts),
        head=head,
    )


@dataclass(slots=True)
class _Growing:
    """A chain as it is stored, and as the events of the batch before this one will have made it."""

    stored: dict[int, Decided]
    ids: set[str]

    def decided(self, seq: int) -> Decided | None:
        return self.stored.get(seq)

    def knows_id(self, event_id: str) -> bool:
        return event_id in self.ids

    def grow(self, event: NewEvent) -> Head:
        self.stored[event.seq] = Decided(event.digest, event.refused)
        self.ids.add(event.event_id)
        return Head(event.seq, event.digest)


def _judge(claim: Claim, device: Device, head: Head, chain: _Growing, allowed: Allowed) -> Verdict:
    """Decide about one token offered for a device whose chain ends at `head`."""
    if claim.signed is None:  # rows 1 to 3: the fund cannot know what the device meant
        return Verdict(claim.digest, None, Result.REJECTED, claim.reason)
    if claim.signed.event.seq <= head.seq:
        return _again(claim.signed, chain)
    return _further(claim.signed, device, head, chain, allowed)


def _again(signed: SignedEvent, chain: _Growing) -> Verdict:
    """Rows 4 and 5: a number the chain already has. Never decided by the number alone."""
    event = signed.event
    stored = chain.decided(event.seq)
    if stored is None:
        raise DatabaseDamaged(f"event {event.seq} of device {event.device} is missing below its head")
    if stored.digest != signed.digest:
        return _forked(signed, "seq", stored.digest)
    if stored.refused is not None:
        return Verdict(signed.digest, event.seq, Result.REFUSED, stored.refused)
    return Verdict(signed.digest, event.seq, Result.KNOWN)


def _further(signed: SignedEvent, device: Device, head: Head, chain: _Growing, allowed: Allowed) -> Verdict:
    """Rows 6 to 10: a number beyond the head."""
    event = signed.event
    if device.blocked is not None:
        return Verdict(signed.digest, event.seq, Result.GAP, "device_blocked")
    if event.seq > head.seq + 1:
        return Verdict(signed.digest, event.seq, Result.GAP, "missing")
    if event.prev != head.digest:
        return _forked(signed, "prev", head.digest)
    broken = "id_reused" if chain.knows_id(event.event_id) else allowed.objection(event)
    new = NewEvent(event.device, event.seq, signed.digest, event.event_id, event.kind, signed.token, broken)
    return Verdict(signed.digest, event.seq, Result.REFUSED if broken else Result.ACCEPTED, broken, event=new)


def _forked(signed: SignedEvent, reason: str, kept_digest: str) -> Verdict:
    event = signed.event
    fork = Fork(event.device, event.seq, signed.digest, kept_digest, signed.token)
    return Verdict(signed.digest, event.seq, Result.FORKED, reason, fork=fork)
