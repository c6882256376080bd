"""The format of a signed event: JWS compact, parsed once and strictly, chained over its signing input.

Keys and signatures are left to `signing`, storage to `ledger`, the kinds of events to the desk and the fund.

    header   {"alg":"ES256","kid":<thumbprint of the signer's key, RFC 7638>,"typ":"visit+jws"}
    payload  {"v":1, "kind", "kind_v", "id", "device", "seq", "prev", "boot", "mono_ms", "wall",
              "clock":{"trust","uncertainty_ms","fund","late"}, "data":{...}}     further members are ignored
    digest   SHA-256 over the ASCII bytes of header "." payload, hex

The chain and every comparison use the digest, never a hash of the whole token: ECDSA signatures are
malleable, (r, n - s) verifies as well as (r, s), so one event has more than one valid token.
The signed bytes are kept and sent as they are; nobody re-encodes a payload.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sync.compact import Compact, split
from sync.errors import EnvelopeInvalid
from sync.strict_json import Json, JsonObject, Members, dump

__all__ = [
    "EVENT_TYP",
    "GENESIS",
    "Compact",
    "Event",
    "Json",
    "JsonObject",
    "LateSigning",
    "Moment",
    "SignedEvent",
    "TimeAnchor",
    "TimeTrust",
]

EVENT_TYP: Final = "visit+jws"
GENESIS: Final = "0" * 64
"""`prev` of the first event of a device."""

MAX_TOKEN: Final = 16 * 1024
"""Characters of one event; a rich check-in event takes about 1,500. Bounds the fund's work per event."""

MAX_PAYLOAD: Final = 12_000
"""Bytes of JSON that fit MAX_TOKEN in base64url beside header (150) and signature (86)."""

MAX_SEQ: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_HEX32: Final = re.compile(r"[0-9a-f]{32}")
HEX64: Final = re.compile(r"[0-9a-f]{64}")
DEVICE_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
"""A device's name at the fund: a DNS label, so that it fits URLs, certificates and file names unescaped."""

KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_BOOT: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


class TimeTrust(StrEnum):
    """Why the wall time of an event may be believed."""

    FUND = "fund"
    """Agrees with a time the fund signed since this machine was started."""
    SYSTEM = "system"
    """The operating system says so; nothing speaks against it."""
    SUSPECT = "suspect"
    """The wall clock jumped, ran backwards, or disagrees with the fund."""


@dataclass(frozen=True, slots=True)
class TimeAnchor:
    """A time the fund signed, tied to this machine's monotonic clock.

    wall: the fund's time at `mono_ms` of boot `boot_id`, give or take `uncertainty_ms`.
    """

    boot_id: str
    mono_ms: int
    wall: datetime
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant on all clocks of a desk.

    wall: aware, with the desk's UTC offset; kept to the millisecond. mono_ms: milliseconds since boot,
    suspended time included. boot_id: changes with each start of the machine. uncertainty_ms: the true
    time lies within +- this of `wall`, as far as is known. fund: the newest time the fund had signed by then,
    of this or an earlier boot; None when it never has.
    """

    wall: datetime
    mono_ms: int
    boot_id: str
    trust: TimeTrust
    uncertainty_ms: int
    fund: TimeAnchor | None = None


@dataclass(frozen=True, slots=True)
class LateSigning:
    """When an event was signed that had waited for its key: the clocks of that instant."""

    wall: datetime
    mono_ms: int
    boot_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a device says: one link of its chain, before or after signing.

    event_id: 32 hex digits, made when the event was born. prev: digest of the event with seq - 1.
    data: what happened, by kind and its version; owned by whoever defines the kind. moment: when it happened.
    late: when it was signed, if the key was out of reach at that moment; None for an event signed at once.
    """

    kind: str
    kind_v: int
    event_id: str
    device: str
    seq: int
    prev: str
    moment: Moment
    data: JsonObject
    late: LateSigning | None = None


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as parsed from its token. Parsing proves nothing: verify with `signing.verify` first."""

    event: Event
    digest: str
    token: str


def event_payload(event: Event) -> bytes:
    """The payload bytes of an event, to be signed once. A malformed event is the caller's bug (ValueError)."""
    moment = event.moment
    payload: Mapping[str, Json] = {
        "v": 1,
        "kind": event.kind,
        "kind_v": event.kind_v,
        "id": event.event_id,
        "device": event.device,
        "seq": event.seq,
        "prev": event.prev,
        "boot": moment.boot_id,
        "mono_ms": moment.mono_ms,
        "wall": format_time(moment.wall),
        "clock": _clock(event),
        "data": event.data,
    }
    content = dump(payload)
    if len(content) > MAX_PAYLOAD:
        raise ValueError(f"an event of {len(content)} bytes is longer than {MAX_PAYLOAD}")
    try:
        _read_event(content)  # what we could not read ourselves is never signed
    except EnvelopeInvalid as error:
        raise ValueError(f"not an event: {error}") from error
    return content


