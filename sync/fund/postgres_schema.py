"""The tables of the fund's PostgreSQL database, the triggers that keep its evidence, and its monthly partitions.

Reading and writing them is left to `sync.fund.postgres`. The triggers do what must hold whoever writes: events continue
the chain of a registered device and move its head themselves; nothing else moves a head, and nothing changes or deletes
what was kept. Uniqueness over all partitions follows from the head: a number is inserted only directly after it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sync.fund.log_postgres_schema import LOG_TABLES

MONTHS_AHEAD = 2
"""Partitions are there long before their month, so that the lock for making one never meets a busy hour."""

INLINE = 8160
"""Bytes of a row that stays whole in its page: the most PostgreSQL takes. A signed event is just above its usual 2 KB,
and being base64 it does not shrink: trying, and then storing it elsewhere, was a third of the server's time."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; a released one is never edited."""

    number: int
    name: str
    script: str


@dataclass(frozen=True, slots=True)
class Partition:
    """The events received in one month (UTC): from `begin` on, before `end`."""

    name: str
    begin: datetime
    end: datetime

    @property
    def script(self) -> str:
        """SQL that makes it. ATTACH locks less than CREATE .. PARTITION OF: events go on being stored meanwhile."""
        return f"""
        CREATE TABLE {self.name} (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
            WITH (toast_tuple_target = {INLINE});
        ALTER TABLE event ATTACH PARTITION {self.name}
            FOR VALUES FROM ('{self.begin.isoformat()}') TO ('{self.end.isoformat()}');
        CREATE TRIGGER {self.name}_no_truncate BEFORE TRUNCATE ON {self.name}
            FOR EACH STATEMENT EXECUTE FUNCTION append_only();
        """


def partitions(at: datetime) -> tuple[Partition, ...]:
    """The month of an instant and the MONTHS_AHEAD after it."""
    month = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made = []
    for _ in range(MONTHS_AHEAD + 1):
        following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        made.append(Partition(f"event_{month:%Y_%m}", month, following))
        month = following
    return tuple(made)


_TABLES = """
CREATE TABLE device (
    device        text PRIMARY KEY,
    clinic        text NOT NULL,
    desk          text NOT NULL,
    key_class     text NOT NULL,
    key_id        text NOT NULL UNIQUE,
    key_x         text NOT NULL,
    key_y         text NOT NULL,
    registered    timestamptz NOT NULL,
    blocked       text,
    last_seen     timestamptz
);

CREATE TABLE head (
    device        text PRIMARY KEY REFERENCES device,
    seq           bigint NOT NULL CHECK (seq >= 0),
    digest        bytea NOT NULL CHECK (length(digest) = 32)
);

CREATE SEQUENCE event_number;

CREATE TABLE event (
    number        bigint NOT NULL DEFAULT nextval('event_number'),
    device        text NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    digest        bytea NOT NULL CHECK (length(digest) = 32),
    event_id      bytea NOT NULL CHECK (length(event_id) = 16),
    kind          text NOT NULL,
    token         text NOT NULL,
    refused       text,
    received      timestamptz NOT NULL,
    PRIMARY KEY (device, seq, received)
) PARTITION BY RANGE (received);

CREATE INDEX event_number_index ON event (number);

-- one lookup for an id, not one in each month that ever was
CREATE TABLE event_id (
    device        text NOT NULL,
    event_id      bytea NOT NULL,
    PRIMARY KEY (device, event_id)
);

-- counted where events are inserted: counting all of them for a page would read them all
CREATE TABLE kind_count (
    device        text NOT NULL,
    kind          text NOT NULL,
    count         bigint NOT NULL,
    PRIMARY KEY (device, kind)
);

CREATE TABLE fork (
    number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device        text NOT NULL REFERENCES device,
    seq           bigint NOT NULL,
    digest        bytea NOT NULL,
    kept_digest   bytea NOT NULL,
    token         text NOT NULL,
    received      timestamptz NOT NULL,
    UNIQUE (device, seq, digest)
);

-- counted, not kept: its sender is not proven, and whoever finds the address could fill the disk with them
CREATE TABLE refusal (
    device        text NOT NULL REFERENCES device,
    reason        text NOT NULL,
    count         bigint NOT NULL,
    first         timestamptz NOT NULL,
    last          timestamptz NOT NULL,
    PRIMARY KEY (device, reason)
);

CREATE TABLE probe (
    id            integer PRIMARY KEY CHECK (id = 1),
    written       timestamptz NOT NULL
);

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION event_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT device, min(seq) AS first, max(seq) AS last, count(*) AS many FROM fresh GROUP BY device
        ) AS run LEFT JOIN head USING (device)
        WHERE head.seq IS NULL OR run.first <> head.seq + 1 OR run.last - run.first + 1 <> run.many
    ) THEN
        RAISE EXCEPTION 'events continue the chain of a registered device'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    UPDATE head SET seq = newest.seq, digest = newest.digest
        FROM (SELECT DISTINCT ON (device) device, seq, digest FROM fresh ORDER BY device, seq DESC) AS newest
        WHERE head.device = newest.device;
    INSERT INTO event_id SELECT device, event_id FROM fresh ON CONFLICT DO NOTHING;
    INSERT INTO kind_count AS counted SELECT device, kind, count(*) FROM fresh GROUP BY device, kind
        ON CONFLICT (device, kind) DO UPDATE SET count = counted.count + excluded.count;
    RETURN NULL;
END $$;

CREATE FUNCTION head_is_led() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 OR NEW.device <> OLD.device OR NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'only events move a head' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION device_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.device, NEW.key_id, NEW.key_x, NEW.key_y) <> (OLD.device, OLD.key_id, OLD.key_x, OLD.key_y) THEN
        RAISE EXCEPTION 'the key of a device stays' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER event_follows AFTER INSERT ON event REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION event_follows();
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER fork_append_only BEFORE UPDATE OR DELETE ON fork FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER fork_no_truncate BEFORE TRUNCATE ON fork FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER event_id_append_only BEFORE UPDATE OR DELETE ON event_id FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER head_is_led BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION head_is_led();
CREATE TRIGGER head_stays BEFORE DELETE ON head FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER device_key_stays BEFORE UPDATE ON device FOR EACH ROW EXECUTE FUNCTION device_key_stays();
CREATE TRIGGER device_stays BEFORE DELETE ON device FOR EACH ROW EXECUTE FUNCTION append_only();
"""

