"""The fund's storage in PostgreSQL: one transaction for each batch, with the head of the device locked.

The port is `sync.fund.store`, the tables are `sync.fund.postgres_schema`'s, connections `sync.fund.postgres_door`'s.
Judging an event is left to `sync.fund.ingest`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from sync.errors import DatabaseDamaged
from sync.fund.postgres_door import Connection, Connections, Limits, Record, make_partitions, migrate, transaction
from sync.fund.postgres_schema import partitions
from sync.fund.registry import ADD_CERTIFICATE, CERTIFICATES_OF, certificate_columns, certificate_of
from sync.fund.rows import NO_EVENTS, Certificate, Decided, Device, DeviceSummary, Head, LastHeard, Ruling, View, Wanted
from sync.fund.store import Decision
from sync.signing import PublicJwk

CONNECTIONS = 8
"""Of one gateway process; its own work is one thread's, so more would only queue at the server."""


class PostgresStore:
    """A FundStore; lost connections are made again by the next request."""

    def __init__(self, url: str, started: datetime, limits: Limits | None = None) -> None:
        """Nothing is connected before `open`. started: now, to know which partitions are needed."""
        self._url = url
        self._started = started
        self._limits = limits or Limits()
        self._connections = Connections(url, self._limits, CONNECTIONS)
        self._months: set[str] = set()

    async def open(self) -> None:
        """Bring the database up to date. Raises DatabaseFailure, FundDatabaseInvalid."""
        await migrate(self._url, self._started, self._limits)
        self._months = {month.name for month in partitions(self._started)}
        await self._connections.open()

    async def close(self) -> None:
        """Let the connections go."""
        await self._connections.close()

    async def device(self, device: str) -> Device | None:
        """A registered device."""
        async with self._connections.one() as connection:
            return device_of(await connection.fetchrow(DEVICES + "WHERE device = $1", device))

    async def head(self, device: str) -> Head:
        """The last event of a device."""
        async with self._connections.one() as connection:
            return head_of(await connection.fetchrow("SELECT seq, digest FROM head WHERE device = $1", device))

    async def settle(self, device: str, wanted: Wanted, decide: Callable[[View], Decision], at: datetime) -> Decision:
        """As `FundStore.settle`; devices go in parallel, batches of one device one after the other."""
        async with self._connections.one() as connection:
            await self._make_months(connection, at)
            async with transaction(connection):
                view = await _view(connection, device, wanted)
                ruling = decide(view)
                await _keep(connection, device, ruling, at)
            return ruling

    async def certificates(self, device: str) -> tuple[Certificate, ...]:
        """All certificates of a device."""
        async with self._connections.one() as connection:
            return tuple(certificate_of(row) for row in await connection.fetch(CERTIFICATES_OF, device))

    async def keep_certificate(self, certificate: Certificate, at: datetime) -> None:
        """Keep a certificate."""
        async with self._connections.one() as connection, transaction(connection):
            await connection.execute(ADD_CERTIFICATE, *certificate_columns(certificate, at))

    async def probe(self, at: datetime) -> None:
        """Write something."""
        async with self._connections.one() as connection, transaction(connection):
            await connection.execute(_PROBE, at)

    async def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device, by id."""
        async with self._connections.one() as connection:
            return tuple(summary_of(row) for row in await connection.fetch(SUMMARIES))

    async def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events, by id."""
        async with self._connections.one() as connection:
            return tuple(LastHeard(*row) for row in await connection.fetch(LAST_HEARD))

    async def kinds(self) -> Mapping[str, int]:
        """Number of events by kind."""
        async with self._connections.one() as connection:
            rows = await connection.fetch("SELECT kind, sum(count) FROM kind_count GROUP BY kind ORDER BY kind")
        return {str(kind): int(count) for kind, count in rows}

    async def _make_months(self, connection: Connection, at: datetime) -> None:
        """Partitions ahead of the first batch of a month."""
        if (months := {month.name for month in partitions(at)}) - self._months:
            async with transaction(connection):
                await make_partitions(connection, at)
            self._months |= months


