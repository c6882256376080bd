"""The fund's log: everything accepted is in it, in order, once; what was signed is never contradicted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sync.compact import digest_of
from sync.database import IntegrityError
from sync.errors import EnvelopeInvalid, LogBroken
from sync.fund import log as log_module
from sync.fund import log_rows
from sync.fund.home import FundHome
from sync.fund.log_terms import add_witness, load_terms
from sync.log_answer import MAX_RUNS, ProvenRun, encode_inclusion, read_inclusion
from sync.log_checkpoint import check_growth, event_leaf, read_checkpoint
from sync.merkle import EMPTY_ROOT, tree_of_leaves, tree_of_range
from sync.note import KeyKind, NoteSigner
from sync.tiles import Tile
from tests.sync_fund.attacker import attack, blob
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import FakeDesk, batch
from tests.sync_fund.logs import BlockingLog

WITNESS = NoteSigner("chamber.example/w1", KeyKind.WITNESS, b"w" * 32)


@pytest.fixture
def log(fund: Fund) -> Iterator[BlockingLog]:
    """The log of the fund."""
    with BlockingLog(FundHome(fund.root)) as opened:
        yield opened


def deliver(gateway: Gateway, desk: FakeDesk, count: int) -> list[str]:
    """The next events of a desk, at the fund; their digests."""
    tokens = desk.chain(count)
    gateway.receive(desk.device, batch(tokens))
    return [digest_of(token) for token in tokens]


def run_root(proven: ProvenRun, digests: list[str], size: int) -> bytes:
    """The root that a run's proof shows for these events of a chain that begins with 1."""
    run = proven.run
    leaves = [event_leaf(digest) for digest in digests[run.seq - 1 : run.seq - 1 + run.count]]
    return tree_of_range(leaves, run.index, size, proven.proof)(0, size)


def test_accepted_events_of_all_devices_are_in_the_tree(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path
) -> None:
    """By device, in the order of each chain, appended to what was there before; each checkpoint extends the last."""
    one, two = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    assert log.advance() is None
    first = deliver(gateway, one, 3) + deliver(gateway, two, 2)
    old = log.advance()
    second = deliver(gateway, one, 4)
    new = log.advance()
    assert old is not None
    assert new is not None
    tree = tree_of_leaves([event_leaf(digest) for digest in first + second])
    assert (old.size, old.root, new.size, new.root) == (5, tree(0, 5), 9, tree(0, 9))
    policy = load_terms(FundHome(fund.root))
    before, after = (read_checkpoint(each.text, policy).checkpoint for each in (old, new))
    check_growth(before, after, log.growth(5).proof)
    assert log.advance() == new  # nothing new: the same checkpoint, not another one of its size


def test_a_device_gets_proofs_for_all_its_events(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path
) -> None:
    """Run by run, through the bytes of the answer; asked again, only for what is new."""
    one, two = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    digests: list[str] = []
    for count in (3, 1, 5):
        digests += deliver(gateway, one, count)
        deliver(gateway, two, 2)
        log.advance()
    answer = read_inclusion(encode_inclusion(log.inclusion("desk-1")))
    checkpoint = read_checkpoint(answer.growth.note, log.log.policy).checkpoint
    assert [(run.run.seq, run.run.count) for run in answer.runs] == [(1, 3), (4, 1), (5, 5)]
    assert answer.upto == 9
    assert all(run_root(run, digests, checkpoint.size) == checkpoint.root for run in answer.runs)
    assert [run.run.seq for run in log.inclusion("desk-1", 4).runs] == [5]
    assert [run.run.seq for run in log.inclusion("desk-1", 2).runs] == [1, 4, 5]
    assert log.inclusion("desk-1", 9).runs == ()


def test_refused_events_are_looked_at_and_not_logged(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path
) -> None:
    """They are part of the chain, and `upto` says that their place in it was decided."""
    desk = fund.desk(tmp_path, "desk-1")
    twin = "ab" * 16
    gateway.receive(
        "desk-1", batch([desk.next(event_id=twin), desk.next(event_id=twin), desk.next(), desk.next(event_id=twin)])
    )
    stored = log.advance()
    assert stored is not None
    assert stored.size == 2
    answer = log.inclusion("desk-1")
    assert [(run.run.seq, run.run.count) for run in answer.runs] == [(1, 1), (3, 1)]
    assert answer.upto == 4


