"""The stores' own guards: evidence cannot be changed by a statement, heads only move forward, keys stay."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from sync.database import IntegrityError, immediate, open_database
from sync.errors import DatabaseMissing
from sync.fund import postgres_door
from sync.fund.embedded import SqliteFundStore
from sync.fund.home import FundHome
from sync.fund.schema import FUND_MIGRATIONS
from sync.keyfile import load_key
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import batch


@pytest.fixture
def kept(gateway: Gateway, fund: Fund, tmp_path: Path) -> Fund:
    """A fund with events and a fork."""
    desk = fund.desk(tmp_path, "desk-1")
    gateway.receive(desk.device, batch(desk.chain(3)))
    gateway.receive(desk.device, batch([desk.event(1, "0" * 64)]))
    return fund


def _run(fund: Fund, database: str | None, statement: str) -> None:
    """Run a statement behind the store's back. Raises either library's IntegrityError."""
    if database is not None:
        asyncio.run(_run_postgresql(database, statement))
        return
    home = FundHome(fund.root)
    opened = open_database(home.database, load_key(home.database_key), [FUND_MIGRATIONS])
    with contextlib.closing(opened), immediate(opened):
        opened.execute(statement)


async def _run_postgresql(url: str, statement: str) -> None:
    connection = await postgres_door.connect(url, postgres_door.Limits())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'x' WHERE seq = 1",
        "DELETE FROM event WHERE seq = 3",
        "UPDATE fork SET token = ''",
        "DELETE FROM fork",
        "UPDATE head SET seq = 1",
        "UPDATE head SET device = 'desk-2'",
        "DELETE FROM head",
        "DELETE FROM device",
        "UPDATE device SET key_x = ''",
        "UPDATE device SET device = 'desk-2'",
    ],
)
def test_no_statement_changes_what_was_kept(kept: Fund, database: str | None, statement: str) -> None:
    """Append-only is enforced by the database, not by manners."""
    with pytest.raises((IntegrityError, postgres_door.IntegrityError)):
        _run(kept, database, statement)


@pytest.mark.parametrize(("device", "seq"), [("desk-1", 1), ("desk-9", 1)])
def test_no_statement_doubles_an_event_or_adds_a_strangers(
    kept: Fund, database: str | None, device: str, seq: int
) -> None:
    """The same number again, or a device that is not registered."""
    values = f"'{device}', {seq}, '{{}}', '{{}}', '', '', NULL, '2026-11-22'"
    names = "device, seq, digest, event_id, kind, token, refused, received"
    digests = ("\\x" + "00" * 32, "\\x" + "00" * 16) if database else ("", "")
    with pytest.raises((IntegrityError, postgres_door.IntegrityError)):
        _run(kept, database, f"INSERT INTO event ({names}) VALUES ({values})".format(*digests))  # noqa: S608


def test_a_missing_database_is_not_made_anew(tmp_path: Path) -> None:
    """An empty fund in place of a lost one would deny every desk and look healthy."""
    with pytest.raises(DatabaseMissing):
        SqliteFundStore.open(tmp_path / "fund.db", bytes(32))
