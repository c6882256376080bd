"""The fund's log in PostgreSQL; an advisory lock makes its growth one at a time, also with several gateways.

The port is `sync.fund.log_store`, the tables are `sync.fund.log_postgres_schema`'s, connections those of
`sync.fund.postgres_door`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sync.fund.log_rows import LogRun, Pending, StoredCheckpoint, TreeGrowth, Waiting
from sync.fund.postgres_door import Connection, Connections, Limits, migrate, transaction
from sync.log_answer import Run
from sync.tiles import Tile, edge

CONNECTIONS: Final = 2
"""One grows, one answers."""

_LOCK: Final = 0x4B4C4F47
"""Advisory lock ("KLOG") of whoever grows the log."""


class PostgresLog:
    """A LogStore; lost connections are made again by the next request."""

    def __init__(self, url: str, started: datetime | None, limits: Limits | None = None) -> None:
        """Nothing is connected before `open`. started: now, to bring the tables up to date; None for reading only."""
        self._url = url
        self._started = started
        self._limits = limits or Limits()
        self._connections = Connections(url, self._limits, CONNECTIONS)

    async def open(self) -> None:
        """Bring the database up to date. Raises DatabaseFailure, FundDatabaseInvalid."""
        if self._started is not None:
            await migrate(self._url, self._started, self._limits)
        await self._connections.open()

    async def close(self) -> None:
        """Let the connections go."""
        await self._connections.close()

    async def grow(self, portion: int, step: Callable[[Pending], TreeGrowth]) -> TreeGrowth:
        """One transaction under the log's lock."""
        async with self._connections.one() as connection, transaction(connection):
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)  # a statement before those that read
            size = await _size(connection)
            rows = await connection.fetch(_WAITING, portion)
            waiting = tuple(Waiting(device, seq, digest.hex(), refused) for device, seq, digest, refused in rows)
            grown = step(Pending(size, await _tiles(connection, edge(size)), waiting))
            if waiting:
                await _keep(connection, grown)
        return grown

    async def tiles(self, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
        """Tiles as they are."""
        async with self._connections.one() as connection:
            return await _tiles(connection, wanted)

    async def size(self) -> int:
        """Leaves in the tree."""
        async with self._connections.one() as connection:
            return await _size(connection)

    async def looked(self, device: str) -> int:
        """How far a device's events were looked at."""
        async with self._connections.one() as connection:
            return int(await connection.fetchval("SELECT seq FROM log_looked WHERE device = $1", device) or 0)

    async def runs(self, device: str, after: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of a device."""
        async with self._connections.one() as connection:
            return tuple(map(_log_run, await connection.fetch(_RUNS, device, after, limit)))

    async def all_runs(self, index: int, limit: int) -> tuple[LogRun, ...]:
        """Runs of all devices."""
        async with self._connections.one() as connection:
            return tuple(map(_log_run, await connection.fetch(_ALL_RUNS, index, limit)))

    async def keep_checkpoint(self, checkpoint: StoredCheckpoint, at: datetime) -> None:
        """Keep a checkpoint."""
        async with self._connections.one() as connection, transaction(connection):
            await connection.execute(_PUT_CHECKPOINT, checkpoint.size, checkpoint.root, checkpoint.note, at)

    async def keep_cosignature(self, size: int, witness: str, line: str, at: datetime) -> None:
        """Keep a witness's line."""
        async with self._connections.one() as connection, transaction(connection):
            await connection.execute(_PUT_COSIGNATURE, size, witness, line, at)

    async def checkpoints(self, after: int, limit: int) -> tuple[StoredCheckpoint, ...]:
        """Checkpoints in order."""
        async with self._connections.one() as connection:
            return tuple(map(_checkpoint, await connection.fetch(_CHECKPOINTS, after, limit)))

    async def newest(self, cosignatures: int) -> StoredCheckpoint | None:
        """The largest checkpoint with so many cosignatures."""
        async with self._connections.one() as connection:
            row = await connection.fetchrow(_NEWEST, cosignatures)
        return None if row is None else _checkpoint(row)


_WAITING = """
SELECT event.device, event.seq, event.digest, event.refused IS NOT NULL
FROM head LEFT JOIN log_looked USING (device)
JOIN event ON event.device = head.device AND event.seq > coalesce(log_looked.seq, 0)
WHERE head.seq > coalesce(log_looked.seq, 0) ORDER BY event.device, event.seq LIMIT $1
"""
_TILES = """
SELECT level, number, hashes FROM log_tile
JOIN unnest($1::integer[], $2::bigint[]) AS wanted (l, n) ON level = l AND number = n
"""
_PUT_TILES = """
INSERT INTO log_tile SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])
ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
"""
_PUT_RUNS = "INSERT INTO log_run SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])"
_LOOK = """
INSERT INTO log_looked SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (device) DO UPDATE SET seq = excluded.seq
"""
_RUNS = """
SELECT first, device, seq, count FROM log_run
WHERE device = $1 AND seq >= coalesce((SELECT max(seq) FROM log_run WHERE device = $1 AND seq <= $2::bigint + 1), 0)
  AND seq + count - 1 > $2 ORDER BY seq LIMIT $3
"""
_ALL_RUNS = "SELECT first, device, seq, count FROM log_run WHERE first >= $1 ORDER BY first LIMIT $2"
_PUT_CHECKPOINT = "INSERT INTO log_checkpoint VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_PUT_COSIGNATURE = "INSERT INTO log_cosignature VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_LINES = "ARRAY(SELECT line FROM log_cosignature AS c WHERE c.size = log_checkpoint.size ORDER BY witness)"
_CHECKPOINTS = f"SELECT size, root, note, {_LINES} FROM log_checkpoint WHERE size > $1 ORDER BY size LIMIT $2"  # noqa: S608
_NEWEST = (
    f"SELECT size, root, note, {_LINES} FROM log_checkpoint "  # noqa: S608
    "WHERE (SELECT count(*) FROM log_cosignature AS c WHERE c.size = log_checkpoint.size) >= $1 "
    "ORDER BY size DESC LIMIT 1"
)


async def _keep(connection: Connection, grown: TreeGrowth) -> None:
    tiles = [(tile.level, tile.number, hashes) for tile, hashes in grown.tiles.items()]
    runs = [(each.run.index, each.device, each.run.seq, each.run.count) for each in grown.runs]
    if runs:
        await connection.execute(_PUT_TILES, *map(list, zip(*tiles, strict=True)))
        await connection.execute(_PUT_RUNS, *map(list, zip(*runs, strict=True)))
    await connection.execute(_LOOK, list(grown.looked), list(grown.looked.values()))


async def _size(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT first + count FROM log_run ORDER BY first DESC LIMIT 1") or 0)


async def _tiles(connection: Connection, wanted: Sequence[Tile]) -> dict[Tile, bytes]:
    rows = await connection.fetch(_TILES, [tile.level for tile in wanted], [tile.number for tile in wanted])
    return {Tile(level, number): hashes for level, number, hashes in rows}


def _log_run(row: object) -> LogRun:
    first, device, seq, count = (row[place] for place in range(4))  # type: ignore[index]
    return LogRun(device, Run(first, seq, count))


def _checkpoint(row: object) -> StoredCheckpoint:
    size, root, note, lines = (row[place] for place in range(4))  # type: ignore[index]
    return StoredCheckpoint(size, root, note, tuple(lines))
