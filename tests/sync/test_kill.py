"""kill -9 of the appending process at random instants: what it acknowledged is there, whole and once."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from sync.audit import verify_ledger
from sync.database import open_database
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, ledger_entries
from sync.signing import FileSigner
from tests.fakes.documents import join_desk, make_fund_home

ROOT = Path(__file__).parents[2]
KILLS = 60


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
    """Sixty lives of the kiosk, each ended without warning; every restart is an ordinary start."""
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
    with contextlib.closing(open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])) as db:
        report = verify_ledger(db, FileSigner.load(home.device_key).public_jwk, "desk-1")
        stored = {entry.seq: entry.digest for entry in ledger_entries(db, 0, 1_000_000)}
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # before it, pages the WAL will heal may look torn
        assert db.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert len(acknowledged) >= KILLS
    assert [seq for seq, _ in acknowledged] == sorted({seq for seq, _ in acknowledged}), "a number was given twice"
    assert all(stored[seq] == digest for seq, digest in acknowledged)
    assert report.events - len(acknowledged) <= KILLS, "at most the event in flight is unacknowledged at each kill"
