"""A week without a network at twenty desks, then all of them at once, while the fund's processes are killed."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from sync.__main__ import read_status
from sync.database import open_database
from sync.fund.audit import verify_fund
from sync.fund.office import create_fund, list_events
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import ledger_entries
from tests.e2e.offline import BUSY, CLOCK, LONGEST_S, Fund, deliver, free_port, record_a_week
from tests.fakes.documents import join_desk
from tests.sync_fund.postgresql import Server

QUIET = 60
"""Events of each of the others."""
DESKS = 20


@pytest.fixture
def fund(tmp_path: Path) -> Iterator[Fund]:
    """A gateway over a PostgreSQL that keeps what it acknowledged."""
    database = Server(tmp_path / "postgresql")
    database.create()
    database.start()
    port = free_port()
    create_fund(tmp_path / "fund", f"https://127.0.0.1:{port}", CLOCK.moment().wall, database.new_database())
    fund = Fund(tmp_path / "fund", port, database)
    fund.start()
    yield fund
    if fund.gateway is not None:
        fund.gateway.terminate()
        fund.gateway.wait(30)
    database.stop()


def test_a_week_offline_reaches_the_fund_exactly_once_whatever_is_killed(fund: Fund, tmp_path: Path) -> None:
    """Twenty desks at once, 4,200 visits at one of them; gateway and database killed three times each meanwhile."""
    desks = {f"desk-{number}": Home(tmp_path / f"desk-{number}") for number in range(DESKS)}
    for number, (device, home) in enumerate(desks.items()):
        join_desk(home, fund.root, device)
        open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
        record_a_week(home, device, QUIET if number else BUSY)
    problems: list[BaseException] = []
    threads = [threading.Thread(target=deliver, args=(home, problems), daemon=True) for home in desks.values()]
    for thread in threads:
        thread.start()
    kills = [fund.kill_gateway, fund.kill_database] * 3
    for kill in kills:
        time.sleep(0.3)
        assert any(thread.is_alive() for thread in threads), "the fund was too quick to be killed"
        kill()
    for thread in threads:
        thread.join(LONGEST_S)
    assert problems == []
    stored: dict[str, list[str]] = {}
    for row in list_events(fund.root):
        stored.setdefault(row.event.device, []).append(row.event.token)
    for number, (device, home) in enumerate(desks.items()):
        with contextlib.closing(open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS)) as db:
            signed = [entry.token for entry in ledger_entries(db, 0, BUSY + 1)]
        assert len(signed) >= (QUIET if number else BUSY)
        assert stored[device] == signed, f"{device}: in order, each once"
        status = read_status(home, CLOCK)
        assert (status.pending, status.parked_count, status.settled) == (0, 0, len(signed))
    assert verify_fund(fund.root).intact
