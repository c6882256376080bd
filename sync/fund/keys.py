"""The fund gateway's secrets and certificates: makes them once, keeps them private, renews the server's certificate.

Signing receipts and verifying events is left to `sync.signing`, what desks are certified with to `sync.fund.ca`.
The authority is private to one fund: desks trust it for the fund's address and nothing else, so it needs no revocation
service. It lies beside the gateway in this version; a national fund keeps `ca.key` offline and renews by hand.
"""

import contextlib
import ipaddress
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.durable import replace_file
from sync.errors import FundIncomplete, KeyUnusable
from sync.fund.ca import DeviceAuthority
from sync.fund.home import FundHome, parse_url
from sync.fund.log_terms import create_log, load_terms
from sync.fund.profile import (
    MAX_PEM,
    certificate_pem,
    end_certificate,
    load_authority,
    make_authority,
)
from sync.joining import FundFacts
from sync.keyfile import create_key, read_secret, write_secret
from sync.p256_file import key_pem
from sync.sealing import SealedBox
from sync.signing import FileSigner

SERVER_VALIDITY = timedelta(days=397)
"""The longest a TLS client of today accepts anywhere (CA/Browser Forum ballot SC-31)."""

RENEW_BEFORE = timedelta(days=30)
"""A gateway restarts at least monthly for updates and renews at its start; behind nginx a timer does it daily."""


def create_keys(home: FundHome, url: str, now: datetime) -> FundFacts:
    """Make every key of a new fund, its authority, and the server's certificate for the host of `url`.

    The directory of keys exists and is empty; what desks are to be told is returned, not written. Raises
    FundUrlInvalid, KeyUnusable (a file is there already, or cannot be written).
    """
    address = parse_url(url)
    create_key(home.database_key)
    create_key(home.pseudonym_key)
    signer = FileSigner.create(home.signing_key)
    sealing_jwk = SealedBox.create(home.sealing_key).public_jwk
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial keeps two funds' authorities apart by name too: a verifier that knows both picks the right one.
    authority = make_authority(key, f"Keldim fund authority {secrets.token_hex(4)}", now)
    pem = certificate_pem(authority)
    device_ca = DeviceAuthority.create(home, now)
    write_secret(home.ca_key, key_pem(key))
    write_secret(home.ca_certificate, pem)
    write_secret(home.server, _issue(authority, key, address.hostname or "", now))
    url, log = f"https://{address.netloc}", create_log(home, address.hostname or "")
    return FundFacts(url, pem.decode(), device_ca.pem.decode(), signer.public_jwk, sealing_jwk, log)


def load_facts(home: FundHome) -> FundFacts:
    """What desks are told about this fund, from its files; all of it public. Raises FundIncomplete, KeyUnusable."""
    try:
        fields = json.loads(home.document.read_bytes())
        url, ca_pem = str(fields["url"]), home.ca_certificate.read_text(encoding="ascii")
        device_ca_pem = home.device_ca.read_text(encoding="ascii")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FundIncomplete(f"{home.document.name} or {home.ca_certificate.name} cannot be read") from error
    signing, sealing = FileSigner.load(home.signing_key).public_jwk, SealedBox.load(home.sealing_key).public_jwk
    return FundFacts(url, ca_pem, device_ca_pem, signing, sealing, load_terms(home))


def renew_certificate(home: FundHome, now: datetime) -> bool:
    """Replace the server's key and certificate when they are missing, end within RENEW_BEFORE, or name another host.

    True when replaced. Raises FundIncomplete, KeyUnusable (also when the authority itself has ended).
    """
    address = parse_url(load_facts(home).url)
    authority, key = load_authority(home.ca_certificate, home.ca_key)
    if authority.not_valid_after_utc <= now:
        raise KeyUnusable("the fund's authority certificate has ended; desks need a new one")
    if _serves(home.server, authority, address.hostname or "", now):
        return False
    try:
        replace_file(home.server, _issue(authority, key, address.hostname or "", now))
    except OSError as error:
        raise KeyUnusable(f"{home.server.name} cannot be written: {error.strerror}") from error
    return True


def _issue(authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, host: str, now: datetime) -> bytes:
    """A new server key with its certificate, as one PEM. The certificate never outlives its authority."""
    own = ec.generate_private_key(ec.SECP256R1())
    builder = end_certificate(authority, "Keldim fund gateway", own.public_key(), now, now + SERVER_VALIDITY)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_subject(host)]), critical=False)
    return key_pem(own) + certificate_pem(builder.sign(key, hashes.SHA256()))


def _subject(host: str) -> x509.GeneralName:
    """A host that `parse_url` let pass, as a certificate names it: address or domain name."""
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(host))
    return x509.DNSName(host)


def _serves(path: Path, authority: x509.Certificate, host: str, now: datetime) -> bool:
    """Whether the stored server certificate is good for this host until RENEW_BEFORE from now. Raises KeyUnusable."""
    if not path.exists():
        return False
    content = read_secret(path, MAX_PEM)
    try:
        certificate = x509.load_pem_x509_certificate(content)
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, InvalidSignature, x509.ExtensionNotFound):
        return False
    lasting = certificate.not_valid_after_utc - now >= min(RENEW_BEFORE, authority.not_valid_after_utc - now)
    return lasting and _subject(host) in list(names)
