"""The only door to SQLCipher: opens the encrypted database and names what can go wrong with it.

What the tables hold and when they change is left to the modules that own them (`ledger`, `outbox`,
the desk's records, the fund's store); each brings its own migrations.

sqlite-utils catches the exceptions of the module it finds under the name `pysqlite3`; SQLCipher's are
different classes from `sqlite3`'s, so ours must be registered under that name before sqlite-utils is
imported. That is why nothing else may import either library.
"""

import contextlib
import os
import shutil
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import sqlcipher3
from sqlcipher3 import dbapi2

sys.modules["pysqlite3"] = sqlcipher3
sys.modules["pysqlite3.dbapi2"] = dbapi2

from sqlite_utils import Database, Migrations  # noqa: E402 - only after the registration above
from sqlite_utils import utils as _sqlite_utils  # noqa: E402

from sync.durable import sync_directory  # noqa: E402
from sync.errors import (  # noqa: E402
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
from sync.keyfile import KEY_BYTES  # noqa: E402

__all__ = [
    "Database",
    "DatabaseError",
    "IntegrityError",
    "Migrations",
    "Value",
    "awaits_commit",
    "check_pages",
    "copy_database",
    "immediate",
    "known",
    "once_committed",
    "open_database",
    "rekey",
]

if getattr(_sqlite_utils, "sqlite3", None) is not sqlcipher3:
    raise ImportError("sqlite_utils was imported before sync.database; import sync.database first")

DatabaseError = dbapi2.DatabaseError
"""Whatever the database says to a statement; for who reads a file that may be broken anywhere."""

IntegrityError = dbapi2.IntegrityError
"""A constraint or an append-only trigger said no."""

Value = None | int | float | str | bytes
"""What a column can hold."""

_PAGE_BYTES: Final = 4096
"""SQLCipher's page: no database file is shorter once it has been created."""

_SPARE_BYTES: Final = 8 << 20
"""Left free beside what a rekey needs, so that visits can go on being recorded."""

_BUSY_MS: Final = 5000
"""How long to wait for the other process; its transactions take milliseconds, a TPM signature below a second."""

_ALONE_MS: Final = 500
"""Who must be alone asks a person to stop the services rather than wait for them."""

_FAILURES: Final[dict[int, tuple[type[DatabaseFailure], str]]] = {
    5: (DatabaseBusy, "the database is held by another process"),
    6: (DatabaseBusy, "a table of the database is held by another statement"),
    8: (DatabaseUnreachable, "the database is read-only"),
    10: (DiskFailing, "the disk failed while the database was read or written"),
    11: (DatabaseDamaged, "a page of the database is damaged"),
    13: (DiskFull, "the disk is full"),
    14: (DatabaseUnreachable, "the database file cannot be opened"),
    26: (DatabaseDamaged, "a page of the database does not decrypt"),
}
"""Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that are the world's fault."""


_committed: Final[weakref.WeakKeyDictionary[Database, list[Callable[[], None]]]] = weakref.WeakKeyDictionary()


def once_committed(db: Database, action: Callable[[], None]) -> None:
    """Do this once the open `immediate` transaction is on the disk, before its caller goes on."""
    _committed.setdefault(db, []).append(action)


def awaits_commit(db: Database) -> bool:
    """Whether something was put off by `once_committed` in the open transaction."""
    return db in _committed


@contextlib.contextmanager
def known() -> Iterator[None]:
    """Turn SQLite's errors about the world into known failures; everything else passes as it is.

    Raises DatabaseBusy, DatabaseDamaged, DatabaseUnreachable, DiskFailing, DiskFull.
    """
    try:
        yield
    except dbapi2.Error as error:
        named = _FAILURES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if named is None:
            raise
        failure, text = named
        raise failure(text) from error


@contextlib.contextmanager
def immediate(db: Database) -> Iterator[Database]:
    """One write transaction that owns the database from its first statement; commits, or leaves nothing.

    `BEGIN IMMEDIATE`, because a transaction that reads first and writes later dies with "database is
    locked" whatever the time-out (a WAL snapshot cannot be upgraded). When the block ends without an
    exception, its effects are on the disk, and what was asked for by `once_committed` has been done; when
    that fails, the transaction stands and the failure goes up. Never nested. Raises as `known`.
    """
    with known():
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        except BaseException:
            _committed.pop(db, None)
            db.rollback()
            raise
        for action in _committed.pop(db, ()):
            action()


def open_database(
    path: Path, key: bytes, migrations: Sequence[Migrations], *, create: bool = False, alone: bool = False
) -> Database:
    """Open the database with its raw 32-byte key and bring its tables up to date.

    A missing or emptied file is created only with `create`: elsewhere it would silently start a second
    chain of events. The connection belongs to the calling thread. Migrations run in one transaction,
    so two processes may start at once. alone: no other process has the file open, nor can until `.close()`.

    Raises DatabaseBusy (alone, and it is open elsewhere), DatabaseMissing, DatabaseKeyWrong, DatabaseTooNew,
    KeyUnusable, and as `known`.
    """
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"the database key must be {KEY_BYTES} bytes")
    _require_file(path, create)
    with known():
        connection = dbapi2.connect(
            os.fspath(path), isolation_level=None, timeout=(_ALONE_MS if alone else _BUSY_MS) / 1000
        )
        try:
            _unlock(connection, key, path, alone=alone)
            database = Database(connection, execute_plugins=False)
            _migrate(database, migrations, path)
        except BaseException:
            connection.close()
            raise
    return database


