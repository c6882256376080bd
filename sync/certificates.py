"""What the certificates of a desk say, and whether the fund's device authority said it.

Issuing them is left to `fund.ca`, the private keys to `device_key` and `tls_key`. A device certificate stands for the
key that signs events: its subject is the device, and a private extension tells clinic, desk, the class of the key
and whether that class was proven. A TLS certificate stands for the key that the sync process shows to the gateway.
Neither can take the other's place: each names its purpose. PROTOCOL.md section 6 describes both.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sync.errors import CertificateInvalid
from sync.signing import PublicJwk, jwk_of
from sync.unreadable import UNREADABLE

_ARC: Final = "2.25.169196777295095487759056670454071307537"
"""Ours without asking anybody: made from a UUID (ITU-T X.667), 7f4a1d2e-5c1b-4a5e-9d8e-3b1c6f0a2d11."""

FACTS: Final = x509.ObjectIdentifier(f"{_ARC}.1")
"""The extension with the facts about a device."""

EVENT_SIGNING: Final = x509.ObjectIdentifier(f"{_ARC}.2")
"""The extended key usage of a device certificate: signing events, and nothing in TLS."""

MAX_CERTIFICATE: Final = 16 * 1024
"""Bytes of a certificate in PEM; ours take about 1,000."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """Who a desk is, as the fund certifies it.

    key_class: "file", "pkcs11" or "tpm2". attested: "proven" when the fund checked evidence of the class, "claimed"
    when it has only the desk's word.
    """

    device: str
    clinic: str
    desk: str
    key_class: str
    attested: str


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """A device certificate that the authority issued; good from begins to ends. fingerprint: SHA-256 of DER, hex."""

    facts: DeviceFacts
    public_jwk: PublicJwk
    fingerprint: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class TlsCertificate:
    """A TLS client certificate that the authority issued; members as of a device certificate."""

    device: str
    public_jwk: PublicJwk
    fingerprint: str
    begins: datetime
    ends: datetime


@asn1.sequence
class _Facts:
    """FactsV1 ::= SEQUENCE { version INTEGER, clinic, desk, keyClass, attested UTF8String }."""

    version: int
    clinic: str
    desk: str
    key_class: str
    attested: str


def facts_der(facts: DeviceFacts) -> bytes:
    """The value of the extension."""
    return asn1.encode_der(
        _Facts(version=1, clinic=facts.clinic, desk=facts.desk, key_class=facts.key_class, attested=facts.attested)
    )


def read_device_certificate(pem: bytes, authority_pem: bytes) -> DeviceCertificate:
    """Read a device certificate that this authority issued; whether it has ended is the caller's question.

    Raises CertificateInvalid.
    """
    certificate, jwk = _issued(pem, authority_pem, EVENT_SIGNING)
    try:
        value = certificate.extensions.get_extension_for_oid(FACTS).value
        if not isinstance(value, x509.UnrecognizedExtension):
            raise CertificateInvalid("the facts about the device are missing")
        told = asn1.decode_der(_Facts, value.value)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise CertificateInvalid("the facts about the device are missing or malformed") from error
    if told.version != 1:
        raise CertificateInvalid("the facts about the device are of an unknown version")
    facts = DeviceFacts(_subject(certificate), told.clinic, told.desk, told.key_class, told.attested)
    return DeviceCertificate(
        facts, jwk, fingerprint(certificate), certificate.not_valid_before_utc, certificate.not_valid_after_utc
    )


def read_tls_certificate(pem: bytes, authority_pem: bytes) -> TlsCertificate:
    """Read a TLS client certificate that this authority issued. Raises CertificateInvalid."""
    certificate, jwk = _issued(pem, authority_pem, ExtendedKeyUsageOID.CLIENT_AUTH)
    return TlsCertificate(
        _subject(certificate),
        jwk,
        fingerprint(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, hex: how the registry and the connection name a certificate."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _issued(pem: bytes, authority_pem: bytes, purpose: x509.ObjectIdentifier) -> tuple[x509.Certificate, PublicJwk]:
    """The one certificate of a PEM, checked: issuer, signature, purpose, kind of key. Raises CertificateInvalid."""
    if len(pem) > MAX_CERTIFICATE:
        raise CertificateInvalid(f"a certificate of {len(pem)} bytes is longer than {MAX_CERTIFICATE}")
    try:
        (certificate,) = x509.load_pem_x509_certificates(pem)
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem))
        purposes = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        key = certificate.public_key()
    except UNREADABLE as error:
        raise CertificateInvalid("not a certificate of the fund's device authority") from error
    if purposes != [purpose]:
        raise CertificateInvalid("the certificate is for another purpose")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateInvalid("the certificate is not for a P-256 key")
    return certificate, jwk_of(key)


def _subject(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        raise CertificateInvalid("the subject is not one common name")
    return str(names[0].value)
