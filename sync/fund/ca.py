"""The fund's device authority: certifies the key that signs a desk's events, and the key it shows in TLS.

Whom to certify is left to `admission`, what was issued and revoked to the registry of the store. The authority has a
key of its own: whoever steals the gateway's can neither make a desk nor sign a receipt with it. It lies beside
the gateway because TLS certificates are renewed over the network; a fund that renews by hand keeps it offline.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sync.certificates import EVENT_SIGNING, FACTS, DeviceFacts, facts_der, fingerprint
from sync.errors import EnvelopeInvalid, FundIncomplete, KeyUnusable
from sync.fund.home import FundHome
from sync.fund.profile import certificate_pem, end_certificate, load_authority, make_authority
from sync.fund.rows import Certificate, Purpose
from sync.keyfile import write_secret
from sync.p256_file import key_pem
from sync.signing import PublicJwk, jwk_of, public_key
from sync.unreadable import UNREADABLE

DEVICE_VALIDITY = timedelta(days=730)
"""Two years: the desk's key stays where it is; renewal asks whether the fund still knows the desk."""

TLS_VALIDITY = timedelta(days=90)
"""A software key that lies on the desk's disk: short, and renewed over the connection it secures."""

MAX_CSR = 8 * 1024
"""Bytes of a certificate request in PEM; ours take about 350."""


@dataclass(frozen=True, slots=True)
class DeviceAuthority:
    """The authority with its key, as long as certificates are to be issued."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, home: FundHome, now: datetime) -> "DeviceAuthority":
        """Make key and certificate of a new fund. Raises KeyUnusable: they exist, or cannot be written."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority = make_authority(key, f"Keldim device authority {secrets.token_hex(4)}", now)
        write_secret(home.device_ca_key, key_pem(key))
        write_secret(home.device_ca, certificate_pem(authority))
        return cls(authority, key)

    @classmethod
    def load(cls, home: FundHome) -> "DeviceAuthority":
        """Read them. Raises FundIncomplete, KeyUnusable."""
        return cls(*load_authority(home.device_ca, home.device_ca_key))

    @property
    def pem(self) -> bytes:
        """The authority's certificate; public."""
        return certificate_pem(self.certificate)

    def certify_device(self, facts: DeviceFacts, jwk: PublicJwk, now: datetime) -> Certificate:
        """A device certificate for the key that signs events. Raises EnvelopeInvalid: not a P-256 key; KeyUnusable."""
        self._still_good(now)
        builder = end_certificate(self.certificate, facts.device, public_key(jwk), now, now + DEVICE_VALIDITY)
        builder = builder.add_extension(x509.ExtendedKeyUsage([EVENT_SIGNING]), critical=True)
        builder = builder.add_extension(x509.UnrecognizedExtension(FACTS, facts_der(facts)), critical=False)
        return self._signed(builder, Purpose.DEVICE, facts.device, jwk)

    def certify_tls(self, device: str, jwk: PublicJwk, now: datetime) -> Certificate:
        """A TLS client certificate for a key of the desk's sync process. Raises as `certify_device`."""
        self._still_good(now)
        builder = end_certificate(self.certificate, device, public_key(jwk), now, now + TLS_VALIDITY)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        return self._signed(builder, Purpose.TLS, device, jwk)

    def _signed(self, builder: x509.CertificateBuilder, purpose: Purpose, device: str, jwk: PublicJwk) -> Certificate:
        certificate = builder.sign(self.key, hashes.SHA256())
        return Certificate(
            fingerprint=fingerprint(certificate),
            device=device,
            purpose=purpose,
            key_id=jwk.thumbprint,
            begins=certificate.not_valid_before_utc,
            ends=certificate.not_valid_after_utc,
            pem=certificate_pem(certificate).decode("ascii"),
        )

    def _still_good(self, now: datetime) -> None:
        if now >= self.certificate.not_valid_after_utc:
            raise KeyUnusable("the fund's device authority has ended; desks need a new one")


def read_csr(pem: str) -> PublicJwk:
    """The key of a certificate request (PKCS #10, RFC 2986) whose sender proves to hold it. Raises EnvelopeInvalid.

    The names in it count for nothing: the fund knows who asks.
    """
    content = pem.encode("utf-8")
    if len(content) > MAX_CSR:
        raise EnvelopeInvalid(f"a certificate request of {len(content)} bytes is longer than {MAX_CSR}")
    try:
        request = x509.load_pem_x509_csr(content)
        key, proven = request.public_key(), request.is_signature_valid
    except UNREADABLE as error:
        raise EnvelopeInvalid("not a certificate request in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or not proven:
        raise EnvelopeInvalid("a certificate request is for a P-256 key and signed with it")
    return jwk_of(key)


def read_roots(folder: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of TPM makers that this fund believes, from the PEM files of a folder; none without it.

    Raises FundIncomplete.
    """
    roots: list[x509.Certificate] = []
    for file in sorted(folder.glob("*.pem")):
        try:
            roots += x509.load_pem_x509_certificates(file.read_bytes())
        except (OSError, ValueError) as error:
            raise FundIncomplete(f"{file.name} in {folder.name} is not a certificate in PEM") from error
    return tuple(roots)
