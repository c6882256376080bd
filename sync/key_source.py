"""Where a desk's symmetric keys come from: files of mode 0600, or credentials that systemd opens. Chosen in [keys].

What the keys open is left to `desk_database` and the desk's vault; the device key is not among them. A desk that is set
to credentials never looks for a plain file: where they are missing it stops, and says what to do.

A rotation keeps the next key beside the one in use (`pending`) until the next one has opened everything; whoever opens
something tries both. So a desk opens whenever a rotation was cut off.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from sync.durable import replace_file, sync_directory
from sync.errors import DiskFailing, KeyUnusable, SettingsInvalid
from sync.home import Home, read_section
from sync.key_errors import SealUnusable
from sync.keyfile import KEY_BYTES, load_key, read_secret, write_secret
from sync.sealed_keys import Seal, open_credential, seal_credential

CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd put the opened credentials of a service (systemd.exec(5), LoadCredentialEncrypted=)."""

CREDENTIAL_PREFIX: Final = "keldim_"
"""systemd names what it loads from a folder ID_FILE; the units give this ID."""

NEXT: Final = ".next"
"""Ends the name of a key that a rotation has made and not yet put into use."""

_MAX_SEALED: Final = 64 * 1024


class KeyName(StrEnum):
    """The keys, by the names of their files."""

    DATABASE = "db.key"
    TEMPLATE = "template.key"
    PSEUDONYM = "pseudonym.key"


class Role(StrEnum):
    """Who is given keys: the two services, each by its own folder of sealed keys."""

    KIOSK = "kiosk"
    SYNC = "sync"


GIVEN: Final[Mapping[Role, tuple[KeyName, ...]]] = {
    Role.KIOSK: (KeyName.DATABASE, KeyName.TEMPLATE, KeyName.PSEUDONYM),
    Role.SYNC: (KeyName.DATABASE,),
}
"""Which keys each service gets. Sync carries bytes: it never gets the template key."""


class KeyOrigin(StrEnum):
    """[keys] source."""

    FILE = "file"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True)
class KeyOriginSettings:
    """[keys]. seal, pcrs: how keys are sealed from now on; they say nothing about those that are."""

    source: KeyOrigin = KeyOrigin.FILE
    seal: Seal = Seal.HOST_AND_TPM2
    pcrs: str = ""


class KeySource(Protocol):
    """Gives keys of 32 bytes."""

    @property
    def origin(self) -> KeyOrigin:
        """Which source this is."""

    def load(self, name: KeyName) -> bytes:
        """The key in use. Raises KeyUnusable, SealUnusable."""

    def pending(self, name: KeyName) -> bytes | None:
        """The key that a rotation has made and not yet put into use; None mostly. Raises as `load`."""


class KeyStore(KeySource, Protocol):
    """Also changes keys. Each step is durable when it returns, and may be repeated."""

    def stage(self, name: KeyName, key: bytes) -> None:
        """Keep a next key beside the one in use. Raises KeyUnusable: there is one already."""

    def promote(self, name: KeyName) -> None:
        """Put the next key in the place of the one in use, which is destroyed."""


@dataclass(frozen=True, slots=True)
class FileKeys:
    """Keys as files in the desk's folder of keys."""

    home: Home
    origin: KeyOrigin = KeyOrigin.FILE

    def load(self, name: KeyName) -> bytes:
        """The key in use."""
        return load_key(self.home.keys / name)

    def pending(self, name: KeyName) -> bytes | None:
        """The next key."""
        path = self.home.keys / (name + NEXT)
        return load_key(path) if path.exists() else None

    def stage(self, name: KeyName, key: bytes) -> None:
        """Keep a next key."""
        write_secret(self.home.keys / (name + NEXT), key)

    def promote(self, name: KeyName) -> None:
        """Put the next key into use, in one step."""
        with _writing(name):
            path = self.home.keys / (name + NEXT)
            path.replace(self.home.keys / name)
            sync_directory(path.parent)


