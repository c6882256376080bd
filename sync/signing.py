"""Device and fund keys: P-256 keys behind one `Signer` port, and verification under a known key.

Formats are left to `compact` and `envelope`. The verifying key always comes from the caller's registry,
never from the token. A software key is for demonstrations and tests; its class "file" is part of what
the fund registers, so it can never pass for a chip.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from sync.compact import Compact, assemble, decode_part, encode_part, signing_input, split
from sync.envelope import EVENT_TYP, MAX_TOKEN, SignedEvent, read_event
from sync.errors import EnvelopeInvalid, SignatureInvalid
from sync.p256_file import create_p256, load_p256
from sync.strict_json import Json, dump

_COORDINATE: Final = 32
_ES256_HASHED: Final = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """A P-256 public key as its two coordinates, base64url (RFC 7518, section 6.2)."""

    x: str
    y: str

    @classmethod
    def parse(cls, members: Mapping[str, Json]) -> "PublicJwk":
        """Read {"kty":"EC","crv":"P-256","x","y"}; other members are ignored. Raises EnvelopeInvalid."""
        x, y = members.get("x"), members.get("y")
        if members.get("kty") != "EC" or members.get("crv") != "P-256" or "d" in members:
            raise EnvelopeInvalid("not the public JWK of a P-256 key")
        if not isinstance(x, str) or not isinstance(y, str):
            raise EnvelopeInvalid("a JWK holds x and y")
        if len(decode_part(x)) != _COORDINATE or len(decode_part(y)) != _COORDINATE:
            raise EnvelopeInvalid("the coordinates of a P-256 key have 32 bytes")
        jwk = cls(x, y)
        public_key(jwk)
        return jwk

    def as_dict(self) -> dict[str, Json]:
        """The JWK as JSON members."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y}

    @property
    def thumbprint(self) -> str:
        """SHA-256 thumbprint (RFC 7638), base64url, 43 characters: the `kid` of what this key signs."""
        return _thumbprint(self)


class KeyClass(StrEnum):
    """Where a device key lives; the fund decides which it takes."""

    FILE = "file"
    PKCS11 = "pkcs11"
    TPM2 = "tpm2"


class Signer(Protocol):
    """A private P-256 key that signs and never leaves its holder."""

    @property
    def key_id(self) -> str:
        """Thumbprint of the public key."""

    @property
    def key_class(self) -> str:
        """Where the key lives: "file", "pkcs11" or "tpm2"."""

    @property
    def public_jwk(self) -> PublicJwk:
        """The public key."""

    def sign(self, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s, 64 bytes. Raises KeyUnusable when the key is out of reach."""


class FileSigner:
    """A software key in a PKCS #8 PEM file of mode 0600; for demonstrations and tests."""

    key_class = KeyClass.FILE

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Hold a P-256 key; use `create` or `load`."""
        self._key = key
        self.public_jwk = jwk_of(key.public_key())
        self.key_id = self.public_jwk.thumbprint

    @classmethod
    def create(cls, path: Path) -> "FileSigner":
        """Make a new key and its file. Raises KeyUnusable when the file exists or cannot be written."""
        return cls(create_p256(path))

    @classmethod
    def load(cls, path: Path) -> "FileSigner":
        """Read a key file. Raises KeyUnusable: missing, open to others, or not a P-256 key."""
        return cls(load_p256(path))

    def sign(self, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s, 64 bytes."""
        r, s = utils.decode_dss_signature(self._key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def jwk_of(key: ec.EllipticCurvePublicKey) -> PublicJwk:
    """The JWK of a P-256 key; of a key on another curve: the caller's bug."""
    numbers = key.public_numbers()
    return PublicJwk(*(encode_part(n.to_bytes(_COORDINATE, "big")) for n in (numbers.x, numbers.y)))


def sign_compact(signer: Signer, typ: str, payload: bytes) -> str:
    """Sign a payload as a token of this type. Signing twice gives two tokens: keep and resend the first."""
    signed = signing_input(signer.key_id, typ, payload)
    return assemble(signed, signer.sign(signed))


def sign_members(signer: Signer, typ: str, members: Mapping[str, Json]) -> str:
    """Sign a JSON object as a token of this type."""
    return sign_compact(signer, typ, dump(members))


def verify(jwk: PublicJwk, token: str, typ: str, maximum: int) -> Compact:
    """Verify a token of this type under this key.

    maximum: characters of the token. Raises EnvelopeInvalid when it is malformed, SignatureInvalid when it
    is signed by another key or altered.
    """
    compact = split(token, typ, maximum)
    if compact.key_id != jwk.thumbprint:
        raise SignatureInvalid("the token names another key")
    r, s = (int.from_bytes(half, "big") for half in (compact.signature[:_COORDINATE], compact.signature[_COORDINATE:]))
    try:
        public_key(jwk).verify(utils.encode_dss_signature(r, s), compact.hashed, _ES256_HASHED)
    except InvalidSignature as error:
        raise SignatureInvalid("the signature does not verify") from error
    return compact


def verify_event(jwk: PublicJwk, token: str) -> SignedEvent:
    """Verify and read an event's token under its device's key. Raises EnvelopeInvalid, SignatureInvalid."""
    return read_event(verify(jwk, token, EVENT_TYP, MAX_TOKEN))


@lru_cache(maxsize=4096)
def _thumbprint(jwk: PublicJwk) -> str:
    members = dump({"crv": "P-256", "kty": "EC", "x": jwk.x, "y": jwk.y})  # this order: RFC 7638, section 3.2
    return encode_part(hashlib.sha256(members).digest())


@lru_cache(maxsize=4096)
def public_key(jwk: PublicJwk) -> ec.EllipticCurvePublicKey:
    """The key of a JWK, to verify with or to certify. Raises EnvelopeInvalid: not a point of the curve."""
    x, y = (int.from_bytes(decode_part(part), "big") for part in (jwk.x, jwk.y))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise EnvelopeInvalid("the coordinates are not a point of P-256") from error
