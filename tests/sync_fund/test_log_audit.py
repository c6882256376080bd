"""`verify_fund` proves the log too: a row that was dropped, altered or inserted is named, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sync.fund.audit import FundReport, verify_fund
from sync.fund.home import FundHome
from sync.fund.log_audit import LogReader, root_at
from sync.fund.log_terms import add_witness
from sync.fund.stores import log_store
from sync.log_compare import compare
from sync.note import KeyKind, NoteSigner
from tests.sync_fund.attacker import attack, blob
from tests.sync_fund.blocking import Gateway
from tests.sync_fund.conftest import Fund
from tests.sync_fund.desk import batch
from tests.sync_fund.logs import BlockingLog

WITNESS = NoteSigner("chamber.example/w1", KeyKind.WITNESS, b"w" * 32)
Tamper = Callable[[str], FundReport]


@pytest.fixture
def tamper(fund: Fund, gateway: Gateway, tmp_path: Path) -> Tamper:
    """A fund with two desks of three events, logged and cosigned, and one event that waits; SQL, then the audit."""
    home = FundHome(fund.root)
    add_witness(home, WITNESS.public.vkey, 1)
    one, two = fund.desk(tmp_path, "desk-1"), fund.desk(tmp_path, "desk-2")
    with BlockingLog(home) as log:
        for desk in (one, two):
            gateway.receive(desk.device, batch(desk.chain(3)))
            log.advance()
        text = log.growth(0).note.partition("\n\n")[0] + "\n"
        log.ask(log.log.cosign(f"6\n{WITNESS.sign(text, 77).line}"))
    gateway.receive(one.device, batch([one.next()]))

    def run(statement: str) -> FundReport:
        forged = blob(home, b"f" * 32)
        attack(home, statement.format(forged=forged, six=blob(home, b"f" * 192)))
        return verify_fund(fund.root)

    return run


def texts(report: FundReport) -> str:
    """All problems in one text."""
    return "; ".join(f"{problem.device} {problem.seq}: {problem.text}" for problem in report.problems)


def test_an_untouched_log_verifies(tamper: Tamper, fund: Fund) -> None:
    """Every checkpoint, the cosignature, and what waits."""
    done: list[tuple[int, int]] = []
    assert tamper("SELECT 1").intact
    report = verify_fund(fund.root, lambda *told: done.append(told))
    assert report.summary == "fund: 7 events, chain verified, 0 missing"
    assert report.log.summary == "log: 6 events, 2 checkpoints verified, checkpoint of 6 cosigned by 1 witness"
    assert report.log.waiting == 1
    assert done[-1][1] == 13


DEEDS = {
    "a leaf exchanged": ("UPDATE log_tile SET hashes = {six}", "desk-1 1: is not what was logged as number 0"),
    "the tree cut": ("DELETE FROM log_tile", "event 0 of the log is gone"),
    "a signed root": ("UPDATE log_checkpoint SET root = {forged} WHERE size = 3", "checkpoint of 3 events was stored"),
    "a note": ("UPDATE log_checkpoint SET note = 'x' WHERE size = 3", "checkpoint of 3 events is not as it was signed"),
    "a cosignature": ("UPDATE log_cosignature SET line = 'x'", "checkpoint of 6 events is not as it was signed"),
    "a run dropped": ("DELETE FROM log_run WHERE device = 'desk-1'", "the log has no events numbered 0 to 2"),
    "the last run dropped": ("DELETE FROM log_run WHERE device = 'desk-2'", "the log has 3 events, and 6 were signed"),
    "an event dropped": (
        "DELETE FROM event WHERE device = 'desk-1' AND seq = 2",
        "events 2 to 2 before it are missing",
    ),
    "a refusal": (
        "UPDATE event SET refused = 'x' WHERE seq = 2",
        "desk-1 2: is number 1 of the log, although it was refused",
    ),
    "a run moved": (
        "UPDATE log_run SET seq = 2, count = 2 WHERE device = 'desk-1'",
        "desk-1 1: was accepted and is not in",
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_every_deed_of_an_administrator_is_named(tamper: Tamper, deed: str) -> None:
    """By device and number, or by place in the log."""
    statement, named = DEEDS[deed]
    report = tamper(statement)
    assert not report.intact
    assert named in texts(report)


def test_two_checkpoints_of_one_size_are_a_split_view(tamper: Tamper, fund: Fund) -> None:
    """Shown to two desks, both signed: the two files prove it; one alone is compared with the fund's tree."""
    tamper("SELECT 1")
    home = FundHome(fund.root)
    with BlockingLog(home) as log:
        policy, honest = log.log.policy, log.growth(0).note
        other = log.log._signer  # the fund itself lies
        text = f"{policy.log.name}\n6\n{'A' * 43}=\n"
        forged = f"{text}\n{other.sign(text).line}"
    found = compare({"desk-1": honest, "desk-2": forged, "desk-3": honest}, policy)
    assert found.contradictions == (
        "desk-1 and desk-2: two logs of 6 events, both signed",
        "desk-2 and desk-3: two logs of 6 events, both signed",
    )
    with LogReader(log_store(home, None)) as reader:
        alone = compare({"desk-2": forged}, policy, lambda size: root_at(reader, size))
        assert alone.contradictions == ("desk-2: the fund's log does not begin with the 6 events that were signed",)
        assert compare({"desk-1": honest}, policy, lambda size: root_at(reader, size)).contradictions == ()
        with pytest.raises(ValueError, match="no event 6"):
            root_at(reader, 7)
