"""The desk believes the fund's log only as far as it verified it, and keeps what contradicts it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sync.database import Database, IntegrityError, immediate, open_database
from sync.errors import LogUntrue, NotLogged, ProtocolViolation, SyncFailure, TransportFailure
from sync.keyfile import KEY_BYTES
from sync.ledger import Entry, Ledger
from sync.log_answer import Inclusion, ProvenRun, Run, encode_inclusion
from sync.log_checkpoint import Checkpoint, Growth, LogPolicy, check_inclusion, event_leaf, read_checkpoint
from sync.log_receipts import LogReceipts, log_status
from sync.log_watch import IDLE_EVERY_S, LOOK_EVERY_S, LogWatch
from sync.merkle import consistency_proof, range_proof, tree_of_leaves
from sync.note import KeyKind, Note, NoteSigner
from sync.schema import LEDGER_MIGRATIONS
from sync.signing import FileSigner
from tests.fakes.clock import ManualClock

LOG = NoteSigner("fund.example/visits", KeyKind.LOG, b"l" * 32)
WITNESS = NoteSigner("chamber.example/w1", KeyKind.WITNESS, b"w" * 32)
POLICY = LogPolicy(LOG.public, 600, (WITNESS.public,), 1)
STRANGER = event_leaf("cd" * 32)
NOW = 1_000_000.0


@dataclass
class FakeLog:
    """A log that holds any leaves, runs of the desk among them, and answers as PROTOCOL.md says."""

    leaves: list[bytes] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    upto: int = 0
    witnesses: tuple[NoteSigner, ...] = (WITNESS,)

    def log(self, digests: list[str], first: int) -> None:
        """Append a stranger's event and then these, of the desk."""
        self.leaves.append(STRANGER)
        self.runs.append(Run(len(self.leaves), first, len(digests)))
        self.leaves += [event_leaf(digest) for digest in digests]
        self.upto = first + len(digests) - 1

    def answer(self, after: int, old: int) -> Inclusion:
        """What an honest fund says."""
        tree, size = tree_of_leaves(self.leaves), len(self.leaves)
        text = Checkpoint("fund.example/visits", size, tree(0, size)).text
        note = Note(text, (LOG.sign(text), *(w.sign(text, 7) for w in self.witnesses))).serialise()
        runs = [run for run in self.runs if run.seq + run.count - 1 > after]
        proven = tuple(ProvenRun(r, range_proof(tree, r.index, r.index + r.count, size)) for r in runs)
        old = min(old, size)
        return Inclusion(Growth(old, consistency_proof(tree, old, size), note), proven, self.upto)

    def get_inclusion(self, after: int, old: int) -> bytes:
        """As an exchange."""
        return encode_inclusion(self.answer(after, old))


