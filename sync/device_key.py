"""The desk's device key, of whatever class its settings name: opened, made once, asked for evidence.

How a token or a TPM is spoken to is left to `pkcs11_key` and `tpm_key`, which are loaded only where they are
configured. There is no way from one class to another: a desk whose token is away has a key that cannot sign.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

from sync.checkpoint import Counter
from sync.errors import EnvelopeInvalid, KeyForeign, KeyUnsupported, KeyUnusable, PinRefused
from sync.home import Home, KeySettings, TokenSettings
from sync.keyfile import read_secret, write_secret
from sync.signing import FileSigner, KeyClass, PublicJwk, Signer
from sync.strict_json import JsonObject, Members, dump

_MAX_PIN: Final = 256
_MAX_JWK: Final = 1024


class DeviceKey(Protocol):
    """A device key and what its holder can say about it."""

    @property
    def signer(self) -> Signer:
        """Signs; its class and public key are known also while the key is out of reach."""

    @property
    def counter(self) -> Counter | None:
        """The holder's counter; None where it has none."""

    def check(self) -> None:
        """Return when the key can sign now. Raises KeyUnusable, with the remedy."""

    def evidence(self, nonce: bytes) -> JsonObject | None:
        """What `attestation.check_evidence` reads, fresh for this nonce; None where the class has none.

        Raises KeyUnusable.
        """

    def close(self) -> None:
        """Let go of token or TPM; another use opens it again."""

    def unwrap(self, sealed: bytes) -> bytes:
        """Open what `attestation.wrap_for` sealed to this holder. Raises KeyUnusable, also when it is for another."""


@dataclass(frozen=True, slots=True)
class FileDeviceKey:
    """A software key: nothing to prove, nothing that counts."""

    signer: FileSigner
    counter: Counter | None = None

    def check(self) -> None:
        """It was read, so it can sign."""

    def evidence(self, nonce: bytes) -> JsonObject | None:  # noqa: ARG002 - the port's
        """None."""
        return None

    def close(self) -> None:
        """Nothing is held."""

    def unwrap(self, sealed: bytes) -> bytes:  # noqa: ARG002 - the port's
        """Raise KeyUnsupported."""
        raise KeyUnsupported("a key in a file opens nothing that was sealed to a TPM")


def open_device_key(home: Home, settings: KeySettings) -> DeviceKey:
    """Open the desk's key. A token or TPM may be out of reach: then opening succeeds and signing raises KeyUnusable.

    Raises KeyUnusable: the key was never made, a file of it is unusable, or its class cannot be used here.
    """
    if settings.token is None and settings.tpm is None:
        return FileDeviceKey(FileSigner.load(home.device_key))
    return _over(home, settings, _read_jwk(home.device_jwk, settings.key_class))


def create_device_key(home: Home, settings: KeySettings) -> DeviceKey:
    """Make the desk's key, or finish making it; one that is there is opened and never replaced. Raises KeyUnusable."""
    if settings.token is None and settings.tpm is None:
        return open_device_key(home, settings) if home.device_key.exists() else _new_file_key(home)
    if not home.device_jwk.exists():
        jwk = _made(home, settings)
        write_secret(home.device_jwk, dump({**jwk.as_dict(), "key_class": settings.key_class.value}))
    return open_device_key(home, settings)


def _new_file_key(home: Home) -> DeviceKey:
    if home.device_jwk.exists():
        raise KeyForeign("this desk's key is in a token or TPM; a key in a file does not take its place")
    return FileDeviceKey(FileSigner.create(home.device_key))


def _over(home: Home, settings: KeySettings, jwk: PublicJwk) -> DeviceKey:
    if settings.token is not None:
        from sync.pkcs11_key import TokenDeviceKey

        return TokenDeviceKey.over(settings.token, _pin_of(settings.token), jwk)
    if settings.tpm is None:
        raise TypeError("asked before")
    _need_tpm_software()
    from sync.tpm_key import TpmDeviceKey

    return TpmDeviceKey.over(settings.tpm, home.tpm_key, jwk)


def _made(home: Home, settings: KeySettings) -> PublicJwk:
    if settings.token is not None:
        from sync.pkcs11_key import make_token_key

        return make_token_key(settings.token, _pin_of(settings.token))
    if settings.tpm is None:
        raise TypeError("asked before")
    _need_tpm_software()
    from sync.tpm_key import make_tpm_key

    return make_tpm_key(settings.tpm, home.tpm_key)


def _need_tpm_software() -> None:
    if find_spec("tpm2_pytss") is None:
        raise KeyUnsupported("the software for keys in a TPM is not installed")


def _pin_of(settings: TokenSettings) -> Callable[[], str]:
    """Reads the PIN from its file, or from systemd's folder of credentials, each time it is needed."""

    def read() -> str:
        file = settings.pin
        if file is None:
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if folder is None:
                raise PinRefused("the PIN is a systemd credential, and this process was given none")
            file = Path(folder) / str(settings.credential)
        try:
            return read_secret(file, _MAX_PIN).decode().strip()
        except UnicodeDecodeError as error:
            raise PinRefused("the PIN is not a text") from error

    return read


def _read_jwk(file: Path, key_class: KeyClass) -> PublicJwk:
    """The public key beside the token. Raises KeyUnusable, also when it is that of another class."""
    content = read_secret(file, _MAX_JWK)
    try:
        members = Members.parse(content)
        jwk, found = PublicJwk.parse(members.content), members.text("key_class")
    except EnvelopeInvalid as error:
        raise KeyUnusable(f"{file.name} is not the public key of this desk") from error
    if found != key_class:
        raise KeyForeign(f"this desk's key is of class {found}; one of class {key_class} does not take its place")
    return jwk
