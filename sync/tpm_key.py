"""A device key in a TPM 2.0: made once, loaded when first used, found again when the TPM is back, and its evidence.

The TPM's commands are left to `tpm_chip`, judging the evidence to `attestation`. Only a desk that is configured for a
TPM imports this module: it needs the profile `tpm` of the set-up. One thread at a time.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sync.attestation import Evidence, nonce_digest
from sync.compact import decode_part, encode_part
from sync.errors import AttestationInvalid, EnvelopeInvalid, KeyForeign, KeyUnusable, TokenUnreachable
from sync.home import TpmSettings
from sync.keyfile import read_secret, write_secret
from sync.signing import KeyClass, PublicJwk
from sync.strict_json import JsonObject, Members, dump
from sync.tpm_chip import Chip, Loaded, WrappedKey
from sync.tpm_structures import EccPoint, read_public

_MAX_FILE: Final = 4096
_Result = TypeVar("_Result")


class TpmConnection:
    """The way to this desk's key: opened when first used, and once again after it broke."""

    def __init__(self, settings: TpmSettings, file: Path, jwk: PublicJwk) -> None:
        """Nothing is opened yet. file: of the wrapped key. jwk: of the key that the fund knows."""
        self._settings = settings
        self._file = file
        self._jwk = jwk
        self._open: tuple[Chip, Loaded] | None = None

    def use(self, action: Callable[[Chip, Loaded], _Result]) -> _Result:
        """Do something with the key; a connection that broke since is made anew, once. Raises KeyUnusable."""
        try:
            if self._open is not None:
                return action(*self._open)
        except KeyUnusable:
            self.close()  # a restarted machine or resource manager has forgotten what was loaded
        self._open = self._opened()
        try:
            return action(*self._open)
        except KeyUnusable:
            self.close()
            raise

    def close(self) -> None:
        """Unload the key and let go of the TPM."""
        if self._open is None:
            return
        chip, loaded = self._open
        self._open = None
        try:
            if self._settings.handle is None:
                chip.flush(loaded)
        except KeyUnusable:
            pass  # nothing is loaded in a TPM that is gone
        finally:
            chip.close()

    def _opened(self) -> tuple[Chip, Loaded]:
        handle = self._settings.handle
        with contextlib.ExitStack() as stack:
            chip = Chip(self._settings.tcti, self._settings.pcrs)
            stack.callback(chip.close)
            if handle is None:
                wrapped = _read(self._file)
                self._check(wrapped.public)
                loaded = chip.load(wrapped)
            else:
                loaded, public = chip.find(handle)
                self._check(public)
            stack.pop_all()
            return chip, loaded

    def _check(self, public: bytes) -> None:
        if _jwk_of(public) != self._jwk:
            raise KeyForeign("the TPM holds another key than the one this desk is registered with")


@dataclass(frozen=True, slots=True)
class TpmSigner:
    """Signs in the TPM."""

    connection: TpmConnection
    public_jwk: PublicJwk
    key_class: KeyClass = KeyClass.TPM2

    @property
    def key_id(self) -> str:
        """Thumbprint of the public key."""
        return self.public_jwk.thumbprint

    def sign(self, signed: bytes) -> bytes:
        """Sign the SHA-256 of these bytes: r || s, 64 bytes. Raises KeyUnusable."""
        return self.connection.use(lambda chip, loaded: chip.sign(loaded, signed))


@dataclass(frozen=True, slots=True)
class TpmCounter:
    """An NV counter: no copy of the disk turns it back, and removing and making it again does not either."""

    connection: TpmConnection
    index: int

    def read(self) -> int:
        """The present count. Raises KeyUnusable."""
        return self.connection.use(lambda chip, _: chip.count(self.index))

    def advance(self) -> int:
        """Add one, and not a second one when the TPM's answer is lost; the new count. Raises KeyUnusable."""
        before = self.read()

        def once(chip: Chip, _: Loaded) -> int:
            now = chip.count(self.index)
            return now if now > before else chip.count(self.index, advance=True)

        return self.connection.use(once)


