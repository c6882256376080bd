"""Real keys and certificates of invented funds."""

from datetime import datetime
from pathlib import Path

from sync.clock import SystemClock
from sync.fund.admission import Terms, admit, invite
from sync.fund.ca import DeviceAuthority
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.home import Home
from sync.install import install
from sync.provision import make_desk, request_admission
from sync.signing import KeyClass
from sync.tls_key import put_into_use, tls_key_of, tls_request


def make_fund_home(folder: Path, url: str = "https://127.0.0.1:8443") -> FundHome:
    """A fund's keys, authority, server certificate (valid now: TLS reads the real clock) and fund.json."""
    root = folder / "fund-home"
    create_fund(root, url, SystemClock().moment().wall)
    return FundHome(root)


def join_desk(home: Home, fund: Path, device: str = "desk-1", settings_toml: str = "") -> None:
    """A desk's whole way into a fund, with a key in a file."""
    now = SystemClock().moment().wall
    make_desk(home, settings_toml)
    invitation = invite(fund, device, "Clinic", "Desk", now)
    install(home, admit(fund, request_admission(home, invitation, now), Terms(KeyClass.FILE), now), now)


def rogue_certificate(folder: Path, device: str, at: datetime) -> Path:
    """A TLS key with a certificate of an authority that is not the fund's, in one file."""
    home = FundHome(folder / "rogue")
    home.keys.mkdir(parents=True)
    key = folder / "rogue.key"
    tls_request(key, device)
    jwk = tls_key_of(key)
    assert jwk is not None
    made = DeviceAuthority.create(home, at).certify_tls(device, jwk, at)
    put_into_use(key, made.pem.encode(), folder / "rogue.pem")
    return folder / "rogue.pem"
