"""The desk's device key, of whatever class its settings name: opened, made once, asked for evidence.

How a token or a TPM is spoken to is left to `pkcs11_key` and `tpm_key`, which are loaded only where they are
configured. There is no way from one class to another: a desk whose token is away has a key that cannot sign.
"""

from dataclasses import dataclass
from typing import Protocol

from sync.errors import KeyUnsupported
from sync.home import Home, KeySettings
from sync.signing import FileSigner, KeyClass, Signer
from sync.strict_json import JsonObject


class Counter(Protocol):
    """A number that only grows, whatever is done to the disk beside it."""

    def read(self) -> int:
        """The present count. Raises KeyUnusable."""

    def advance(self) -> int:
        """Add one; the new count. A chip's memory wears out: per checkpoint, not per event. Raises KeyUnusable."""


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

    def unwrap(self, sealed: bytes) -> bytes:  # noqa: ARG002 - the port's
        """Raise KeyUnsupported."""
        raise KeyUnsupported("a key in a file opens nothing that was sealed to a TPM")


def open_device_key(home: Home, settings: KeySettings) -> DeviceKey:
    """Open the desk's key. A token or TPM may be out of reach: then opening succeeds and signing raises KeyUnusable.

    Raises KeyUnusable: the key was never made, a file of it is unusable, or its class cannot be used here.
    """
    if settings.key_class is KeyClass.FILE:
        return FileDeviceKey(FileSigner.load(home.device_key))
    raise KeyUnsupported(f"keys of class {settings.key_class} cannot be used yet")


def create_device_key(home: Home, settings: KeySettings) -> DeviceKey:
    """Make the desk's key, or finish making it; one that is there is opened and never replaced. Raises KeyUnusable."""
    if settings.key_class is KeyClass.FILE and not home.device_key.exists():
        return FileDeviceKey(FileSigner.create(home.device_key))
    return open_device_key(home, settings)
