"""The only door to PostgreSQL: how it is connected to, brought up to date, and what can go wrong with it by name.

What is read and written is left to `sync.fund.postgres` (gateway) and `sync.fund.postgres_office` (the fund's people).
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import asyncpg

from sync.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFailure,
    DatabaseTooNew,
    DiskFailing,
    DiskFull,
    FundDatabaseInvalid,
    FundDatabaseUnreachable,
)
from sync.fund.postgres_schema import MIGRATIONS, partitions

Connection: TypeAlias = asyncpg.Connection
Pool: TypeAlias = asyncpg.Pool
Record: TypeAlias = asyncpg.Record
IntegrityError = asyncpg.IntegrityConstraintViolationError

_LOCK: Final = 0x4B454C44
"""Advisory lock ("KELD") of whoever changes the schema; two gateways may start at once."""

_UNREACHABLE: Final = "the database server does not answer as it should"

_FAILURES: Final[dict[str, tuple[type[DatabaseFailure], str]]] = {
    "08": (FundDatabaseUnreachable, "the connection to the database was lost"),
    "25006": (FundDatabaseUnreachable, "the database server is a stand-by and only reads"),
    "28": (FundDatabaseUnreachable, "the database server does not let the gateway in"),
    "3D000": (FundDatabaseUnreachable, "the database does not exist"),
    "40": (DatabaseBusy, "the transaction collided with another one"),
    "42501": (FundDatabaseUnreachable, "the database server does not let the gateway do that"),
    "53100": (DiskFull, "the disk of the database server is full"),
    "53": (FundDatabaseUnreachable, "the database server has no room for another connection"),
    "55P03": (DatabaseBusy, "another transaction held the device longer than the time-out"),
    "57014": (DatabaseBusy, "a statement took longer than the time-out"),
    "57P": (FundDatabaseUnreachable, "the database server is starting or stopping"),
    "58": (DiskFailing, "the disk of the database server failed"),
    "XX001": (DatabaseDamaged, "a page of the database is damaged"),
    "XX002": (DatabaseDamaged, "an index of the database is damaged"),
}
"""SQLSTATEs, or how they begin (PostgreSQL manual, appendix A), that are the world's fault."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the gateway waits, in seconds. answer: for any answer, a COMMIT that waits for a stand-by included."""

    connect: float = 5.0
    lock: float = 5.0
    statement: float = 10.0
    answer: float = 20.0

    def settings(self) -> dict[str, str]:
        """What a session is told. A lost client must not hold a device's lock: idle transactions end as well."""
        return {
            "application_name": "keldim-fund",
            "lock_timeout": f"{self.lock * 1000:.0f}",
            "statement_timeout": f"{self.statement * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{self.statement * 1000:.0f}",
            "synchronous_commit": "on",  # whatever the server's default: what is receipted is on the disk
            "TimeZone": "UTC",
            "jit": "off",  # compiling costs more than any statement here takes
        }


@contextlib.contextmanager
def known() -> Iterator[None]:
    """Turn the world's errors into known failures; everything else passes as it is. Raises DatabaseFailure."""
    try:
        yield
    except asyncpg.PostgresError as error:
        state = str(getattr(error, "sqlstate", None) or "")
        named = next((found for length in (5, 3, 2) if (found := _FAILURES.get(state[:length]))), None)
        if named is None:
            raise
        failure, text = named
        raise failure(text) from error
    except asyncpg.InterfaceError as error:
        if "closed" not in str(error):  # else it is how the driver says that a connection is gone
            raise
        raise FundDatabaseUnreachable("the connection to the database was lost") from error
    except asyncpg.exceptions.TargetServerAttributeNotMatched as error:
        raise FundDatabaseUnreachable("no database server takes writes just now") from error
    except (OSError, TimeoutError, asyncpg.InternalClientError) as error:
        # InternalClientError: the server died within an exchange, and the driver asks for a roll-back nobody can do.
        raise FundDatabaseUnreachable(_UNREACHABLE) from error


async def connect(url: str, limits: Limits) -> Connection:
    """One connection. Raises DatabaseFailure, FundDatabaseInvalid (not an address)."""
    with known():
        try:
            return await asyncpg.connect(
                url, timeout=limits.connect, command_timeout=limits.answer, server_settings=limits.settings()
            )
        except (ValueError, asyncpg.exceptions.ClientConfigurationError) as error:
            raise FundDatabaseInvalid("not the address of a PostgreSQL database") from error


class Connections:
    """A pool of connections that are made when they are needed, and again when they were lost."""

    def __init__(self, url: str, limits: Limits, size: int) -> None:
        """Nothing is connected before `open`. size: connections at most."""
        self._url = url
        self._limits = limits
        self._size = size
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Make the pool ready in this event loop."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=self._size,
            timeout=self._limits.connect,
            command_timeout=self._limits.answer,
            server_settings=self._limits.settings(),
        )

    async def close(self) -> None:
        """Let the connections go."""
        if self._pool is not None:
            self._pool.terminate()  # nothing is under way any more, and a dead server would not say goodbye

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """One connection for the time of the block. Raises DatabaseFailure, also for what happens inside."""
        assert self._pool is not None  # noqa: S101  # asked before it was opened
        with known():
            async with self._pool.acquire(timeout=self._limits.answer) as connection:
                yield connection


@contextlib.asynccontextmanager
async def transaction(connection: Connection) -> AsyncIterator[None]:
    """One transaction: on the disk (also a stand-by's, where there is one) when the block ends, or unknown to anybody.

    A COMMIT whose wait for the stand-by is cancelled succeeds with no more than a warning, so a warning is a failure
    here. Raises DatabaseFailure.
    """
    warnings: list[str] = []

    def listen(_connection: object, message: object) -> None:
        if getattr(message, "severity_en", None) == "WARNING":
            warnings.append(str(message))

    with known():
        connection.add_log_listener(listen)
        try:
            async with connection.transaction(isolation="read_committed"):
                yield
        finally:
            with contextlib.suppress(asyncpg.InterfaceError):  # lost, and with it the listener
                connection.remove_log_listener(listen)
    if warnings:
        raise FundDatabaseUnreachable("the stand-by did not confirm what was written")


async def migrate(url: str, at: datetime, limits: Limits) -> bool:
    """Bring the tables up to date and make the partitions of the next months; True when there was nothing before.

    Raises DatabaseTooNew, FundDatabaseInvalid, DatabaseFailure.
    """
    connection = await connect(url, limits)
    try:
        async with transaction(connection):
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS keldim_migration "
                "(number integer PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL)"
            )
            done = {int(row[0]) for row in await connection.fetch("SELECT number FROM keldim_migration")}
            if unknown := done - {step.number for step in MIGRATIONS}:
                raise DatabaseTooNew(f"the database was written by a newer version ({max(unknown)})")
            for step in MIGRATIONS:
                if step.number not in done:
                    await connection.execute(step.script)
                    await connection.execute(
                        "INSERT INTO keldim_migration VALUES ($1, $2, $3)", step.number, step.name, at
                    )
            await make_partitions(connection, at)
    finally:
        with known():
            await connection.close(timeout=limits.connect)
    return not done


async def make_partitions(connection: Connection, at: datetime) -> None:
    """Make the partitions of this month and the next ones, where they are missing; inside a transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    for month in partitions(at):
        if not await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", month.name):
            await connection.execute(month.script)
