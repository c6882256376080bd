"""Renews a desk's TLS certificate over the connection that the present one secures.

The connection's certificate is told by `sync.fund.app`, issuing is `sync.fund.ca`'s. A device certificate is renewed by
a request file instead (`sync.fund.admission`): an officer looks at it, and the desk's signing key signs it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sync.envelope import DEVICE_ID
from sync.errors import EnvelopeInvalid
from sync.fund.ca import DeviceAuthority, read_csr
from sync.fund.denial import RequestDenied
from sync.fund.rows import Certificate, Device, Purpose
from sync.fund.standing import objection
from sync.fund.store import FundStore
from sync.signing import PublicJwk
from sync.strict_json import Members, dump

FRESH: Final = timedelta(days=60)
"""A certificate of the same key that lasts longer is given again: a lost answer, or a desk that asks in a loop."""

MAX_KEYS: Final = 4
"""Live TLS keys of one device; a desk has two while it renews. Whoever stole a key cannot hoard more."""

_MAX_COMMAS: Final = 16
"""In a request: PEM has none, and members to come have room."""


class Renewal:
    """Issues TLS certificates to desks that show a good one."""

    def __init__(self, store: FundStore, authority: DeviceAuthority) -> None:
        self._store = store
        self._authority = authority

    async def renew(self, device: str, shown: str | None, body: bytes, now: datetime) -> bytes:
        """The answer to a request for a TLS certificate: {"certificate": PEM}.

        shown: fingerprint of the certificate of the connection, None without one. Raises RequestDenied,
        DatabaseFailure, KeyUnusable.
        """
        known = await self._store.device(device) if DEVICE_ID.fullmatch(device) else None
        if known is None:
            raise RequestDenied(403, "unknown_device", "no such device is registered here")
        against = objection(known, now)
        if against is not None:
            raise RequestDenied(403, against.value, against.message)
        present = [c for c in await self._store.certificates(device) if c.purpose is Purpose.TLS and c.good_at(now)]
        if shown is None or shown not in {certificate.fingerprint for certificate in present}:
            raise RequestDenied(403, "certificate_invalid", "only a good TLS certificate of this device renews it")
        jwk = _requested(body, known)
        issued = _fresh(present, jwk, now)
        if issued is None:
            if len({c.key_id for c in present}) >= MAX_KEYS:
                raise RequestDenied(403, "too_many_keys", "this device has too many TLS keys; call the fund")
            issued = self._authority.certify_tls(device, jwk, now)
            await self._store.keep_certificate(issued, now)
        return dump({"certificate": issued.pem})


def _requested(body: bytes, device: Device) -> PublicJwk:
    """The key that a certificate is asked for. Raises RequestDenied."""
    try:
        jwk = read_csr(Members.parse(body, _MAX_COMMAS).text("csr"))
    except EnvelopeInvalid as error:
        raise RequestDenied(400, "malformed", str(error)) from error
    if jwk == device.public_jwk:
        raise RequestDenied(400, "malformed", "the key of the connection must not be the key that signs events")
    return jwk


def _fresh(present: Sequence[Certificate], jwk: PublicJwk, now: datetime) -> Certificate | None:
    """The newest certificate of this key, if it lasts."""
    same = [c for c in present if c.key_id == jwk.thumbprint and c.ends - now > FRESH]
    return same[-1] if same else None
