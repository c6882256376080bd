"""Who is at the other end of a connection: the certificate it showed, and whether it may speak for a device.

TLS itself (uvicorn's, or nginx's in front) has already verified that the certificate is the device authority's, that it
has not ended and that the peer holds its key. What is left is whose it is: the registry of issued certificates knows,
and a revocation there counts at once.
"""

import hashlib
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from sync.fund.denial import RequestDenied
from sync.fund.rows import Certificate, Purpose

HEADER: Final = "x-keldim-client-certificate"
"""Set by nginx in every request it passes on, whatever the client sent: the certificate in PEM, URL-encoded, or empty.
Read only on the unix socket that nothing but nginx can write to."""

ADDRESS_HEADER: Final = "x-keldim-client-address"
"""Set by nginx as well: where the connection comes from. Believed as the other one is."""

MAX_HEADER: Final = 16 * 1024
"""Characters; ours take about 1,300."""


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, hex, as the registry names it."""
    return hashlib.sha256(der).hexdigest()


def told_by_proxy(header: str | None) -> str | None:
    """The fingerprint of the certificate in the proxy's header; None where there is none, or anything else."""
    if not header or len(header) > MAX_HEADER:
        return None
    try:
        return fingerprint(ssl.PEM_cert_to_DER_cert(unquote(header)))
    except ValueError:
        return None


def check_peer(shown: str | None, certificates: Sequence[Certificate], now: datetime) -> None:
    """Raises RequestDenied unless a peer that showed this certificate is the device whose certificates these are.

    shown: fingerprint, None without a certificate. certificates: the device's. A revoked certificate still tells who is
    there, so that a revoked desk learns it: `check_good` says what it may do.
    """
    if shown is None:
        raise RequestDenied(403, "certificate_required", "a device speaks with its TLS certificate only")
    found = _own(shown, certificates)
    if found is None or not found.begins <= now < found.ends:
        raise RequestDenied(403, "certificate_invalid", "the certificate of this connection is not this device's")


def check_good(shown: str | None, certificates: Sequence[Certificate], now: datetime) -> None:
    """Raises RequestDenied when the certificate that a device's peer showed was revoked."""
    found = _own(shown, certificates)
    if found is not None and not found.good_at(now):
        raise RequestDenied(403, "certificate_invalid", "the certificate of this connection was revoked")


def _own(shown: str | None, certificates: Sequence[Certificate]) -> Certificate | None:
    return next((c for c in certificates if c.fingerprint == shown and c.purpose is Purpose.TLS), None)