_CERTIFICATES = """
ALTER TABLE device ADD COLUMN attested text NOT NULL DEFAULT 'claimed';
ALTER TABLE device ADD COLUMN revoked timestamptz;
ALTER TABLE device ADD COLUMN revoked_for text;

CREATE TABLE invitation (
    nonce         text PRIMARY KEY,
    device        text NOT NULL,
    clinic        text NOT NULL,
    desk          text NOT NULL,
    made          timestamptz NOT NULL,
    expires       timestamptz NOT NULL
);

-- a request's nonce is the invitation's or, for a renewal, its own: UNIQUE makes each of them good once
CREATE TABLE admission (
    request       text PRIMARY KEY,
    device        text NOT NULL REFERENCES device,
    nonce         text NOT NULL UNIQUE,
    answer        text NOT NULL,
    answered      timestamptz NOT NULL
);

CREATE TABLE certificate (
    fingerprint   text PRIMARY KEY,
    device        text NOT NULL REFERENCES device,
    purpose       text NOT NULL CHECK (purpose IN ('device', 'tls')),
    key_id        text NOT NULL,
    begins        timestamptz NOT NULL,
    ends          timestamptz NOT NULL,
    pem           text NOT NULL,
    issued        timestamptz NOT NULL,
    revoked       timestamptz,
    revoked_for   text
);

CREATE INDEX certificate_device ON certificate (device, purpose);

CREATE VIEW registered AS
SELECT device.*, (
    SELECT max(ends) FROM certificate AS c
    WHERE c.device = device.device AND c.purpose = 'device' AND c.revoked IS NULL
) AS certified_until
FROM device;

CREATE FUNCTION certificate_revoked_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked IS NOT NULL
        OR (NEW.fingerprint, NEW.device, NEW.purpose, NEW.key_id, NEW.begins, NEW.ends, NEW.pem, NEW.issued)
        <> (OLD.fingerprint, OLD.device, OLD.purpose, OLD.key_id, OLD.begins, OLD.ends, OLD.pem, OLD.issued)
    THEN
        RAISE EXCEPTION 'a certificate can be revoked, once, and nothing else'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER invitation_append_only BEFORE UPDATE OR DELETE ON invitation
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER admission_append_only BEFORE UPDATE OR DELETE ON admission
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER certificate_stays BEFORE DELETE ON certificate FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER certificate_revoked_once BEFORE UPDATE ON certificate
    FOR EACH ROW EXECUTE FUNCTION certificate_revoked_once();
"""

_REPORTS = "CREATE INDEX event_report ON event (device, seq) WHERE kind = 'pack_in_use' AND refused IS NULL"

MIGRATIONS = (
    Migration(1, "tables", _TABLES),
    Migration(4, "log", LOG_TABLES),
    Migration(5, "certificates", _CERTIFICATES),
    Migration(6, "reports", _REPORTS),
)
