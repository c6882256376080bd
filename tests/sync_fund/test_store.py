"""The store's own guards: evidence cannot be changed by a statement, heads only move forward, keys stay."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.database import Database, IntegrityError, immediate, open_database
from sync.errors import DatabaseMissing
from sync.fund.embedded import SqliteFundStore
from sync.fund.home import FundHome
from sync.fund.schema import FUND_MIGRATIONS
from sync.keyfile import load_key
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import batch


@pytest.fixture
def database(gateway: Gateway, fund: Fund, tmp_path: Path) -> Iterator[Database]:
    """A database with events and a fork, opened behind the store's back."""
    desk = fund.desk(tmp_path, "desk-1")
    gateway.receive(desk.device, batch(desk.chain(3)))
    gateway.receive(desk.device, batch([desk.event(1, "0" * 64)]))
    home = FundHome(fund.root)
    opened = open_database(home.database, load_key(home.database_key), [FUND_MIGRATIONS])
    with contextlib.closing(opened):
        yield opened


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET received = '' WHERE seq = 1",
        "DELETE FROM event WHERE seq = 3",
        "UPDATE fork SET digest = ''",
        "DELETE FROM fork",
        "UPDATE head SET seq = 1",
        "UPDATE head SET digest = ''",
        "DELETE FROM head",
        "DELETE FROM device",
        "UPDATE device SET key_x = ''",
        "UPDATE device SET device = 'desk-2'",
        "INSERT INTO event VALUES (NULL, 'desk-1', 1, '', '', '', '', NULL, '')",
        "INSERT INTO event VALUES (NULL, 'desk-9', 1, '', '', '', '', NULL, '')",
    ],
)
def test_no_statement_changes_what_was_kept(database: Database, statement: str) -> None:
    """Append-only is enforced by the database, not by manners."""
    with pytest.raises(IntegrityError), immediate(database):
        database.execute(statement)


def test_a_missing_database_is_not_made_anew(fund: Fund) -> None:
    """An empty fund in place of a lost one would deny every desk and look healthy."""
    home = FundHome(fund.root)
    home.database.unlink()
    with pytest.raises(DatabaseMissing):
        SqliteFundStore.open(home.database, load_key(home.database_key))
