"""The tables of the log in PostgreSQL, and the triggers that let it only grow.

Reading and writing them is left to `sync.fund.log_postgres`; the migration belongs to `sync.fund.postgres_schema`. The
log's trigger functions, like the others, hold whoever writes.
"""

LOG_TABLES = """
CREATE TABLE log_tile (
    level         integer NOT NULL,
    number        bigint NOT NULL,
    hashes        bytea NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, number)
);

CREATE TABLE log_run (
    first         bigint PRIMARY KEY,
    device        text NOT NULL REFERENCES device,
    seq           bigint NOT NULL CHECK (seq > 0),
    count         bigint NOT NULL CHECK (count > 0),
    UNIQUE (device, seq)
);

CREATE TABLE log_looked (
    device        text PRIMARY KEY REFERENCES device,
    seq           bigint NOT NULL
);

CREATE TABLE log_checkpoint (
    size          bigint PRIMARY KEY,
    root          bytea NOT NULL,
    note          text NOT NULL,
    signed        timestamptz NOT NULL
);

CREATE TABLE log_cosignature (
    size          bigint NOT NULL REFERENCES log_checkpoint,
    witness       text NOT NULL,
    line          text NOT NULL,
    received      timestamptz NOT NULL,
    PRIMARY KEY (size, witness)
);

CREATE FUNCTION log_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.level, NEW.number) <> (OLD.level, OLD.number) OR length(NEW.hashes) < length(OLD.hashes)
        OR substring(NEW.hashes FOR length(OLD.hashes)) <> OLD.hashes
    THEN
        RAISE EXCEPTION 'a tile of the log only grows' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION log_run_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.first <> coalesce((SELECT first + count FROM log_run ORDER BY first DESC LIMIT 1), 0) THEN
        RAISE EXCEPTION 'a run of the log follows the last one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION log_looks_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.device <> OLD.device OR NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'the log looks forward' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER log_tile_grows BEFORE UPDATE ON log_tile FOR EACH ROW EXECUTE FUNCTION log_grows();
CREATE TRIGGER log_tile_stays BEFORE DELETE ON log_tile FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER log_tile_no_truncate BEFORE TRUNCATE ON log_tile FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER log_run_follows BEFORE INSERT ON log_run FOR EACH ROW EXECUTE FUNCTION log_run_follows();
CREATE TRIGGER log_run_append_only BEFORE UPDATE OR DELETE ON log_run FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER log_run_no_truncate BEFORE TRUNCATE ON log_run FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER log_looks_forward BEFORE UPDATE ON log_looked FOR EACH ROW EXECUTE FUNCTION log_looks_forward();
CREATE TRIGGER log_looked_stays BEFORE DELETE ON log_looked FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER log_checkpoint_append_only BEFORE UPDATE OR DELETE ON log_checkpoint
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER log_cosignature_append_only BEFORE UPDATE OR DELETE ON log_cosignature
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER log_checkpoint_no_truncate BEFORE TRUNCATE ON log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER log_cosignature_no_truncate BEFORE TRUNCATE ON log_cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""
