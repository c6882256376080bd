"""Opens a dead desk's recovery copy and seals it to the desk that follows: the only use of a copy there is.

Only for a device that is registered, on its own signed request, and only when the old device is blocked or revoked: two
machines with the records of one desk would both go on. The fund adds whom the old desk erased since its back-up.
"""

from pathlib import Path
from typing import Final

from sync.envelope import parse_event
from sync.errors import DeviceUnknown
from sync.fund.home import FundHome
from sync.fund.office import devices, list_events
from sync.fund.rows import DeviceSummary
from sync.handing import read_request
from sync.key_errors import RecoveryInvalid, RestoreRefused
from sync.recovery_document import Handover, open_recovery, seal_handover
from sync.sealing import SealedBox

_ERASING: Final = {"forgotten": "patient", "staff_forgotten": "operator"}
"""Kinds of events that say that somebody was erased, and the member that says who."""


def hand_over(root: Path, copy: bytes, following: str, request: str) -> bytes:
    """The answer to a request: a document that only the desk named `following` opens.

    Raises DeviceUnknown, RestoreRefused (the old device is not blocked), RecoveryInvalid, EnvelopeInvalid, KeyUnusable.
    """
    known = {summary.device.device: summary for summary in devices(root)}
    new = _known(known, following).device
    if new.blocked or new.revoked:
        raise RestoreRefused(f"{following} is blocked itself")
    old, to = read_request(new.public_jwk, request, following)
    keys = open_recovery(copy, SealedBox.load(FundHome(root).sealing_key))
    if keys.device != old or old == following:
        raise RecoveryInvalid(f"the copy is of {keys.device}, the request is about {old}")
    device = _known(known, old).device
    if not device.blocked and not device.revoked:
        raise RestoreRefused(f"{old} is not blocked at the fund")
    return seal_handover(Handover(keys, following, _erased(root, old), _known(known, old).head.seq), to)


def _known(known: dict[str, DeviceSummary], device: str) -> DeviceSummary:
    if device not in known:
        raise DeviceUnknown(f"no device {device!r} is registered here")
    return known[device]


def _erased(root: Path, device: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in list_events(root):
        if row.event.device == device:
            event = parse_event(row.event.token).event
            who = event.data.get(_ERASING.get(event.kind, ""))
            if isinstance(who, str):
                found[who] = max(event.seq, found.get(who, 0))
    return found