@dataclass(frozen=True, slots=True)
class TpmDeviceKey:
    """A device key in a TPM."""

    connection: TpmConnection
    signer: TpmSigner
    counter: TpmCounter

    @classmethod
    def over(cls, settings: TpmSettings, file: Path, jwk: PublicJwk) -> "TpmDeviceKey":
        """The key of these settings, whether the TPM is there or not."""
        connection = TpmConnection(settings, file, jwk)
        return cls(connection, TpmSigner(connection, jwk), TpmCounter(connection, settings.counter))

    def check(self) -> None:
        """Return when the key can sign now. Raises KeyUnusable."""
        self.signer.sign(b"keldim: can this key sign?")

    def evidence(self, nonce: bytes) -> JsonObject:
        """What `attestation.check_evidence` reads. Raises KeyUnusable."""
        qualifying = nonce_digest(nonce)

        def gather(chip: Chip, loaded: Loaded) -> Evidence:
            ek, certificates = chip.endorsement()
            certified, by = chip.certify(loaded, qualifying)
            return Evidence(
                chip.public(loaded),
                chip.attestation_public(),
                ek,
                certified,
                by,
                *chip.certify_counter(self.counter.index, qualifying),
                certificates,
            )

        return self.connection.use(gather).as_dict()

    def unwrap(self, sealed: bytes) -> bytes:
        """Open what `attestation.wrap_for` sealed to this TPM. Raises KeyUnusable."""
        cut = 2 + int.from_bytes(sealed[:2], "big")
        identity, secret = sealed[2:cut], sealed[cut + 2 :]
        if len(sealed) > _MAX_FILE or len(secret) != int.from_bytes(sealed[cut : cut + 2], "big") or not secret:
            raise KeyUnusable("what was sealed to the TPM is cut off")
        return self.connection.use(lambda chip, _: chip.activate(identity, secret))

    def close(self) -> None:
        """Let go of the TPM."""
        self.connection.close()


def make_tpm_key(settings: TpmSettings, file: Path) -> PublicJwk:
    """Make key and counter in the TPM, or finish making them; what is there is never replaced. Raises KeyUnusable."""
    chip = Chip(settings.tcti, settings.pcrs)
    try:
        if not file.exists():
            made = chip.make_key()
            write_secret(file, dump({"v": 1, "public": encode_part(made.public), "private": encode_part(made.private)}))
        wrapped = _read(file)
        loaded = chip.load(wrapped)
        try:
            if settings.handle is not None:
                _persist(chip, loaded, wrapped, settings.handle)
        finally:
            chip.flush(loaded)
        chip.make_counter(settings.counter)
        return _jwk_of(wrapped.public)
    finally:
        chip.close()


def _persist(chip: Chip, loaded: Loaded, wrapped: WrappedKey, handle: int) -> None:
    try:
        _, found = chip.find(handle)
    except KeyForeign:
        chip.persist(loaded, handle)
        return
    if found != wrapped.public:
        raise TokenUnreachable(f"handle 0x{handle:08x} of the TPM holds another key; choose another key.handle")


def _read(file: Path) -> WrappedKey:
    content = read_secret(file, _MAX_FILE)
    try:
        members = Members.parse(content)
        members.integer("v", 1, 1)
        return WrappedKey(decode_part(members.text("public")), decode_part(members.text("private")))
    except EnvelopeInvalid as error:
        raise KeyUnusable(f"{file.name} is not the file of a key in a TPM") from error


def _jwk_of(public: bytes) -> PublicJwk:
    try:
        key = read_public(public).key
    except AttestationInvalid as error:
        raise KeyForeign(f"what the TPM holds is not a signing key: {error}") from error
    if not isinstance(key, EccPoint):
        raise KeyForeign("what the TPM holds is not a P-256 key")
    return PublicJwk(encode_part(key.x), encode_part(key.y))
