"""Database and journal are compared event by event: what is done to one of them is found, and the other is right."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.copies import Copies, Right, compare, prove_journal
from sync.database import Database, immediate, open_database
from sync.errors import LedgerBroken, NothingToRecover, RolledBack
from sync.journal import Journal
from sync.ledger import LEDGER_MIGRATIONS, ledger_entries, ledger_head, verify_ledger
from sync.opening import Opening, look
from sync.recover import SUFFIXES, recover
from tests.fakes.sync_desk import DEVICE, KEY, SyncDesk

EVENTS = 6


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SyncDesk]:
    """A desk with a journal, six events, three of them with receipts."""
    desk = SyncDesk.create(tmp_path)
    desk.journal = Journal(tmp_path / "journal")
    desk.append_many(3)
    desk.deliver_all()
    desk.append_many(EVENTS - 3)
    yield desk
    with contextlib.suppress(Exception):
        desk.db.close()


def compared(desk: SyncDesk) -> Copies:
    """Both copies, proven."""
    assert desk.journal is not None
    return compare(desk.db, desk.journal, desk.signer.public_jwk, DEVICE, desk.fund.signer.public_jwk)


def verdict(desk: SyncDesk) -> tuple[int, Right] | None:
    """The first bad event, and the copy to believe."""
    found = compared(desk).difference
    return None if found is None else (found.seq, found.right)


def opened(desk: SyncDesk) -> Opening:
    """What a start of the desk finds, with a journal that was not read before."""
    assert desk.journal is not None
    return look(desk.db, Journal(desk.journal.folder), desk.signer.public_jwk, DEVICE)


def segment(desk: SyncDesk) -> Path:
    """The only file of the journal."""
    assert desk.journal is not None
    (path,) = desk.journal.folder.glob("*.journal")
    return path


def defenceless(desk: SyncDesk) -> None:
    """Without triggers and foreign keys, as somebody with the database's key would have it."""
    for (name,) in desk.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        desk.db.execute(f"DROP TRIGGER {name}")
    desk.db.execute("PRAGMA foreign_keys = OFF")


def recovered(desk: SyncDesk, path: Path | None = None) -> Database:
    """The desk's database, built anew."""
    assert desk.journal is not None

    def open_at(at: Path, create: bool) -> Database:
        return open_database(at, KEY, [LEDGER_MIGRATIONS], create=create)

    path = path or desk.path
    desk.db.close()
    recover(path, desk.journal, desk.signer.public_jwk, DEVICE, desk.clock.moment().wall, open_at)
    return open_at(path, False)


def test_two_whole_copies_are_equal(desk: SyncDesk) -> None:
    """And the journal alone says as much, without any key but the device's public one."""
    assert verdict(desk) is None
    assert desk.journal is not None
    head, fault = prove_journal(desk.journal, desk.signer.public_jwk, DEVICE)
    assert (head, fault) == (ledger_head(desk.db), "")
    assert opened(desk) == Opening()


def test_a_truncated_journal_is_found_and_completed_at_the_next_start(desk: SyncDesk) -> None:
    """Cut after whole lines, in the middle of one, and emptied: the database is right."""
    whole = segment(desk).read_bytes()
    lines = whole.splitlines(keepends=True)
    for left, seq in ((b"".join(lines[:4]), 5), (b"".join(lines[:4]) + lines[4][:700], 5), (b"", 1)):
        segment(desk).write_bytes(left)
        assert verdict(desk) == (seq, Right.DATABASE)
        assert opened(desk).completed == EVENTS - seq + 1
        assert segment(desk).read_bytes() == whole
        assert verdict(desk) is None
    assert len(compared(desk).asides) == 1, "the torn line is kept"


def test_a_truncated_database_is_found_and_adopts_the_tail(desk: SyncDesk) -> None:
    """The end of the chain deleted with its outbox rows; the journal has it."""
    defenceless(desk)
    desk.db.execute("DELETE FROM event WHERE seq > 4")
    desk.db.execute("DELETE FROM outbox WHERE seq > 4")
    assert verdict(desk) == (5, Right.JOURNAL)
    assert opened(desk) == Opening(adopted=2)
    assert verdict(desk) is None


