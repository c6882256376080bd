"""kill -9 of the appending process at random instants: what it acknowledged is there, whole and once."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import IO

from sync.copies import compare
from sync.database import open_database
from sync.drafts import Drafts
from sync.home import Home
from sync.journal import Journal
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, ledger_entries
from sync.opening import look
from sync.signing import FileSigner
from tests.fakes.documents import join_desk, make_fund_home
from tests.sync.appender import counter_of

ROOT = Path(__file__).parents[2]
KILLS = 180
"""With those of `tests.faults.test_kill`, more than 200 of the desk's writer."""


def one_life(orders: IO[bytes], answers: IO[bytes], delay_s: float) -> list[tuple[int, str]]:
    """Start an appender, wait for its first event, kill it after the delay; its acknowledgements."""
    orders.write(b"go\n")
    orders.flush()
    acknowledged: list[tuple[int, str]] = []
    pid = 0
    killer: threading.Timer | None = None
    for line in iter(answers.readline, b""):
        word, *rest = line.decode().split()
        if word == "end":
            assert killer is not None, "the appender ended by itself"
            killer.join()
            return acknowledged
        if word == "pid":
            pid = int(rest[0])
        else:
            acknowledged.append((int(word), rest[0]))
        if pid and acknowledged and killer is None:
            killer = threading.Timer(delay_s, os.kill, (pid, signal.SIGKILL))
            killer.start()
    raise AssertionError("the appender's parent ended")


def test_kill_9_at_any_instant_loses_no_acknowledged_event(tmp_path: Path) -> None:
    """Lives of the kiosk, each ended without warning; every restart is an ordinary start.

    Database and journal are equal in the end, what waited for the key is there with its number, and no step of the
    counter is taken for an older copy.
    """
    home = Home(tmp_path / "desk")
    join_desk(home, make_fund_home(tmp_path).root)
    chance = random.Random(2026)
    acknowledged: list[tuple[int, str]] = []
    command = [sys.executable, "-m", "tests.sync.appender", str(home.root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(KILLS):
            acknowledged += one_life(process.stdin, process.stdout, chance.uniform(0.0, 0.05))
    jwk, journal = FileSigner.load(home.device_key).public_jwk, Journal(home.journal)
    with contextlib.closing(open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])) as db:
        assert look(db, journal, jwk, "desk-1", counter_of(home)).stopped is None
        assert compare(db, journal, jwk, "desk-1").difference is None
        stored = {entry.seq: entry.digest for entry in ledger_entries(db, 0, 1_000_000)}
        kinds = Counter(entry.kind for entry in ledger_entries(db, 0, 1_000_000))
        waiting = {event.seq for event in Drafts(db).all()}
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # before it, pages the WAL will heal may look torn
        assert db.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert len(acknowledged) >= KILLS
    assert [seq for seq, _ in acknowledged] == sorted({seq for seq, _ in acknowledged}), "a number was given twice"
    assert all(seq in stored or seq in waiting for seq, _ in acknowledged)
    assert all(digest in ("-", stored[seq]) for seq, digest in acknowledged if seq in stored)
    recorded = kinds["checked_in"] + len(waiting)
    assert recorded - len(acknowledged) <= KILLS, "at most the event in flight is unacknowledged at each kill"
