"""Signed notes with Ed25519 keys (C2SP signed-note, tlog-cosignature): reading, signing, cosigning, verifying.

What the text of a note says is left to `log_checkpoint`. The verifying key always comes from the caller's
configuration; signatures by other keys are ignored, as the specification demands.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.errors import EnvelopeInvalid, KeyUnusable, SignatureInvalid
from sync.keyfile import KEY_BYTES, load_key, write_secret

MAX_NOTE: Final = 8 * 1024
"""Characters of a note; one with 16 signatures takes about 3,000."""

MAX_SIGNATURES: Final = 16
"""What every verifier must accept (C2SP signed-note)."""

NAME: Final = re.compile(r"[A-Za-z0-9._/-]{1,100}")
"""Names of logs and witnesses here: addresses without a scheme, which C2SP recommends."""

_DASH: Final = "\u2014"
_ID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 64
_TIME_BYTES: Final = 8


class KeyKind(IntEnum):
    """The signature type in key ids (C2SP signed-note)."""

    LOG = 1
    """Ed25519 over the text."""
    WITNESS = 4
    """Ed25519 over time and text: a cosignature."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key with its name, as notes know it."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes in front of each of its signatures."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as one line of text: name, id and key."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, vkey: str, kind: KeyKind) -> "NoteKey":
        """Read a verifier key of this kind. Raises EnvelopeInvalid."""
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not NAME.fullmatch(parts[0]):
            raise EnvelopeInvalid("not a verifier key: name+id+key")
        content = decode64(parts[2])
        if len(content) != 1 + KEY_BYTES or content[0] != kind:
            raise EnvelopeInvalid(f"not an Ed25519 key of a {kind.name.lower()}")
        key = cls(parts[0], kind, content[1:])
        if key.key_id.hex() != parts[1]:
            raise EnvelopeInvalid("the id of a verifier key is not its own")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. line: as it stands in the note, with its end."""

    name: str
    key_id: bytes
    signature: bytes
    line: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart; nothing is verified. text: with its final newline."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, content: str) -> "Note":
        """Take a note apart. Raises EnvelopeInvalid."""
        if len(content) > MAX_NOTE:
            raise EnvelopeInvalid(f"a note of {len(content)} characters is longer than {MAX_NOTE}")
        text, blank, signatures = content.rpartition("\n\n")
        if not text or not blank or any(c < " " and c != "\n" for c in content):
            raise EnvelopeInvalid("not a signed note")
        return cls(f"{text}\n", read_signatures(signatures))

    def signed_by(self, key: NoteKey) -> int | None:
        """The time of this key's signature in seconds since the epoch (0 for a log's); None when there is none.

        Raises SignatureInvalid when there is one that does not verify.
        """
        for found in self.signatures:
            if (found.name, found.key_id) == (key.name, key.key_id):
                return _verify(key, self.text, found.signature)
        return None

    def serialise(self) -> str:
        """The note as text."""
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"


class NoteSigner:
    """A private Ed25519 key with its name; a log's or a witness's, never both: cosignatures do not name the key."""

    def __init__(self, name: str, kind: KeyKind, secret: bytes) -> None:
        """Hold the 32 secret bytes."""
        if not NAME.fullmatch(name):
            raise EnvelopeInvalid("the name of a log or witness has 1 to 100 of A-Z a-z 0-9 . _ / -")
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = NoteKey(name, kind, self._key.public_key().public_bytes_raw())

    @classmethod
    def create(cls, path: Path, name: str, kind: KeyKind) -> "NoteSigner":
        """Make a new key and its file. Raises KeyUnusable, EnvelopeInvalid (the name)."""
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        signer = cls(name, kind, secret)
        write_secret(path, secret)
        return signer

    @classmethod
    def load(cls, path: Path, public: NoteKey) -> "NoteSigner":
        """Read the key file of a known public key. Raises KeyUnusable."""
        signer = cls(public.name, public.kind, load_key(path))
        if signer.public != public:
            raise KeyUnusable(f"{path.name} is not the key of {public.name}")
        return signer

    def sign(self, text: str, time: int = 0) -> NoteSignature:
        """Sign a text that ends with a newline. time: seconds since the epoch, of a witness's cosignature."""
        signature = self._key.sign(_signed(self.public.kind, text, time))
        if self.public.kind is KeyKind.WITNESS:
            signature = time.to_bytes(_TIME_BYTES, "big") + signature
        content = encode64(self.public.key_id + signature)
        line = f"{_DASH} {self.public.name} {content}\n"
        return NoteSignature(self.public.name, self.public.key_id, signature, line)


def read_signatures(lines: str) -> tuple[NoteSignature, ...]:
    """Read signature lines, 1 to 16. Raises EnvelopeInvalid."""
    if not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
        raise EnvelopeInvalid(f"a note has 1 to {MAX_SIGNATURES} signatures, each a line")
    return tuple(_read_line(line) for line in lines[:-1].split("\n"))


def encode64(content: bytes) -> str:
    """Standard base64 (RFC 4648, section 4)."""
    return base64.b64encode(content).decode("ascii")


def decode64(text: str) -> bytes:
    """Decode canonical standard base64. Raises EnvelopeInvalid."""
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise EnvelopeInvalid("not base64") from error
    if encode64(content) != text:
        raise EnvelopeInvalid("not canonical base64")
    return content


def _read_line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not parts[1]:
        raise EnvelopeInvalid("not a signature line of a note")
    content = decode64(parts[2])
    if len(content) <= _ID_BYTES:
        raise EnvelopeInvalid("a signature of a note is too short")
    return NoteSignature(parts[1], content[:_ID_BYTES], content[_ID_BYTES:], f"{line}\n")


def _verify(key: NoteKey, text: str, signature: bytes) -> int:
    time, length = 0, _SIGNATURE_BYTES
    if key.kind is KeyKind.WITNESS:
        time, length = int.from_bytes(signature[:_TIME_BYTES], "big"), _TIME_BYTES + _SIGNATURE_BYTES
    if len(signature) != length or time >> 63:
        raise SignatureInvalid(f"a signature of {key.name} has not the right form")
    try:
        verifier = Ed25519PublicKey.from_public_bytes(key.public)
        verifier.verify(signature[-_SIGNATURE_BYTES:], _signed(key.kind, text, time))
    except (InvalidSignature, ValueError) as error:
        raise SignatureInvalid(f"the signature of {key.name} does not verify") from error
    return time


def _signed(kind: KeyKind, text: str, time: int) -> bytes:
    """What is signed: the text, or time and text (C2SP tlog-cosignature)."""
    return (text if kind is KeyKind.LOG else f"cosignature/v1\ntime {time}\n{text}").encode()
