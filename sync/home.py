"""One desk's home directory: where its files are, and the settings that sync needs.

Creating it is left to `provision`; the sections of keldim.toml about camera, policy and screens belong to
`appliance.config` and are not looked at here.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sync.envelope import DEVICE_ID
from sync.errors import EnvelopeInvalid, SettingsInvalid
from sync.signing import KeyClass, PublicJwk

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,80}")
"""Names of clinics and desks: text of any script, no control characters."""

_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_MAX_CONFIG: Final = 64 * 1024
DEFAULT_DEADLINE_S: Final = 30
"""For a whole exchange with the fund: 2 MiB at 1 Mbit/s take 17 s."""


@dataclass(frozen=True, slots=True)
class Home:
    """The files of one desk."""

    root: Path

    @property
    def config(self) -> Path:
        """The desk's settings."""
        return self.root / "keldim.toml"

    @property
    def tls(self) -> Path:
        """TLS key and certificate that the desk shows to the gateway; the sync process's, and software on purpose."""
        return self.keys / "tls.pem"

    @property
    def database(self) -> Path:
        """Ledger, outbox and records, encrypted."""
        return self.root / "desk.db"

    @property
    def journal(self) -> Path:
        """The directory of the journal: every signed event once more, readable without the database's key."""
        return self.root / "journal"

    @property
    def keys(self) -> Path:
        """The directory of the key files."""
        return self.root / "keys"

    @property
    def database_key(self) -> Path:
        """Opens the database; read by both processes."""
        return self.keys / "db.key"

    @property
    def template_key(self) -> Path:
        """Opens sealed templates; read by the kiosk only."""
        return self.keys / "template.key"

    @property
    def device_key(self) -> Path:
        """Signs events where the key is of class "file"; read by the kiosk only."""
        return self.keys / "device.pem"

    @property
    def device_jwk(self) -> Path:
        """The public half of a key in a token or TPM: known while that is unplugged."""
        return self.keys / "device.jwk.json"

    @property
    def tpm_key(self) -> Path:
        """The device key as its TPM wrapped it; of no use to another TPM."""
        return self.keys / "device.tpm.json"

    @property
    def pseudonym_key(self) -> Path:
        """Turns an IIN into the pseudonym the fund knows; read by the kiosk only."""
        return self.keys / "pseudonym.key"

    @property
    def sealed(self) -> Path:
        """Keys sealed to this machine, a folder for each service."""
        return self.root / "sealed"

    @property
    def recovery(self) -> Path:
        """The keys of database and templates, sealed to the fund: for the day this machine dies."""
        return self.root / "recovery.json"

    @property
    def fund(self) -> Path:
        """The directory of what the fund gave."""
        return self.root / "fund"

    @property
    def fund_ca(self) -> Path:
        """The certificate authority of the fund's gateway."""
        return self.fund / "ca.pem"

    @property
    def device_ca(self) -> Path:
        """The certificate authority of the fund's desks."""
        return self.fund / "device-ca.pem"

    @property
    def log_policy(self) -> Path:
        """Whom this desk believes about the fund's transparency log."""
        return self.fund / "log.json"

    @property
    def certificate(self) -> Path:
        """The device certificate: what the fund says about this desk's key."""
        return self.fund / "device.pem"

    @property
    def log(self) -> Path:
        """The directory of the logs."""
        return self.root / "log"

    @property
    def sync_lock(self) -> Path:
        """Held by the process that delivers."""
        return self.root / "sync.lock"


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """Who this desk is. device: its registered name. clinic, desk: as people call them."""

    device: str
    clinic: str
    desk: str

    def __post_init__(self) -> None:
        """Refuse what the fund would refuse. Raises SettingsInvalid."""
        if not DEVICE_ID.fullmatch(self.device):
            raise SettingsInvalid("device.device must be 1 to 63 of a-z, 0-9 and hyphen, e.g. desk-3")
        for name, value in (("clinic", self.clinic), ("desk", self.desk)):
            if not _NAME.fullmatch(value):
                raise SettingsInvalid(f"device.{name} must be 1 to 80 printable characters")