def test_a_database_restored_from_an_old_copy_adopts_and_does_not_fork(desk: SyncDesk, tmp_path: Path) -> None:
    """The desk goes on behind what the fund already has; without the journal's tail it signs nothing."""
    desk.snapshot(tmp_path / "old.db")
    desk.append_many(3)
    desk.deliver_all()
    old = desk.restored(tmp_path / "old.db")
    assert old.journal is not None
    old.journal = Journal(old.journal.folder)
    assert verdict(old) == (EVENTS + 1, Right.JOURNAL)
    with pytest.raises(AssertionError):
        old.append()  # a process that started before: the event is kept as a draft
    assert opened(old).adopted == 3
    old.append()
    old.deliver_all()
    assert old.fund.have >= EVENTS + 4
    assert old.status.parked == ()
    assert verdict(old) is None
    old.db.close()


def test_an_old_copy_of_database_and_journal_stops_signing_once_the_fund_has_spoken(
    desk: SyncDesk, tmp_path: Path
) -> None:
    """Both copies put back: only the fund, or the key's counter, can know."""
    assert desk.journal is not None
    desk.snapshot(tmp_path / "old.db")
    lines = segment(desk).read_bytes()
    desk.append_many(3)
    desk.deliver_all()
    segment(desk).write_bytes(lines)
    old = desk.restored(tmp_path / "old.db")
    old.journal = Journal(desk.journal.folder)
    old.worker().run_once()
    found = opened(old)
    assert isinstance(found.stopped, RolledBack)
    assert found.stopped.remedy
    with pytest.raises(AssertionError):
        old.append()
    assert ledger_head(old.db).seq == EVENTS
    old.db.close()