def parse_event(token: str) -> SignedEvent:
    """Read an event's token without verifying it. Raises EnvelopeInvalid for anything but a well-formed event."""
    return read_event(split(token, EVENT_TYP, MAX_TOKEN))


def read_event(compact: Compact) -> SignedEvent:
    """Read the payload of a split (and, where it matters, verified) token. Raises EnvelopeInvalid."""
    return SignedEvent(_read_event(compact.payload), compact.digest, compact.token)


def read_payload(content: bytes) -> Event:
    """Read the payload of an event that is not signed yet. Raises EnvelopeInvalid."""
    return _read_event(content)


def format_time(instant: datetime) -> str:
    """RFC 3339 to the millisecond with the UTC offset. A time without whole-minute offset is a bug (ValueError)."""
    text = instant.isoformat(timespec="milliseconds")
    if not _RFC3339.fullmatch(text):
        raise ValueError("a recorded time carries a UTC offset of whole minutes")
    return text


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with its offset. Raises EnvelopeInvalid."""
    if not _RFC3339.fullmatch(text):
        raise EnvelopeInvalid("a time is not RFC 3339 with an offset")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise EnvelopeInvalid("a time does not exist") from error


def _clock(event: Event) -> JsonObject:
    moment, late = event.moment, event.late
    clock: JsonObject = {"trust": moment.trust.value, "uncertainty_ms": moment.uncertainty_ms}
    if moment.fund is not None:
        signed = moment.fund
        clock["fund"] = {
            **_instant(signed.wall, signed.boot_id, signed.mono_ms),
            "uncertainty_ms": signed.uncertainty_ms,
        }
    if late is not None:
        clock["late"] = _instant(late.wall, late.boot_id, late.mono_ms)
    return clock


def _instant(wall: datetime, boot_id: str, mono_ms: int) -> JsonObject:
    return {"wall": format_time(wall), "boot": boot_id, "mono_ms": mono_ms}


def _read_event(content: bytes) -> Event:
    payload = Members.parse(content)
    if payload.integer("v", 1, MAX_SEQ) != 1:
        raise EnvelopeInvalid("unknown version of the envelope")
    clock = payload.object("clock")
    moment = Moment(
        wall=parse_time(payload.text("wall")),
        mono_ms=payload.integer("mono_ms", 0, MAX_SEQ),
        boot_id=payload.text("boot", _BOOT),
        trust=_trust(clock.text("trust")),
        uncertainty_ms=clock.integer("uncertainty_ms", 0, MAX_SEQ),
        fund=_read_anchor(clock.object("fund")) if "fund" in clock.content else None,
    )
    return Event(
        kind=payload.text("kind", KIND),
        kind_v=payload.integer("kind_v", 1, MAX_SEQ),
        event_id=payload.text("id", _HEX32),
        device=payload.text("device", DEVICE_ID),
        seq=payload.integer("seq", 1, MAX_SEQ),
        prev=payload.text("prev", HEX64),
        moment=moment,
        data=payload.object("data").content,
        late=_read_late(clock.object("late")) if "late" in clock.content else None,
    )


def _read_anchor(clock: Members) -> TimeAnchor:
    return TimeAnchor(
        boot_id=clock.text("boot", _BOOT),
        mono_ms=clock.integer("mono_ms", 0, MAX_SEQ),
        wall=parse_time(clock.text("wall")),
        uncertainty_ms=clock.integer("uncertainty_ms", 0, MAX_SEQ),
    )


def _read_late(clock: Members) -> LateSigning:
    return LateSigning(
        wall=parse_time(clock.text("wall")),
        mono_ms=clock.integer("mono_ms", 0, MAX_SEQ),
        boot_id=clock.text("boot", _BOOT),
    )


def _trust(text: str) -> TimeTrust:
    try:
        return TimeTrust(text)
    except ValueError as error:
        raise EnvelopeInvalid("unknown trust of a clock") from error