@dataclass(frozen=True, slots=True)
class FundSettings:
    """Where the fund is and how it is recognised. deadline_s: for a whole exchange. sealing: to whom it is sealed."""

    url: str
    ca: Path
    jwk: PublicJwk
    deadline_s: int = DEFAULT_DEADLINE_S
    sealing: PublicJwk | None = None

    def __post_init__(self) -> None:
        """Refuse any address but plain https. Raises SettingsInvalid."""
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise SettingsInvalid("fund.url is not an address") from error
        clean = not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme != "https" or not host or not clean or self.url.endswith("/") or not self.url.isascii():
            raise SettingsInvalid("fund.url must look like https://host:port, without a slash at its end")
        if not 1 <= self.deadline_s <= 600:
            raise SettingsInvalid("fund.deadline_s must be 1 to 600 seconds")


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """A PKCS#11 token. module: its driver, a shared library. token, label: of the token, of the key in it.

    pin: a file of mode 0600. credential: name of a systemd credential instead of that file.
    """

    module: Path
    token: str
    label: str
    pin: Path | None = None
    credential: str | None = None

    def __post_init__(self) -> None:
        """Refuse two PINs or none, and a credential that would leave its directory. Raises SettingsInvalid."""
        if (self.pin is None) == (self.credential is None):
            raise SettingsInvalid("a token needs key.pin (a file) or key.credential (systemd's), one of them")
        if self.credential is not None and not _CREDENTIAL.fullmatch(self.credential):
            raise SettingsInvalid("key.credential must be a plain name")
        if not self.module.is_absolute():
            raise SettingsInvalid("key.module must be the full path of the token's driver")
        if not 1 <= len(self.token.encode()) <= 32 or not 1 <= len(self.label) <= 64:
            raise SettingsInvalid("key.token has 1 to 32 bytes, key.label 1 to 64 characters")


@dataclass(frozen=True, slots=True)
class TpmSettings:
    """A TPM 2.0. tcti: how it is reached, as the TPM2 software stack writes it.

    handle: where the key is persistent in the TPM; None: the wrapped key is a file in the home. pcrs: registers of
    the SHA-256 bank whose present values the key is bound to. counter: NV index of the counter.
    """

    tcti: str = "device:/dev/tpmrm0"
    handle: int | None = None
    pcrs: tuple[int, ...] = ()
    counter: int = 0x0150_4B44

    def __post_init__(self) -> None:
        """Refuse handles outside the owner's ranges (TCG registry of reserved handles). Raises SettingsInvalid."""
        if self.handle is not None and not 0x8100_0000 <= self.handle <= 0x817F_FFFF:
            raise SettingsInvalid("key.handle must be 0x81000000 to 0x817fffff")
        if not 0x0100_0000 <= self.counter <= 0x01BF_FFFF:
            raise SettingsInvalid("key.counter must be 0x01000000 to 0x01bfffff")
        if len(set(self.pcrs)) < len(self.pcrs) or not all(0 <= pcr <= 23 for pcr in self.pcrs):
            raise SettingsInvalid("key.pcrs must be different numbers from 0 to 23")
        if not self.tcti.isascii() or not self.tcti.isprintable() or not self.tcti:
            raise SettingsInvalid("key.tcti must look like device:/dev/tpmrm0")


@dataclass(frozen=True, slots=True)
class KeySettings:
    """[key]: where the device key lives; token or tpm is set for its class."""

    key_class: KeyClass = KeyClass.FILE
    token: TokenSettings | None = None
    tpm: TpmSettings | None = None

    def __post_init__(self) -> None:
        """One place for the key, not two."""
        set_for = (self.token is not None, self.tpm is not None)
        if set_for != (self.key_class is KeyClass.PKCS11, self.key_class is KeyClass.TPM2):
            raise ValueError("token settings belong to pkcs11, TPM settings to tpm2")


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """What delivery needs to know."""

    device: DeviceSettings
    fund: FundSettings
    key: KeySettings = field(default_factory=KeySettings)


def load_settings(home: Home) -> SyncSettings:
    """Read the sections [device], [fund] and [key] of keldim.toml. Raises SettingsInvalid naming the setting."""
    return parse_settings(_content(home), home)


def is_installed(home: Home) -> bool:
    """Whether this desk belongs to a fund: its settings name one. Raises SettingsInvalid."""
    return home.config.exists() and "device" in _document(_content(home))


def load_key_settings(home: Home) -> KeySettings:
    """Section [key] alone, which is there before any fund is. Raises SettingsInvalid."""
    return parse_key_settings(_content(home), home)


def parse_key_settings(content: bytes, home: Home) -> KeySettings:
    """As `load_key_settings`, from bytes."""
    document = _document(content)
    return _key(document, home) if "key" in document else KeySettings()


def read_section(home: Home, name: str, allowed: set[str]) -> dict[str, object]:
    """One more section of keldim.toml, empty where there is none. Raises SettingsInvalid for an unknown setting."""
    return _section({name: {}} | _document(_content(home)), name, allowed)


