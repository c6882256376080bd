"""JWS compact serialisation (RFC 7515), ES256 only: three strict base64url parts, one fixed header.

Signatures are verified in `signing`; what a payload means is left to `envelope` and `protocol`.
The header is exactly alg, kid and typ. Anything else (`jwk`, `x5c`, `crit`, `b64`) has no use here and
a history of attacks, so it is refused.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sync.errors import EnvelopeInvalid
from sync.strict_json import Members, dump

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_HEADER: Final = 256
"""Characters; ours have about 130. Bounds the memory that remembered ones take, and the time to read hostile ones."""

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_STANDARD: Final = bytes.maketrans(b"-_+/", b"+/!!")
"""From base64url to the alphabet that Python decodes; what is only in the latter becomes invalid."""

_PADDING: Final = (b"", b"!", b"==", b"=")
_LAST: Final = (_ALPHABET, "", _ALPHABET[::16], _ALPHABET[::4])
"""What may stand last, by the number of characters modulo 4: the bits beyond the last byte are zero."""

SIGNATURE_BYTES: Final = 64
"""r and s of a P-256 signature, 32 bytes each, big-endian (RFC 7518, section 3.4)."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart; well-formed, not verified. key_id: whose key it claims to be signed with.

    hashed: SHA-256 of the signing input, 32 bytes: what the signature signs, and the identity of what was signed.
    """

    token: str
    key_id: str
    payload: bytes
    signing_input: bytes
    hashed: bytes
    signature: bytes

    @property
    def digest(self) -> str:
        """`hashed` in hex."""
        return self.hashed.hex()


def digest_of(token: str) -> str:
    """The digest of any text offered as a token: SHA-256 over what stands before the last dot (or over all of it)."""
    head, dot, tail = token.rpartition(".")
    return hashlib.sha256((head if dot else tail).encode("utf-8", "surrogatepass")).hexdigest()


def signing_input(key_id: str, typ: str, payload: bytes) -> bytes:
    """The bytes to sign for a payload."""
    header = dump({"alg": "ES256", "kid": key_id, "typ": typ})
    return f"{encode_part(header)}.{encode_part(payload)}".encode("ascii")


def assemble(signed: bytes, signature: bytes) -> str:
    """The token of a signing input and its raw signature r || s."""
    return f"{signed.decode('ascii')}.{encode_part(signature)}"


def split(token: str, typ: str, maximum: int) -> Compact:
    """Take a token of this type apart. Raises EnvelopeInvalid unless re-encoding would give the same characters."""
    if len(token) > maximum:
        raise EnvelopeInvalid(f"a token of {len(token)} characters is longer than {maximum}")
    parts = token.split(".")
    if len(parts) != 3:
        raise EnvelopeInvalid("a token has three parts")
    header, payload, end = parts
    if len(header) > _MAX_HEADER:
        raise EnvelopeInvalid(f"a header of {len(header)} characters is longer than {_MAX_HEADER}")
    key_id = _key_id(header, typ)
    signature = decode_part(end)
    if len(signature) != SIGNATURE_BYTES:
        raise EnvelopeInvalid("the signature does not have 64 bytes")
    content = decode_part(payload)
    signed = f"{header}.{payload}".encode("ascii")
    return Compact(token, key_id, content, signed, hashlib.sha256(signed).digest(), signature)


@lru_cache(maxsize=4096)
def _key_id(text: str, typ: str) -> str:
    """The kid of a header, which is the same for all tokens of a key. Raises EnvelopeInvalid."""
    header = Members.parse(decode_part(text))
    if header.names != {"alg", "kid", "typ"}:
        raise EnvelopeInvalid("the header must hold alg, kid and typ, and nothing else")
    if header.text("alg") != "ES256" or header.text("typ") != typ:
        raise EnvelopeInvalid(f"the header is not that of an ES256 token of type {typ}")
    return header.text("kid", _KEY_ID)


def encode_part(content: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def decode_part(text: str) -> bytes:
    """Decode canonical base64url without padding. Raises EnvelopeInvalid for any other spelling of the same bytes.

    Other spellings: characters outside the alphabet, padding, and bits beyond the last byte (RFC 4648, section 3.5).
    """
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD)
        content = binascii.a2b_base64(standard + _PADDING[len(standard) % 4], strict_mode=True)
    except ValueError as error:
        raise EnvelopeInvalid("a part is not base64url") from error
    if text and text[-1] not in _LAST[len(text) % 4]:
        raise EnvelopeInvalid("a part is not canonical base64url")
    return content
