"""A desk as the fund sees it: registers, signs a chain of events, reads receipts. It can also misbehave."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync.compact import Compact, assemble, digest_of, split
from sync.envelope import EVENT_TYP, GENESIS, MAX_TOKEN, Event, Json, Moment, TimeTrust, event_payload
from sync.protocol import Outgoing, Result, encode_batch, read_receipts
from sync.signing import PublicJwk, sign_compact
from tests.fakes.joiner import Joiner

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class StillClock:
    """Wall time that only moves when told."""

    def __init__(self, wall: datetime = NOON) -> None:
        self.wall = wall

    def monotonic(self) -> float:
        """Seconds since noon."""
        return (self.wall - NOON).total_seconds()

    def moment(self) -> Moment:
        """The wall time, and nothing moving."""
        return Moment(self.wall, 0, "boot", TimeTrust.SYSTEM, 0)

    def sleep(self, seconds: float) -> None:
        """Move the wall time."""
        self.wall += timedelta(seconds=seconds)


class FakeDesk:
    """One device with its own key. seq and prev: what the next honest event will carry."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        self.device = device or f"desk-{secrets.token_hex(6)}"
        self.joiner = Joiner.create(folder / f"{self.device}-{secrets.token_hex(4)}")
        self.signer = self.joiner.signer
        self.seq, self.prev = 0, GENESIS

    def event(
        self,
        seq: int,
        prev: str,
        *,
        device: str | None = None,
        data: Mapping[str, Json] | None = None,
        at: datetime = NOON,
        **more: str,
    ) -> str:
        """A signed event of any number, after any other."""
        event = Event(
            kind=more.get("kind", "checked_in"),
            kind_v=1,
            event_id=more.get("event_id", secrets.token_hex(16)),
            device=device or self.device,
            seq=seq,
            prev=prev,
            moment=Moment(at, seq, "boot", TimeTrust.SYSTEM, 0),
            data=dict(data or {}),
        )
        return sign_compact(self.signer, EVENT_TYP, event_payload(event))

    def next(self, *, data: Mapping[str, Json] | None = None, at: datetime = NOON, **more: str) -> str:
        """The next event of the honest chain."""
        self.seq += 1
        token = self.event(self.seq, self.prev, device=None, data=data, at=at, **more)
        self.prev = digest_of(token)
        return token

    def chain(self, count: int) -> list[str]:
        """The next events of the honest chain."""
        return [self.next() for _ in range(count)]


def seq_of(token: str) -> int:
    """The number inside an event's token."""
    return int(json.loads(taken_apart(token).payload)["seq"])


def taken_apart(token: str) -> Compact:
    """The parts of an event's token."""
    return split(token, EVENT_TYP, MAX_TOKEN)


def twin_signature(token: str) -> str:
    """The same event with the other valid signature, (r, n - s)."""
    parts = taken_apart(token)
    s = P256_ORDER - int.from_bytes(parts.signature[32:], "big")
    return assemble(parts.signing_input, parts.signature[:32] + s.to_bytes(32, "big"))


def batch(tokens: Sequence[str]) -> bytes:
    """The body of a request."""
    return encode_batch(tokens)


@dataclass(frozen=True)
class Told:
    """What a verified receipt says of one event; have, at: of the whole batch."""

    seq: int
    result: Result
    reason: str | None
    have: int
    at: datetime


def receipts_of(body: bytes, fund: PublicJwk, device: str, tokens: Sequence[str]) -> list[Told]:
    """What the verified receipt of an answer says of each event."""
    sent = [Outgoing(seq_of(token), digest_of(token), token) for token in tokens]
    receipt = read_receipts(body, fund, device, sent).receipt
    return [
        Told(one.seq, decision.result, decision.reason, receipt.have, receipt.at)
        for one, decision in zip(sent, receipt.decisions, strict=True)
    ]
