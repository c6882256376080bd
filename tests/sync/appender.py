"""Processes that append events until they are killed; each event is acknowledged on stdout after its commit.

python -m tests.sync.appender HOME: starts one such process for each line on stdin and writes "pid N" and, when
that process has ended, "end". Forking saves the second that the imports take; the child opens everything itself.
"""

import os
import sys
from pathlib import Path

from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Entry, Ledger
from sync.signing import FileSigner


def append_for_ever(home: Home) -> None:
    """What the kiosk does, at the speed of the disk."""
    clock = SystemClock()
    db = open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])
    ledger = Ledger(db, FileSigner.load(home.device_key), "desk-1")
    db.execute("PRAGMA wal_autocheckpoint = 20")  # so that kills also hit checkpoints
    while True:
        with immediate(db):
            entry = ledger.append("checked_in", 1, {}, clock.moment())
        assert isinstance(entry, Entry)
        os.write(1, f"{entry.seq} {entry.digest}\n".encode())


def main() -> None:
    """One life per line."""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            append_for_ever(Home(Path(sys.argv[1])))
        os.write(1, f"pid {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, b"end\n")


if __name__ == "__main__":
    main()
