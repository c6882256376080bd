"""The documents that carry a desk's keys: sealed to the fund, and by the fund to the desk that follows.

When a copy is written is `recovery`'s, who may have one opened `sync.fund.handover`'s. The device key is never in one:
a machine that restores signs with a key of its own, as a device of its own.

Sealing proves no sender, so both documents name their devices in the clear and bind them as HPKE's `info`: a copy of
one desk cannot be passed off as that of another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.compact import decode_part, encode_part
from sync.envelope import DEVICE_ID
from sync.errors import EnvelopeInvalid, SealInvalid
from sync.key_errors import RecoveryInvalid
from sync.keyfile import KEY_BYTES
from sync.sealing import SealedBox, seal
from sync.signing import PublicJwk
from sync.strict_json import Json, Members, dump

MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""Bytes of a handover: the pseudonyms of 100,000 erased patients."""

_VERSION: Final = 1
_MOST: Final = 200_000


@dataclass(frozen=True, slots=True, repr=False)
class DeskKeys:
    """What opens a desk's database and its templates; more than one each while a rotation is under way."""

    device: str
    database: tuple[bytes, ...]
    template: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Handover:
    """What the fund gives to the desk that follows another one.

    erased: patients (pseudonyms) and staff whom the old desk erased, each with the number of the event that says so.
    have: how many events of the old desk the fund holds.
    """

    keys: DeskKeys
    following: str
    erased: Mapping[str, int]
    have: int


def seal_recovery(keys: DeskKeys, fund: PublicJwk) -> bytes:
    """The copy of a desk's keys as a document that only the fund opens."""
    return _document(keys.device, None, fund, _members(keys))


def open_recovery(document: bytes, box: SealedBox) -> DeskKeys:
    """Open a desk's copy at the fund. Raises RecoveryInvalid."""
    device, _, members = _opened(document, None, box)
    return _keys(device, members)


def seal_handover(handover: Handover, to: PublicJwk) -> bytes:
    """What the desk that follows needs, as a document that only it opens."""
    members = _members(handover.keys) | {
        "have": handover.have,
        "erased": [f"{who} {seq}" for who, seq in sorted(handover.erased.items())],
    }
    return _document(handover.keys.device, handover.following, to, members)


def open_handover(document: bytes, following: str, box: SealedBox) -> Handover:
    """Open, at the desk of this name, what the fund gave it. Raises RecoveryInvalid."""
    device, _, members = _opened(document, following, box)
    try:
        lines = [line.split(" ") for line in members.texts("erased", _MOST)]
        erased = {who: int(seq) for who, seq in lines}
        have = members.integer("have", 0, 2**53 - 1)
    except (EnvelopeInvalid, ValueError) as error:
        raise RecoveryInvalid(f"the handover is malformed: {error}") from error
    return Handover(_keys(device, members), following, erased, have)


def _members(keys: DeskKeys) -> dict[str, Json]:
    return {
        "database": [encode_part(key) for key in keys.database],
        "template": [encode_part(key) for key in keys.template],
    }


def _keys(device: str, members: Members) -> DeskKeys:
    try:
        database, template = (
            tuple(decode_part(text) for text in members.texts(name, 2)) for name in ("database", "template")
        )
    except EnvelopeInvalid as error:
        raise RecoveryInvalid(f"the copy of the keys is malformed: {error}") from error
    if not database or not template or any(len(key) != KEY_BYTES for key in (*database, *template)):
        raise RecoveryInvalid(f"the copy must hold keys of {KEY_BYTES} bytes")
    return DeskKeys(device, database, template)


def _document(device: str, following: str | None, to: PublicJwk, members: Mapping[str, Json]) -> bytes:
    sealed = seal(to, dump(members), _context(device, following))
    names: dict[str, Json] = {"v": _VERSION, "device": device, "sealed": encode_part(sealed)}
    return dump(names if following is None else names | {"following": following})


def _opened(document: bytes, following: str | None, box: SealedBox) -> tuple[str, str | None, Members]:
    if len(document) > MAX_DOCUMENT:
        raise RecoveryInvalid(f"the copy is longer than {MAX_DOCUMENT} bytes")
    try:
        members = Members.parse(document)
        members.integer("v", _VERSION, _VERSION)
        device = members.text("device", DEVICE_ID)
        meant = members.optional_text("following", DEVICE_ID)
        if meant != following:
            raise RecoveryInvalid("the document is for another desk" if following else "this is no recovery copy")
        sealed = decode_part(members.text("sealed"))
        return device, meant, Members.parse(box.open(sealed, _context(device, following)))
    except (EnvelopeInvalid, SealInvalid) as error:
        raise RecoveryInvalid(f"the copy of the keys does not open: {error}") from error


def _context(device: str, following: str | None) -> bytes:
    """No name holds a space, so no two contexts are the same bytes."""
    purpose = f"recovery of {device}" if following is None else f"handover of {device} to {following}"
    return f"keldim {purpose} v{_VERSION}".encode("ascii")
