"""The power is cut two thousand times, at any instant: what was acknowledged is in the database and in the journal."""

import contextlib
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from sync.copies import compare
from sync.database import Database, open_database
from sync.drafts import Drafts
from sync.envelope import parse_event
from sync.errors import DatabaseDamaged, DatabaseMissing
from sync.journal import Journal
from sync.ledger import LEDGER_MIGRATIONS, ledger_entries
from sync.opening import look
from sync.signing import FileSigner, PublicJwk
from tests.faults.power_writer import DEVICE, KEY
from tests.faults.powercut import Disk, Said, Step, record

CUTS = 2000
TURNS = 20


def start_after(files: dict[str, bytes], recorded: Path, folder: Path) -> None:
    """Put what the disk holds into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "journal").mkdir(parents=True)
    for path, content in files.items():
        where = folder / Path(path).relative_to(recorded)
        if where.parent.exists() and not where.is_dir():
            where.write_bytes(content)


def check(folder: Path, said: list[str], jwk: PublicJwk) -> str:
    """An ordinary start, and the oracle; gives what kind of repair the start made."""
    try:
        opened = open_database(folder / "desk.db", KEY, [LEDGER_MIGRATIONS])
    except (DatabaseMissing, DatabaseDamaged):
        assert not said, "a database that was never whole, though something was acknowledged"
        return "before the first commit"
    with contextlib.closing(opened) as db:
        journal = Journal(folder / "journal")
        torn = journal.end().torn > 0
        found = look(db, journal, jwk, DEVICE)
        assert found.stopped is None
        assert found.adopted == 0, "the journal was ahead of the database"
        assert compare(db, journal, jwk, DEVICE).difference is None
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        _check_said(db, said)
    if torn:
        return "torn"
    return "behind" if found.completed else "whole"


def _check_said(db: Database, said: list[str]) -> None:
    """Everything that was acknowledged is there once, with its number; what was signed, with its digest."""
    entries = {entry.event_id: entry for entry in ledger_entries(db, 0, 100_000)}
    waiting = {event.event_id: event for event in Drafts(db).all()}
    assert not entries.keys() & waiting.keys()
    for line in said:
        seq, event_id, digest = line.split()
        if event_id in waiting:
            assert (waiting[event_id].seq, digest) == (int(seq), "-")
            continue
        entry = entries[event_id]
        assert entry.seq == int(seq)
        assert digest in ("-", entry.digest)
        assert (parse_event(entry.token).event.late is not None) == (digest == "-")


def test_two_thousand_power_cuts_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every cut is followed by a plain start; journal, drafts and checkpoints are on the way."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    jwk = FileSigner.create(recorded / "device.pem").public_jwk
    steps: list[Step] = record(recorded, "tests.faults.power_writer", str(recorded), str(TURNS))
    assert sum(isinstance(step, Said) for step in steps) == TURNS + 2 * TURNS // 5
    chance, kinds, cuts = random.Random(2026), Counter[str](), Counter[int]()
    for _ in range(CUTS):
        cuts[chance.randrange(len(steps) + 1)] += 1
    disk = Disk()
    memory = Path("/dev/shm")  # noqa: S108 - only where there is one; real syncs would take minutes
    place_of_restart = tempfile.mkdtemp(dir=memory if memory.is_dir() else tmp_path)
    restarted = Path(place_of_restart) / "restarted"
    for place in range(len(steps) + 1):
        for _ in range(cuts[place]):
            start_after(disk.after_cut(chance), recorded, restarted)
            kinds[check(restarted, disk.said, jwk)] += 1
        if place < len(steps):
            disk.follow(steps[place])
    shutil.rmtree(place_of_restart)
    assert sum(kinds.values()) == CUTS
    assert {"whole", "behind", "torn"} <= kinds.keys(), f"every kind of repair was needed: {kinds}"
