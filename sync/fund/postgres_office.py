"""The fund's PostgreSQL database for the fund's people: one connection, one question after the other.

The port is `sync.fund.store`; the gateway's way to the same tables is `sync.fund.postgres`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Final, TypeVar

from sync.envelope import GENESIS
from sync.errors import FundExists
from sync.fund.postgres import DEVICES, LAST_HEARD, SUMMARIES, device_of, summary_of
from sync.fund.postgres_door import Connection, Limits, Record, connect, known, migrate
from sync.fund.registry import SqlRegistry
from sync.fund.rows import Device, DeviceSummary, EventRow, Fork, LastHeard, NewEvent
from sync.fund.store import PAGE_ROWS

Answer = TypeVar("Answer")

_LOCK: Final = 0x4B4F4646
"""Advisory lock ("KOFF") of whoever of the fund's people changes something."""


def found_database(url: str, at: datetime) -> None:
    """Make the tables of a new fund. Raises FundExists, FundDatabaseInvalid, DatabaseFailure."""
    if not asyncio.run(migrate(url, at, Limits())):
        raise FundExists("the database holds a fund already")


class PostgresOffice:
    """An OfficeStore on one connection with an event loop of its own; not for a thread that runs another loop."""

    def __init__(self, url: str) -> None:
        """Connect. Raises FundDatabaseInvalid, DatabaseFailure."""
        self.registry = SqlRegistry(self)
        self._runner = asyncio.Runner()
        try:
            self._connection: Connection = self._runner.run(connect(url, Limits()))
        except BaseException:
            self._runner.close()
            raise

    def close(self) -> None:
        """Let the connection go."""
        try:
            self._connection.terminate()
        finally:
            self._runner.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together, or none; one officer after the other, as in the file.

        So what was looked up inside still holds when it is acted on. DatabaseBusy: another officer took too long.
        """
        with self._between("BEGIN"):
            self.run("SELECT pg_advisory_xact_lock($1)", _LOCK)  # a statement before those that read
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """One state, whatever the gateway writes meanwhile."""
        with self._between("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    def register(self, device: Device, at: datetime) -> None:
        """Add a new device with its empty chain."""
        key = device.public_jwk
        what = (device.device, device.clinic, device.desk, device.key_class, key.thumbprint, key.x, key.y, at)
        self.run("INSERT INTO device VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", *what)
        self.run("INSERT INTO head VALUES ($1, 0, $2)", device.device, bytes.fromhex(GENESIS))

    def device(self, device: str) -> Device | None:
        """A registered device."""
        rows = self.rows(DEVICES + "WHERE device = $1", device)
        return device_of(rows[0]) if rows else None

    def device_of_key(self, key_id: str) -> str | None:
        """The device that is registered with this key."""
        rows = self.rows("SELECT device FROM device WHERE key_id = $1", key_id)
        return str(rows[0][0]) if rows else None

    def block(self, device: str, reason: str | None) -> None:
        """Block a device for a reason, or let it in again (None)."""
        self.run("UPDATE device SET blocked = $2 WHERE device = $1", device, reason)

    def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device, by id."""
        return tuple(map(summary_of, self.rows(SUMMARIES)))

    def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events, by id."""
        return tuple(LastHeard(*row) for row in self.rows(LAST_HEARD))

    def chain(self, device: str) -> Iterator[NewEvent]:
        """The events of a device in the order of their numbers in its chain."""
        seq, page = 0, _EVENTS + "WHERE device = $1 AND seq > $2 ORDER BY seq LIMIT $3"
        while rows := self.rows(page, device, seq, PAGE_ROWS):
            yield from map(_new_event, rows)
            seq = int(rows[-1][3])

    def events(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """Up to `limit` events of all devices, in order of arrival, after the one numbered `after`."""
        rows = self.rows(_EVENTS + "WHERE number > $1 ORDER BY number LIMIT $2", after, limit)
        return tuple(EventRow(row[0], row[1], _new_event(row)) for row in rows)

    def forks(self, device: str) -> tuple[Fork, ...]:
        """The evidence of forks of a device."""
        rows = self.rows(
            "SELECT device, seq, digest, kept_digest, token FROM fork WHERE device = $1 ORDER BY number", device
        )
        return tuple(Fork(row[0], row[1], row[2].hex(), row[3].hex(), row[4]) for row in rows)

    def numbers(self) -> tuple[int, int]:
        """How many events are stored, twice: a sequence leaves out numbers whenever a batch fails."""
        count = int(self.rows("SELECT count(*) FROM event")[0][0])
        return count, count

    @contextlib.contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        self._do(lambda connection: connection.execute(begin))
        try:
            yield
        except BaseException:
            self._do(lambda connection: connection.execute("ROLLBACK"))
            raise
        self._do(lambda connection: connection.execute("COMMIT"))

    def rows(self, statement: str, *values: object) -> list[Record]:
        """What a question gives."""
        return self._do(lambda connection: connection.fetch(statement, *values))

    def run(self, statement: str, *values: object) -> None:
        """Change something."""
        self._do(lambda connection: connection.execute(statement, *values))

    def _do(self, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        async def done() -> Answer:
            return await work(self._connection)

        with known():
            return self._runner.run(done())


_EVENTS = "SELECT number, received, device, seq, digest, event_id, kind, token, refused FROM event "


def _new_event(row: Record) -> NewEvent:
    return NewEvent(row[2], row[3], row[4].hex(), row[5].hex(), row[6], row[7], row[8])
