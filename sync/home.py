"""One desk's home directory: where its files are, and the settings that sync needs.

Creating it is left to `provision`; the sections of keldim.toml about camera, policy and screens belong to
`appliance.config` and are not looked at here.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sync.envelope import DEVICE_ID
from sync.errors import EnvelopeInvalid, SettingsInvalid
from sync.signing import PublicJwk

_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,80}")
"""Names of clinics and desks: text of any script, no control characters."""

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
    def registration(self) -> Path:
        """What the fund registers: device.json; written last, so it marks a complete home."""
        return self.root / "device.json"

    @property
    def database(self) -> Path:
        """Ledger, outbox and records, encrypted."""
        return self.root / "desk.db"

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
        """Signs events; read by the kiosk only."""
        return self.keys / "device.pem"

    @property
    def pseudonym_key(self) -> Path:
        """Turns an IIN into the pseudonym the fund knows; read by the kiosk only."""
        return self.keys / "pseudonym.key"

    @property
    def fund(self) -> Path:
        """The directory of what the fund gave."""
        return self.root / "fund"

    @property
    def fund_ca(self) -> Path:
        """The certificate authority of the fund's gateway."""
        return self.fund / "ca.pem"

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
    """Where the fund is and how it is recognised. deadline_s: for a whole exchange."""

    url: str
    ca: Path
    jwk: PublicJwk
    deadline_s: int = DEFAULT_DEADLINE_S

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
class SyncSettings:
    """What delivery needs to know."""

    device: DeviceSettings
    fund: FundSettings


def load_settings(home: Home) -> SyncSettings:
    """Read the sections [device] and [fund] of keldim.toml. Raises SettingsInvalid naming the setting."""
    try:
        content = home.config.read_bytes()
    except OSError as error:
        raise SettingsInvalid(f"{home.config.name} cannot be read: {error.strerror}") from error
    return parse_settings(content, home)


def parse_settings(content: bytes, home: Home) -> SyncSettings:
    """As `load_settings`, from bytes; relative paths start at the home."""
    if len(content) > _MAX_CONFIG:
        raise SettingsInvalid(f"keldim.toml is longer than {_MAX_CONFIG} bytes")
    try:
        document: dict[str, object] = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise SettingsInvalid(f"keldim.toml is not TOML: {error}") from error
    device = _section(document, "device", {"device", "clinic", "desk"})
    fund = _section(document, "fund", {"url", "ca", "public_jwk", "deadline_s"})
    deadline_s = fund.get("deadline_s", DEFAULT_DEADLINE_S)
    if not isinstance(deadline_s, int) or isinstance(deadline_s, bool):
        raise SettingsInvalid("fund.deadline_s must be a number of seconds")
    return SyncSettings(
        DeviceSettings(*(_text(device, "device", name) for name in ("device", "clinic", "desk"))),
        FundSettings(
            url=_text(fund, "fund", "url"),
            ca=home.root / (_text(fund, "fund", "ca") if "ca" in fund else home.fund_ca),
            jwk=_jwk(fund),
            deadline_s=deadline_s,
        ),
    )


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


def _jwk(fund: Mapping[str, object]) -> PublicJwk:
    value = fund.get("public_jwk")
    if not isinstance(value, dict):
        raise SettingsInvalid("fund.public_jwk is missing or not a table")
    try:
        return PublicJwk.parse(value)
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"fund.public_jwk: {error}") from error
