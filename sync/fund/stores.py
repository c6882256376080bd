"""Which database a fund has: PostgreSQL where its home holds an address, the encrypted SQLite file otherwise.

The address lies in `keys/database.url` (mode 0600), written by `keldim fund init --database`; nothing else decides.
"""

import contextlib
from contextlib import AbstractContextManager
from datetime import datetime

from sync.errors import FundDatabaseInvalid, FundIncomplete, GatewayRunning
from sync.exclusive import exclusive
from sync.fund.embedded import EmbeddedStore, SqliteFundStore
from sync.fund.home import FundHome
from sync.fund.log_embedded import EmbeddedLog
from sync.fund.log_postgres import PostgresLog
from sync.fund.log_store import LogStore
from sync.fund.postgres import PostgresStore
from sync.fund.postgres_office import PostgresOffice, found_database
from sync.fund.store import FundStore, OfficeStore
from sync.keyfile import load_key, read_secret, write_secret

MAX_URL = 4096
"""Bytes; several hosts with their options take a few hundred."""


def found_store(home: FundHome, database: str | None, at: datetime) -> None:
    """Make a new fund's database: at a PostgreSQL address, or None for the file.

    Raises FundDatabaseInvalid, FundExists, KeyUnusable, DatabaseFailure.
    """
    if database is None:
        SqliteFundStore.open(home.database, load_key(home.database_key), create=True).close()
        return
    if not database.startswith(("postgresql://", "postgres://")):
        raise FundDatabaseInvalid("not the address of a PostgreSQL database")
    found_database(database, at)
    write_secret(home.database_url, database.encode() + b"\n")


def gateway_store(home: FundHome, at: datetime) -> FundStore:
    """The gateway's store, not open yet. Raises FundIncomplete, KeyUnusable."""
    url = _url(home)
    return EmbeddedStore(home.database, load_key(home.database_key)) if url is None else PostgresStore(url, at)


def serves_several(home: FundHome) -> bool:
    """Whether several gateways may serve this fund at once: those of PostgreSQL lock what they change."""
    return home.database_url.exists()


def sole_gateway(home: FundHome) -> AbstractContextManager[None]:
    """Hold a fund's own file for one gateway. Raises GatewayRunning, DatabaseUnreachable."""
    if serves_several(home):
        return contextlib.nullcontext()
    return exclusive(home.lock, GatewayRunning("another gateway serves this fund, whose database is a file"))


def log_store(home: FundHome, at: datetime | None) -> LogStore:
    """Where the fund's log is kept, not open yet; at: None for reading only. Raises FundIncomplete, KeyUnusable."""
    url = _url(home)
    return EmbeddedLog(home.database, load_key(home.database_key)) if url is None else PostgresLog(url, at)


def office_store(home: FundHome) -> OfficeStore:
    """The store for the fund's people, open.

    Raises FundIncomplete, KeyUnusable, FundDatabaseInvalid, DatabaseFailure.
    """
    url = _url(home)
    return SqliteFundStore.open(home.database, load_key(home.database_key)) if url is None else PostgresOffice(url)


def _url(home: FundHome) -> str | None:
    """The address of a fund's PostgreSQL database; None: a file. Raises FundIncomplete, KeyUnusable."""
    if not home.document.exists():  # a folder that is no fund, before it looks like a fund that lost its keys
        raise FundIncomplete(f"there is no {home.document.name} in {home.root}")
    if not serves_several(home):
        return None
    return read_secret(home.database_url, MAX_URL).decode("utf-8", "replace").strip()