@dataclass
class Desk:
    """A ledger whose events were delivered, its view of the log, and the log."""

    db: Database
    receipts: LogReceipts
    log: FakeLog
    digests: list[str]

    def take(self) -> bool:
        """One honest answer."""
        return self.receipts.take(self.log.get_inclusion(*self.receipts.wanted()), NOW)

    def take_changed(self, **changes: object) -> None:
        """An answer with something exchanged."""
        answer = replace(self.log.answer(*self.receipts.wanted()), **changes)  # type: ignore[arg-type]
        self.receipts.take(encode_inclusion(answer), NOW)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Nine delivered events, none proven yet."""
    with contextlib.closing(
        open_database(tmp_path / "desk.db", b"k" * KEY_BYTES, [LEDGER_MIGRATIONS], create=True)
    ) as db:
        ledger = Ledger(db, FileSigner.create(tmp_path / "key.pem"), "desk-1")
        clock = ManualClock()
        digests = []
        for _ in range(9):
            with immediate(db):
                entry = ledger.append("checked_in", 1, {}, clock.moment())
            assert isinstance(entry, Entry)
            digests.append(entry.digest)
        db.execute("DROP TRIGGER outbox_settled_has_receipt")  # receipts are another test's
        db.execute("UPDATE outbox SET state = 'settled'")
        yield Desk(db, LogReceipts(db, POLICY), FakeLog(), digests)


def test_delivered_events_get_their_proofs(desk: Desk) -> None:
    """Run by run; each of them can then be shown to anybody, without the fund."""
    desk.log.log(desk.digests[:4], 1)
    assert desk.take()
    assert (log_status(desk.db).proven, log_status(desk.db).waiting) == (4, 5)
    desk.log.log(desk.digests[4:], 5)
    assert desk.take()
    assert not desk.take()
    status = log_status(desk.db)
    assert (status.proven, status.waiting, status.size, status.alarm) == (9, 0, 11, None)
    for seq in range(1, 10):
        proof = desk.receipts.offline(seq)
        check_inclusion(proof, desk.digests[seq - 1], read_checkpoint(proof.note, POLICY))


def test_an_event_without_proof_has_no_receipt(desk: Desk) -> None:
    """Before the first answer, and beyond the last run."""
    with pytest.raises(NotLogged):
        desk.receipts.offline(1)
    desk.log.log(desk.digests[:4], 1)
    desk.take()
    with pytest.raises(NotLogged):
        desk.receipts.offline(5)


def test_a_log_that_dropped_an_event_is_found_by_the_desk_alone(desk: Desk) -> None:
    """The witness colludes and cosigns the rebuilt log: it is no extension, both checkpoints are kept, nothing else."""
    desk.log.log(desk.digests[:4], 1)
    desk.take()
    seen = desk.receipts.checkpoint()
    del desk.log.leaves[0]
    desk.log.runs = [Run(0, 1, 4)]
    desk.log.log(desk.digests[4:], 5)
    for _ in range(2):
        with pytest.raises(LogUntrue, match="no extension"):
            desk.take()
    (evidence,) = desk.receipts.evidence()
    assert evidence.ours == seen
    assert evidence.theirs.endswith(desk.log.answer(0, 0).growth.note)
    status = log_status(desk.db)
    assert status.proven == 4
    assert "not what this desk saw" in (status.alarm or "")
    assert "ALARM" in status.summary()


def test_a_log_that_shrank_is_found(desk: Desk) -> None:
    """An older copy of the fund is running, or it wants to forget."""
    desk.log.log(desk.digests[:4], 1)
    desk.take()
    del desk.log.leaves[3:]
    with pytest.raises(LogUntrue, match="shrank from 5 to 3"):
        desk.take_changed(runs=())
    assert len(desk.receipts.evidence()) == 1


def test_an_accepted_event_left_out_is_found(desk: Desk) -> None:
    """The fund says that it looked further, and has no place for event 3."""
    desk.log.log(desk.digests[:2], 1)
    desk.log.log(desk.digests[3:], 4)
    with pytest.raises(LogUntrue, match="event 3 was accepted by the fund and left out"):
        desk.take()


def test_another_event_in_its_place_is_found(desk: Desk) -> None:
    """The fund logged something else under the number of event 2, or claims another place."""
    desk.log.log([desk.digests[0], "ab" * 32], 1)
    with pytest.raises(LogUntrue, match="not where the fund says"):
        desk.take()
    desk.log = FakeLog()
    desk.log.log(desk.digests[:2], 1)
    honest = desk.log.answer(0, 0).runs[0]
    with pytest.raises(LogUntrue, match="does not fit the log"):
        desk.take_changed(runs=(replace(honest, run=replace(honest.run, index=99)),))


def test_without_enough_witnesses_nothing_is_believed(desk: Desk) -> None:
    """That is no evidence against the fund, only no proof."""
    desk.log.witnesses = ()
    desk.log.log(desk.digests, 1)
    with pytest.raises(LogUntrue, match="0 of 1 witnesses"):
        desk.take()
    assert desk.receipts.evidence() == ()
    assert log_status(desk.db).proven == 0


def test_an_answer_to_another_question_is_a_violation(desk: Desk) -> None:
    """Growth from another checkpoint, events beyond our chain, runs without end, no answer at all."""
    desk.log.log(desk.digests[:4], 1)
    desk.take()
    desk.log.log(desk.digests[4:], 5)
    with pytest.raises(ProtocolViolation, match="another checkpoint"):
        desk.take_changed(growth=desk.log.answer(0, 3).growth)
    honest = desk.log.answer(4, 5).runs[0]
    for count in (50, 10**9):
        with pytest.raises(ProtocolViolation, match="does not have"):
            desk.take_changed(runs=(replace(honest, run=replace(honest.run, count=count)),))
    with pytest.raises(ProtocolViolation):
        desk.receipts.take(b"{}", NOW)


def test_an_event_not_logged_in_time_is_an_alarm_until_it_is(desk: Desk) -> None:
    """Counted from when the desk first missed it, over restarts; a clock that goes back starts again."""
    for now, overdue in ((NOW, None), (NOW + 599, None), (NOW + 601, 1), (NOW - 50, None), (NOW + 551, 1)):
        desk.receipts.look(now, None)
        assert log_status(desk.db).overdue == overdue
    assert "event 1 was delivered and is not" in (log_status(desk.db).alarm or "")
    desk.log.log(desk.digests, 1)
    desk.take()
    desk.receipts.look(NOW + 2000, None)
    assert log_status(desk.db).alarm is None


def test_what_was_kept_stays(desk: Desk) -> None:
    """Checkpoints, proofs and evidence are append-only."""
    desk.log.log(desk.digests, 1)
    desk.take()
    for statement in ("UPDATE log_seen SET note = ''", "DELETE FROM log_proof", "DELETE FROM log_seen"):
        with pytest.raises(IntegrityError):
            desk.db.execute(statement)


class Counting:
    """An exchange that counts, and fails when told."""

    def __init__(self, log: FakeLog) -> None:
        self.log = log
        self.asked = 0
        self.failure: SyncFailure | None = None

    def get_inclusion(self, after: int, old: int) -> bytes:
        """Answer or fail."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.log.get_inclusion(after, old)