def test_portions_make_the_same_tree(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven events in portions of three are one tree, in three runs."""
    monkeypatch.setattr(log_module, "PORTION", 3)
    digests = deliver(gateway, fund.desk(tmp_path, "desk-1"), 7)
    stored = log.advance()
    assert stored is not None
    assert stored.root == tree_of_leaves([event_leaf(digest) for digest in digests])(0, 7)
    assert [run.run.count for run in log.inclusion("desk-1").runs] == [3, 3, 1]


def test_an_answer_holds_a_bounded_number_of_runs(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `upto` ends where the runs do, so that nothing is taken for refused."""
    monkeypatch.setattr(log_module, "PORTION", 1)
    deliver(gateway, fund.desk(tmp_path, "desk-1"), MAX_RUNS + 2)
    log.advance()
    answer = log.inclusion("desk-1")
    assert (len(answer.runs), answer.upto) == (MAX_RUNS, MAX_RUNS)
    assert log.inclusion("desk-1", MAX_RUNS).upto == MAX_RUNS + 2


def test_with_a_quorum_desks_get_what_witnesses_cosigned(fund: Fund, gateway: Gateway, tmp_path: Path) -> None:
    """The newest checkpoint goes to witnesses, the newest one cosigned by enough of them to desks."""
    home = FundHome(fund.root)
    add_witness(home, WITNESS.public.vkey, 1)
    desk = fund.desk(tmp_path, "desk-1")
    with BlockingLog(home) as log:
        deliver(gateway, desk, 3)
        log.advance()
        assert log.ask(log.log.inclusion("desk-1", 0, 0)) is None
        text = log.growth(0).note.partition("\n\n")[0] + "\n"
        assert log.ask(log.log.cosign(f"3\n{WITNESS.sign(text, 77).line}")) == 1
        deliver(gateway, desk, 2)
        log.advance()
        answer = log.inclusion("desk-1")
        assert [run.run.count for run in answer.runs] == [3]
        assert answer.upto == 3
        assert read_checkpoint(answer.growth.note, log.log.policy).cosigned == (("chamber.example/w1", 77),)
        assert log.state().summary == "log: 5 events, checkpoint of 3 events cosigned by 1 of 1 witnesses"


@pytest.mark.parametrize("lines", ["", "x\n", "4\n\u2014 a AAAAAAAA\n", "3\n", "3\nnonsense\n", "9" * 20 + "\n"])
def test_cosignatures_that_are_none_are_refused(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path, lines: str
) -> None:
    """Of no checkpoint, or no signature lines."""
    deliver(gateway, fund.desk(tmp_path, "desk-1"), 3)
    log.advance()
    with pytest.raises(EnvelopeInvalid):
        log.ask(log.log.cosign(lines))


def test_a_witness_the_fund_does_not_know_is_not_kept(
    fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path
) -> None:
    """Its line is ignored, as C2SP says."""
    deliver(gateway, fund.desk(tmp_path, "desk-1"), 3)
    log.advance()
    text = log.growth(0).note.partition("\n\n")[0] + "\n"
    assert log.ask(log.log.cosign(f"3\n{WITNESS.sign(text, 77).line}")) == 0
    assert log.state().cosigned == 0


def test_a_changed_tree_is_never_signed(fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path) -> None:
    """An administrator exchanges a leaf: the next checkpoint is not made, and the last one stays."""
    desk, home = fund.desk(tmp_path, "desk-1"), FundHome(fund.root)
    deliver(gateway, desk, 3)
    signed = log.advance()
    attack(home, f"UPDATE log_tile SET hashes = {blob(home, b'x' * 96)}")  # noqa: S608  # the test is the attacker
    deliver(gateway, desk, 1)
    with pytest.raises(LogBroken, match="no longer begins with the 3 events"):
        log.advance()
    assert log.ask(log.log.newest()) == signed


def test_a_tree_with_a_hole_is_named(fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path) -> None:
    """Missing tiles are not computed from nothing, neither for a checkpoint nor for a proof."""
    desk = fund.desk(tmp_path, "desk-1")
    deliver(gateway, desk, 3)
    log.advance()
    attack(FundHome(fund.root), "DELETE FROM log_tile")
    with pytest.raises(LogBroken, match="hole"):
        log.growth(2)
    deliver(gateway, desk, 1)
    with pytest.raises(LogBroken, match="does not reach"):
        log.advance()
    with pytest.raises(LogBroken, match="does not reach"):
        log_rows.root_of({}, 3)
    assert log_rows.root_of({}, 0) == EMPTY_ROOT


FORBIDDEN = (
    "UPDATE log_tile SET hashes = {forged}",
    "UPDATE log_tile SET hashes = {shorter}",
    "DELETE FROM log_tile",
    "UPDATE log_run SET count = 2",
    "DELETE FROM log_run",
    "INSERT INTO log_run VALUES (7, 'desk-1', 9, 1)",
    "UPDATE log_looked SET seq = 1",
    "UPDATE log_checkpoint SET note = ''",
    "DELETE FROM log_checkpoint",
    "DELETE FROM log_cosignature",
)


def test_the_tables_refuse_to_forget(fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path) -> None:
    """Whoever writes: tiles grow at their end, runs follow, what was signed stays."""
    home = FundHome(fund.root)
    log.log.policy = add_witness(home, WITNESS.public.vkey, 0)
    digests = deliver(gateway, fund.desk(tmp_path, "desk-1"), 3)
    log.advance()
    text = log.growth(0).note.partition("\n\n")[0] + "\n"
    log.ask(log.log.cosign(f"3\n{WITNESS.sign(text, 77).line}"))
    values = {"forged": blob(home, bytes(96)), "shorter": blob(home, event_leaf(digests[0]))}
    for statement in FORBIDDEN:
        with pytest.raises((IntegrityError, asyncpg.IntegrityConstraintViolationError)):
            attack(home, statement.format(**values), triggers=True)


def test_a_log_that_breaks_says_so_and_stops(fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path) -> None:
    """Its loop ends, the fund goes on, and people see why."""
    desk = fund.desk(tmp_path, "desk-1")
    deliver(gateway, desk, 3)
    log.advance()
    attack(FundHome(fund.root), "DELETE FROM log_tile")
    deliver(gateway, desk, 1)
    log.ask(log.log.run(asyncio.Event()))
    assert "does not reach" in (log.state().broken or "")


def test_tiles_are_served_in_their_widths(fund: Fund, gateway: Gateway, log: BlockingLog, tmp_path: Path) -> None:
    """As far as they go."""
    digests = deliver(gateway, fund.desk(tmp_path, "desk-1"), 3)
    log.advance()
    assert log.ask(log.log.tile(Tile(0, 0), 2)) == event_leaf(digests[0]) + event_leaf(digests[1])
    assert log.ask(log.log.tile(Tile(0, 0), 4)) is None
    assert log.ask(log.log.tile(Tile(1, 0), 1)) is None
