"""The fund's embedded storage: one encrypted SQLite file, and the thread that owns it for the gateway.

The port is `sync.fund.store`; judging an event is left to `sync.fund.ingest`.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

from sync.database import Database, Value, immediate, known, open_database
from sync.errors import DatabaseDamaged
from sync.fund.own_thread import OwnThread
from sync.fund.registry import ADD_CERTIFICATE, SqlRegistry, certificate_columns
from sync.fund.rows import (
    NO_EVENTS,
    Certificate,
    Decided,
    Device,
    DeviceSummary,
    EventRow,
    Fork,
    Head,
    LastHeard,
    NewEvent,
    Ruling,
    View,
    Wanted,
)
from sync.fund.schema import FUND_MIGRATIONS
from sync.fund.statements import Statements, integer, timestamp
from sync.fund.store import PAGE_ROWS, Decision
from sync.signing import PublicJwk


class SqliteFundStore:
    """An OfficeStore in one encrypted SQLite file, and what a batch needs. Belongs to the thread that opened it."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._sql = Statements(database)
        self.registry = SqlRegistry(self)

    @classmethod
    def open(cls, path: Path, key: bytes, *, create: bool = False) -> Self:
        """Open the database, with `create` a new one. Raises DatabaseFailure, KeyUnusable."""
        return cls(open_database(path, key, [FUND_MIGRATIONS], create=create))

    def close(self) -> None:
        """Close the file; the write-ahead log is folded in."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One IMMEDIATE transaction: on the disk when the block ends, or nothing of it."""
        with immediate(self._db):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read transaction: what is read inside belongs together whatever the gateway writes meanwhile."""
        with known():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.rollback()

    def register(self, device: Device, at: datetime) -> None:
        """Add a new device. The caller has looked that neither its id nor its key is there."""
        self._sql.run(
            "INSERT INTO device (device, clinic, desk, key_class, key_id, key_x, key_y, registered) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                device.device,
                device.clinic,
                device.desk,
                device.key_class,
                device.public_jwk.thumbprint,
                device.public_jwk.x,
                device.public_jwk.y,
                timestamp(at),
            ),
        )

    def device(self, device: str) -> Device | None:
        """A registered device."""
        rows = self._sql.rows(_DEVICES + "WHERE device = ?", (device,))
        return _device(rows[0]) if rows else None

    def device_of_key(self, key_id: str) -> str | None:
        """The device that is registered with this key."""
        rows = self._sql.rows("SELECT device FROM device WHERE key_id = ?", (key_id,))
        return str(rows[0][0]) if rows else None

    def head(self, device: str) -> Head:
        """The last event of a device; NO_EVENTS for a new one."""
        rows = self._sql.rows("SELECT seq, digest FROM head WHERE device = ?", (device,))
        return Head(integer(rows[0][0]), str(rows[0][1])) if rows else NO_EVENTS

    def settle(self, device: str, wanted: Wanted, decide: Callable[[View], Decision], at: datetime) -> Decision:
        """As `FundStore.settle`."""
        with self.transaction():
            ruling = decide(self._view(device, wanted))
            self._keep(device, ruling, at)
        return ruling

    def _view(self, device: str, wanted: Wanted) -> View:
        found = self.device(device)
        if found is None:
            raise DatabaseDamaged(f"device {device} is gone")  # devices are never deleted
        head = self.head(device)
        seqs = json.dumps([seq for seq in wanted.seqs if seq <= head.seq])
        decided = self._sql.rows(_DECIDED, (device, seqs))
        known_ids = self._sql.rows(_KNOWN_IDS, (device, json.dumps(list(wanted.ids))))
        return View(
            device=found,
            head=head,
            decided={integer(row[0]): Decided(str(row[1]), _optional(row[2])) for row in decided},
            ids=frozenset(str(row[0]) for row in known_ids),
        )

    def _keep(self, device: str, ruling: Ruling, at: datetime) -> None:
        when = timestamp(at)
        for event in ruling.events:
            what = (event.digest, event.event_id, event.kind, event.token, event.refused)
            self._sql.run(_ADD_EVENT, (device, event.seq, *what, when))
            self._sql.run(_MOVE_HEAD, (device, event.seq, event.digest))
        for fork in ruling.forks:
            self._sql.run(_ADD_FORK, (device, fork.seq, fork.digest, fork.kept_digest, fork.token, when))
        for reason, count in ruling.refusals.items():
            self._sql.run(_COUNT_REFUSALS, (device, reason, count, when, when))
        if ruling.blocked is not None:
            self.block(device, ruling.blocked)
        if ruling.spoke:
            self._sql.run("UPDATE device SET last_seen = ? WHERE device = ?", (when, device))

    def block(self, device: str, reason: str | None) -> None:
        """Block a device for a reason, or let it in again (None)."""
        self._sql.run("UPDATE device SET blocked = ? WHERE device = ?", (reason, device))

    def probe(self, at: datetime) -> None:
        """Write something, to know that writing works."""
        with self.transaction():
            self._sql.run(_PROBE, (timestamp(at),))

    def keep_certificate(self, certificate: Certificate, at: datetime) -> None:
        """Keep a certificate, in a transaction of its own."""
        with self.transaction():
            self.run(ADD_CERTIFICATE, *certificate_columns(certificate, at))

    def rows(self, statement: str, *values: object) -> list[tuple[Value, ...]]:
        """What a question of the registry gives; places are $1 and so on."""
        return self._sql.rows(statement.replace("$", "?"), tuple(map(_value, values)))

    def run(self, statement: str, *values: object) -> None:
        """Change something for the registry."""
        self._sql.run(statement.replace("$", "?"), tuple(map(_value, values)))

    def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device, by id."""
        rows = self._sql.rows(_SUMMARIES)
        return tuple(
            DeviceSummary(
                device=_device(row),
                head=Head(integer(row[10]), str(row[11])) if row[10] else NO_EVENTS,
                last_seen=None if row[12] is None else _time(row[12]),
                forks=integer(row[13]),
                refusals=integer(row[14]),
            )
            for row in rows
        )

    def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events, by id."""
        rows = self._sql.rows(_LAST_HEARD)
        return tuple(LastHeard(str(row[0]), _optional(row[1]), str(row[2]), _time(row[3])) for row in rows)

    def kinds(self) -> Mapping[str, int]:
        """Number of events by kind."""
        rows = self._sql.rows("SELECT kind, COUNT(*) FROM event GROUP BY kind ORDER BY kind")
        return {str(kind): integer(count) for kind, count in rows}

    def chain(self, device: str) -> Iterator[NewEvent]:
        """The events of a device in the order of their numbers in its chain."""
        seq, page = 0, _EVENTS + "WHERE device = ? AND seq > ? ORDER BY seq LIMIT ?"
        while rows := self._sql.rows(page, (device, seq, PAGE_ROWS)):
            yield from map(_new_event, rows)
            seq = integer(rows[-1][3])

    def events(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """Up to `limit` events of all devices, in order of arrival, after the one numbered `after`."""
        rows = self._sql.rows(_EVENTS + "WHERE number > ? ORDER BY number LIMIT ?", (after, limit))
        return tuple(map(_event, rows))

    def forks(self, device: str) -> tuple[Fork, ...]:
        """The evidence of forks of a device."""
        rows = self._sql.rows(
            "SELECT device, seq, digest, kept_digest, token FROM fork WHERE device = ? ORDER BY number", (device,)
        )
        return tuple(Fork(str(row[0]), integer(row[1]), str(row[2]), str(row[3]), str(row[4])) for row in rows)

    def numbers(self) -> tuple[int, int]:
        """How many events are stored, and how many were ever given a number."""
        rows = self._sql.rows(
            "SELECT (SELECT COUNT(*) FROM event), COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)"
        )
        return integer(rows[0][0]), integer(rows[0][1])


class EmbeddedStore:
    """A FundStore: the SQLite file in a thread of its own, one question after the other.

    A SQLite connection belongs to one thread, writing is serial anyway, and the loop must never wait for a disk.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._own = OwnThread("fund-store", lambda: SqliteFundStore.open(path, key))

    async def open(self) -> None:
        """Open the file in its thread. Raises DatabaseFailure, KeyUnusable."""
        await self._own.open()

    async def close(self) -> None:
        """Finish what was begun, close the file, end the thread."""
        await self._own.close()

    async def device(self, device: str) -> Device | None:
        """A registered device."""
        return await self._own.ask(lambda store: store.device(device))

    async def head(self, device: str) -> Head:
        """The last event of a device."""
        return await self._own.ask(lambda store: store.head(device))

    async def settle(self, device: str, wanted: Wanted, decide: Callable[[View], Decision], at: datetime) -> Decision:
        """One IMMEDIATE transaction in the thread, which a cancelled caller cannot interrupt."""
        return await self._own.ask(lambda store: store.settle(device, wanted, decide, at))

    async def certificates(self, device: str) -> tuple[Certificate, ...]:
        """All certificates of a device."""
        return await self._own.ask(lambda store: store.registry.certificates(device))

    async def keep_certificate(self, certificate: Certificate, at: datetime) -> None:
        """Keep a certificate, in a transaction of its own."""
        await self._own.ask(lambda store: store.keep_certificate(certificate, at))

    async def probe(self, at: datetime) -> None:
        """Write something."""
        await self._own.ask(lambda store: store.probe(at))

    async def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device."""
        return await self._own.ask(SqliteFundStore.summaries)

    async def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events."""
        return await self._own.ask(SqliteFundStore.last_heard)

    async def kinds(self) -> Mapping[str, int]:
        """Events by kind."""
        return await self._own.ask(SqliteFundStore.kinds)