@dataclass(frozen=True, slots=True)
class CredentialKeys:
    """Keys that systemd has opened for this service. They cannot be changed from here."""

    directory: Path
    origin: KeyOrigin = KeyOrigin.CREDENTIAL

    def load(self, name: KeyName) -> bytes:
        """The key in use."""
        key = self._read(name)
        if key is None:
            raise SealUnusable(f"the service was not given the credential {CREDENTIAL_PREFIX}{name}")
        return key

    def pending(self, name: KeyName) -> bytes | None:
        """The next key."""
        return self._read(name + NEXT)

    def _read(self, name: str) -> bytes | None:
        """One credential of 32 bytes; None where it was not given."""
        path = self.directory / (CREDENTIAL_PREFIX + name)
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SealUnusable(f"the credential {path.name} cannot be read: {error.strerror}") from error
        return _key(key, path.name)


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """Sealed keys opened by this process itself, which therefore is root's: for commands of an administrator."""

    home: Home
    settings: KeyOriginSettings
    origin: KeyOrigin = KeyOrigin.CREDENTIAL

    def load(self, name: KeyName) -> bytes:
        """The key in use."""
        path = self._paths(name)[0]
        return _key(open_credential(CREDENTIAL_PREFIX + name, read_secret(path, _MAX_SEALED)), name)

    def pending(self, name: KeyName) -> bytes | None:
        """The next key: of the first service that has one, since each of them has its own copy."""
        for path in self._paths(name + NEXT, name):
            if path.exists():
                return _key(open_credential(CREDENTIAL_PREFIX + path.name, read_secret(path, _MAX_SEALED)), path.name)
        return None

    def stage(self, name: KeyName, key: bytes) -> None:
        """Keep a next key, sealed, for every service that has this one."""
        if self.pending(name) not in (None, key):
            raise KeyUnusable(f"{name}{NEXT} exists and is never overwritten")
        for path in self._paths(name + NEXT, name):
            self.seal(path, key)

    def promote(self, name: KeyName) -> None:
        """Put the next key into use. Sealed anew: a credential opens under its own name only."""
        key = self.pending(name)
        if key is None:
            raise KeyUnusable(f"there is no {name}{NEXT}")
        for path in self._paths(name):
            self.seal(path, key)
        with _writing(name):
            for path in self._paths(name + NEXT, name):
                path.unlink(missing_ok=True)
                sync_directory(path.parent)

    def seal(self, path: Path, key: bytes) -> None:
        """Write one sealed key, whole, in place of an older one."""
        name = CREDENTIAL_PREFIX + path.name
        sealed = seal_credential(name, key, self.settings.seal, self.settings.pcrs)
        if open_credential(name, sealed) != key:
            raise SealUnusable(f"{path.name} does not read back as it was sealed")
        with _writing(path.name):
            replace_file(path, sealed)

    def _paths(self, file: str, name: str = "") -> tuple[Path, ...]:
        wanted = name or file
        return tuple(self.home.sealed / role / file for role, names in GIVEN.items() if wanted in names)


def read_key_settings(home: Home) -> KeyOriginSettings:
    """Read [keys] of keldim.toml; without it keys are files. Raises SettingsInvalid naming the setting."""
    section = read_section(home, "keys", {"source", "seal", "pcrs"})
    try:
        settings = KeyOriginSettings(
            KeyOrigin(str(section.get("source", KeyOrigin.FILE))),
            Seal(str(section.get("seal", Seal.HOST_AND_TPM2))),
            str(section.get("pcrs", "")),
        )
    except ValueError as error:
        raise SettingsInvalid(f"[keys]: {error}") from error
    if settings.pcrs and not all(part.isdigit() and int(part) < 24 for part in settings.pcrs.split("+")):
        raise SettingsInvalid('keys.pcrs must be numbers of PCRs, like "7+11"')
    return settings


def open_keys(home: Home, environment: Mapping[str, str] = os.environ) -> KeySource:
    """The source this desk is set to. Raises SettingsInvalid."""
    settings = read_key_settings(home)
    if settings.source is KeyOrigin.CREDENTIAL and CREDENTIALS_VARIABLE in environment:
        return CredentialKeys(Path(environment[CREDENTIALS_VARIABLE]))
    return open_key_store(home)


def open_key_store(home: Home) -> KeyStore:
    """The same, for a command that changes keys. Raises SettingsInvalid."""
    settings = read_key_settings(home)
    return FileKeys(home) if settings.source is KeyOrigin.FILE else SealedKeys(home, settings)


def _key(content: bytes, name: str) -> bytes:
    if len(content) != KEY_BYTES:
        raise SealUnusable(f"{name} holds {len(content)} bytes instead of {KEY_BYTES}")
    return content


@contextlib.contextmanager
def _writing(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFailing(f"{name} cannot be written: {error.strerror}") from error
