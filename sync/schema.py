"""The tables of ledger and outbox, and the triggers that keep the past as it was.

What is written when is left to `ledger` and `outbox`. A migration that has been released is never
changed; a change of the tables is a new one.
"""

from typing import Final

from sync.database import Database, Migrations
from sync.log_tables import LOG_STATEMENTS

LEDGER_MIGRATIONS: Final = Migrations("ledger")

_TABLES: Final = (
    """CREATE TABLE event (
        seq INTEGER PRIMARY KEY CHECK (seq > 0),
        event_id TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64),
        prev TEXT NOT NULL CHECK (length(prev) = 64),
        kind TEXT NOT NULL,
        wall TEXT NOT NULL,
        trust TEXT NOT NULL,
        token TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY REFERENCES event (seq),
        state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'settled', 'refused', 'held')),
        attempts INTEGER NOT NULL DEFAULT 0,
        next_try REAL NOT NULL DEFAULT 0,
        reason TEXT
    ) STRICT""",
    "CREATE INDEX outbox_open ON outbox (seq) WHERE state IN ('pending', 'held')",
    """CREATE TABLE receipt (
        id INTEGER PRIMARY KEY,
        seq INTEGER NOT NULL REFERENCES event (seq),
        result TEXT NOT NULL,
        received REAL NOT NULL,
        token TEXT NOT NULL UNIQUE
    ) STRICT""",
    "CREATE INDEX receipt_seq ON receipt (seq)",
    """CREATE TABLE delivery (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        batch_limit INTEGER NOT NULL,
        last_contact REAL,
        error_code TEXT,
        error_text TEXT,
        alarm TEXT
    ) STRICT""",
    "INSERT INTO delivery (id, batch_limit) VALUES (1, 200)",
    """CREATE TABLE time_anchor (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        boot_id TEXT NOT NULL,
        mono_ms INTEGER NOT NULL,
        wall TEXT NOT NULL,
        uncertainty_ms INTEGER NOT NULL
    ) STRICT""",
)

_TRIGGERS: Final = (
    """CREATE TRIGGER event_follows BEFORE INSERT ON event
       WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
         OR NEW.prev IS NOT coalesce((SELECT digest FROM event ORDER BY seq DESC LIMIT 1), printf('%064d', 0))
       BEGIN SELECT RAISE(ABORT, 'an event must follow the last one'); END""",
    "CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    "CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are append-only'); END",
    """CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt
       BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END""",
    """CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt
       BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END""",
    """CREATE TRIGGER outbox_no_delete BEFORE DELETE ON outbox
       BEGIN SELECT RAISE(ABORT, 'the outbox forgets nothing'); END""",
    """CREATE TRIGGER outbox_settled_has_receipt BEFORE UPDATE OF state ON outbox
       WHEN NEW.state IN ('settled', 'refused') AND NOT EXISTS (SELECT 1 FROM receipt WHERE seq = NEW.seq)
       BEGIN SELECT RAISE(ABORT, 'nothing settles without a receipt'); END""",
)


@LEDGER_MIGRATIONS()
def m001_ledger_and_outbox(db: Database) -> None:
    """Create everything a desk's chain and its delivery need."""
    for statement in (*_TABLES, *_TRIGGERS):
        db.execute(statement)


_BATCH_RECEIPTS: Final = (
    "DROP TRIGGER outbox_settled_has_receipt",
    "DROP TABLE receipt",
    """CREATE TABLE receipt (
        id INTEGER PRIMARY KEY,
        first INTEGER NOT NULL REFERENCES event (seq) CHECK (first > 0),
        last INTEGER NOT NULL REFERENCES event (seq) CHECK (last >= first),
        received REAL NOT NULL,
        token TEXT NOT NULL UNIQUE
    ) STRICT""",
    "CREATE INDEX receipt_last ON receipt (last, first)",
    """CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt
       BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END""",
    """CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt
       BEGIN SELECT RAISE(ABORT, 'receipts are append-only'); END""",
    """CREATE TRIGGER outbox_settled_has_receipt BEFORE UPDATE OF state ON outbox
       WHEN NEW.state IN ('settled', 'refused')
         AND NOT EXISTS (SELECT 1 FROM receipt WHERE last >= NEW.seq AND first <= NEW.seq)
       BEGIN SELECT RAISE(ABORT, 'nothing settles without a receipt'); END""",
    "UPDATE outbox SET state = 'pending', attempts = 0, next_try = 0, reason = NULL",
    "UPDATE delivery SET batch_limit = 200",
)


@LEDGER_MIGRATIONS()
def m002_receipt_per_batch(db: Database) -> None:
    """One receipt proves a whole batch. What was receipted singly is sent again: the fund knows it, and signs so."""
    for statement in _BATCH_RECEIPTS:
        db.execute(statement)


_DRAFTS: Final = (
    """CREATE TABLE draft (
        id INTEGER PRIMARY KEY,
        event_id TEXT NOT NULL UNIQUE,
        promised INTEGER NOT NULL UNIQUE CHECK (promised > 0),
        payload TEXT NOT NULL,
        seq INTEGER UNIQUE REFERENCES event (seq)
    ) STRICT""",
    "CREATE INDEX draft_open ON draft (id) WHERE seq IS NULL",
    """CREATE TRIGGER draft_signed_once BEFORE UPDATE ON draft
       WHEN OLD.seq IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.event_id IS NOT OLD.event_id
         OR NEW.promised IS NOT OLD.promised OR NEW.payload IS NOT OLD.payload
         OR NOT EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq AND event_id = NEW.event_id)
       BEGIN SELECT RAISE(ABORT, 'a draft changes once: when its event is signed'); END""",
    "CREATE TRIGGER draft_no_delete BEFORE DELETE ON draft BEGIN SELECT RAISE(ABORT, 'drafts are kept'); END",
    """CREATE TABLE fund_head (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        have INTEGER NOT NULL,
        digest TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX event_checkpoint ON event (seq) WHERE kind = 'checkpoint'",
)


@LEDGER_MIGRATIONS()
def m003_drafts_and_checkpoints(db: Database) -> None:
    """Create what keeps events without their key, and what shows that an older copy is running."""
    for statement in _DRAFTS:
        db.execute(statement)


@LEDGER_MIGRATIONS()
def m004_log(db: Database) -> None:
    """Create what the desk keeps about the fund's transparency log."""
    for statement in LOG_STATEMENTS:
        db.execute(statement)


@LEDGER_MIGRATIONS()
def m005_refused_index(db: Database) -> None:
    """Find the few refused events without reading the many settled ones."""
    db.execute("CREATE INDEX outbox_refused ON outbox (seq) WHERE state = 'refused'")