_ADD_EVENT = (
    "INSERT INTO event (device, seq, digest, event_id, kind, token, refused, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_MOVE_HEAD = (
    "INSERT INTO head (device, seq, digest) VALUES (?, ?, ?) "
    "ON CONFLICT (device) DO UPDATE SET seq = excluded.seq, digest = excluded.digest"
)
_ADD_FORK = (
    "INSERT INTO fork (device, seq, digest, kept_digest, token, received) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"  # the same evidence twice is kept once
)
_COUNT_REFUSALS = (
    "INSERT INTO refusal (device, reason, count, first, last) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (device, reason) DO UPDATE SET count = count + excluded.count, last = excluded.last"
)
_DECIDED = "SELECT seq, digest, refused FROM event WHERE device = ? AND seq IN (SELECT value FROM json_each(?))"
_KNOWN_IDS = "SELECT event_id FROM event WHERE device = ? AND event_id IN (SELECT value FROM json_each(?))"
_PROBE = "INSERT INTO probe VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET written = excluded.written"
_DEVICES = (
    "SELECT device, clinic, desk, key_class, key_x, key_y, blocked, attested, revoked_for, certified_until "
    "FROM registered "
)
_EVENTS = "SELECT number, received, device, seq, digest, event_id, kind, token, refused FROM event "
_SUMMARIES = """
SELECT device, clinic, desk, key_class, key_x, key_y, blocked, attested, revoked_for, certified_until,
       COALESCE(head.seq, 0), COALESCE(head.digest, ''), last_seen,
       (SELECT COUNT(*) FROM fork WHERE fork.device = registered.device),
       (SELECT COALESCE(SUM(count), 0) FROM refusal WHERE refusal.device = registered.device)
FROM registered LEFT JOIN head USING (device) ORDER BY device
"""


