"""A desk's chain of events over a key in a TPM (swtpm): the TPM gone during visits, and the disk put back."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync.attestation import read_state
from sync.checkpoint import EVERY_MS
from sync.database import Database, immediate, open_database
from sync.device_key import DeviceKey, create_device_key, open_device_key
from sync.drafts import Draft
from sync.errors import RolledBack
from sync.home import Home
from sync.journal import Journal
from sync.ledger import LEDGER_MIGRATIONS, Entry, Ledger, ledger_entries, verify_ledger
from sync.opening import look, open_ledger
from tests.fakes.clock import ManualClock
from tests.fakes.tpm import SoftwareTpm
from tests.sync.tpm_fixtures import home, in_tpm, maker, tpm

__all__ = ["home", "maker", "tpm"]

DEVICE = "desk-1"
KEY = bytes(range(32))


@pytest.fixture
def key(home: Home, tpm: SoftwareTpm) -> Iterator[DeviceKey]:
    """The desk's key."""
    with closing(create_device_key(home, in_tpm(tpm))) as made:
        yield made


def opened(folder: Path, key: DeviceKey) -> tuple[Database, Ledger]:
    """The desk as a process finds it."""
    db = open_database(folder / "desk.db", KEY, [LEDGER_MIGRATIONS], create=not (folder / "desk.db").exists())
    journal = Journal(folder / "journal")
    found = look(db, journal, key.signer.public_jwk, DEVICE, key.counter)
    return db, open_ledger(Ledger(db, key.signer, DEVICE, journal, key.counter), found)


def visit(db: Database, ledger: Ledger, clock: ManualClock, event_id: str) -> Entry | Draft:
    """Record one, a second later."""
    clock.advance(1)
    with immediate(db):
        entry = ledger.append("checked_in", 1, {}, clock.moment(), event_id)
    ledger.publish()
    return entry


def test_visits_while_the_tpm_is_gone_wait_and_are_signed_in_order(
    home: Home, tpm: SoftwareTpm, key: DeviceKey
) -> None:
    """Attack 3: nothing is signed by software, nothing is lost; also by a process that starts without the TPM."""
    clock, names = ManualClock(), [f"{number:032x}" for number in range(6)]
    db, ledger = opened(home.root, key)
    assert isinstance(visit(db, ledger, clock, names[0]), Entry)
    tpm.stop()
    try:
        assert isinstance(visit(db, ledger, clock, names[1]), Draft)
        db.close()
        with closing(open_device_key(home, in_tpm(tpm))) as anew:
            db, ledger = opened(home.root, anew)
            assert ledger.stopped is None
            assert isinstance(visit(db, ledger, clock, names[2]), Draft)
            assert ledger.waiting == 2
            assert not home.device_key.exists()
        db.close()
    finally:
        tpm.start()
    db, ledger = opened(home.root, key)
    assert isinstance(visit(db, ledger, clock, names[3]), Entry)
    assert ledger.waiting == 0
    visits = [entry for entry in ledger_entries(db) if entry.kind == "checked_in"]
    assert [entry.event_id for entry in visits] == names[:4]
    verify_ledger(db, key.signer.public_jwk, DEVICE)
    db.close()


def test_a_disk_that_was_put_back_is_found_by_the_counter(
    home: Home, tpm: SoftwareTpm, key: DeviceKey, tmp_path: Path
) -> None:
    """Attack 2: database and journal of yesterday fit together; the TPM counted on. The copy signs nothing."""
    clock, names = ManualClock(), iter(f"{number:032x}" for number in range(100, 120))
    db, ledger = opened(home.root, key)
    visit(db, ledger, clock, next(names))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.close()
    shutil.copytree(home.root, tmp_path / "yesterday")
    db, ledger = opened(home.root, key)
    for _ in range(3):  # checkpoints: the counter grows with each
        clock.advance(EVERY_MS / 1000)
        visit(db, ledger, clock, next(names))
    assert ledger.stopped is None
    db.close()
    tpm.restart()
    db, ledger = opened(tmp_path / "yesterday", key)
    assert isinstance(ledger.stopped, RolledBack)
    before = len(ledger_entries(db))
    assert isinstance(visit(db, ledger, clock, next(names)), Draft)
    assert len(ledger_entries(db)) == before
    db.close()
    evidence = key.evidence(b"n" * 16)
    assert evidence is not None
    assert key.counter is not None
    assert read_state(evidence, key.signer.public_jwk, b"n" * 16).counter == key.counter.read()
