"""Gives a desk's files to two users of one group: the kiosk owns the home, sync gets what delivery needs.

The sealed keys stay root's; systemd hands each service its own. What a service may do besides is the unit files'.

    home, log, fund      kiosk:group 2770    what is made in them belongs to the group
    desk.db, -wal, -shm  kiosk:group 0660    SQLite gives the log the mode of the database
    keldim.toml, fund/*  kiosk:group 0640
    keys                 kiosk:group 1770    sync puts its own tls.pem there, and removes nothing else
    keys/tls.pem         sync:group  0600
    keys/*, journal, recovery.json   kiosk   0600, 0700
"""

import os
from pathlib import Path
from typing import Final

from sync.errors import DatabaseUnreachable
from sync.home import Home

_SHARED_FOLDER: Final = 0o2770
_KEYS_FOLDER: Final = 0o1770
_PRIVATE_FOLDER: Final = 0o700


def share(home: Home, kiosk: int, sync: int, group: int) -> None:
    """Set owners and modes; as root, services stopped. Repeated after a restore. kiosk, sync, group: numbers.

    Raises DatabaseUnreachable.
    """
    try:
        for folder in (home.root, home.log, home.fund):
            folder.mkdir(exist_ok=True)
            _give(folder, kiosk, group, _SHARED_FOLDER)
        for path in home.fund.iterdir():
            _give(path, kiosk, group, 0o640)
        for path in home.log.iterdir():
            _give(path, sync if path.name.startswith("sync") else kiosk, group, 0o660)
        for path in home.root.iterdir():
            if path.is_file():
                _give(path, kiosk, group, _mode(home, path))
        _give(home.keys, kiosk, group, _KEYS_FOLDER)
        for path in home.keys.iterdir():
            _give(path, sync if path == home.tls else kiosk, group, 0o600)
        if home.journal.exists():
            for path in (*home.journal.iterdir(), home.journal):
                _give(path, kiosk, group, _PRIVATE_FOLDER if path.is_dir() else 0o600)
    except OSError as error:
        raise DatabaseUnreachable(f"{home.root.name} cannot be shared: {error.strerror}") from error


def _mode(home: Home, path: Path) -> int:
    if path.name.startswith(home.database.name) or path == home.sync_lock:
        return 0o660
    return 0o600 if path == home.recovery else 0o640


def _give(path: Path, owner: int, group: int, mode: int) -> None:
    os.chown(path, owner, group, follow_symlinks=False)
    path.chmod(mode)  # after the owner: a change of owner takes the set-group bit away
