"""What only PostgreSQL does: time-outs, partitions by month, a stand-by that does not confirm."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest

from sync.errors import DatabaseBusy, DatabaseFailure
from sync.fund import gateway
from sync.fund.audit import verify_fund
from sync.fund.home import FundHome
from sync.fund.office import create_fund, list_events
from sync.fund.postgres import PostgresStore
from sync.fund.postgres_door import Limits
from sync.protocol import Result
from sync.signing import FileSigner
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import URL, Fund, Running, live_fund, served
from tests.sync_fund.desk import NOON, FakeDesk, StillClock, batch, receipts_of
from tests.sync_fund.postgresql import Server

QUICK = Limits(lock=0.3, statement=0.6, answer=2.0)
"""So that a test need not wait as long as a gateway does."""

ALWAYS = Limits()


@pytest.fixture
def database(postgresql: Server) -> str:
    """An empty database."""
    return postgresql.new_database()


@contextlib.contextmanager
def opened(fund: Fund, url: str, clock: StillClock, limits: Limits = ALWAYS) -> Iterator[Gateway]:
    """The gateway of a fund, with these limits."""
    store = PostgresStore(url, clock.moment().wall, limits)
    real = gateway.Gateway(store, FileSigner.load(FundHome(fund.root).signing_key), clock)
    with contextlib.closing(Gateway(real, fund.root)) as blocking:
        yield blocking


class Session:
    """Somebody else's transaction in the database, left open."""

    def __init__(self, url: str, *statements: str) -> None:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(asyncpg.connect(url))
        for statement in ("BEGIN", *statements):
            self._runner.run(self._connection.execute(statement))

    def close(self) -> None:
        """End it."""
        self._runner.run(self._connection.close())
        self._runner.close()


def run(url: str, *statements: str) -> None:
    """Run SQL as the tables' owner."""
    session = Session(url, *statements, "COMMIT")
    session.close()


def offer(to: Gateway, fund: Fund, desk: FakeDesk, tokens: list[str]) -> list[Result]:
    """Deliver; what the verified receipt says of each event."""
    answer = to.receive(desk.device, batch(tokens))
    return [told.result for told in receipts_of(answer, fund.document.public_jwk, desk.device, tokens)]


def stored(fund: Fund) -> list[str]:
    """The tokens that the fund holds, in order of arrival."""
    return [row.event.token for row in list_events(fund.root)]


HOLDING = "SELECT seq FROM head WHERE device = 'desk-1' FOR NO KEY UPDATE"


def test_a_held_head_makes_one_device_wait_and_loses_nothing(
    fund: Fund, database: str, clock: StillClock, tmp_path: Path
) -> None:
    """Busy after the lock's time-out, nothing kept; other devices go on; after it everything as before."""
    one, two = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    tokens = one.chain(3)
    with opened(fund, database, clock, QUICK) as to:
        with contextlib.closing(Session(database, HOLDING)):
            with pytest.raises(DatabaseBusy, match="held the device"):
                to.receive(one.device, batch(tokens))
            assert stored(fund) == []
            assert offer(to, fund, two, two.chain(1)) == [Result.ACCEPTED]
        assert offer(to, fund, one, tokens) == [Result.ACCEPTED] * 3
    assert verify_fund(fund.root).intact


