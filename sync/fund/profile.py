"""The profile of this fund's certificates (RFC 5280): what each of them says, and the authorities that sign them.

Which certificate is issued to whom is left to `keys` (the gateway's own) and `ca` (the desks').
"""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.errors import FundIncomplete, KeyUnusable
from sync.keyfile import read_secret

CA_VALIDITY = timedelta(days=3650)
"""Ten years: an authority is pinned at each desk, and replacing it means visiting all of them."""

MAX_PEM = 16 * 1024
"""Far above any key or certificate made here."""

CLOCK_SKEW = timedelta(days=1)
"""Certificates begin a day early, so that a desk with a slow clock can use them at once."""


def make_authority(key: ec.EllipticCurvePrivateKey, common_name: str, now: datetime) -> x509.Certificate:
    """A self-signed authority that issues end certificates and no authorities below it (section 4.2.1)."""
    name = common(common_name)
    builder = certificate(name, name, key.public_key(), now, now + CA_VALIDITY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
    )
    return builder.sign(key, hashes.SHA256())


def end_certificate(
    authority: x509.Certificate, subject: str, public: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    """A certificate of the authority for a key that signs and certifies nothing; it never outlives the authority."""
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        certificate(authority.subject, common(subject), public, begin, min(end, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )


def certificate(
    issuer: x509.Name, subject: x509.Name, public: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    """What all certificates have in common, subject key identifier included (OpenSSL's strict check asks for it)."""
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def load_authority(certificate_file: Path, key_file: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """An authority with its key. Raises FundIncomplete, KeyUnusable."""
    try:
        authority = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(read_secret(key_file, MAX_PEM), None)
    except (OSError, ValueError, TypeError) as error:
        raise FundIncomplete(f"{certificate_file.name} or its key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
        raise KeyUnusable(f"{key_file.name} does not belong to {certificate_file.name}")
    return authority, key


def common(name: str) -> x509.Name:
    """A subject of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _usage(*, authority: bool) -> x509.KeyUsage:
    """An authority signs certificates; everybody else's elliptic key makes signatures only."""
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
