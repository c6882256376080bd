"""Sealing of templates and profiles, and pseudonyms: the desk's only door to cryptography.

Where sealed bytes are kept, and when a key is destroyed, is left to the modules that own the tables.

Each person has a random data key; the template key (only in the kiosk process) wraps it by AES key wrap (RFC 3394),
which needs no nonce, so a desk may wrap any number. The data key seals with AES-256-GCM under a fresh 96-bit nonce;
person, kind, pack and device are authenticated with every blob, so one that was moved to another person, pack or
desk does not open. Destroying the wrapped data key makes all of a person's blobs and hashes unreadable for good.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from appliance.core.errors import TemplateDamaged
from appliance.core.iin import Iin
from appliance.core.types import PackDigest, PersonId, Sensitive

KEY_BYTES = 32
"""AES-256, for the template key and the data keys alike."""

_NONCE_BYTES = 12  # NIST SP 800-38D section 8.2.2: random 96 bits; a data key seals a handful of blobs
_FORMAT = b"\x01"
_SEAL_LABEL = b"keldim sealed v1"
_HASH_LABEL = b"keldim template hash v1"
_CHECK_LABEL = b"keldim template key check v1"
_CODE_LABEL = b"keldim visit code v1"


class SealedKind(StrEnum):
    """What a sealed blob holds; authenticated with it."""

    PROFILE = "profile"
    FACE = "face"
    STAFF_PROFILE = "staff_profile"
    STAFF_FACE = "staff_face"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DataKey(Sensitive):
    """The key that seals everything of one person. secret: 32 bytes."""

    person: PersonId
    secret: bytes


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Vault(Sensitive):
    """Seals and opens under the template key of one desk. template_key: 32 bytes. device: bound into every blob."""

    template_key: bytes
    device: str

    def __post_init__(self) -> None:
        """Raise ValueError for a key of another length."""
        if len(self.template_key) != KEY_BYTES:
            raise ValueError(f"a template key has {KEY_BYTES} bytes")

    @property
    def key_check(self) -> str:
        """A value (hex) that tells whether two vaults hold the same template key, and nothing else about it."""
        return hmac.digest(self.template_key, _CHECK_LABEL, "sha256").hex()

    def new_key(self, person: PersonId) -> tuple[DataKey, bytes]:
        """Make a person's data key; also gives it wrapped (40 bytes), the only form to be kept."""
        secret = secrets.token_bytes(KEY_BYTES)
        key = DataKey(person, secret)
        return key, self.wrap(key)

    def wrap(self, key: DataKey) -> bytes:
        """A data key in the form to be kept, 40 bytes."""
        return aes_key_wrap(self.template_key, key.secret)

    def unwrap(self, person: PersonId, wrapped: bytes) -> DataKey:
        """Open a person's wrapped data key. Raises TemplateDamaged."""
        try:
            return DataKey(person, aes_key_unwrap(self.template_key, wrapped))
        except InvalidUnwrap as error:
            raise TemplateDamaged(f"the data key of person {person} does not open") from error

    def seal(self, key: DataKey, kind: SealedKind, pack: PackDigest | None, plain: bytes) -> bytes:
        """Seal bytes of a person. pack: of a template; None for what depends on no pack."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key.secret).encrypt(nonce, plain, self._bound(key.person, kind, pack))
        return _FORMAT + nonce + sealed

    def open(self, key: DataKey, kind: SealedKind, pack: PackDigest | None, sealed: bytes) -> bytes:
        """Open what `seal` gave for the same person, kind, pack and device. Raises TemplateDamaged."""
        if sealed[:1] != _FORMAT:
            raise TemplateDamaged(f"a sealed {kind} of person {key.person} has an unknown format")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(key.secret).decrypt(nonce, body, self._bound(key.person, kind, pack))
        except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
            raise TemplateDamaged(f"a sealed {kind} of person {key.person} does not open") from error

    def _bound(self, person: PersonId, kind: SealedKind, pack: PackDigest | None) -> bytes:
        """The additional authenticated data; lengths in front, so that no two contexts give the same bytes."""
        parts = (part.encode() for part in (person, kind, pack or "", self.device))
        return _SEAL_LABEL + b"".join(len(part).to_bytes(2) + part for part in parts)


def template_hash(key: DataKey, plain: bytes) -> str:
    """The name (hex) under which an event mentions a template: HMAC-SHA-256 under a key derived from the data key.

    A plain hash would let whoever stole a template find its owner's visits in the fund's events; this one tells
    nothing without the data key, and nothing to anybody after that key is destroyed.
    """
    derived = hmac.digest(key.secret, _HASH_LABEL, "sha256")
    return hmac.digest(derived, plain, "sha256").hex()


def pseudonym(iin: Iin, key: bytes) -> str:
    """How events and tables name a patient: HMAC-SHA-256 (hex) of the IIN under the key the fund gave to the desks.

    Raises ValueError for a key that is not 32 bytes long.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a pseudonym key has {KEY_BYTES} bytes")
    return hmac.digest(key, iin.digits.encode("ascii"), "sha256").hex()


def code_hash(code: str, patient: str, day: date, key: bytes) -> str:
    """How the code of a visit is kept: HMAC-SHA-256 (hex) under the pseudonym key, bound to patient and day.

    The label keeps it apart from pseudonyms, which are made of twelve digits under the same key.
    """
    parts = (part.encode() for part in (patient, day.isoformat(), code))
    return hmac.digest(key, _CODE_LABEL + b"".join(len(part).to_bytes(2) + part for part in parts), "sha256").hex()