_LAST_HEARD = """
SELECT device, (
    SELECT token FROM event AS own
    WHERE own.device = head.device AND kind = 'pack_in_use' AND refused IS NULL ORDER BY own.seq DESC LIMIT 1
), token, received
FROM head JOIN event USING (device, seq) ORDER BY device
"""


def _device(row: tuple[Value, ...]) -> Device:
    key = PublicJwk(str(row[4]), str(row[5]))
    until = None if row[9] is None else _time(row[9])
    return Device(
        device=str(row[0]),
        clinic=str(row[1]),
        desk=str(row[2]),
        key_class=str(row[3]),
        public_jwk=key,
        blocked=_optional(row[6]),
        attested=str(row[7]),
        revoked=_optional(row[8]),
        certified_until=until,
    )


def _event(row: tuple[Value, ...]) -> EventRow:
    return EventRow(integer(row[0]), _time(row[1]), _new_event(row))


def _new_event(row: tuple[Value, ...]) -> NewEvent:
    return NewEvent(str(row[2]), integer(row[3]), str(row[4]), str(row[5]), str(row[6]), str(row[7]), _optional(row[8]))


def _time(value: Value) -> datetime:
    """A stored time. Raises DatabaseDamaged: we wrote it ourselves."""
    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise DatabaseDamaged("a time in the database is not one") from error


def _value(value: object) -> Value:
    """A value as a column holds it: times are texts."""
    assert value is None or isinstance(value, str | datetime)  # noqa: S101  # nothing else is in the registry
    return timestamp(value) if isinstance(value, datetime) else value


def _optional(value: Value) -> str | None:
    """A value of a TEXT column that may be NULL."""
    return None if value is None else str(value)
