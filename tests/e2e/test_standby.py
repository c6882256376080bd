"""The fund's database with a synchronous stand-by: its machine dies during delivery, the stand-by goes on."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from appliance.composition import DESK_MIGRATIONS
from sync.__main__ import read_status
from sync.database import open_database
from sync.fund.audit import verify_fund
from sync.fund.office import create_fund, list_events
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import ledger_entries
from tests.e2e.offline import CLOCK, LONGEST_S, Fund, deliver, free_port, record_a_week
from tests.fakes.documents import join_desk
from tests.sync_fund.postgresql import PORT, Server

EVENTS = 2000


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """A primary that acknowledges only what its stand-by has written, and that stand-by."""
    primary, standby = Server(tmp_path / "primary"), Server(tmp_path / "standby")
    primary.create()
    primary.start()
    standby.copy_of(primary, "standby")
    standby.start()
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.sql("SELECT pg_reload_conf()")
    wait_for_sync(primary)
    yield primary, standby
    standby.stop()
    primary.stop()


def wait_for_sync(primary: Server) -> None:
    """Until the primary says that the stand-by's confirmation is what its commits wait for."""
    deadline = time.monotonic() + LONGEST_S
    while (state := primary.sql("SELECT application_name, sync_state FROM pg_stat_replication")) != "standby|sync":
        assert time.monotonic() < deadline, state
        time.sleep(0.05)


def either(primary: Server, standby: Server, database: str) -> str:
    """The address of whichever of both takes writes."""
    hosts = ",".join(quote(str(server.folder), safe="") for server in (primary, standby))
    ports = f"{PORT},{PORT}"
    return f"postgresql://keldim@/{database}?host={hosts}&port={ports}&target_session_attrs=read-write"


def settled(home: Home) -> int:
    """How many events have a receipt of the fund."""
    return read_status(home, CLOCK).settled


def test_a_promoted_standby_has_every_event_that_was_receipted(servers: tuple[Server, Server], tmp_path: Path) -> None:
    """Kill -9 of the primary during delivery, promotion; the gateway goes on by itself; each event once."""
    primary, standby = servers
    database = primary.new_database().partition("@/")[2].partition("?")[0]
    port = free_port()
    url = either(primary, standby, database)
    create_fund(tmp_path / "fund", f"https://127.0.0.1:{port}", CLOCK.moment().wall, url)
    fund = Fund(tmp_path / "fund", port, primary)
    fund.start()
    homes = [Home(tmp_path / f"desk-{number}") for number in range(2)]
    for number, home in enumerate(homes):
        join_desk(home, fund.root, f"desk-{number}")
        open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
        record_a_week(home, f"desk-{number}", EVENTS)
    problems: list[BaseException] = []
    threads = [threading.Thread(target=deliver, args=(home, problems), daemon=True) for home in homes]
    for thread in threads:
        thread.start()
    while sum(map(settled, homes)) < EVENTS // 2:
        time.sleep(0.02)
    assert primary.sql("SELECT sync_state FROM pg_stat_replication") == "sync"
    primary.kill()
    receipted = sum(map(settled, homes))
    assert receipted < 2 * EVENTS, "the fund was too quick for its database to die"
    standby.promote()
    for thread in threads:
        thread.join(LONGEST_S)
    assert problems == []
    assert fund.gateway is not None
    assert fund.gateway.poll() is None, "the gateway outlives its database"
    stored: dict[str, list[str]] = {}
    for row in list_events(fund.root):
        stored.setdefault(row.event.device, []).append(row.event.token)
    for number, home in enumerate(homes):
        with contextlib.closing(open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS)) as db:
            signed = [entry.token for entry in ledger_entries(db, 0, 2 * EVENTS)]
        assert stored[f"desk-{number}"] == signed
        assert settled(home) == len(signed)
    assert verify_fund(fund.root).intact
    fund.gateway.terminate()
    fund.gateway.wait(30)