DEVICES = (
    "SELECT device, clinic, desk, key_class, key_x, key_y, blocked, attested, revoked_for, certified_until "
    "FROM registered "
)
SUMMARIES = """
SELECT device, clinic, desk, key_class, key_x, key_y, blocked, attested, revoked_for, certified_until,
       head.seq, head.digest, last_seen,
       (SELECT count(*) FROM fork WHERE fork.device = registered.device),
       (SELECT coalesce(sum(count), 0) FROM refusal WHERE refusal.device = registered.device)
FROM registered JOIN head USING (device) ORDER BY device
"""
LAST_HEARD = """
SELECT device, (
    SELECT token FROM event AS own
    WHERE own.device = head.device AND kind = 'pack_in_use' AND refused IS NULL ORDER BY own.seq DESC LIMIT 1
), newest.token, newest.received
FROM head, LATERAL (
    SELECT token, received FROM event WHERE event.device = head.device AND event.seq = head.seq LIMIT 1
) AS newest ORDER BY device
"""
# LIMIT: one descent of an index for each device and month; a join might read every event there ever was.
# Two statements: what one statement reads beside the row it waits for is as old as the beginning of the wait.
_LOCK_HEAD = "SELECT seq, digest FROM head WHERE device = $1 FOR NO KEY UPDATE"
# LIMIT keeps this one descent of the index for each id: as a join, or with ANY, the planner may read every id that
# the device ever had and compare it with the whole batch, which took half of the server's time after 8,000 events.
_SEEN = (
    "SELECT device, clinic, desk, key_class, key_x, key_y, blocked, attested, revoked_for, certified_until, "
    "ARRAY(SELECT seen.event_id FROM unnest($2::bytea[]) AS wanted (id), LATERAL ("
    "SELECT event_id FROM event_id WHERE device = $1 AND event_id = wanted.id LIMIT 1) AS seen) "
    "FROM registered WHERE device = $1"
)
_DECIDED = "SELECT seq, digest, refused FROM event WHERE device = $1 AND seq = ANY($2::bigint[])"
_ADD_EVENTS = (
    "INSERT INTO event (device, seq, digest, event_id, kind, token, refused, received) SELECT $1, new.*, $8 "
    "FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::text[]) AS new"
)
_ADD_FORK = (
    "INSERT INTO fork (device, seq, digest, kept_digest, token, received) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT DO NOTHING"  # the same evidence twice is kept once
)
_COUNT_REFUSALS = (
    "INSERT INTO refusal AS counted VALUES ($1, $2, $3, $4, $4) ON CONFLICT (device, reason) "
    "DO UPDATE SET count = counted.count + excluded.count, last = excluded.last"
)
_PROBE = "INSERT INTO probe VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET written = excluded.written"
# Also when nothing is new: a COMMIT that wrote something waits for the stand-by to have everything before it, so what
# is answered as known is as durable as what is accepted. And it waits without the server's time-out, see `transaction`.
_NOTE = (
    "UPDATE device SET last_seen = CASE WHEN $2 THEN $4 ELSE last_seen END, blocked = coalesce($3, blocked) "
    "WHERE device = $1 RETURNING set_config('statement_timeout', '0', true)"
)


async def _view(connection: Connection, device: str, wanted: Wanted) -> View:
    """Lock the head, then read everything else."""
    head = head_of(await connection.fetchrow(_LOCK_HEAD, device))
    seen = await connection.fetchrow(_SEEN, device, [bytes.fromhex(each) for each in wanted.ids])
    found = device_of(seen)
    if found is None:
        raise DatabaseDamaged(f"device {device} is gone")  # devices are never deleted
    again = [seq for seq in wanted.seqs if seq <= head.seq]
    decided = await connection.fetch(_DECIDED, device, again) if again else ()
    return View(
        device=found,
        head=head,
        decided={int(seq): Decided(digest.hex(), refused) for seq, digest, refused in decided},
        ids=frozenset(each.hex() for each in seen[10]),
    )


async def _keep(connection: Connection, device: str, ruling: Ruling, at: datetime) -> None:
    if ruling.events:
        rows = [
            (e.seq, bytes.fromhex(e.digest), bytes.fromhex(e.event_id), e.kind, e.token, e.refused)
            for e in ruling.events
        ]
        await connection.execute(_ADD_EVENTS, device, *map(list, zip(*rows, strict=True)), at)
    for fork in ruling.forks:
        digests = bytes.fromhex(fork.digest), bytes.fromhex(fork.kept_digest)
        await connection.execute(_ADD_FORK, device, fork.seq, *digests, fork.token, at)
    for reason, count in ruling.refusals.items():
        await connection.execute(_COUNT_REFUSALS, device, reason, count, at)
    await connection.execute(_NOTE, device, ruling.spoke, ruling.blocked, at)


def device_of(row: Record | None) -> Device | None:
    """A device from the columns of DEVICES, or None."""
    if row is None:
        return None
    return Device(row[0], row[1], row[2], row[3], PublicJwk(row[4], row[5]), *row[6:10])


def head_of(row: Record | None) -> Head:
    """A head from its number and digest."""
    return NO_EVENTS if row is None or not row[0] else Head(row[0], row[1].hex())


def summary_of(row: Record) -> DeviceSummary:
    """A device as the overview shows it, from the columns of SUMMARIES."""
    device = Device(row[0], row[1], row[2], row[3], PublicJwk(row[4], row[5]), *row[6:10])
    head = Head(row[10], row[11].hex()) if row[10] else NO_EVENTS
    return DeviceSummary(device, head, forks=row[13], refusals=int(row[14]), last_seen=row[12])
