"""Sealing bytes to a P-256 key: HPKE (RFC 9180), single shot, base mode.

Who holds the key, and who signed what is sealed, is left to the callers: base mode proves no sender. The suite is
DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (0x0010, 0x0001, 0x0002); what is sealed begins with the 65 bytes of
the encapsulated key.
"""

import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from sync.errors import SealInvalid
from sync.p256_file import create_p256, load_p256
from sync.signing import PublicJwk, jwk_of, public_key

_SUITE: Final = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE: Final = 12


def seal(jwk: PublicJwk, content: bytes, context: bytes) -> bytes:
    """Seal to the holder of this key. context: what it is for; opening under another fails. 81 bytes longer.

    Raises EnvelopeInvalid: not a P-256 key.
    """
    return _SUITE.encrypt(content, public_key(jwk), info=context)


def lock(key: bytes, content: bytes, context: bytes) -> bytes:
    """Lock under a secret key of 32 bytes that is used once: AES-256-GCM, the 12 bytes of the nonce first."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, context)


def unlock(key: bytes, locked: bytes, context: bytes) -> bytes:
    """What was locked. Raises SealInvalid: altered, cut, or under another key or context."""
    try:
        return AESGCM(key).decrypt(locked[:_NONCE], locked[_NONCE:], context)
    except (InvalidTag, ValueError) as error:
        raise SealInvalid("what was locked does not open with this key") from error


class SealedBox:
    """The private key that opens what was sealed to it; a PKCS #8 PEM file of mode 0600."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Hold a P-256 key; use `create` or `load`."""
        self._key = key
        self.public_jwk = jwk_of(key.public_key())

    @classmethod
    def create(cls, path: Path) -> "SealedBox":
        """Make a new key and its file. Raises KeyUnusable when the file exists or cannot be written."""
        return cls(create_p256(path))

    @classmethod
    def load(cls, path: Path) -> "SealedBox":
        """Read a key file. Raises KeyUnusable: missing, open to others, or not a P-256 key."""
        return cls(load_p256(path))

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What was sealed for this context. Raises SealInvalid: altered, cut, for another key or another context."""
        try:
            return _SUITE.decrypt(sealed, self._key, info=context)
        except (InvalidTag, ValueError) as error:
            raise SealInvalid("what was sealed does not open with this key") from error
