"""Structures of a TPM 2.0 as bytes (TPM 2.0 Library, Part 2): strictly read, and named as the TPM names them.

Only what a desk's evidence holds is known here: a P-256 signing key, an RSA or P-256 public area, a certified key, a
certified counter, an ECDSA signature, all with SHA-256. What they prove is left to `attestation`.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from sync.errors import AttestationInvalid

MAX_STRUCTURE: Final = 2048
"""Bytes of any one structure; an RSA-2048 public area takes about 320."""

_GENERATED: Final = 0xFF544347
"""TPM_GENERATED: a restricted key signs nothing that begins so unless the TPM itself made it (Part 2, section 6.2)."""

_COUNTER_BYTES: Final = 8


class Algorithm(IntEnum):
    """TPM_ALG_ID (Part 2, section 6.3)."""

    RSA = 0x0001
    AES = 0x0006
    SHA256 = 0x000B
    NULL = 0x0010
    ECDSA = 0x0018
    ECC = 0x0023
    CFB = 0x0043


class Attribute(IntFlag):
    """TPMA_OBJECT (Part 2, section 8.3)."""

    FIXED_TPM = 1 << 1
    ST_CLEAR = 1 << 2
    FIXED_PARENT = 1 << 4
    SENSITIVE_DATA_ORIGIN = 1 << 5
    USER_WITH_AUTH = 1 << 6
    ADMIN_WITH_POLICY = 1 << 7
    NO_DA = 1 << 10
    ENCRYPTED_DUPLICATION = 1 << 11
    RESTRICTED = 1 << 16
    DECRYPT = 1 << 17
    SIGN = 1 << 18
    X509_SIGN = 1 << 19


@dataclass(frozen=True, slots=True)
class EccPoint:
    """A point of P-256, 32 bytes each, big-endian. scheme: NULL or ECDSA with SHA-256."""

    x: bytes
    y: bytes
    scheme: Algorithm


@dataclass(frozen=True, slots=True)
class RsaModulus:
    """An RSA key for storage with AES-128 in CFB mode below it."""

    modulus: bytes
    exponent: int


@dataclass(frozen=True, slots=True)
class PublicArea:
    """TPMT_PUBLIC (Part 2, section 12.2.4). name: what the TPM calls the object, a digest over all of it."""

    attributes: int
    policy: bytes
    key: EccPoint | RsaModulus
    name: bytes

    def has(self, attributes: Attribute) -> bool:
        """Whether all of these attributes are set."""
        return self.attributes & attributes == attributes

    def has_any(self, attributes: Attribute) -> bool:
        """Whether any of these attributes is set."""
        return self.attributes & attributes != 0


@dataclass(frozen=True, slots=True)
class Clock:
    """TPMS_CLOCK_INFO and the firmware (Part 2, section 10.11).

    milliseconds: that the TPM had power, in all its life. resets, restarts: of the machine. safe: false when the clock
    may have been higher already.
    """

    milliseconds: int
    resets: int
    restarts: int
    safe: bool
    firmware: int


class Statement(IntEnum):
    """TPMI_ST_ATTEST (Part 2, section 6.9): what a TPM certified."""

    CREATED_OR_LOADED_KEY = 0x8017
    NV = 0x8014


@dataclass(frozen=True, slots=True)
class Attest:
    """TPMS_ATTEST (Part 2, section 10.12.8). name: of the key or NV index. contents: of the index; empty for a key."""

    statement: Statement
    signer: bytes
    extra: bytes
    clock: Clock
    name: bytes
    contents: bytes


@dataclass(frozen=True, slots=True)
class NvCounter:
    """TPMS_NV_PUBLIC (Part 2, section 13.5) of a counter that has counted."""

    index: int
    name: bytes


class _Reader:
    """Reads big-endian fields one after the other; each raises AttestationInvalid at the end of the bytes."""

    def __init__(self, content: bytes) -> None:
        if len(content) > MAX_STRUCTURE:
            raise AttestationInvalid(f"a TPM structure of {len(content)} bytes is longer than {MAX_STRUCTURE}")
        self._content = content
        self._place = 0

    def take(self, length: int) -> bytes:
        """So many bytes."""
        part = self._content[self._place : self._place + length]
        if len(part) < length:
            raise AttestationInvalid("a TPM structure is cut off")
        self._place += length
        return part

    def number(self, length: int) -> int:
        """An unsigned integer."""
        return int.from_bytes(self.take(length), "big")

    def sized(self) -> bytes:
        """A TPM2B: 16 bits of length, then that many bytes."""
        return self.take(self.number(2))

    def expect(self, *allowed: int) -> int:
        """A 16-bit constant that is one of these."""
        value = self.number(2)
        if value not in allowed:
            raise AttestationInvalid(f"a TPM structure holds 0x{value:04x} where it is not allowed")
        return value

    def end(self) -> None:
        """Nothing follows."""
        if self._place != len(self._content):
            raise AttestationInvalid("bytes follow a TPM structure")


def read_public(content: bytes) -> PublicArea:
    """Read a TPMT_PUBLIC. Raises AttestationInvalid."""
    reader = _Reader(content)
    kind = reader.expect(Algorithm.RSA, Algorithm.ECC)
    reader.expect(Algorithm.SHA256)
    attributes, policy = reader.number(4), reader.sized()
    key = _rsa(reader) if kind == Algorithm.RSA else _ecc(reader)
    reader.end()
    return PublicArea(attributes, policy, key, named(content))


def _rsa(reader: _Reader) -> RsaModulus:
    for constant in (Algorithm.AES, 128, Algorithm.CFB, Algorithm.NULL, 2048):
        reader.expect(constant)  # symmetric cipher, its bits and mode; no scheme; bits of the key
    exponent = reader.number(4) or 65537  # 0 stands for it (Part 2, section 12.2.3.5)
    modulus = reader.sized()
    if len(modulus) != 256 or not modulus[0] & 0x80 or exponent != 65537:
        raise AttestationInvalid("not an RSA key of 2048 bits with the usual exponent")
    return RsaModulus(modulus, exponent)


def _ecc(reader: _Reader) -> EccPoint:
    reader.expect(Algorithm.NULL)  # no symmetric cipher: not a storage key
    scheme = reader.expect(Algorithm.NULL, Algorithm.ECDSA)
    if scheme == Algorithm.ECDSA:
        reader.expect(Algorithm.SHA256)
    reader.expect(0x0003)  # TPM_ECC_NIST_P256
    reader.expect(Algorithm.NULL)  # no key derivation
    return EccPoint(_padded(reader.sized()), _padded(reader.sized()), Algorithm(scheme))


def _padded(number: bytes) -> bytes:
    """Some TPMs leave leading zeros out."""
    if not 1 <= len(number) <= 32:
        raise AttestationInvalid("a number of P-256 has 1 to 32 bytes")
    return number.rjust(32, b"\0")


def read_attest(content: bytes) -> Attest:
    """Read a TPMS_ATTEST about a key or an NV index. Raises AttestationInvalid."""
    reader = _Reader(content)
    if reader.number(4) != _GENERATED:
        raise AttestationInvalid("the statement was not made inside a TPM")
    statement = Statement(reader.expect(*Statement))
    signer, extra = reader.sized(), reader.sized()
    milliseconds, resets, restarts = reader.number(8), reader.number(4), reader.number(4)
    safe = reader.number(1)
    if safe > 1:
        raise AttestationInvalid("a yes or no of a TPM is neither")
    clock = Clock(milliseconds, resets, restarts, bool(safe), reader.number(8))
    name = reader.sized()
    if statement is Statement.NV:
        offset, contents = reader.number(2), reader.sized()
        if offset:
            raise AttestationInvalid("an NV index was certified in part")
    else:
        reader.sized()  # the qualified name: where the key hangs, not what it is
        contents = b""
    reader.end()
    return Attest(statement, signer, extra, clock, name, contents)


def read_signature(content: bytes) -> tuple[int, int]:
    """Read a TPMT_SIGNATURE: r and s of ECDSA with SHA-256. Raises AttestationInvalid."""
    reader = _Reader(content)
    reader.expect(Algorithm.ECDSA)
    reader.expect(Algorithm.SHA256)
    r, s = (int.from_bytes(_padded(reader.sized()), "big") for _ in range(2))
    reader.end()
    return r, s


def read_nv_counter(content: bytes) -> NvCounter:
    """Read the TPMS_NV_PUBLIC of a counter. Raises AttestationInvalid, also for memory of another kind."""
    reader = _Reader(content)
    index = reader.number(4)
    reader.expect(Algorithm.SHA256)
    attributes = reader.number(4)
    reader.sized()  # the policy
    size = reader.number(2)
    reader.end()
    kind, written = attributes >> 4 & 0xF, attributes >> 29 & 1  # TPM_NT, TPMA_NV_WRITTEN (Part 2, section 13.4)
    if kind != 1 or not written or size != _COUNTER_BYTES:
        raise AttestationInvalid("the NV index is not a counter")
    return NvCounter(index, named(content))


def named(content: bytes) -> bytes:
    """The name of an object or NV index: algorithm and digest of its public area (Part 1, section 16)."""
    return Algorithm.SHA256.to_bytes(2, "big") + hashlib.sha256(content).digest()


def sized(content: bytes) -> bytes:
    """As a TPM2B."""
    return len(content).to_bytes(2, "big") + content
