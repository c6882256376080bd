"""Real keys and certificates of invented funds."""

from pathlib import Path

from sync.clock import SystemClock
from sync.fund.home import FundHome
from sync.fund.keys import create_keys


def make_fund_home(folder: Path, url: str = "https://127.0.0.1:8443") -> FundHome:
    """A fund's keys, authority, server certificate (valid now: TLS reads the real clock) and fund.json."""
    home = FundHome(folder / "fund-home")
    home.root.mkdir(mode=0o700)
    create_keys(home, url, SystemClock().moment().wall)
    return home


def make_fund_json(folder: Path, url: str = "https://127.0.0.1:8443") -> bytes:
    """What the fund gives a desk."""
    return make_fund_home(folder, url).document.read_bytes()
