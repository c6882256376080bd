"""The encrypted database: durable settings, and a name and a remedy for everything the world does to it."""

import contextlib
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.database import Database, IntegrityError, Migrations, immediate, known, open_database
from sync.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFailure,
    DatabaseKeyWrong,
    DatabaseMissing,
    DatabaseTooNew,
    DatabaseUnreachable,
    DiskFailing,
    DiskFull,
    KeyUnusable,
)
from sync.ledger import LEDGER_MIGRATIONS
from tests.fakes.faults import busy, disk_failing, disk_full
from tests.fakes.sync_desk import KEY, SyncDesk


def notes(*names: str, of: str = "notes") -> Migrations:
    """A set of migrations, each of which makes a table."""
    steps = Migrations(of)
    for name in names:

        def make(db: Database, table: str = name) -> None:
            db.execute(f"CREATE TABLE {table} (text TEXT NOT NULL) STRICT")

        steps(name=name)(make)
    return steps


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with one table and 400 rows."""
    path = tmp_path / "desk.db"
    with opened(path, create=True) as db, immediate(db):
        for number in range(400):
            db.execute("INSERT INTO note VALUES (?)", (f"{number} " * 20,))
    return path


@contextlib.contextmanager
def opened(path: Path, *, create: bool = False, key: bytes = KEY) -> Iterator[Database]:
    """Open, and close whatever happens."""
    with contextlib.closing(open_database(path, key, [notes("note")], create=create)) as db:
        yield db


def count(db: Database) -> int:
    """How many rows."""
    number: int = db.execute("SELECT count(*) FROM note").fetchone()[0]
    return number


def test_the_settings_are_the_durable_ones(path: Path) -> None:
    """WAL with FULL: NORMAL loses acknowledged events at a power cut."""
    with opened(path) as db:
        pragmas = {
            name: db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_on_the_disk_is_readable(path: Path) -> None:
    """Neither SQLite's header nor a row."""
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"SQLite format" not in content
    assert b"123 123 123" not in content


def test_a_missing_database_is_never_made_silently(tmp_path: Path) -> None:
    """A new one would start a second chain of events under the same key."""
    with pytest.raises(DatabaseMissing):
        open_database(tmp_path / "desk.db", KEY, [])
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_is_named_and_changes_nothing(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And SQLCipher writes nothing to the terminal."""
    before = path.read_bytes()
    with pytest.raises(DatabaseKeyWrong) as wrong:
        open_database(path, b"\1" * 32, [notes("note")])
    assert "Do not delete" in wrong.value.remedy
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", "")
    with opened(path) as db:
        assert count(db) == 400


def test_a_key_of_another_length_is_no_key(path: Path) -> None:
    """A short key would be taken for a passphrase."""
    with pytest.raises(KeyUnusable):
        open_database(path, b"short", [])


@pytest.mark.parametrize("kept", [0, 100, 4095, 4096, 20_000])
def test_a_truncated_database_is_named(path: Path, kept: int) -> None:
    """Cut anywhere: never taken for a new one, never emptied."""
    content = path.read_bytes()[:kept]
    path.write_bytes(content)
    with pytest.raises((DatabaseDamaged, DatabaseKeyWrong)):
        open_database(path, KEY, [notes("note")])
    assert path.read_bytes() == content


def test_a_flipped_bit_is_named(path: Path) -> None:
    """SQLCipher's page HMAC notices; the file stays as evidence."""
    content = bytearray(path.read_bytes())
    content[4096 * 3 + 100] ^= 1
    path.write_bytes(bytes(content))
    with opened(path) as db, pytest.raises(DatabaseDamaged), known():
        db.execute("SELECT * FROM note").fetchall()


def test_a_newer_database_is_refused(path: Path) -> None:
    """Its tables may mean something else."""
    open_database(path, KEY, [notes("note", "later")]).close()
    with pytest.raises(DatabaseTooNew, match="later"):
        open_database(path, KEY, [notes("note")])


def test_a_migration_that_fails_leaves_nothing_behind(path: Path) -> None:
    """Not even of the sets and steps before it."""
    bad = notes("second", of="bad")

    def fail(db: Database) -> None:
        db.execute("CREATE TABLE half (x)")
        raise ZeroDivisionError

    bad(name="third")(fail)
    with pytest.raises(ZeroDivisionError):
        open_database(path, KEY, [notes("note"), bad])
    with opened(path) as db:
        assert set(db.table_names()) == {"note", "_sqlite_migrations"}


def test_a_directory_that_is_not_there_or_not_a_file_is_named(tmp_path: Path) -> None:
    """As unreachable, with a remedy."""
    with pytest.raises(DatabaseUnreachable):
        open_database(tmp_path / "missing" / "desk.db", KEY, [], create=True)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DatabaseUnreachable):
        open_database(tmp_path / "file" / "desk.db", KEY, [])
    with pytest.raises(DatabaseFailure):
        open_database(tmp_path, KEY, [], create=True)