def test_a_statement_that_takes_too_long_is_ended_and_loses_nothing(
    fund: Fund, database: str, clock: StillClock, tmp_path: Path
) -> None:
    """A database that is too slow to insert: busy, nothing kept; after it everything as before."""
    desk = fund.desk(tmp_path, "desk-1")
    tokens = desk.chain(3)
    run(
        database,
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(5); RETURN NEW; END'",
        "CREATE TRIGGER slow BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    with opened(fund, database, clock, QUICK) as to:
        with pytest.raises(DatabaseBusy, match="longer than the time-out"):
            to.receive(desk.device, batch(tokens))
        assert stored(fund) == []
        run(database, "DROP TRIGGER slow ON event")
        assert offer(to, fund, desk, tokens) == [Result.ACCEPTED] * 3
    assert verify_fund(fund.root).intact


def test_over_https_a_held_head_is_answered_busy(postgresql: Server, tmp_path: Path) -> None:
    """503 with Retry-After, after the gateway's own five seconds; the health check is not held up; then accepted."""
    url = postgresql.new_database()
    fund = live_fund(tmp_path / "live", database=url)
    desk = fund.desk(tmp_path, "desk-1")
    token = desk.next()
    with served(fund) as running:
        with contextlib.closing(Session(url, HOLDING)):
            answer = running.post(desk.device, batch([token]))
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert int(answer.headers["Retry-After"]) > 0
            assert running.get("/healthz").status_code == 200
        assert _results(running, desk, [token]) == [Result.ACCEPTED]


def _results(running: Running, desk: FakeDesk, tokens: list[str]) -> list[Result]:
    answer = running.post(desk.device, batch(tokens))
    assert answer.status_code == 200, answer.text
    told = receipts_of(answer.content, running.fund.document.public_jwk, desk.device, tokens)
    return [each.result for each in told]


def _months(url: str) -> dict[int, str]:
    """By number in the chain of desk-1: the partition that holds the event."""

    async def ask() -> dict[int, str]:
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch("SELECT seq, tableoid::regclass::text FROM event WHERE device = 'desk-1'")
            return {int(seq): str(name) for seq, name in rows}
        finally:
            await connection.close()

    return asyncio.run(ask())


def _partitions(postgresql: Server, url: str) -> list[str]:
    """The partitions there are."""
    name = url.partition("@/")[2].partition("?")[0]
    names = "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'event'::regclass ORDER BY 1"
    return postgresql.sql(names, name).split("\n")


@pytest.mark.parametrize("zone", [0, 5, -8])
def test_events_on_both_sides_of_a_months_end_are_in_their_months(
    fund: Fund, database: str, clock: StillClock, tmp_path: Path, zone: int
) -> None:
    """The last microsecond of November and the first of December (UTC), wherever the clock's zone is; one chain."""
    desk = fund.desk(tmp_path, "desk-1")
    end = datetime(2026, 12, 1, tzinfo=UTC).astimezone(_zone(zone))
    with opened(fund, database, clock) as to:
        for wall in (end - timedelta(microseconds=1), end, end + timedelta(microseconds=1)):
            clock.wall = wall
            assert offer(to, fund, desk, desk.chain(1)) == [Result.ACCEPTED]
    assert _months(database) == {1: "event_2026_11", 2: "event_2026_12", 3: "event_2026_12"}
    report = verify_fund(fund.root)
    assert (report.events, report.missing, report.intact) == (3, 0, True)


def _zone(hours: int) -> timezone:
    return timezone(timedelta(hours=hours))


def test_a_gateway_that_runs_for_months_makes_their_partitions_in_time(
    fund: Fund, database: str, clock: StillClock, postgresql: Server, tmp_path: Path
) -> None:
    """Two months before they are needed, by whichever of two gateways has the first batch of a month."""
    desk = fund.desk(tmp_path, "desk-1")
    names = [f"event_{month}" for month in ("2026_11", "2026_12", "2027_01", "2027_02", "2027_03")]
    with opened(fund, database, clock) as one, opened(fund, database, clock) as two:
        assert _partitions(postgresql, database) == names[:3]
        for gateways, wall, made in (
            ((one, two), datetime(2026, 12, 1, tzinfo=UTC), 4),
            ((two, one), datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC), 5),
            ((one, two), datetime(2027, 2, 1, tzinfo=UTC), 6),
        ):
            clock.wall = wall
            for to in gateways:
                assert offer(to, fund, desk, desk.chain(2)) == [Result.ACCEPTED] * 2
            assert len(_partitions(postgresql, database)) == made
    assert _partitions(postgresql, database) == [*names, "event_2027_04"]
    assert list(_months(database).values()) == [names[1]] * 4 + [names[2]] * 4 + [names[3]] * 4
    assert verify_fund(fund.root).intact


def test_without_a_standby_that_confirms_there_is_no_receipt(tmp_path: Path) -> None:
    """However often the desk asks; the events are known, once each and in order, when a stand-by has confirmed them."""
    server = Server(tmp_path / "alone", quick=True)
    server.create()
    server.start()
    try:
        url, clock = server.new_database(), StillClock()
        fund = Fund(tmp_path / "fund", create_fund(tmp_path / "fund", URL, NOON, url))
        desk = fund.desk(tmp_path, "desk-1")
        before, waiting = desk.chain(2), desk.chain(3)
        with opened(fund, url, clock, Limits(answer=0.7)) as to:
            assert offer(to, fund, desk, before) == [Result.ACCEPTED] * 2
            _standby(server, "nobody")
            for sent in (waiting, waiting, before):
                with pytest.raises(DatabaseFailure):
                    to.receive(desk.device, batch(sent))
            with pytest.raises(DatabaseFailure):
                to.probe()
            _standby(server, "")
            assert set(offer(to, fund, desk, waiting)) <= {Result.ACCEPTED, Result.KNOWN}
            assert offer(to, fund, desk, before + waiting) == [Result.KNOWN] * 5
        assert stored(fund) == before + waiting
        assert verify_fund(fund.root).intact
    finally:
        server.stop()


def _standby(server: Server, name: str) -> None:
    """Demand that this stand-by confirms every commit; "": none."""
    server.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
    server.sql("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 10
    while server.sql("SHOW synchronous_standby_names") != name and time.monotonic() < deadline:
        time.sleep(0.05)
