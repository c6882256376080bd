"""A desk's ledger at work for a power-cut simulation: python -m tests.faults.power_writer FOLDER COUNT.

Every event is acknowledged on stdout after it was recorded: its number and digest as one line. Some find their key away
and are acknowledged as drafts, some come three in a transaction; checkpoints of a counter come between.
"""

import os
import sys
from pathlib import Path

from sync import checkpoint
from sync.database import immediate, open_database
from sync.errors import KeyUnusable
from sync.journal import Journal
from sync.ledger import LEDGER_MIGRATIONS, Entry, Ledger
from sync.signing import FileSigner
from tests.fakes.clock import ManualClock
from tests.fakes.counter import FileCounter
from tests.fakes.signer import FaultySigner

KEY = bytes(range(32))
DEVICE = "desk-1"
AWAY = KeyUnusable("the token was pulled out")


def main() -> None:
    """Record so many times."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    signer = FaultySigner(FileSigner.load(folder / "device.pem"))
    clock = ManualClock()
    db = open_database(folder / "desk.db", KEY, [LEDGER_MIGRATIONS], create=True)
    db.execute("PRAGMA wal_autocheckpoint = 40")  # so that cuts also hit the database's own checkpoints
    ledger = Ledger(db, signer, DEVICE, Journal(folder / "journal"), FileCounter(folder / "counter"))
    for turn in range(count):
        signer.before = AWAY if turn % 10 in (6, 7) else None
        clock.advance(checkpoint.EVERY_MS / 1000 / 4)
        with immediate(db):
            made = [
                ledger.append("checked_in", 1, {"turn": turn}, clock.moment()) for _ in range(1 + 2 * (turn % 5 == 0))
            ]
        for each in made:
            os.write(1, f"{each.seq} {each.event_id} {each.digest if isinstance(each, Entry) else '-'}\n".encode())


if __name__ == "__main__":
    main()
