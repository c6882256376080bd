"""How a device stands with the fund: whether its events are taken at all, and why not.

Pure. What becomes of a request is left to `sync.fund.gateway`; who revokes and admits to `sync.fund.admission`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sync.fund.rows import Device


class Objection(StrEnum):
    """Why nothing is taken from a device; the codes of PROTOCOL.md section 3. The gravest comes first."""

    REVOKED = "device_revoked"
    BLOCKED = "device_blocked"
    EXPIRED = "certificate_expired"

    @property
    def message(self) -> str:
        """For people who read a log."""
        return _MESSAGES[self]


_MESSAGES: Final = {
    Objection.REVOKED: "the certificates of this device were revoked; call the fund",
    Objection.BLOCKED: "this device is blocked; call the fund",
    Objection.EXPIRED: "the certificate of this device has ended; renew it: keldim device renew",
}


def objection(device: Device, now: datetime) -> Objection | None:
    """What the fund has against a registered device at this time."""
    if device.revoked is not None:
        return Objection.REVOKED
    if device.blocked is not None:
        return Objection.BLOCKED
    if device.certified_until is None or now >= device.certified_until:
        return Objection.EXPIRED
    return None
