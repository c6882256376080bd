"""Real keys and certificates of invented funds."""

from pathlib import Path

from sync.clock import SystemClock
from sync.fund.admission import Terms, admit, invite
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.home import Home
from sync.install import install
from sync.provision import make_desk, request_admission
from sync.signing import KeyClass


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