def test_the_desk_looks_often_while_it_waits_and_seldom_otherwise(desk: Desk) -> None:
    """At once, every half minute while events have no proof, hourly when all have; at once when forced."""
    clock, exchange = ManualClock(), Counting(desk.log)
    desk.log.log(desk.digests[:4], 1)
    watch = LogWatch(desk.receipts, exchange, clock)
    assert watch.step() is None
    assert exchange.asked == 2
    watch.step()
    assert exchange.asked == 2
    desk.log.log(desk.digests[4:], 5)
    clock.sleep(LOOK_EVERY_S + 1)
    watch.step()
    assert log_status(desk.db).waiting == 0
    asked = exchange.asked
    clock.sleep(LOOK_EVERY_S + 1)
    watch.step()
    assert exchange.asked == asked
    clock.sleep(IDLE_EVERY_S)
    watch.step()
    watch.step(force=True)
    assert exchange.asked == asked + 2


def test_a_failed_look_is_shown_and_stops_nothing(desk: Desk) -> None:
    """The network, a fund that lies; a fund without any checkpoint yet has not failed."""
    clock, exchange = ManualClock(), Counting(desk.log)
    watch = LogWatch(desk.receipts, exchange, clock)
    exchange.failure = NotLogged("404 no_checkpoint")
    assert watch.step(force=True) is None
    assert log_status(desk.db).error is None
    exchange.failure = TransportFailure("no answer")
    assert watch.step(force=True) is exchange.failure
    assert log_status(desk.db).error == "E-NET-01 no answer"
    assert "last failure" in log_status(desk.db).summary()


@pytest.mark.parametrize(
    "runs",
    [None, [1], [{}], [{"index": 0, "seq": 1, "count": 1, "proof": ["AAAA"]}], [{}] * 65],
    ids=["absent", "no object", "empty", "short hash", "too many"],
)
def test_runs_that_are_none_are_a_violation(desk: Desk, runs: object) -> None:
    """Nothing is computed from them."""
    desk.log.log(desk.digests, 1)
    answer = json.loads(desk.log.get_inclusion(0, 0)) | {"runs": runs}
    with pytest.raises(ProtocolViolation):
        desk.receipts.take(json.dumps(answer).encode(), NOW)
