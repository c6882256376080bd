"""The desk's chain of signed events: appends to it and reads it.

Delivery is left to `outbox`, the proof that the chain is whole to `audit`, what an event says to whoever
appends it. An event and its outbox row are written in the caller's transaction, together with whatever
the event is about: all of it, or nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from sync.audit import LedgerHead, LedgerReport, verify_ledger
from sync.compact import digest_of
from sync.database import Database, known
from sync.envelope import (
    EVENT_TYP,
    GENESIS,
    Event,
    Moment,
    TimeTrust,
    event_payload,
    format_time,
    parse_event,
    parse_time,
)
from sync.errors import EnvelopeInvalid, LedgerBroken
from sync.schema import LEDGER_MIGRATIONS
from sync.signing import PublicJwk, Signer, sign_compact
from sync.strict_json import Json, dump
from sync.time_trust import TimeAnchor, judge

__all__ = [
    "LEDGER_MIGRATIONS",
    "Entry",
    "Ledger",
    "LedgerHead",
    "LedgerReport",
    "export_ledger",
    "keep_anchor",
    "ledger_entries",
    "ledger_head",
    "read_anchor",
    "verify_ledger",
]


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

    def __init__(self, db: Database, signer: Signer, device: str) -> None:
        """Write to this database, as this device."""
        self._db = db
        self._signer = signer
        self._device = device

    def append(
        self, kind: str, version: int, data: Mapping[str, Json], moment: Moment, event_id: str | None = None
    ) -> Entry:
        """Sign the next event and store it with its outbox row.

        Only inside an open `immediate` transaction; durable when that has committed. The moment is judged
        against the last event and the fund's time (`time_trust`). event_id: 32 hex digits; made here when
        not given. data must not exceed `MAX_PAYLOAD` bytes of JSON (ValueError).

        Raises LedgerBroken when the last event cannot be read, KeyUnusable, and as `database.known`.
        """
        if not self._db.conn.in_transaction:
            raise RuntimeError("append belongs into an `immediate` transaction")
        with known():
            row = self._db.execute("SELECT seq, digest, token FROM event ORDER BY seq DESC LIMIT 1").fetchone()
            seq, prev, token = row or (0, GENESIS, None)
            event = Event(
                kind=kind,
                kind_v=version,
                event_id=secrets.token_hex(16) if event_id is None else event_id,
                device=self._device,
                seq=seq + 1,
                prev=prev,
                moment=judge(moment, None if token is None else _moment_of(token, seq), read_anchor(self._db)),
                data=dict(data),
            )
            return self._store(event, sign_compact(self._signer, EVENT_TYP, event_payload(event)))

    def _store(self, event: Event, token: str) -> Entry:
        digest = digest_of(token)
        wall, trust = event.moment.wall, event.moment.trust
        self._db.execute(
            "INSERT INTO event (seq, event_id, digest, prev, kind, wall, trust, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (event.seq, event.event_id, digest, event.prev, event.kind, format_time(wall), trust.value, token),
        )
        self._db.execute("INSERT INTO outbox (seq) VALUES (?)", (event.seq,))
        return Entry(event.seq, event.event_id, event.kind, wall, trust, digest, token)

    def head(self) -> LedgerHead:
        """The end of the chain."""
        return ledger_head(self._db)

    def entries(self, after: int = 0, limit: int = 100) -> tuple[Entry, ...]:
        """Up to `limit` events with seq > `after`, in order."""
        return ledger_entries(self._db, after, limit)

    def verify(self, fund_jwk: PublicJwk | None = None) -> LedgerReport:
        """Prove the whole chain; see `audit.verify_ledger`."""
        return verify_ledger(self._db, self._signer.public_jwk, self._device, fund_jwk)

    def export(self, stream: TextIO) -> int:
        """Write every event as a line of JSON; see `export_ledger`."""
        return export_ledger(self._db, stream)


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


def export_ledger(db: Database, stream: TextIO) -> int:
    """Write every event, as it is, as one line {"seq","token","receipts":[...]}; gives the number of lines."""
    count = 0
    with known():
        for seq, token in db.execute("SELECT seq, token FROM event ORDER BY seq"):
            receipts: list[Json] = [
                row[0] for row in db.execute("SELECT token FROM receipt WHERE seq = ? ORDER BY id", (seq,))
            ]
            stream.write(dump({"seq": seq, "token": token, "receipts": receipts}).decode("utf-8") + "\n")
            count += 1
    return count


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


def _moment_of(token: str, seq: int) -> Moment:
    try:
        return parse_event(token).event.moment
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"event {seq} is altered: {error}", seq) from error
