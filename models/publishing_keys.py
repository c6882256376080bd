"""The keys of a model repository: P-256, in files under a passphrase for trials, or held by a token.

Which key may sign what belongs to `repository`. How a token signs is the caller's; here it is something that signs.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, Key, SecretsHandler, Signature, Signer, SSlibKey

from models.errors import SigningKeyUnusable

_MAX_PEM: Final = 4096
MIN_PASSPHRASE: Final = 12
"""Characters. PKCS #8 stretches a passphrase only a little, so a short one would be guessed from a stolen file."""


def make_key_file(path: Path, passphrase: str) -> SSlibKey:
    """Make a key, its file (PKCS #8 PEM under the passphrase, mode 0600) and beside it the public one, `.pub`.

    Raises SigningKeyUnusable: a short passphrase, a file of this name, a folder that cannot be written.
    """
    if len(passphrase) < MIN_PASSPHRASE:
        raise SigningKeyUnusable(f"a passphrase has at least {MIN_PASSPHRASE} characters")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SigningKeyUnusable(f"{path.name} cannot be made: {error.strerror}") from error
    public = SSlibKey.from_crypto(key.public_key())
    write_public(path.with_suffix(".pub"), public)
    return public


def open_key_file(path: Path, passphrase: str) -> Signer:
    """The signer of a key file. Raises SigningKeyUnusable."""
    try:
        key = load_pem_private_key(_read(path), passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningKeyUnusable(f"{path.name} does not open with this passphrase, or is no key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyUnusable(f"{path.name} is no P-256 key")
    return CryptoSigner(key)


def write_public(path: Path, key: SSlibKey) -> None:
    """Write a public key as PEM. Raises SigningKeyUnusable."""
    try:
        path.write_text(str(key.keyval["public"]), encoding="ascii")
    except OSError as error:
        raise SigningKeyUnusable(f"{path.name} cannot be made: {error.strerror}") from error


def read_public(path: Path) -> SSlibKey:
    """Read a public key. Raises SigningKeyUnusable."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SigningKeyUnusable(f"{path.name} is no public key in PEM") from error
    return _p256(key, path.name)


def public_of_point(point: bytes) -> SSlibKey:
    """The public key of an uncompressed point (SEC 1, 2.3.3; 65 bytes). Raises SigningKeyUnusable."""
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise SigningKeyUnusable("what the token calls its public key is no point of P-256") from error
    return SSlibKey.from_crypto(key)


def point_of(key: SSlibKey) -> bytes:
    """The uncompressed point of a public key (SEC 1, 2.3.3; 65 bytes)."""
    loaded = load_pem_public_key(str(key.keyval["public"]).encode())
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise SigningKeyUnusable("the key is no P-256 key")
    return loaded.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _p256(key: object, name: str) -> SSlibKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyUnusable(f"{name} is no P-256 key")
    return SSlibKey.from_crypto(key)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_PEM + 1)
    except OSError as error:
        raise SigningKeyUnusable(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > _MAX_PEM:
        raise SigningKeyUnusable(f"{path.name} is no key: longer than {_MAX_PEM} bytes")
    return data


class HeldSigner(Signer):
    """Signs with a key that never leaves its holder: a PKCS#11 token."""

    def __init__(self, key: SSlibKey, sign: Callable[[bytes], bytes]) -> None:
        """sign: ECDSA over the SHA-256 of these bytes: r || s, 64 bytes."""
        self._key = key
        self._sign = sign

    @property
    def public_key(self) -> Key:
        """The key that its signatures verify with."""
        return self._key

    def sign(self, payload: bytes) -> Signature:
        """Sign; raises what the holder raises."""
        raw = self._sign(payload)
        r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
        return Signature(self._key.keyid, encode_dss_signature(r, s).hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> "HeldSigner":
        """Not offered: a token is named in our own words."""
        raise NotImplementedError("a held key is opened by its holder")