def test_an_old_page_put_back_into_the_database_is_found(desk: SyncDesk) -> None:
    """SQLCipher's pages carry no version: it opens and checks as whole, and the comparison names the event."""
    desk.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = desk.path.read_bytes()
    desk.append_many(30)
    desk.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    desk.db.close()
    after = desk.path.read_bytes()
    changed = [n for n in range(1, len(before) // 4096) if before[n * 4096 :][:4096] != after[n * 4096 :][:4096]]
    found = 0
    for page in changed:
        mixed = bytearray(after)
        mixed[page * 4096 : (page + 1) * 4096] = before[page * 4096 : (page + 1) * 4096]
        desk.path.write_bytes(bytes(mixed))
        desk.db = open_database(desk.path, KEY, [LEDGER_MIGRATIONS])
        assert desk.db.execute("PRAGMA cipher_integrity_check").fetchall() == []
        stored = [entry.token for entry in ledger_entries(desk.db, 0, 1000)]
        queued = desk.db.execute("SELECT count(*) FROM outbox").fetchone()[0]
        if len(stored) < EVENTS + 30 or queued < EVENTS + 30:
            found += 1
            difference = compared(desk).difference
            assert difference is not None
            assert difference.right is Right.JOURNAL
        desk.db.close()
    assert found, "an old page of events or outbox was put back"
    desk.path.write_bytes(after)


def test_lines_in_another_order_are_found(desk: SyncDesk) -> None:
    """Each line is intact; the chain is not."""
    lines = segment(desk).read_bytes().splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    segment(desk).write_bytes(b"".join(lines))
    assert verdict(desk) == (3, Right.DATABASE)


def test_two_signed_events_of_one_number_are_a_fork_and_neither_copy_is_right(desk: SyncDesk, tmp_path: Path) -> None:
    """The same key signed twice: the fund decides, nobody here."""
    other = replace(desk, path=tmp_path / "other.db", journal=Journal(tmp_path / "elsewhere"))
    other.append_many(EVENTS)
    assert other.journal is not None
    (line,) = other.journal.folder.glob("*.journal")
    segment(desk).write_bytes(line.read_bytes())
    assert verdict(desk) == (1, Right.NEITHER)
    assert isinstance(opened(desk).stopped, LedgerBroken)
    other.db.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_byte_of_the_journal_can_be_changed(desk: SyncDesk, data: st.DataObject) -> None:
    """Any byte, any other value: the event whose line it is gets named, and the database is right."""
    whole = segment(desk).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    segment(desk).write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
    found = verdict(desk)
    segment(desk).write_bytes(whole)
    assert found == (whole[:place].count(b"\n") + 1, Right.DATABASE)


COLUMNS = {
    "event": ("seq", "event_id", "digest", "prev", "kind", "wall", "trust", "token"),
    "receipt": ("first", "last", "token"),
}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_value_of_the_database_can_be_changed(desk: SyncDesk, data: st.DataObject) -> None:
    """Any character of any column of any event, and of any receipt: found; an event is named."""
    defenceless(desk)
    table = data.draw(st.sampled_from(sorted(COLUMNS)))
    column = data.draw(st.sampled_from(COLUMNS[table]))
    rows = desk.db.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 - ours
    row, value = data.draw(st.sampled_from(rows))
    if isinstance(value, int):
        changed: int | str = value + (1 if column == "first" else 1000)
    else:
        place = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.sampled_from("azAZ059-_.:{").filter(lambda character: character != value[place]))
        changed = value[:place] + other + value[place + 1 :]
    update = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"  # noqa: S608 - ours
    desk.db.execute(update, (changed, row))
    try:
        with pytest.raises(LedgerBroken) as broken:
            verify_ledger(desk.db, desk.signer.public_jwk, DEVICE, desk.fund.signer.public_jwk)
    finally:
        desk.db.execute(update, (value, changed if (table, column) == ("event", "seq") else row))
    assert broken.value.seq is not None
    if table == "event":
        assert broken.value.seq == row


def test_a_lost_database_is_built_from_the_journal_and_delivered_again(desk: SyncDesk) -> None:
    """Every event with its digest; pending, until the fund says that it knows them."""
    before = ledger_entries(desk.db, 0, 100)
    desk.db.close()
    for suffix in SUFFIXES:
        desk.path.with_name(desk.path.name + suffix).unlink(missing_ok=True)
    desk.db = recovered(desk)
    assert ledger_entries(desk.db, 0, 100) == before
    assert desk.status.pending == EVENTS
    desk.deliver_all()
    assert desk.fund.have == EVENTS
    assert verdict(desk) is None


def test_a_broken_database_is_replaced_and_kept(desk: SyncDesk) -> None:
    """Bytes flipped all over it; the old file has a name of its own."""
    before = ledger_entries(desk.db, 0, 100)
    desk.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    desk.db.close()
    broken = bytearray(desk.path.read_bytes())
    for place in range(5000, len(broken), 4096):
        broken[place] ^= 1
    desk.path.write_bytes(bytes(broken))
    desk.db = recovered(desk)
    assert ledger_entries(desk.db, 0, 100) == before
    (kept,) = desk.path.parent.glob("desk.db.broken-*")
    assert kept.read_bytes() == bytes(broken)
    assert verdict(desk) is None


def test_a_hole_in_the_journal_is_filled_from_the_old_database(desk: SyncDesk) -> None:
    """And what stood behind the journal's end comes along; an altered row stays behind."""
    before = ledger_entries(desk.db, 0, 100)
    lines = segment(desk).read_bytes().splitlines(keepends=True)
    segment(desk).write_bytes(b"".join([lines[0], b"x" + lines[1][1:], *lines[2:5]]))
    defenceless(desk)
    desk.db.execute("UPDATE event SET token = 'x' WHERE seq = 1")
    desk.db = recovered(desk)
    assert ledger_entries(desk.db, 0, 100) == before


def test_nothing_is_replaced_when_there_is_nothing_to_recover(desk: SyncDesk) -> None:
    """No event verifies: the files stay as they are."""
    segment(desk).write_bytes(b"")
    defenceless(desk)
    desk.db.execute("UPDATE event SET token = 'x'")
    with pytest.raises(NothingToRecover):
        recovered(desk)
    desk.db = open_database(desk.path, KEY, [LEDGER_MIGRATIONS])
    assert ledger_head(desk.db).seq == EVENTS


def test_what_waited_for_the_key_survives_a_recovery(desk: SyncDesk) -> None:
    """Drafts are in no journal: they come from the old database."""
    with immediate(desk.db):
        desk.db.execute("INSERT INTO draft (event_id, promised, payload) VALUES ('a', 7, '{}')")
    desk.db = recovered(desk)
    assert desk.db.execute("SELECT event_id, promised, payload FROM draft").fetchall() == [("a", 7, "{}")]
