"""The desk's chain of signed events: appends to it and reads it.

Delivery is left to `outbox`, the proof that the chain is whole to `audit`, the second copy's file to `journal`, what an
event says to whoever appends it. An event and its outbox row are written in the caller's transaction, together with
whatever the event is about: all of it, or nothing. The journal follows the commit, before anybody is told.
"""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TextIO

from sync.audit import LedgerHead, LedgerReport, verify_ledger
from sync.checkpoint import CHECKPOINT, Checkpoint, Counter, is_due, last_checkpoint, next_value
from sync.checkpoint import VERSION as CHECKPOINT_VERSION
from sync.compact import digest_of
from sync.database import Database, awaits_commit, immediate, known, once_committed
from sync.drafts import Draft, Drafts, drafts_waiting
from sync.envelope import (
    EVENT_TYP,
    GENESIS,
    Event,
    LateSigning,
    Moment,
    SignedEvent,
    TimeTrust,
    event_payload,
    format_time,
    parse_event,
    parse_time,
)
from sync.errors import EnvelopeInvalid, KeyUnusable, LedgerBroken, RolledBack, SyncFailure
from sync.journal import Journal, Source, Written
from sync.schema import LEDGER_MIGRATIONS
from sync.signing import PublicJwk, Signer, sign_compact
from sync.strict_json import Json, dump
from sync.time_trust import TimeAnchor, judge

__all__ = [
    "LEDGER_MIGRATIONS",
    "Draft",
    "Entry",
    "Ledger",
    "LedgerHead",
    "LedgerReport",
    "export_ledger",
    "fund_head",
    "keep_anchor",
    "keep_fund_head",
    "ledger_entries",
    "ledger_head",
    "newest_known",
    "read_anchor",
    "store_event",
    "unwritten",
    "verify_ledger",
]

_AT_ONCE: Final = 8
"""Waiting events that are signed behind a new one: with a chip of 50 ms, what a patient does not notice."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded event: its place in the chain and its signed bytes; `parse_event(token)` gives the rest."""

    seq: int
    event_id: str
    kind: str
    wall: datetime
    trust: TimeTrust
    digest: str
    token: str


