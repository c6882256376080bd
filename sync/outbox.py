"""Which events still have to reach the fund, when to try next, and what the fund said to each.

Messages are left to `protocol`, the network to `transport`, the loop to `worker`. The rules are those of
`PROTOCOL.md`, section 5: events go in the order of their chain, so that the first open event decides;
an event the fund could not verify is held and tried alone, one it refused and recorded is done with.

Time and random numbers are arguments: `now` is wall time in seconds since the epoch, `draw` gives
uniform numbers in [0, 1). Every method that writes is one transaction; all raise as `database.known`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sync.compact import digest_of
from sync.database import Database, immediate, known
from sync.drafts import drafts_waiting
from sync.envelope import parse_time
from sync.errors import AnswerLate, ChainDisputed, SyncFailure
from sync.protocol import MAX_EVENTS, Decision, Outgoing, Receipt, Result, SignedReceipt, fits

Draw = Callable[[], float]
"""A source of uniform random numbers in [0, 1)."""

FIRST_BACKOFF_S: Final = 2.0
"""Ceiling of the first wait: a gateway that restarts is back in a few seconds."""

MAX_BACKOFF_S: Final = 900.0
"""Ceiling of every wait: 20,000 desks coming back spread over 15 minutes are 22 requests a second."""

MAX_HELD_S: Final = 3600.0
"""Ceiling for an event that waits for a person at the fund."""

MAX_RETRY_AFTER_S: Final = 3600.0
"""The fund may ask for more, but is asked again after an hour."""

_SETTLES: Final = frozenset({Result.ACCEPTED, Result.KNOWN})
_REFUSES: Final = frozenset({Result.REFUSED})
_HOLDS: Final = frozenset({Result.FORKED, Result.REJECTED})
_FINAL: Final = _SETTLES | _REFUSES

_SHOWN: Final = 100
"""How many parked events a status lists."""

_COUNTS: Final = (
    "SELECT state, count(*) FROM outbox WHERE state IN ('pending', 'held') GROUP BY state"
    " UNION ALL SELECT 'refused', count(*) FROM outbox WHERE state = 'refused'"
    " UNION ALL SELECT 'newest', coalesce(max(seq), 0) FROM outbox"
)
_PARKED: Final = (
    "SELECT seq, 1, coalesce(reason, ''), attempts FROM outbox WHERE state IN ('pending', 'held') AND state = 'held'"
    " UNION ALL SELECT seq, 0, coalesce(reason, ''), attempts FROM outbox WHERE state = 'refused' ORDER BY seq LIMIT ?"
)
"""What a screen asks every two seconds, by partial indices: nothing of it grows with the events that are settled, of
which there are hundreds of thousands after a year. The outbox has every event from 1 on, so the rest is settled."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An event the fund did not take. held: the chain waits for it; otherwise it is refused and recorded."""

    seq: int
    held: bool
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """The state of delivery.

    pending: events not delivered yet, without the parked ones. parked: refused or held, oldest first, at
    most 100 of `parked_count`. oldest_pending_age_s: None when nothing waits. last_error: code and text
    of the last failure, None after a success. last_contact: when the fund last answered properly, seconds
    since the epoch. alarm: what a person has to look at, None when nothing. unsigned: events that wait for the
    device's key and are not in the chain yet.
    """

    pending: int
    parked: tuple[Parked, ...]
    parked_count: int
    settled: int
    oldest_pending_age_s: float | None
    last_error: str | None
    last_contact: float | None
    alarm: str | None
    unsigned: int = 0

    def summary(self) -> str:
        """Backlog, its age, parked events and the last failure in one line."""
        parts = [f"{self.settled} delivered", f"{self.pending} waiting"]
        if self.oldest_pending_age_s is not None:
            parts.append(f"oldest {self.oldest_pending_age_s:.0f} s")
        if self.unsigned:
            parts.append(f"{self.unsigned} unsigned, waiting for the device key")
        if self.parked_count:
            parts.append(f"{self.parked_count} parked")
        if self.last_error:
            parts.append(f"last failure: {self.last_error}")
        if self.alarm:
            parts.append(f"ALARM: {self.alarm}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Applied:
    """What an answer changed: events settled, refused, held; reopened because the fund lost them."""

    settled: int
    refused: int
    held: int
    reopened: int

    @property
    def progressed(self) -> bool:
        """Whether the next batch will differ from this one."""
        return self.settled + self.refused + self.reopened > 0


class Outbox:
    """The queue of a desk's events on their way to the fund."""

    def __init__(self, db: Database) -> None:
        """Keep the queue in this database, beside the ledger."""
        self._db = db

    def due(self, now: float, *, force: bool = False) -> tuple[Outgoing, ...]:
        """The next batch, or nothing when nothing is open or its time has not come.

        force: regardless of the time. A held event comes alone.
        """
        with known():
            first = self._db.execute(
                "SELECT seq, state, next_try FROM outbox WHERE state IN ('pending', 'held') ORDER BY seq LIMIT 1"
            ).fetchone()
            if first is None:
                return ()
            seq, state, next_try = first
            # Further away than we ever wait: the clock was set back since. Waiting it out could take years.
            stale = next_try > now + MAX_HELD_S + MAX_RETRY_AFTER_S
            if not (force or stale or next_try <= now):
                return ()
            limit = 1 if state == "held" else self._limit()
            rows = self._db.execute(
                "SELECT e.seq, e.token FROM outbox o JOIN event e ON e.seq = o.seq"
                " WHERE o.seq >= ? AND o.state = ? ORDER BY o.seq LIMIT ?",
                (seq, state, limit),
            ).fetchall()
        run = [row for place, row in enumerate(rows) if row[0] == seq + place]
        count = max(1, fits([token for _, token in run]))
        return tuple(Outgoing(number, digest_of(token), token) for number, token in run[:count])

    def apply(self, batch: Sequence[Outgoing], signed: SignedReceipt, now: float, draw: Draw) -> Applied:
        """Do what the verified receipt of a batch says, all of it in one transaction.

        Raises ChainDisputed, and nothing changes, when the receipt names another event than ours as one of our chain.
        """
        receipt = signed.receipt
        with immediate(self._db):
            if not receipt.forked and self.disputes(receipt.have, receipt.digest):
                raise ChainDisputed(receipt.have)
            held = self._first_held(receipt)
            if held is not None or any(decision.result in _FINAL for decision in receipt.decisions):
                self._keep(batch, signed, now)
            applied = Applied(
                settled=self._mark(batch, receipt, _SETTLES, "settled"),
                refused=self._mark(batch, receipt, _REFUSES, "refused"),
                held=0 if held is None else self._hold(batch[held], receipt.decisions[held], now, draw),
                reopened=self._reopen(batch, receipt),
            )
            if applied.progressed:
                self._db.execute("UPDATE delivery SET batch_limit = min(?, batch_limit * 2)", (MAX_EVENTS,))
            elif not applied.held:
                self._delay(batch, now, draw, MAX_BACKOFF_S, 0.0)
            self._db.execute("UPDATE delivery SET last_contact = ?, error_code = NULL, error_text = NULL", (now,))
        return applied

    def disputes(self, seq: int, digest: str) -> bool:
        """Whether we have an event of this number and it is another one: two histories under one name."""
        with known():
            row = self._db.execute("SELECT digest FROM event WHERE seq = ?", (seq,)).fetchone()
        return row is not None and row[0] != digest

    def postpone(
        self, batch: Sequence[Outgoing], now: float, failure: SyncFailure, draw: Draw, retry_after: float | None = None
    ) -> None:
        """The batch did not get through: count an attempt, wait longer, remember why.

        retry_after: seconds the fund asked to wait; the jitter comes on top.
        """
        with immediate(self._db):
            wait = min(retry_after or 0.0, MAX_RETRY_AFTER_S)
            self._delay(batch, now, draw, MAX_BACKOFF_S, wait)
            self._remember(failure)
            if isinstance(failure, AnswerLate):  # a slow line: a full batch may never fit its deadline
                self._db.execute("UPDATE delivery SET batch_limit = ?", (max(1, len(batch) // 2),))

    def reject(self, batch: Sequence[Outgoing], now: float, failure: SyncFailure, draw: Draw, reason: str) -> bool:
        """The fund refused the request as such: halve the next batch, or hold the event it is about.

        Gives whether there is something smaller to try at once.
        """
        with immediate(self._db):
            self._remember(failure)
            if len(batch) > 1:
                self._db.execute("UPDATE delivery SET batch_limit = ?", (len(batch) // 2,))
                return True
            self._park(batch[0], "held", reason)
            self._delay(batch, now, draw, MAX_HELD_S, 0.0)
            return False

    def fail(self, failure: SyncFailure) -> None:
        """Remember a failure that concerns no batch."""
        with immediate(self._db):
            self._remember(failure)

    def contact(self, now: float, alarm: str | None) -> None:
        """The fund answered something that is not about a batch. alarm: what a person has to look at."""
        with immediate(self._db):
            self._db.execute(
                "UPDATE delivery SET last_contact = ?, alarm = ?, error_code = NULL, error_text = NULL", (now, alarm)
            )

    def sound(self, alarm: str) -> None:
        """A person has to look at something."""
        with immediate(self._db):
            self._db.execute("UPDATE delivery SET alarm = ?", (alarm,))

    def status(self, now: float) -> OutboxStatus:
        """The state of delivery."""
        with known():
            counts = dict(self._db.execute(_COUNTS).fetchall())
            parked = self._db.execute(_PARKED, (_SHOWN,)).fetchall()
            oldest = self._db.execute(
                "SELECT e.wall FROM outbox o JOIN event e ON e.seq = o.seq"
                " WHERE o.state IN ('pending', 'held') ORDER BY o.seq LIMIT 1"
            ).fetchone()
            contact, code, text, alarm = self._db.execute(
                "SELECT last_contact, error_code, error_text, alarm FROM delivery"
            ).fetchone()
        return OutboxStatus(
            pending=counts.get("pending", 0),
            parked=tuple(Parked(seq, bool(held), reason, attempts) for seq, held, reason, attempts in parked),
            parked_count=counts.get("refused", 0) + counts.get("held", 0),
            settled=counts["newest"] - sum(counts.get(state, 0) for state in ("pending", "held", "refused")),
            oldest_pending_age_s=None if oldest is None else max(0.0, now - parse_time(oldest[0]).timestamp()),
            last_error=None if code is None else f"{code} {text}",
            last_contact=contact,
            alarm=alarm,
            unsigned=drafts_waiting(self._db),
        )

    def _limit(self) -> int:
        limit: int = self._db.execute("SELECT batch_limit FROM delivery").fetchone()[0]
        return limit

    def _mark(self, batch: Sequence[Outgoing], receipt: Receipt, results: frozenset[Result], state: str) -> int:
        rows = [
            (state, decision.reason, sent.seq)
            for sent, decision in zip(batch, receipt.decisions, strict=True)
            if decision.result in results
        ]
        for row in rows:
            self._db.execute("UPDATE outbox SET state = ?, reason = ? WHERE seq = ?", row)
        return len(rows)

    def _first_held(self, receipt: Receipt) -> int | None:
        """Place of the first event the fund could not take; what follows it in the batch stays pending behind it."""
        return next((place for place, one in enumerate(receipt.decisions) if one.result in _HOLDS), None)

    def _hold(self, sent: Outgoing, decision: Decision, now: float, draw: Draw) -> int:
        self._park(sent, "held", f"{decision.result.value}: {decision.reason}")
        self._delay((sent,), now, draw, MAX_HELD_S, 0.0)
        return 1

    def _reopen(self, batch: Sequence[Outgoing], receipt: Receipt) -> int:
        """The fund misses events it had taken (it was restored from an older copy): send them again."""
        have = receipt.have
        gap = any(decision.result is Result.GAP for decision in receipt.decisions)
        if not gap or have + 1 >= batch[0].seq:
            return 0
        reopened: int = self._db.execute(
            "UPDATE outbox SET state = 'pending', attempts = 0, next_try = 0, reason = NULL"
            " WHERE seq > ? AND state IN ('settled', 'refused')",
            (have,),
        ).rowcount
        self._db.execute("UPDATE delivery SET alarm = ?", (f"the fund had lost events from {have + 1} on",))
        return reopened

    def _keep(self, batch: Sequence[Outgoing], signed: SignedReceipt, now: float) -> None:
        self._db.execute(
            "INSERT INTO receipt (first, last, received, token) VALUES (?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
            (batch[0].seq, batch[-1].seq, now, signed.token),
        )

    def _park(self, sent: Outgoing, state: str, reason: str | None) -> None:
        self._db.execute("UPDATE outbox SET state = ?, reason = ? WHERE seq = ?", (state, reason, sent.seq))

    def _delay(self, batch: Sequence[Outgoing], now: float, draw: Draw, ceiling: float, wait: float) -> None:
        for sent in batch:
            attempts: int = self._db.execute(
                "UPDATE outbox SET attempts = attempts + 1 WHERE seq = ? RETURNING attempts", (sent.seq,)
            ).fetchone()[0]
            jitter = draw() * backoff_s(attempts, ceiling)
            self._db.execute("UPDATE outbox SET next_try = ? WHERE seq = ?", (now + wait + jitter, sent.seq))

    def _remember(self, failure: SyncFailure) -> None:
        self._db.execute("UPDATE delivery SET error_code = ?, error_text = ?", (failure.code, str(failure)))


def backoff_s(attempts: int, ceiling: float) -> float:
    """Ceiling of the wait after so many attempts, seconds: doubles each time ("full jitter", Brooker 2015)."""
    return min(ceiling, FIRST_BACKOFF_S * 2.0 ** min(attempts - 1, 30))