def parse_settings(content: bytes, home: Home) -> SyncSettings:
    """As `load_settings`, from bytes; relative paths start at the home."""
    document = _document(content)
    device = _section(document, "device", {"device", "clinic", "desk"})
    fund = _section(document, "fund", {"url", "ca", "public_jwk", "sealing_jwk", "deadline_s"})
    deadline_s = fund.get("deadline_s", DEFAULT_DEADLINE_S)
    if not isinstance(deadline_s, int) or isinstance(deadline_s, bool):
        raise SettingsInvalid("fund.deadline_s must be a number of seconds")
    return SyncSettings(
        DeviceSettings(*(_text(device, "device", name) for name in ("device", "clinic", "desk"))),
        FundSettings(
            url=_text(fund, "fund", "url"),
            ca=home.root / (_text(fund, "fund", "ca") if "ca" in fund else home.fund_ca),
            jwk=_jwk(fund, "public_jwk"),
            deadline_s=deadline_s,
            sealing=_jwk(fund, "sealing_jwk") if "sealing_jwk" in fund else None,
        ),
        parse_key_settings(content, home),
    )


_KEY_NAMES: Final = {
    KeyClass.FILE: frozenset[str](),
    KeyClass.PKCS11: frozenset({"module", "token", "label", "pin", "credential"}),
    KeyClass.TPM2: frozenset({"tcti", "handle", "pcrs", "counter"}),
}


def _key(document: Mapping[str, object], home: Home) -> KeySettings:
    section = _section(document, "key", {"class"}.union(*_KEY_NAMES.values()))
    name = _text(section, "key", "class")
    if name not in list(KeyClass):
        raise SettingsInvalid(f"key.class must be one of {', '.join(KeyClass)}")
    key_class = KeyClass(name)
    foreign = set(section) - _KEY_NAMES[key_class] - {"class"}
    if foreign:
        raise SettingsInvalid(f"key.{min(foreign)} has no meaning for a key of class {key_class}")
    if key_class is KeyClass.PKCS11:
        pin, credential = (_text(section, "key", name) if name in section else None for name in ("pin", "credential"))
        module, token, label = (_text(section, "key", name) for name in ("module", "token", "label"))
        place = None if pin is None else home.root / pin
        return KeySettings(key_class, token=TokenSettings(Path(module), token, label, place, credential))
    if key_class is KeyClass.TPM2:
        usual = TpmSettings()
        tcti = _text(section, "key", "tcti") if "tcti" in section else usual.tcti
        handle = _number(section, "handle") if "handle" in section else usual.handle
        counter = _number(section, "counter") if "counter" in section else usual.counter
        return KeySettings(key_class, tpm=TpmSettings(tcti, handle, _registers(section), counter))
    return KeySettings()


def _number(section: Mapping[str, object], name: str) -> int:
    value = section.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SettingsInvalid(f"key.{name} must be a whole number")
    return value


def _registers(section: Mapping[str, object]) -> tuple[int, ...]:
    value = section.get("pcrs", [])
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise SettingsInvalid("key.pcrs must be a list of numbers")
    return tuple(value)


def _content(home: Home) -> bytes:
    try:
        return home.config.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"{home.config.name} cannot be read: {error.strerror}") from error


def _document(content: bytes) -> dict[str, object]:
    if len(content) > _MAX_CONFIG:
        raise SettingsInvalid(f"keldim.toml is longer than {_MAX_CONFIG} bytes")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise SettingsInvalid(f"keldim.toml is not TOML: {error}") from error


def _section(document: Mapping[str, object], name: str, allowed: set[str]) -> dict[str, object]:
    section = document.get(name)
    if not isinstance(section, dict):
        raise SettingsInvalid(f"keldim.toml has no section [{name}]")
    unknown = set(section) - allowed
    if unknown:
        raise SettingsInvalid(f"unknown setting {name}.{min(unknown)}")
    return section


def _text(section: Mapping[str, object], where: str, name: str) -> str:
    value = section.get(name)
    if not isinstance(value, str):
        raise SettingsInvalid(f"{where}.{name} is missing or not a text")
    return value


def _jwk(fund: Mapping[str, object], name: str) -> PublicJwk:
    value = fund.get(name)
    if not isinstance(value, dict):
        raise SettingsInvalid(f"fund.{name} is missing or not a table")
    try:
        return PublicJwk.parse(value)
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"fund.{name}: {error}") from error