class Ledger:
    """The writing end of a device's chain."""

    def __init__(
        self,
        db: Database,
        signer: Signer,
        device: str,
        journal: Journal | None = None,
        counter: Counter | None = None,
    ) -> None:
        """Write to this database, and every event to the journal too, as this device.

        journal: None only where nothing has to be recovered (benchmarks of other things, tests). counter: of the key's
        holder; None where it has none, and then there are no checkpoints.
        """
        self._db = db
        self._signer = signer
        self._device = device
        self._journal = journal
        self._counter = counter
        self._checkpointed: Checkpoint | None = None
        self._drafts = Drafts(db)
        self._stopped: SyncFailure | None = None

    def append(
        self, kind: str, version: int, data: Mapping[str, Json], moment: Moment, event_id: str | None = None
    ) -> Entry | Draft:
        """Sign the next event and store it with its outbox row; what waits for the key is signed before it.

        Only inside an open `immediate` transaction; durable, in the journal too, when that has ended. The moment is
        judged against the last event and the fund's time (`time_trust`). event_id: 32 hex digits; made here when
        not given. data must not exceed `MAX_PAYLOAD` bytes of JSON (ValueError). When the key is out of reach, or
        the chain must not grow (`stop`), the event is kept as a draft.

        Raises LedgerBroken when the last event cannot be read, and as `database.known`.
        """
        if not self._db.conn.in_transaction:
            raise RuntimeError("append belongs into an `immediate` transaction")
        with known():
            self._may_grow()
            waiting = self._drafts.waiting()
            if not waiting:
                self._checkpoint(moment)
            head, last = self._end()
            event = Event(
                kind=kind,
                kind_v=version,
                event_id=secrets.token_hex(16) if event_id is None else event_id,
                device=self._device,
                seq=head.seq + waiting + 1,
                prev=head.digest,
                moment=judge(moment, self._drafts.last_moment() if waiting else last, read_anchor(self._db)),
                data=dict(data),
            )
            if not waiting and self._stopped is None:
                with contextlib.suppress(KeyUnusable):
                    return self._sign(event)
            draft = self._drafts.keep(_late(event, moment))
            return next((e for e in self._sign_drafts(moment, _AT_ONCE) if e.event_id == draft.event_id), draft)

    def sign_drafts(self, moment: Moment, most: int = _AT_ONCE) -> int:
        """Sign up to so many of the events that wait for the key, oldest first; gives how many were.

        A transaction of its own. moment: now; the events carry it beside their own. Raises as `append`.
        """
        if not drafts_waiting(self._db):
            return 0
        with immediate(self._db):
            self._may_grow()
            return len(self._sign_drafts(moment, most))

    def stop(self, why: SyncFailure) -> None:
        """Sign nothing any more: it would fork the chain. What happens is kept as drafts."""
        self._stopped = why

    @property
    def stopped(self) -> SyncFailure | None:
        """Why nothing is signed; None while the chain may grow."""
        return self._stopped

    @property
    def waiting(self) -> int:
        """How many events wait for the device's key."""
        return drafts_waiting(self._db)

    def publish(self) -> None:
        """Write to the journal what the database has and the journal lacks. Raises DiskFull, DiskFailing."""
        if self._journal is not None:
            self._journal.extend(unwritten(self._db))

    def _may_grow(self) -> None:
        """Stop for good when something newer than the database is known; write the journal first if it is behind.

        Looked at before the first event of a transaction: what is not committed yet must not reach the journal.
        """
        if self._stopped is not None or awaits_commit(self._db):
            return
        head, have = ledger_head(self._db), fund_head(self._db)
        end = head if self._journal is None else self._journal.end()
        if have > head.seq:
            self._stopped = RolledBack(f"the fund holds {have} events, this database only {head.seq}")
        elif end.seq > head.seq or (end.seq == head.seq and end.digest != head.digest):
            self._stopped = RolledBack(f"the journal ends with event {end.seq}, the database with {head.seq}")
        elif end.seq < head.seq:  # the disk was full: a full disk refuses before anything is signed
            self.publish()

    def _checkpoint(self, moment: Moment) -> None:
        """Before an event, when it is time: the counter goes first, so no copy can have the event without its step."""
        if self._counter is None or self._stopped is not None:
            return
        head, before = self._end()
        last = self._checkpointed = last_checkpoint(self._db, self._checkpointed)
        if not is_due(last, head.seq + 1, moment):
            return
        try:
            value = next_value(self._counter, last)
            judged = judge(moment, before, read_anchor(self._db))
            place = (secrets.token_hex(16), self._device, head.seq + 1, head.digest)
            self._sign(Event(CHECKPOINT, CHECKPOINT_VERSION, *place, judged, {"counter": value}))
        except RolledBack as failure:
            self._stopped = failure
        except KeyUnusable:
            return  # the event itself will find the key away, and wait as a draft

    def _end(self) -> tuple[LedgerHead, Moment | None]:
        """The end of the chain, and when its last event happened."""
        row = self._db.execute("SELECT seq, digest, token FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return LedgerHead(0, GENESIS), None
        seq, digest, token = row
        return LedgerHead(seq, digest), _moment_of(token, seq)

    def _sign_drafts(self, moment: Moment, most: int) -> list[Entry]:
        entries: list[Entry] = []
        with contextlib.suppress(KeyUnusable):
            while self._stopped is None and len(entries) < most and (draft := self._drafts.first()) is not None:
                head = ledger_head(self._db)
                event = replace(draft, seq=head.seq + 1, prev=head.digest, late=None)
                at_once = (event.moment.boot_id, event.moment.mono_ms) == (moment.boot_id, moment.mono_ms)
                entry = self._sign(event if at_once else _late(event, moment))
                self._drafts.signed(entry.event_id, entry.seq)
                entries.append(entry)
        return entries

    def _sign(self, event: Event) -> Entry:
        return self._store(event, sign_compact(self._signer, EVENT_TYP, event_payload(event)))

    def _store(self, event: Event, token: str) -> Entry:
        entry = store_event(self._db, SignedEvent(event, digest_of(token), token))
        if self._journal is not None and not awaits_commit(self._db):
            once_committed(self._db, self.publish)
        return entry

    def head(self) -> LedgerHead:
        """The end of the chain."""
        return ledger_head(self._db)

    def entries(self, after: int = 0, limit: int = 100) -> tuple[Entry, ...]:
        """Up to `limit` events with seq > `after`, in order."""
        return ledger_entries(self._db, after, limit)

    def token(self, event_id: str) -> str | None:
        """The signed bytes of an event; None when it is none of this chain, or waits for the device's key."""
        with known():
            row = self._db.execute("SELECT token FROM event WHERE event_id = ?", (event_id,)).fetchone()
        return str(row[0]) if row else None

    def verify(self, fund_jwk: PublicJwk | None = None) -> LedgerReport:
        """Prove the whole chain; see `audit.verify_ledger`."""
        return verify_ledger(self._db, self._signer.public_jwk, self._device, fund_jwk)

    def export(self, stream: TextIO) -> int:
        """Write every event as a line of JSON; see `export_ledger`."""
        return export_ledger(self._db, stream)


def store_event(db: Database, signed: SignedEvent) -> Entry:
    """Put a signed event and its outbox row into the database; inside an open transaction."""
    event, wall, trust = signed.event, signed.event.moment.wall, signed.event.moment.trust
    db.execute(
        "INSERT INTO event (seq, event_id, digest, prev, kind, wall, trust, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(event.seq, event.event_id, signed.digest, event.prev),
            *(event.kind, format_time(wall), trust.value, signed.token),
        ),
    )
    db.execute("INSERT INTO outbox (seq) VALUES (?) ON CONFLICT DO NOTHING", (event.seq,))
    return Entry(event.seq, event.event_id, event.kind, wall, trust, signed.digest, signed.token)


