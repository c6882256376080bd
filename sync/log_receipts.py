"""The desk's eye on the fund's log: proofs for delivered events, growth from what it saw, evidence when it is not so.

The way to the fund is left to `transport`, when to look to `log_watch`, hashes to `merkle`. Nothing the fund says is
believed before it verified under the log's key, enough witnesses, and the last checkpoint this desk saw.

Time is an argument, wall time in seconds since the epoch. All raise as `database.known`.
"""

from dataclasses import dataclass
from typing import Final

from sync.database import Database, immediate, known
from sync.errors import LogUntrue, NotLogged, ProtocolViolation, SyncFailure
from sync.log_answer import Inclusion, ProvenRun, pack_hashes, read_inclusion, unpack_hashes
from sync.log_checkpoint import (
    Checkpoint,
    LogPolicy,
    OfflineProof,
    SignedCheckpoint,
    check_growth,
    event_leaf,
    read_checkpoint,
)
from sync.merkle import EMPTY_ROOT, Subtree, inclusion_proof, tree_of_range

MAX_RUN: Final = 100_000
"""Events of one run that are verified at once; the fund logs in portions of thousands."""


@dataclass(frozen=True, slots=True)
class LogStatus:
    """What the desk knows of the fund's log.

    proven: the events up to this number have their proof, or were refused. waiting: delivered events beyond it.
    size: of the last checkpoint seen, None before the first. overdue: number of a delivered event that the fund keeps
    out of the log for longer than it promised, or None. evidence: what contradicts the log, oldest first. error: of
    the last look.
    """

    proven: int
    waiting: int
    size: int | None
    checked: float | None
    overdue: int | None
    evidence: tuple[str, ...]
    error: str | None

    @property
    def alarm(self) -> str | None:
        """What a person has to look at, or None."""
        if self.evidence:
            return f"the fund's log is not what this desk saw: {self.evidence[0]}"
        if self.overdue is not None:
            return f"event {self.overdue} was delivered and is not in the fund's log in the promised time"
        return None

    def summary(self) -> str:
        """One line."""
        parts = [f"log: proven up to event {self.proven}", f"{self.waiting} waiting"]
        parts.append("no checkpoint seen" if self.size is None else f"last checkpoint {self.size} events")
        if self.error:
            parts.append(f"last failure: {self.error}")
        if self.alarm:
            parts.append(f"ALARM: {self.alarm}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two signed statements of the fund that contradict each other, or one that contradicts its receipts."""

    what: str
    ours: str
    theirs: str
    at: float


class LogReceipts:
    """What one desk keeps about the log."""

    def __init__(self, db: Database, policy: LogPolicy) -> None:
        """Keep it in this database, beside the ledger."""
        self._db = db
        self._policy = policy

    def wanted(self) -> tuple[int, int]:
        """What to ask the fund: after which event, and since which size of the log."""
        with known():
            upto: int = self._db.execute("SELECT upto FROM log_state").fetchone()[0]
        return upto, self._seen().size

    def waiting(self) -> bool:
        """Whether an event was delivered and has no proof yet."""
        with known():
            row = self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'settled' AND seq > (SELECT upto FROM log_state))"
            ).fetchone()
        return bool(row[0])

    def take(self, content: bytes, now: float) -> bool:
        """Verify an answer and keep its proofs; whether there may be more at once.

        Raises ProtocolViolation, EnvelopeInvalid, LogUntrue (evidence is kept); nothing else changes then.
        """
        answer = read_inclusion(content)
        signed = read_checkpoint(answer.growth.note, self._policy)
        try:
            self._check(answer, signed)
        except LogUntrue as untrue:
            self._keep_evidence(str(untrue), answer.growth.text, now)
            raise
        with immediate(self._db):
            self._keep(answer, signed, now)
        return bool(answer.runs)

    def look(self, now: float, failure: SyncFailure | None) -> None:
        """Note that the fund was asked, how it ended, and whether a delivered event is overdue."""
        with immediate(self._db):
            upto, since_seq, since = self._db.execute(
                "SELECT upto, waiting_seq, waiting_since FROM log_state"
            ).fetchone()
            waiting = self._db.execute(
                "SELECT min(seq) FROM outbox WHERE state = 'settled' AND seq > ?", (upto,)
            ).fetchone()[0]
            if waiting is None or waiting != since_seq or now < since:  # the last: the clock went back
                since = None if waiting is None else now
            late = waiting is not None and now - since > self._policy.merge_delay_s
            error = None if failure is None else f"{failure.code} {failure}"
            self._db.execute(
                "UPDATE log_state SET waiting_seq = ?, waiting_since = ?, overdue_seq = ?, error = ?,"
                " checked = CASE WHEN ? IS NULL THEN ? ELSE checked END",
                (waiting, since, waiting if late else None, error, error, now),
            )

    def offline(self, seq: int) -> OfflineProof:
        """The proof of one event as anybody can check it without asking. Raises NotLogged."""
        with known():
            row = self._db.execute(
                "SELECT p.seq, p.count, p.place, p.size, p.hashes, s.note FROM log_proof p JOIN log_seen s USING (size)"
                " WHERE p.seq <= ? ORDER BY p.seq DESC LIMIT 1",
                (seq,),
            ).fetchone()
            if row is None or seq >= row[0] + row[1]:
                raise NotLogged(f"event {seq} has no proof that it is in the fund's log")
            first, count, place, size, hashes, note = row
            token: str = self._db.execute("SELECT token FROM event WHERE seq = ?", (seq,)).fetchone()[0]
            tree = tree_of_range(self._leaves(first, count), place, size, unpack_hashes(hashes))
        index = place + seq - first
        return OfflineProof(token, index, inclusion_proof(tree, index, size), note)

    def checkpoint(self) -> str | None:
        """The newest checkpoint this desk has verified, as its note, to be compared; None before the first."""
        with known():
            row = self._db.execute("SELECT note FROM log_seen ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    def evidence(self) -> tuple[Evidence, ...]:
        """What contradicts the log, oldest first."""
        with known():
            rows = self._db.execute("SELECT what, ours, theirs, at FROM log_evidence ORDER BY id").fetchall()
        return tuple(Evidence(*row) for row in rows)

    def _check(self, answer: Inclusion, signed: SignedCheckpoint) -> None:
        """Raises LogUntrue, ProtocolViolation."""
        checkpoint, seen = signed.checkpoint, self._seen()
        if checkpoint.size >= seen.size and answer.growth.old != seen.size:
            raise ProtocolViolation("the fund answered about another checkpoint than the one asked about")
        check_growth(seen, checkpoint, answer.growth.proof)
        for proven in answer.runs:
            run = proven.run
            if self._tree(proven, checkpoint.size)(0, checkpoint.size) != checkpoint.root:
                raise LogUntrue(f"the events {run.seq} to {run.seq + run.count - 1} are not where the fund says")
        with known():
            upto: int = self._db.execute("SELECT upto FROM log_state").fetchone()[0]
            settled = self._db.execute(
                "SELECT seq FROM outbox WHERE state = 'settled' AND seq > ? AND seq <= ? ORDER BY seq",
                (upto, answer.upto),
            ).fetchall()
        shown = [range(proven.run.seq, proven.run.seq + proven.run.count) for proven in answer.runs]
        lost = next((seq for (seq,) in settled if not any(seq in run for run in shown)), None)
        if lost is not None:
            raise LogUntrue(f"event {lost} was accepted by the fund and left out of its log")

    def _tree(self, proven: ProvenRun, size: int) -> Subtree:
        run = proven.run
        leaves = self._leaves(run.seq, run.count) if run.count <= MAX_RUN else []
        if len(leaves) != run.count:
            raise ProtocolViolation("the fund answered about events that this desk does not have")
        try:
            return tree_of_range(leaves, run.index, size, proven.proof)
        except ValueError as error:
            raise LogUntrue(f"the proof of event {run.seq} does not fit the log: {error}") from error

    def _leaves(self, seq: int, count: int) -> list[bytes]:
        with known():
            rows = self._db.execute(
                "SELECT digest FROM event WHERE seq >= ? AND seq < ? ORDER BY seq", (seq, seq + count)
            ).fetchall()
        return [event_leaf(digest) for (digest,) in rows]

    def _seen(self) -> Checkpoint:
        with known():
            row = self._db.execute("SELECT size, root FROM log_seen ORDER BY size DESC LIMIT 1").fetchone()
        return Checkpoint(self._policy.log.name, *(row or (0, EMPTY_ROOT)))

    def _keep(self, answer: Inclusion, signed: SignedCheckpoint, now: float) -> None:
        checkpoint = signed.checkpoint
        self._db.execute(
            "INSERT INTO log_seen VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (checkpoint.size, checkpoint.root, answer.growth.note, now),
        )
        for proven in answer.runs:
            run = proven.run
            self._db.execute(
                "INSERT INTO log_proof VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (run.seq, run.count, run.index, checkpoint.size, pack_hashes(proven.proof)),
            )
        self._db.execute("UPDATE log_state SET upto = max(upto, ?)", (answer.upto,))

    def _keep_evidence(self, what: str, theirs: str, now: float) -> None:
        ours = self.checkpoint() or ""
        with immediate(self._db):
            self._db.execute(
                "INSERT INTO log_evidence (at, what, ours, theirs) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (now, what, ours, theirs),
            )


def log_status(db: Database) -> LogStatus:
    """What the desk knows of the fund's log."""
    with known():
        upto, overdue, checked, error = db.execute("SELECT upto, overdue_seq, checked, error FROM log_state").fetchone()
        waiting = db.execute("SELECT count(*) FROM outbox WHERE state = 'settled' AND seq > ?", (upto,)).fetchone()[0]
        size = db.execute("SELECT max(size) FROM log_seen").fetchone()[0]
        evidence = tuple(what for (what,) in db.execute("SELECT what FROM log_evidence ORDER BY id").fetchall())
    return LogStatus(upto, waiting, size, checked, overdue, evidence, error)
