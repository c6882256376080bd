"""The tables of the fund's embedded database and the triggers that keep its evidence append-only.

Reading and writing them is left to `sync.fund.store`.
"""

from sync.database import Database, Migrations
from sync.fund.statements import append_only

FUND_MIGRATIONS = Migrations("fund")

_TABLES = """
CREATE TABLE device (
    device        TEXT PRIMARY KEY,
    clinic        TEXT NOT NULL,
    desk          TEXT NOT NULL,
    key_class     TEXT NOT NULL,
    key_id        TEXT NOT NULL UNIQUE,
    key_x         TEXT NOT NULL,
    key_y         TEXT NOT NULL,
    registered    TEXT NOT NULL,
    blocked       TEXT,
    last_seen     TEXT
) STRICT;

CREATE TABLE head (
    device        TEXT PRIMARY KEY REFERENCES device,
    seq           INTEGER NOT NULL CHECK (seq > 0),
    digest        TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    device        TEXT NOT NULL REFERENCES device,
    seq           INTEGER NOT NULL CHECK (seq > 0),
    digest        TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    token         TEXT NOT NULL,
    refused       TEXT,
    received      TEXT NOT NULL,
    UNIQUE (device, seq)
) STRICT;

CREATE INDEX event_kind ON event (kind);
CREATE INDEX event_id ON event (device, event_id);

CREATE TABLE fork (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    device        TEXT NOT NULL REFERENCES device,
    seq           INTEGER NOT NULL,
    digest        TEXT NOT NULL,
    kept_digest   TEXT NOT NULL,
    token         TEXT NOT NULL,
    received      TEXT NOT NULL,
    UNIQUE (device, seq, digest)
) STRICT;

CREATE TABLE refusal (
    device        TEXT NOT NULL REFERENCES device,
    reason        TEXT NOT NULL,
    count         INTEGER NOT NULL,
    first         TEXT NOT NULL,
    last          TEXT NOT NULL,
    PRIMARY KEY (device, reason)
) STRICT;

CREATE TABLE probe (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    written       TEXT NOT NULL
) STRICT;
"""
# A refusal is counted, not kept: its sender is not proven, and whoever finds the address could fill the disk with them.

_APPEND_ONLY = ("event", "fork")


@FUND_MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Devices, heads, events, forks and refusals; evidence is append-only, a head only moves forward."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    append_only(db, _APPEND_ONLY)
    db.execute(
        "CREATE TRIGGER head_forward BEFORE UPDATE ON head WHEN NEW.device <> OLD.device OR NEW.seq <> OLD.seq + 1 "
        "BEGIN SELECT RAISE(ABORT, 'a head moves one event forward'); END"
    )
    db.execute("CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'heads stay'); END")
    db.execute("CREATE TRIGGER device_no_delete BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'devices stay'); END")
    db.execute(
        "CREATE TRIGGER device_key_fixed BEFORE UPDATE ON device "
        "WHEN NEW.device <> OLD.device OR (NEW.key_id, NEW.key_x, NEW.key_y) <> (OLD.key_id, OLD.key_x, OLD.key_y) "
        "BEGIN SELECT RAISE(ABORT, 'the key of a device stays'); END"
    )


_CERTIFICATES = """
ALTER TABLE device ADD COLUMN attested TEXT NOT NULL DEFAULT 'claimed';
ALTER TABLE device ADD COLUMN revoked TEXT;
ALTER TABLE device ADD COLUMN revoked_for TEXT;

CREATE TABLE invitation (
    nonce         TEXT PRIMARY KEY,
    device        TEXT NOT NULL,
    clinic        TEXT NOT NULL,
    desk          TEXT NOT NULL,
    made          TEXT NOT NULL,
    expires       TEXT NOT NULL
) STRICT;

CREATE TABLE admission (
    request       TEXT PRIMARY KEY,
    device        TEXT NOT NULL REFERENCES device,
    nonce         TEXT NOT NULL UNIQUE,
    answer        TEXT NOT NULL,
    answered      TEXT NOT NULL
) STRICT;

CREATE TABLE certificate (
    fingerprint   TEXT PRIMARY KEY,
    device        TEXT NOT NULL REFERENCES device,
    purpose       TEXT NOT NULL CHECK (purpose IN ('device', 'tls')),
    key_id        TEXT NOT NULL,
    begins        TEXT NOT NULL,
    ends          TEXT NOT NULL,
    pem           TEXT NOT NULL,
    issued        TEXT NOT NULL,
    revoked       TEXT,
    revoked_for   TEXT
) STRICT;

CREATE INDEX certificate_device ON certificate (device, purpose);

CREATE VIEW registered AS
SELECT device.*, (
    SELECT MAX(ends) FROM certificate AS c
    WHERE c.device = device.device AND c.purpose = 'device' AND c.revoked IS NULL
) AS certified_until
FROM device
"""
# A request's nonce is the invitation's or, for a renewal, its own: UNIQUE makes each of them good once.


@FUND_MIGRATIONS()
def m005_certificates(db: Database) -> None:
    """Invitations, the requests that were answered, and the certificates; a certificate once revoked stays so."""
    for statement in _CERTIFICATES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    for table in ("invitation", "admission"):
        for deed in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    db.execute(
        "CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate "
        "BEGIN SELECT RAISE(ABORT, 'certificates stay'); END"
    )
    db.execute(
        "CREATE TRIGGER certificate_revoked_once BEFORE UPDATE ON certificate WHEN OLD.revoked IS NOT NULL "
        "OR (NEW.fingerprint, NEW.device, NEW.purpose, NEW.key_id, NEW.begins, NEW.ends, NEW.pem, NEW.issued) <> "
        "(OLD.fingerprint, OLD.device, OLD.purpose, OLD.key_id, OLD.begins, OLD.ends, OLD.pem, OLD.issued) "
        "BEGIN SELECT RAISE(ABORT, 'a certificate can be revoked, once, and nothing else'); END"
    )


@FUND_MIGRATIONS()
def m006_reports(db: Database) -> None:
    """Finds a desk's last word about itself among all its visits."""
    db.execute("CREATE INDEX event_report ON event (device, seq) WHERE kind = 'pack_in_use' AND refused IS NULL")