def unwritten(db: Database) -> Source:
    """What a journal asks for to be complete."""

    def after(seq: int) -> Iterator[Written]:
        with known():
            rows = db.execute("SELECT seq, digest, wall, token FROM event WHERE seq > ? ORDER BY seq", (seq,))
            yield from (Written(*row) for row in rows)

    return after


def ledger_head(db: Database) -> LedgerHead:
    """The end of the chain. Raises as `database.known`."""
    with known():
        row = db.execute("SELECT seq, digest FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return LedgerHead(*row) if row else LedgerHead(0, GENESIS)


def ledger_entries(db: Database, after: int = 0, limit: int = 100) -> tuple[Entry, ...]:
    """Up to `limit` events with seq > `after`, in order, as stored. Raises as `database.known`."""
    with known():
        rows = db.execute(
            "SELECT seq, event_id, kind, wall, trust, digest, token FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        ).fetchall()
    return tuple(Entry(s, i, k, parse_time(w), TimeTrust(t), d, token) for s, i, k, w, t, d, token in rows)


def count_kinds(db: Database) -> dict[str, int]:
    """How many events of each kind there are. Raises as `database.known`."""
    with known():
        return dict(db.execute("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind").fetchall())


def export_ledger(db: Database, stream: TextIO) -> int:
    """Write every event, as it is, as one line {"seq","token","receipts":[...]}; gives the number of lines."""
    count = 0
    with known():
        for seq, token in db.execute("SELECT seq, token FROM event ORDER BY seq"):
            receipts: list[Json] = [
                row[0]
                for row in db.execute(
                    "SELECT token FROM receipt WHERE last >= ? AND first <= ? ORDER BY id", (seq, seq)
                )
            ]
            stream.write(dump({"seq": seq, "token": token, "receipts": receipts}).decode("utf-8") + "\n")
            count += 1
    return count


def keep_fund_head(db: Database, have: int, digest: str) -> None:
    """Keep how far the fund said it is: an older copy of this database must not go on signing. In a transaction."""
    db.execute(
        "INSERT INTO fund_head (id, have, digest) VALUES (1, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET have = excluded.have, digest = excluded.digest",
        (have, digest),
    )


def fund_head(db: Database) -> int:
    """How many events the fund said it holds; 0 when it has not said."""
    row = db.execute("SELECT have FROM fund_head").fetchone()
    return 0 if row is None else int(row[0])


def newest_known(db: Database) -> int:
    """The highest number that anything but the chain itself speaks of: outbox, receipts, the fund's head."""
    with known():
        row = db.execute(
            "SELECT max(coalesce((SELECT max(seq) FROM outbox), 0), coalesce((SELECT max(last) FROM receipt), 0))"
        ).fetchone()
        return max(int(row[0]), fund_head(db))


def keep_anchor(db: Database, anchor: TimeAnchor) -> None:
    """Keep the newest time the fund signed. Inside an open `immediate` transaction."""
    db.execute(
        "INSERT INTO time_anchor (id, boot_id, mono_ms, wall, uncertainty_ms) VALUES (1, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET boot_id = excluded.boot_id, mono_ms = excluded.mono_ms,"
        " wall = excluded.wall, uncertainty_ms = excluded.uncertainty_ms",
        (anchor.boot_id, anchor.mono_ms, format_time(anchor.wall), anchor.uncertainty_ms),
    )


def read_anchor(db: Database) -> TimeAnchor | None:
    """The newest time the fund signed, or None."""
    row = db.execute("SELECT boot_id, mono_ms, wall, uncertainty_ms FROM time_anchor").fetchone()
    if row is None:
        return None
    boot_id, mono_ms, wall, uncertainty_ms = row
    return TimeAnchor(boot_id, mono_ms, parse_time(wall), uncertainty_ms)


def _late(event: Event, moment: Moment) -> Event:
    """The event with the instant of its signing; drafts get one from the start, so that they never grow too long."""
    return replace(event, late=LateSigning(moment.wall, moment.mono_ms, moment.boot_id))


def _moment_of(token: str, seq: int) -> Moment:
    try:
        return parse_event(token).event.moment
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"event {seq} is altered: {error}", seq) from error
