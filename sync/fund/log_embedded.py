"""The fund's log in its SQLite file: tables, triggers, and the thread that owns a connection for it.

The port is `sync.fund.log_store`. The triggers hold what must hold whoever writes: a tile only grows at its end, runs,
checkpoints and cosignatures are never changed, so a tree that was signed stays the tree that was signed.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from sync.database import Database, Migrations, Value, immediate, open_database
from sync.fund.log_rows import LogRun, Pending, StoredCheckpoint, TreeGrowth, Waiting
from sync.fund.own_thread import OwnThread
from sync.fund.schema import FUND_MIGRATIONS
from sync.fund.statements import Statements, append_only, integer, timestamp
from sync.log_answer import Run
from sync.tiles import Tile, edge

LOG_MIGRATIONS: Final = Migrations("fund-log")

_TABLES: Final = (
    """CREATE TABLE log_tile (
        level INTEGER NOT NULL, number INTEGER NOT NULL,
        hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192),
        PRIMARY KEY (level, number)
    ) STRICT""",
    """CREATE TABLE log_run (
        first INTEGER PRIMARY KEY, device TEXT NOT NULL REFERENCES device, seq INTEGER NOT NULL CHECK (seq > 0),
        count INTEGER NOT NULL CHECK (count > 0), UNIQUE (device, seq)
    ) STRICT""",
    "CREATE TABLE log_looked (device TEXT PRIMARY KEY REFERENCES device, seq INTEGER NOT NULL) STRICT",
    """CREATE TABLE log_checkpoint (
        size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL, signed TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE log_cosignature (
        size INTEGER NOT NULL REFERENCES log_checkpoint, witness TEXT NOT NULL, line TEXT NOT NULL,
        received TEXT NOT NULL, PRIMARY KEY (size, witness)
    ) STRICT""",
    """CREATE TRIGGER log_tile_grows BEFORE UPDATE ON log_tile
       WHEN NEW.level <> OLD.level OR NEW.number <> OLD.number OR length(NEW.hashes) < length(OLD.hashes)
         OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
       BEGIN SELECT RAISE(ABORT, 'a tile of the log only grows'); END""",
    "CREATE TRIGGER log_tile_stays BEFORE DELETE ON log_tile BEGIN SELECT RAISE(ABORT, 'the log only grows'); END",
    """CREATE TRIGGER log_run_follows BEFORE INSERT ON log_run
       WHEN NEW.first IS NOT coalesce((SELECT first + count FROM log_run ORDER BY first DESC LIMIT 1), 0)
       BEGIN SELECT RAISE(ABORT, 'a run of the log follows the last one'); END""",
    """CREATE TRIGGER log_looked_forward BEFORE UPDATE ON log_looked WHEN NEW.seq <= OLD.seq
       BEGIN SELECT RAISE(ABORT, 'the log looks forward'); END""",
)

_APPEND_ONLY: Final = ("log_run", "log_checkpoint", "log_cosignature")


@LOG_MIGRATIONS()
def m001_log(db: Database) -> None:
    """Tiles, runs, checkpoints and cosignatures."""
    for statement in _TABLES:
        db.execute(statement)
    append_only(db, _APPEND_ONLY)


class SqliteLog:
    """The log's tables. Belongs to the thread that opened it."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._sql = Statements(database)

    @classmethod
    def open(cls, path: Path, key: bytes) -> Self:
        """Open the fund's database. Raises DatabaseFailure, KeyUnusable."""
        return cls(open_database(path, key, [FUND_MIGRATIONS, LOG_MIGRATIONS]))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def grow(self, portion: int, step: Callable[[Pending], TreeGrowth]) -> TreeGrowth:
        """One IMMEDIATE transaction."""
        with immediate(self._db):
            size = self.size()
            waiting = tuple(
                Waiting(str(d), integer(s), str(g), bool(r)) for d, s, g, r in self._sql.rows(_WAITING, (portion,))
            )
            grown = step(Pending(size, self.tiles(edge(size)), waiting))
            for tile, hashes in grown.tiles.items():
                self._sql.run(_PUT_TILE, (tile.level, tile.number, hashes))
            for each in grown.runs:
                self._sql.run("INSERT INTO log_run VALUES (?, ?, ?, ?)", _run_values(each))
            for device, seq in grown.looked.items():
                self._sql.run(_LOOK, (device, seq))
        return grown

    def tiles(self, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
        """Tiles as they are."""
        asked = json.dumps([list(tile) for tile in wanted])
        return {
            Tile(integer(level), integer(number)): _bytes(hashes)
            for level, number, hashes in self._sql.rows(_TILES, (asked,))
        }

    def size(self) -> int:
        """Leaves in the tree."""
        rows = self._sql.rows("SELECT first + count FROM log_run ORDER BY first DESC LIMIT 1")
        return integer(rows[0][0]) if rows else 0

    def looked(self, device: str) -> int:
        """How far a device's events were looked at."""
        rows = self._sql.rows("SELECT seq FROM log_looked WHERE device = ?", (device,))
        return integer(rows[0][0]) if rows else 0

    def runs(self, device: str, after: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of a device."""
        return tuple(map(_log_run, self._sql.rows(_RUNS, (device, device, after, after, limit))))

    def all_runs(self, index: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of all devices."""
        rows = self._sql.rows(
            "SELECT first, device, seq, count FROM log_run WHERE first >= ? ORDER BY first LIMIT ?", (index, limit)
        )
        return tuple(map(_log_run, rows))

    def keep_checkpoint(self, checkpoint: StoredCheckpoint, at: datetime) -> None:
        """Keep a checkpoint."""
        values = (checkpoint.size, checkpoint.root, checkpoint.note, timestamp(at))
        with immediate(self._db):
            self._sql.run("INSERT INTO log_checkpoint VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", values)

    def keep_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line."""
        values = (size, witness, line, timestamp(at))
        with immediate(self._db):
            self._sql.run("INSERT INTO log_cosignature VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", values)

    def checkpoints(self, after: int, limit: int) -> tuple[StoredCheckpoint, ...]:
        """Checkpoints in order."""
        rows = self._sql.rows(
            "SELECT size, root, note FROM log_checkpoint WHERE size > ? ORDER BY size LIMIT ?", (after, limit)
        )
        return tuple(map(self._checkpoint, rows))

    def newest(self, cosignatures: int) -> StoredCheckpoint | None:
        """The largest checkpoint with so many cosignatures."""
        rows = self._sql.rows(_NEWEST, (cosignatures,))
        return self._checkpoint(rows[0]) if rows else None

    def _checkpoint(self, row: tuple[Value, ...]) -> StoredCheckpoint:
        lines = self._sql.rows("SELECT line FROM log_cosignature WHERE size = ? ORDER BY witness", (row[0],))
        return StoredCheckpoint(integer(row[0]), _bytes(row[1]), str(row[2]), tuple(str(line) for (line,) in lines))


class EmbeddedLog:
    """A LogStore: a second connection to the SQLite file, in a thread of its own."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._own = OwnThread("fund-log", lambda: SqliteLog.open(path, key))

    async def open(self) -> None:
        """Open the file in its thread. Raises DatabaseFailure, KeyUnusable."""
        await self._own.open()

    async def close(self) -> None:
        """Finish what was begun, close the file, end the thread."""
        await self._own.close()

    async def grow(self, portion: int, step: Callable[[Pending], TreeGrowth]) -> TreeGrowth:
        """One transaction in the thread, which a cancelled caller cannot interrupt."""
        return await self._own.ask(lambda log: log.grow(portion, step))

    async def tiles(self, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
        """Tiles as they are."""
        return await self._own.ask(lambda log: log.tiles(wanted))

    async def size(self) -> int:
        """Leaves in the tree."""
        return await self._own.ask(SqliteLog.size)

    async def looked(self, device: str) -> int:
        """How far a device's events were looked at."""
        return await self._own.ask(lambda log: log.looked(device))

    async def runs(self, device: str, after: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of a device."""
        return await self._own.ask(lambda log: log.runs(device, after, limit))

    async def all_runs(self, index: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of all devices."""
        return await self._own.ask(lambda log: log.all_runs(index, limit))

    async def keep_checkpoint(self, checkpoint: StoredCheckpoint, at: datetime) -> None:
        """Keep a checkpoint."""
        await self._own.ask(lambda log: log.keep_checkpoint(checkpoint, at))

    async def keep_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line."""
        await self._own.ask(lambda log: log.keep_cosignature(size, witness, line, at))

    async def checkpoints(self, after: int, limit: int) -> tuple[StoredCheckpoint, ...]:
        """Checkpoints in order."""
        return await self._own.ask(lambda log: log.checkpoints(after, limit))

    async def newest(self, cosignatures: int) -> StoredCheckpoint | None:
        """The largest checkpoint with so many cosignatures."""
        return await self._own.ask(lambda log: log.newest(cosignatures))


_WAITING = """
SELECT event.device, event.seq, event.digest, event.refused IS NOT NULL
FROM head LEFT JOIN log_looked ON log_looked.device = head.device
JOIN event ON event.device = head.device AND event.seq > coalesce(log_looked.seq, 0)
WHERE head.seq > coalesce(log_looked.seq, 0) ORDER BY event.device, event.seq LIMIT ?
"""
_TILES = """
SELECT level, number, hashes FROM log_tile
JOIN (SELECT value ->> 0 AS l, value ->> 1 AS n FROM json_each(?)) ON level = l AND number = n
"""
_PUT_TILE = "INSERT INTO log_tile VALUES (?, ?, ?) ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
_LOOK = "INSERT INTO log_looked VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET seq = excluded.seq"
# The run that holds `after + 1`, if one does, begins at or before it: found by the index, whatever the log's length.
_RUNS = """
SELECT first, device, seq, count FROM log_run
WHERE device = ? AND seq >= coalesce((SELECT max(seq) FROM log_run WHERE device = ? AND seq <= ? + 1), 0)
  AND seq + count - 1 > ? ORDER BY seq LIMIT ?
"""
_NEWEST = """
SELECT size, root, note FROM log_checkpoint
WHERE (SELECT count(*) FROM log_cosignature WHERE log_cosignature.size = log_checkpoint.size) >= ?
ORDER BY size DESC LIMIT 1
"""


def _run_values(each: LogRun) -> tuple[Value, ...]:
    return (each.run.index, each.device, each.run.seq, each.run.count)


def _log_run(row: tuple[Value, ...]) -> LogRun:
    return LogRun(str(row[1]), Run(integer(row[0]), integer(row[2]), integer(row[3])))


def _bytes(value: Value) -> bytes:
    assert isinstance(value, bytes)  # noqa: S101  # the schema says so
    return value
