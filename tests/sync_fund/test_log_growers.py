"""Two gateways grow one log on PostgreSQL: one at a time, and every event is in the tree once."""

import asyncio
from pathlib import Path

import asyncpg

from sync.compact import digest_of
from sync.fund.home import FundHome
from sync.fund.log import Log
from sync.fund.log_rows import Pending, StoredCheckpoint, TreeGrowth, integrate
from sync.fund.log_store import LogStore
from sync.fund.log_terms import load_signer, load_terms
from sync.fund.office import create_fund
from sync.fund.stores import log_store
from sync.log_checkpoint import event_leaf
from sync.merkle import tree_of_leaves
from tests.sync_fund.blocking import open_gateway
from tests.sync_fund.conftest import URL, Fund
from tests.sync_fund.desk import NOON, FakeDesk, StillClock, batch
from tests.sync_fund.postgresql import Server

PORTION = 7
ROUNDS = 12


def make_fund(folder: Path, postgresql: Server) -> Fund:
    """On a database of its own."""
    return Fund(folder / "fund", create_fund(folder / "fund", URL, NOON, postgresql.new_database()))


def deliver(fund: Fund, desks: list[FakeDesk], count: int) -> set[str]:
    """Store events of each desk; their digests."""
    gateway, digests = open_gateway(fund.root, StillClock()), set()
    for desk in desks:
        tokens = desk.chain(count)
        gateway.receive(desk.device, batch(tokens))
        digests |= {digest_of(token) for token in tokens}
    gateway.close()
    return digests


async def grow_until_done(store: LogStore, leaves: list[str]) -> None:
    """Take what waits in small portions, and note the order in which it became part of the tree."""

    def step(pending: Pending) -> TreeGrowth:
        assert pending.size == len(leaves), "another one grew the tree between reading and writing"
        leaves.extend(each.digest for each in pending.events)
        return integrate(pending)

    while (await store.grow(PORTION, step)).portion == PORTION:
        await asyncio.sleep(0)


def test_two_growers_take_every_event_once(tmp_path: Path, postgresql: Server) -> None:
    """Both at the same time in portions of seven: the tree is the one of a single grower."""
    fund = make_fund(tmp_path, postgresql)
    desks = [fund.desk(tmp_path) for _ in range(3)]
    home = FundHome(fund.root)
    leaves: list[str] = []
    digests: set[str] = set()

    async def both() -> StoredCheckpoint | None:
        stores = [log_store(home, NOON) for _ in range(2)]
        for store in stores:
            await store.open()
        await asyncio.gather(*(grow_until_done(store, leaves) for store in stores))
        terms = load_terms(home)
        logs = [Log(store, load_signer(home, terms), terms, StillClock()) for store in stores]
        first, second = await asyncio.gather(*(log.advance() for log in logs))
        for store in stores:
            await store.close()
        assert first == second, "two checkpoints of one size"
        return first

    for _ in range(2):
        digests |= deliver(fund, desks, ROUNDS * PORTION)
        checkpoint = asyncio.run(both())
    assert (len(leaves), set(leaves)) == (len(digests), digests)
    assert checkpoint is not None
    assert checkpoint.root == tree_of_leaves([event_leaf(digest) for digest in leaves])(0, len(leaves))


def test_a_grower_waits_for_the_lock(tmp_path: Path, postgresql: Server) -> None:
    """Nothing is read before the other's transaction has ended."""
    fund = make_fund(tmp_path, postgresql)
    deliver(fund, [fund.desk(tmp_path)], 3)
    home = FundHome(fund.root)

    async def held() -> tuple[bool, int]:
        store = log_store(home, NOON)
        steps: list[int] = []
        await store.open()
        other = await asyncpg.connect(home.database_url.read_text().strip())
        held_by_other = other.transaction()
        await held_by_other.start()
        await other.execute("SELECT pg_advisory_xact_lock($1)", int.from_bytes(b"KLOG", "big"))

        def step(pending: Pending) -> TreeGrowth:
            steps.append(pending.size)
            return integrate(pending)

        growing = asyncio.create_task(store.grow(PORTION, step))
        await asyncio.sleep(0.3)
        waited = not steps and not growing.done()
        await held_by_other.rollback()
        grown = await growing
        await other.close()
        await store.close()
        return waited, grown.size

    assert asyncio.run(held()) == (True, 3)