def rekey(db: Database, path: Path, key: bytes) -> None:
    """Encrypt the whole file anew under another raw key: one transaction, so a process that dies leaves the old key.

    For a database opened `alone`; close it afterwards. The write-ahead log grows to the size of the file meanwhile.
    Raises DiskFull (checked before, and while it runs), and as `known`.
    """
    need = path.stat().st_size * 6 // 5 + _SPARE_BYTES
    free = shutil.disk_usage(path.parent).free
    if free < need:
        raise DiskFull(f"a new database key needs {need >> 20} MiB of free space, there are {free >> 20}")
    with known():
        db.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"").fetchall()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def copy_database(db: Database, path: Path, key: bytes) -> None:
    """Copy the database as it is at this instant, encrypted under the same key, while others go on writing.

    path: does not exist yet. The copy is one file, on the disk when this returns. Raises as `known`.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    with known(), contextlib.closing(dbapi2.connect(os.fspath(path), isolation_level=None)) as copy:
        copy.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        copy.execute("PRAGMA synchronous = FULL")
        db.conn.backup(copy)  # in one step: a snapshot, whoever writes meanwhile
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    sync_directory(path.parent)


def check_pages(db: Database) -> None:
    """Read every page: each must decrypt, authenticate, and fit the others. Raises DatabaseDamaged, and as `known`.

    The log is emptied first: the check of SQLCipher reads the main file only.
    """
    with known():
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        damaged = db.execute("PRAGMA cipher_integrity_check").fetchall()
        said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if damaged:
        raise DatabaseDamaged(f"{len(damaged)} pages of the database do not authenticate")
    if said != "ok":
        raise DatabaseDamaged(f"the database is not whole: {said}")


def _require_file(path: Path, create: bool) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        if not create:
            raise DatabaseMissing(f"there is no database at {path.name}") from None
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            sync_directory(path.parent)
        except OSError as error:
            raise DatabaseUnreachable(f"{path.name} cannot be created: {error.strerror}") from error
        return
    except OSError as error:
        raise DatabaseUnreachable(f"{path.name} cannot be read: {error.strerror}") from error
    if size < _PAGE_BYTES and not create:
        raise DatabaseDamaged(f"{path.name} is cut off after {size} bytes")


def _unlock(connection: dbapi2.Connection, key: bytes, path: Path, *, alone: bool) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")  # else a wrong key writes "ERROR CORE" lines to stderr
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")  # a raw key: no key derivation, no passphrase
    if alone:  # in WAL mode every open connection holds a shared lock: one is enough to keep this one out
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a wrong key shows only here
    except dbapi2.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != 26:
            raise
        raise DatabaseKeyWrong(f"the key does not open {path.name}") from error
    for pragma in (
        f"busy_timeout = {_BUSY_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # NORMAL loses acknowledged events at a power cut (up to a whole checkpoint)
        "foreign_keys = ON",
        "secure_delete = ON",  # an erased template must not stay in a free page
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _migrate(database: Database, migrations: Sequence[Migrations], path: Path) -> None:
    for steps in migrations:
        unknown = {step.name for step in steps.applied(database)} - {step.name for step in steps._migrations}
        if unknown:
            raise DatabaseTooNew(f"{path.name} was written by a newer version ({min(unknown)})")
    if not any(steps.pending(database) for steps in migrations):
        return
    with immediate(database):  # each step nests as a savepoint; a step that fails leaves nothing of any
        for steps in migrations:
            steps.apply(database)
