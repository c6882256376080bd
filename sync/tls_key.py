"""The desk's TLS key: made in a file, requested for, put into use with its certificate, renewed in time.

The certificate is read by `certificates`, the connection made by `transport`. The key belongs to the sync process and
is software on purpose (decision 0018): it delivers what the device key has signed, and signs no event.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sync.certificates import TlsCertificate, read_tls_certificate
from sync.durable import replace_file
from sync.errors import CertificateInvalid, DiskFailing
from sync.keyfile import read_secret
from sync.p256_file import create_p256, key_pem, load_p256
from sync.signing import PublicJwk, jwk_of

RENEW_BEFORE: Final = timedelta(days=30)
"""A third of the certificate's life: a desk may be without network for a month and still renew by itself."""

_MAX_PEM: Final = 32 * 1024


def tls_request(key_file: Path, device: str) -> str:
    """A certificate request (PEM) for the key in this file, which is made when it is not there. Raises KeyUnusable."""
    key = load_p256(key_file) if key_file.exists() else create_p256(key_file)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode("ascii")


def tls_key_of(file: Path) -> PublicJwk | None:
    """The public half of the key in a file; None when there is no file. Raises KeyUnusable."""
    return jwk_of(load_p256(file).public_key()) if file.exists() else None


def put_into_use(key_file: Path, certificate_pem: bytes, in_use: Path) -> None:
    """Put a key and its certificate into `in_use` at once, in place of the older ones; the key's file goes.

    May be repeated after a cut. Which certificate it is, the caller has checked. Raises KeyUnusable, DiskFailing.
    """
    if not key_file.exists():
        return
    try:
        replace_file(in_use, key_pem(load_p256(key_file)) + certificate_pem)
        key_file.unlink()
    except OSError as error:
        raise DiskFailing(f"{in_use.name} cannot be written: {error.strerror}") from error


def tls_certificate_in(in_use: Path, authority_pem: bytes) -> TlsCertificate:
    """The certificate that the desk shows. Raises KeyUnusable, CertificateInvalid."""
    content = read_secret(in_use, _MAX_PEM)
    start = content.find(b"-----BEGIN CERTIFICATE-----")
    if start < 0:
        raise CertificateInvalid(f"{in_use.name} holds no certificate")
    return read_tls_certificate(content[start:], authority_pem)


def due(certificate: TlsCertificate, now: datetime) -> bool:
    """Whether it is time to renew."""
    return now >= certificate.ends - RENEW_BEFORE
