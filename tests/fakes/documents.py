"""Real keys and certificates of invented funds."""

from pathlib import Path

from sync.clock import SystemClock
from sync.fund.home import FundHome
from sync.fund.office import create_fund


def make_fund_home(folder: Path, url: str = "https://127.0.0.1:8443") -> FundHome:
    """A fund's keys, authority, server certificate (valid now: TLS reads the real clock) and fund.json."""
    root = folder / "fund-home"
    create_fund(root, url, SystemClock().moment().wall)
    return FundHome(root)


def make_fund_json(folder: Path, url: str = "https://127.0.0.1:8443") -> bytes:
    """What the fund gives a desk."""
    return make_fund_home(folder, url).document.read_bytes()
