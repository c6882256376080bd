"""What a witness remembers, and the one decision it makes: sign a checkpoint, because it extends the last one signed.

Where checkpoints come from is left to `rounds`. The rules are those of C2SP tlog-witness, `add-checkpoint`: check and
store happen in one transaction, and nothing is signed that is not on the disk.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sync.errors import DatabaseUnreachable, LogUntrue, WitnessRefuses
from sync.log_checkpoint import Checkpoint, Growth, LogPolicy, check_growth, read_checkpoint
from sync.merkle import EMPTY_ROOT
from sync.note import NoteSigner

_TABLES: Final = """
CREATE TABLE signed (
    size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL, time INTEGER NOT NULL
) STRICT;
CREATE TABLE refused (
    id INTEGER PRIMARY KEY, what TEXT NOT NULL, growth TEXT NOT NULL UNIQUE, time INTEGER NOT NULL
) STRICT;
CREATE TRIGGER signed_no_update BEFORE UPDATE ON signed BEGIN SELECT RAISE(ABORT, 'signed is append-only'); END;
CREATE TRIGGER signed_no_delete BEFORE DELETE ON signed BEGIN SELECT RAISE(ABORT, 'signed is append-only'); END;
CREATE TRIGGER signed_grows BEFORE INSERT ON signed WHEN NEW.size <= (SELECT max(size) FROM signed)
    BEGIN SELECT RAISE(ABORT, 'a witness signs no smaller log'); END;
"""
"""Nothing here is secret, so the file is plain SQLite: an auditor reads it with any tool."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The last checkpoint a witness signed: size 0 before the first. refused: how often it refused, and why last."""

    checkpoint: Checkpoint
    time: int
    refused: int
    why: str | None


class Book:
    """A witness's memory; one process at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def create(cls, path: Path) -> None:
        """Make an empty one. Raises DatabaseUnreachable."""
        with _known(), contextlib.closing(_connect(path)) as connection:
            connection.executescript(_TABLES)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open it; a missing one is not made anew: who forgot would sign anything. Raises DatabaseUnreachable."""
        if not path.exists():
            raise DatabaseUnreachable(f"{path.name} is gone; a witness without its memory must not sign")
        with _known():
            return cls(_connect(path))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def last(self, origin: str) -> Signed:
        """What was signed last. Raises DatabaseUnreachable."""
        with _known():
            row = self._db.execute("SELECT size, root, time FROM signed ORDER BY size DESC LIMIT 1").fetchone()
            refused = self._db.execute("SELECT count(*), max(id) FROM refused").fetchone()
            why = self._db.execute("SELECT what FROM refused WHERE id = ?", (refused[1],)).fetchone()
        size, root, time = row or (0, EMPTY_ROOT, 0)
        return Signed(Checkpoint(origin, size, root), time, refused[0], why[0] if why else None)

    def add_checkpoint(self, growth: Growth, policy: LogPolicy, signer: NoteSigner, time: int) -> str:
        """The cosignature line for a checkpoint that extends the last one; it is on the disk before it is given away.

        time: of signing, seconds since the epoch. Raises WitnessRefuses (kept as evidence when the log signed it),
        EnvelopeInvalid (malformed, or not of this log), DatabaseUnreachable.
        """
        signed = read_checkpoint(growth.note, policy, 0)
        new = signed.checkpoint
        with self._transaction():
            last = self.last(new.origin).checkpoint
            why = _objection(last, new, growth)
            if why is None and new.size > last.size:
                self._db.execute("INSERT INTO signed VALUES (?, ?, ?, ?)", (new.size, new.root, growth.note, time))
            elif why is not None:
                values = (why, growth.text, time)
                self._db.execute("INSERT OR IGNORE INTO refused (what, growth, time) VALUES (?, ?, ?)", values)
        if why is not None:
            raise WitnessRefuses(why)
        return signer.sign(new.text, time).line

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with _known():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise


def _objection(last: Checkpoint, new: Checkpoint, growth: Growth) -> str | None:
    """Why this is not the growth of the last checkpoint; None when it is."""
    if growth.old != last.size:
        return f"the proof begins at {growth.old} events, the last checkpoint signed here has {last.size}"
    try:
        check_growth(last, new, growth.proof)
    except LogUntrue as untrue:
        return str(untrue)
    return None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


@contextlib.contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise DatabaseUnreachable(f"the witness's database: {error}") from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError):
            raise
        raise DatabaseUnreachable(f"the witness's database: {error}") from error
