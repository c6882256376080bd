"""The places of one fund gateway: its files, and its address.

Making the keys and certificates, and what desks are told about a fund, is left to `sync.fund.keys`.
"""

import contextlib
import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sync.errors import FundUrlInvalid

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HTTPS_PORT: Final = 443
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class FundHome:
    """Paths of one fund gateway below `root`."""

    root: Path

    @property
    def document(self) -> Path:
        """What this fund tells everybody (`fund.json`); all of it public. Desks get it in their invitations."""
        return self.root / "fund.json"

    @property
    def keys(self) -> Path:
        """The directory of keys and certificates."""
        return self.root / "keys"

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.root / "fund.db"

    @property
    def lock(self) -> Path:
        """Held by the gateway of a fund whose database is a file."""
        return self.root / "gateway.lock"

    @property
    def database_url(self) -> Path:
        """Address of the PostgreSQL database, where there is this file; private, for it may hold a password."""
        return self.keys / "database.url"

    @property
    def database_key(self) -> Path:
        """Key of the database."""
        return self.keys / "db.key"

    @property
    def signing_key(self) -> Path:
        """Key that signs receipts."""
        return self.keys / "signing.pem"

    @property
    def sealing_key(self) -> Path:
        """Key that opens what desks seal to the fund: exports carried by hand, recovery copies of keys."""
        return self.keys / "sealing.pem"

    @property
    def pseudonym_key(self) -> Path:
        """Key under which every desk of this fund derives a patient's pseudonym."""
        return self.keys / "pseudonym.key"

    @property
    def ca_key(self) -> Path:
        """Key of the private authority."""
        return self.keys / "ca.key"

    @property
    def ca_certificate(self) -> Path:
        """Certificate of the private authority; public."""
        return self.keys / "ca.pem"

    @property
    def device_ca_key(self) -> Path:
        """Key of the authority that certifies desks."""
        return self.keys / "device-ca.key"

    @property
    def device_ca(self) -> Path:
        """Certificate of the authority that certifies desks; public."""
        return self.keys / "device-ca.pem"

    @property
    def tpm_roots(self) -> Path:
        """Folder of the certificates (PEM) of TPM makers that the fund believes; need not exist."""
        return self.root / "tpm-roots"

    @property
    def log_key(self) -> Path:
        """Key that signs checkpoints of the transparency log."""
        return self.keys / "log.key"

    @property
    def log_terms(self) -> Path:
        """Name, key and promises of the log (`log.json`); public."""
        return self.root / "log.json"

    @property
    def server(self) -> Path:
        """Key and certificate of the server in one file, so that a renewal replaces both at once."""
        return self.keys / "server.pem"


def parse_url(url: str) -> SplitResult:
    """The address in parts. Raises FundUrlInvalid unless it is https://HOST or https://HOST:PORT."""
    try:
        address = urlsplit(url.lower())  # a host has no case, and there is nothing else in it
        port = address.port
    except ValueError as error:
        raise FundUrlInvalid(f"not an address: {error}") from error
    surplus = address.path.strip("/") or address.query or address.fragment or address.username is not None
    if address.scheme != "https" or not address.hostname or surplus or port == 0 or address.netloc[-1] == ":":
        raise FundUrlInvalid("the address must be https://HOST or https://HOST:PORT")
    _check_host(address.hostname)
    return address


def port_of(address: SplitResult) -> int:
    """Where desks knock; address: as `parse_url` gives it."""
    return address.port or _HTTPS_PORT


def _check_host(host: str) -> None:
    """Raises FundUrlInvalid unless a certificate can name the host."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return
    if not _DOMAIN.fullmatch(host):
        raise FundUrlInvalid("the host is neither an address nor a domain name in ASCII")