def test_a_full_disk_is_named_and_loses_nothing(desk: SyncDesk) -> None:
    """No page more: the event is not recorded, those before are whole, and with space it goes on."""
    entries = desk.append_many(3)
    pages = desk.db.execute("PRAGMA page_count").fetchone()[0]
    desk.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull) as full:
        entries.extend(desk.append() for _ in range(200))
    assert "Free space" in full.value.remedy
    assert len(entries) > 3
    desk.check_everything(entries)
    desk.db.execute("PRAGMA max_page_count = 1000000")
    entries.append(desk.append())
    desk.deliver_all()
    desk.check_everything(entries)
    assert desk.fund.have == len(entries)


@pytest.mark.parametrize(
    ("make", "failure"), [(disk_full, DiskFull), (disk_failing, DiskFailing), (busy, DatabaseBusy)]
)
def test_sqlite_s_codes_become_known_failures(make: object, failure: type[DatabaseFailure]) -> None:
    """With the library's exception as the cause."""
    assert callable(make)
    error = make()
    with pytest.raises(failure) as raised, known():
        raise error
    assert raised.value.__cause__ is error
    assert raised.value.code.startswith("E-D")


def test_a_bug_stays_a_bug(path: Path) -> None:
    """Wrong SQL and broken constraints are not the world's fault."""
    with opened(path) as db:
        with pytest.raises(IntegrityError), immediate(db):
            db.execute("INSERT INTO note VALUES (NULL)")
        with pytest.raises(Exception, match="no such table") as raised, known():
            db.execute("SELECT * FROM absent")
        assert not isinstance(raised.value, DatabaseFailure)


def test_a_transaction_is_all_or_nothing_and_never_nested(path: Path) -> None:
    """What another connection sees is the commit."""
    with opened(path) as db, opened(path) as other:
        with pytest.raises(IntegrityError), immediate(db):
            db.execute("INSERT INTO note VALUES ('x'), (NULL)")
        assert count(other) == 400
        with immediate(db):
            db.execute("INSERT INTO note VALUES ('x')")
            assert count(other) == 400
        assert count(other) == 401
        with pytest.raises(Exception, match="within a transaction"), immediate(db), immediate(db):
            pass
        assert not db.conn.in_transaction


def test_a_database_held_by_another_process_is_named(path: Path) -> None:
    """After the time-out, not for ever."""
    with opened(path) as db, opened(path) as other, immediate(db):
        other.execute("PRAGMA busy_timeout = 50").fetchall()
        with pytest.raises(DatabaseBusy), immediate(other):
            pass


def _open_new(path: Path) -> None:
    open_database(path, KEY, [LEDGER_MIGRATIONS], create=True).close()


def test_two_processes_may_create_and_open_it_at_once(tmp_path: Path) -> None:
    """Kiosk and sync start together at boot; each migration runs once."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open_new, args=(tmp_path / "desk.db",)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    with contextlib.closing(open_database(tmp_path / "desk.db", KEY, [LEDGER_MIGRATIONS])) as db:
        applied = [step.name for step in LEDGER_MIGRATIONS.applied(db)]
        assert len(applied) == len(set(applied)) == len(LEDGER_MIGRATIONS._migrations)
