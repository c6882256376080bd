"""What the fund keeps, as values: devices, the head of each chain, events, forks, and what is decided about a batch.

Where they are kept is left to `sync.fund.store`; how an event becomes one of them to `sync.fund.ingest`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.envelope import GENESIS
from sync.signing import PublicJwk


@dataclass(frozen=True, slots=True)
class Device:
    """A desk as the fund registered it.

    blocked: why it is blocked, or None. attested: "proven" or "claimed" is the class of its key. revoked: why its
    certificates were revoked, or None. certified_until: end of its last device certificate that was not revoked; None
    without one.
    """

    device: str
    clinic: str
    desk: str
    key_class: str
    public_jwk: PublicJwk
    blocked: str | None = None
    attested: str = "claimed"
    revoked: str | None = None
    certified_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a device's chain: its number (0: none yet) and digest (64 hex digits)."""

    seq: int
    digest: str


NO_EVENTS = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that was judged to be the next one of its chain.

    token: the signed bytes as they came. refused: the rule of the fund that the event breaks, or None; a refused
    event is part of the chain all the same.
    """

    device: str
    seq: int
    digest: str
    event_id: str
    kind: str
    token: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the fund once decided about the event of a number."""

    digest: str
    refused: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored event. `number`: its place among all events of the fund, from 1, in SQLite without gaps."""

    number: int
    received: datetime
    event: NewEvent


@dataclass(frozen=True, slots=True)
class Fork:
    """Evidence that a device signed two histories.

    seq, digest, token: the event that contradicts the chain. kept_digest: the stored event it contradicts, which has
    the same number, or the number before it when the event follows something the fund never saw.
    """

    device: str
    seq: int
    digest: str
    kept_digest: str
    token: str


@dataclass(frozen=True, slots=True)
class DeviceSummary:
    """One device as the overview shows it."""

    device: Device
    head: Head
    forks: int
    refusals: int
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class LastHeard:
    """The end of a device's chain, and the last thing it said of itself.

    said: its last event `pack_in_use` that was not refused; None: it sent none. newest: its last event, which arrived
    at `received`.
    """

    device: str
    said: str | None
    newest: str
    received: datetime


class Purpose(StrEnum):
    """What a certificate is for."""

    DEVICE = "device"
    """Stands for the key that signs events."""
    TLS = "tls"
    """Stands for the key of the connection."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that this fund issued to a desk.

    fingerprint: SHA-256 of its DER, hex. key_id: thumbprint of the certified key. Good from begins to ends, unless it
    was revoked before.
    """

    fingerprint: str
    device: str
    purpose: Purpose
    key_id: str
    begins: datetime
    ends: datetime
    pem: str
    revoked: datetime | None = None
    reason: str | None = None

    def good_at(self, now: datetime) -> bool:
        """Whether it may be relied upon at this time."""
        return self.revoked is None and self.begins <= now < self.ends


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be looked up for a batch: numbers in the device's chain, and ids of events (32 hex digits)."""

    seqs: frozenset[int]
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class View:
    """What is stored that a batch depends on, read while the head is locked.

    decided: of the wanted numbers those that are stored. ids: of the wanted ids those that are stored.
    """

    device: Device
    head: Head
    decided: Mapping[int, Decided]
    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was decided about a batch and must be kept, all of it or nothing.

    events: continue the chain without a hole. blocked: why the device is blocked from now on, or None (no change).
    spoke: at least one token proved to be the device's. refusals: unproven tokens, counted by reason.
    """

    events: tuple[NewEvent, ...]
    forks: tuple[Fork, ...]
    blocked: str | None
    spoke: bool
    refusals: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Invited:
    """A desk that this fund invited. nonce: of the invitation. It may come until `expires`."""

    nonce: str
    device: str
    clinic: str
    desk: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that was answered. request: its digest. nonce: what made it good once. answer: the token, as given."""

    request: str
    device: str
    nonce: str
    answer: str
