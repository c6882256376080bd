"""Processes that append events until they are killed; each event is acknowledged on stdout after it was recorded.

python -m tests.sync.appender HOME: starts one such process for each line on stdin and writes "pid N" and, when
that process has ended, "end". Forking saves the second that the imports take; the child opens everything itself.
"""

import itertools
import os
import sys
from pathlib import Path

from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import KeyUnusable
from sync.home import Home
from sync.journal import Journal
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Entry, Ledger
from sync.opening import look, open_ledger
from sync.signing import FileSigner
from tests.fakes.counter import FileCounter
from tests.fakes.signer import FaultySigner

AWAY = KeyUnusable("the token was pulled out")


def append_for_ever(home: Home) -> None:
    """What the kiosk does, at the speed of the disk; each life makes a checkpoint, now and then the key is away."""
    clock = SystemClock()
    db = open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])
    signer, journal, counter = FaultySigner(FileSigner.load(home.device_key)), Journal(home.journal), counter_of(home)
    ledger = Ledger(db, signer, "desk-1", journal, counter)
    open_ledger(ledger, look(db, journal, signer.public_jwk, "desk-1", counter))
    assert ledger.stopped is None
    db.execute("PRAGMA wal_autocheckpoint = 20")  # so that kills also hit the database's checkpoints
    for turn in itertools.count():
        signer.before = AWAY if turn % 8 in (3, 4) else None
        with immediate(db):
            entry = ledger.append("checked_in", 1, {}, clock.moment())
        os.write(1, f"{entry.seq} {entry.digest if isinstance(entry, Entry) else '-'}\n".encode())


def counter_of(home: Home) -> FileCounter:
    """The counter of the desk's key."""
    return FileCounter(home.root / "counter")


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
