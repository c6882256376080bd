"""A desk on its way into a fund, step by step."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sync.clock import SystemClock
from sync.fund.admission import Terms, admit, invite
from sync.home import Home
from sync.provision import make_desk, request_admission
from sync.signing import KeyClass

NOW = SystemClock().moment().wall
FILE = Terms(KeyClass.FILE)
TOML = '[key]\nclass = "file"\n\n[camera]\nindex = 0\n'


def invitation_of(fund: Path, device: str = "desk-1", at: datetime = NOW) -> str:
    """An invitation with difficult names."""
    return invite(fund, device, 'Clinic "Жан"', "Front\\desk", at)


def answered(home: Home, fund: Path, at: datetime = NOW, policy: str = "") -> str:
    """Everything but the installation; gives the answer."""
    make_desk(home, TOML)
    return admit(fund, request_admission(home, invitation_of(fund, at=at), at), replace(FILE, policy=policy), at)


def contents(home: Home) -> dict[str, bytes]:
    """Every file of a home but the database's, which its opening may touch."""
    files = [path for path in home.root.rglob("*") if path.is_file() and not path.name.startswith("desk.db")]
    return {str(path.relative_to(home.root)): path.read_bytes() for path in files}
