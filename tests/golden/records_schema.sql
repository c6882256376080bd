CREATE TRIGGER consent_never_changes BEFORE UPDATE ON consent BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END;

CREATE TRIGGER consent_never_goes BEFORE DELETE ON consent BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END;

CREATE TRIGGER consent_never_replaced BEFORE INSERT ON consent WHEN EXISTS (SELECT 1 FROM consent WHERE number = NEW.number OR consent_id = NEW.consent_id) BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END;

CREATE TABLE consent (
    number INTEGER PRIMARY KEY,
    consent_id TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES person (person_id),
    version TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('kk', 'ru', 'en')),
    given_by TEXT NOT NULL CHECK (given_by IN ('patient', 'guardian')),
    given_at TEXT NOT NULL
) STRICT;

CREATE INDEX consent_person ON consent (person_id);

CREATE TRIGGER consent_withdrawal_never_changes BEFORE UPDATE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END;

CREATE TRIGGER consent_withdrawal_never_goes BEFORE DELETE ON consent_withdrawal BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END;

CREATE TRIGGER consent_withdrawal_never_replaced BEFORE INSERT ON consent_withdrawal WHEN EXISTS (SELECT 1 FROM consent_withdrawal WHERE consent_id = NEW.consent_id) BEGIN SELECT RAISE(ABORT, 'consent_withdrawal is append-only'); END;

CREATE TABLE consent_withdrawal (
    consent_id TEXT PRIMARY KEY REFERENCES consent (consent_id),
    withdrawn_at TEXT NOT NULL
) STRICT;

CREATE TABLE data_key (
    person_id TEXT PRIMARY KEY REFERENCES person (person_id),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT;

CREATE TABLE guardian (
    guardian_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    child_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    since TEXT NOT NULL,
    PRIMARY KEY (guardian_id, child_id),
    CHECK (guardian_id <> child_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX guardian_child ON guardian (child_id);

CREATE TABLE help_call (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    patient TEXT CHECK (length(patient) = 64),
    claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    called_at TEXT NOT NULL,
    answered_at TEXT
) STRICT;

CREATE TABLE invitation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    invited_at TEXT NOT NULL,
    taken_at TEXT
) STRICT;

CREATE TABLE look_alike (
    person_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    other_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    flagged_at TEXT NOT NULL,
    PRIMARY KEY (person_id, other_id),
    CHECK (person_id < other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX look_alike_other ON look_alike (other_id);

CREATE TRIGGER manual_confirmation_never_changes BEFORE UPDATE ON manual_confirmation BEGIN SELECT RAISE(ABORT, 'manual_confirmation is append-only'); END;

CREATE TRIGGER manual_confirmation_never_goes BEFORE DELETE ON manual_confirmation BEGIN SELECT RAISE(ABORT, 'manual_confirmation is append-only'); END;

CREATE TRIGGER manual_confirmation_never_replaced BEFORE INSERT ON manual_confirmation WHEN EXISTS (SELECT 1 FROM manual_confirmation WHERE event_id = NEW.event_id) BEGIN SELECT RAISE(ABORT, 'manual_confirmation is append-only'); END;

CREATE TABLE manual_confirmation (
    event_id TEXT PRIMARY KEY,
    operator TEXT NOT NULL CHECK (length(operator) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10)
) STRICT;

CREATE INDEX manual_confirmation_day ON manual_confirmation (day, operator);

CREATE TABLE operator (
    person_id TEXT PRIMARY KEY REFERENCES staff_data_key (person_id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('receptionist', 'supervisor', 'it')),
    pin_hash TEXT NOT NULL,
    pin_set_at TEXT NOT NULL,
    misses INTEGER NOT NULL DEFAULT 0,
    missed_boot TEXT,
    missed_mono_ms INTEGER,
    CHECK ((misses = 0) = (missed_boot IS NULL) AND (missed_boot IS NULL) = (missed_mono_ms IS NULL))
) STRICT;

CREATE TABLE pack_form (
    pack TEXT PRIMARY KEY CHECK (length(pack) > 0),
    form TEXT NOT NULL CHECK (length(form) > 0)
) STRICT;

CREATE TRIGGER person_never_goes BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'a person is erased, not deleted'); END;

CREATE TRIGGER person_stays BEFORE UPDATE ON person WHEN OLD.erased_at IS NOT NULL OR NEW.person_id <> OLD.person_id OR NEW.iin_ref <> OLD.iin_ref OR NEW.created_at <> OLD.created_at BEGIN SELECT RAISE(ABORT, 'a person changes by new profile or erasure only'); END;

CREATE TABLE person (
    person_id TEXT PRIMARY KEY,
    iin_ref TEXT NOT NULL CHECK (length(iin_ref) = 64),
    sealed_profile BLOB,
    created_at TEXT NOT NULL,
    erased_at TEXT,
    CHECK ((sealed_profile IS NULL) = (erased_at IS NOT NULL))
) STRICT;

CREATE INDEX person_iin_ref ON person (iin_ref);

CREATE UNIQUE INDEX person_present ON person (iin_ref) WHERE erased_at IS NULL;

CREATE TABLE planned_service (
    service_id TEXT PRIMARY KEY,
    iin_ref TEXT NOT NULL CHECK (length(iin_ref) = 64),
    code TEXT NOT NULL,
    name_kk TEXT NOT NULL,
    name_ru TEXT NOT NULL,
    name_en TEXT NOT NULL,
    room TEXT NOT NULL,
    provider TEXT NOT NULL,
    day TEXT NOT NULL CHECK (length(day) = 10),
    starts_at TEXT NOT NULL CHECK (length(starts_at) = 16 AND substr(starts_at, 1, 10) = day),
    imported_at TEXT NOT NULL
, doctor TEXT NOT NULL DEFAULT '') STRICT;

CREATE INDEX planned_service_day ON planned_service (day, iin_ref);

CREATE INDEX planned_service_patient ON planned_service (iin_ref);

CREATE TABLE reception_note (
    event_id TEXT PRIMARY KEY,
    person_id TEXT REFERENCES data_key (person_id) ON DELETE CASCADE,
    note TEXT NOT NULL CHECK (length(note) BETWEEN 1 AND 200)
) STRICT;

CREATE TRIGGER staff_consent_never_changes BEFORE UPDATE ON staff_consent BEGIN SELECT RAISE(ABORT, 'staff_consent is append-only'); END;

CREATE TRIGGER staff_consent_never_goes BEFORE DELETE ON staff_consent BEGIN SELECT RAISE(ABORT, 'staff_consent is append-only'); END;

CREATE TRIGGER staff_consent_never_replaced BEFORE INSERT ON staff_consent WHEN EXISTS (SELECT 1 FROM staff_consent WHERE number = NEW.number OR consent_id = NEW.consent_id) BEGIN SELECT RAISE(ABORT, 'staff_consent is append-only'); END;

CREATE TABLE staff_consent (
    number INTEGER PRIMARY KEY,
    consent_id TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES staff_person (person_id),
    version TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('kk', 'ru', 'en')),
    given_by TEXT NOT NULL CHECK (given_by IN ('patient', 'guardian')),
    given_at TEXT NOT NULL
) STRICT;

CREATE INDEX staff_consent_person ON staff_consent (person_id);

CREATE TRIGGER staff_consent_withdrawal_never_changes BEFORE UPDATE ON staff_consent_withdrawal BEGIN SELECT RAISE(ABORT, 'staff_consent_withdrawal is append-only'); END;

CREATE TRIGGER staff_consent_withdrawal_never_goes BEFORE DELETE ON staff_consent_withdrawal BEGIN SELECT RAISE(ABORT, 'staff_consent_withdrawal is append-only'); END;

CREATE TRIGGER staff_consent_withdrawal_never_replaced BEFORE INSERT ON staff_consent_withdrawal WHEN EXISTS (SELECT 1 FROM staff_consent_withdrawal WHERE consent_id = NEW.consent_id) BEGIN SELECT RAISE(ABORT, 'staff_consent_withdrawal is append-only'); END;

CREATE TABLE staff_consent_withdrawal (
    consent_id TEXT PRIMARY KEY REFERENCES staff_consent (consent_id),
    withdrawn_at TEXT NOT NULL
) STRICT;

CREATE TABLE staff_data_key (
    person_id TEXT PRIMARY KEY REFERENCES staff_person (person_id),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT;

CREATE TRIGGER staff_person_never_goes BEFORE DELETE ON staff_person BEGIN SELECT RAISE(ABORT, 'a person is erased, not deleted'); END;

CREATE TRIGGER staff_person_stays BEFORE UPDATE ON staff_person WHEN OLD.erased_at IS NOT NULL OR NEW.person_id <> OLD.person_id OR NEW.iin_ref <> OLD.iin_ref OR NEW.created_at <> OLD.created_at BEGIN SELECT RAISE(ABORT, 'a person changes by new profile or erasure only'); END;

CREATE TABLE staff_person (
    person_id TEXT PRIMARY KEY,
    iin_ref TEXT NOT NULL CHECK (length(iin_ref) = 64),
    sealed_profile BLOB,
    created_at TEXT NOT NULL,
    erased_at TEXT,
    CHECK ((sealed_profile IS NULL) = (erased_at IS NOT NULL))
) STRICT;

CREATE INDEX staff_person_iin_ref ON staff_person (iin_ref);

CREATE UNIQUE INDEX staff_person_present ON staff_person (iin_ref) WHERE erased_at IS NULL;

CREATE TRIGGER staff_template_came AFTER INSERT ON staff_template
BEGIN INSERT INTO staff_template_change (person_id) VALUES (NEW.person_id); END;

CREATE TRIGGER staff_template_never_changes BEFORE UPDATE ON staff_template BEGIN SELECT RAISE(ABORT, 'a template is replaced, not changed'); END;

CREATE TRIGGER staff_template_went AFTER DELETE ON staff_template
BEGIN INSERT INTO staff_template_change (person_id) VALUES (OLD.person_id); END;

CREATE TABLE staff_template (
    template_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL REFERENCES staff_data_key (person_id),
    kind TEXT NOT NULL,
    pack TEXT NOT NULL CHECK (length(pack) = 64),
    sealed BLOB NOT NULL,
    template_hash TEXT NOT NULL UNIQUE CHECK (length(template_hash) = 64),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX staff_template_person ON staff_template (person_id, pack);

CREATE TABLE staff_template_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL
) STRICT;

CREATE TRIGGER template_came AFTER INSERT ON template
BEGIN INSERT INTO template_change (person_id) VALUES (NEW.person_id); END;

CREATE TRIGGER template_never_changes BEFORE UPDATE ON template BEGIN SELECT RAISE(ABORT, 'a template is replaced, not changed'); END;

CREATE TRIGGER template_went AFTER DELETE ON template
BEGIN INSERT INTO template_change (person_id) VALUES (OLD.person_id); END;

CREATE TABLE template (
    template_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL REFERENCES data_key (person_id),
    kind TEXT NOT NULL,
    pack TEXT NOT NULL CHECK (length(pack) = 64),
    sealed BLOB NOT NULL,
    template_hash TEXT NOT NULL UNIQUE CHECK (length(template_hash) = 64),
    created_at TEXT NOT NULL
) STRICT;

CREATE INDEX template_person ON template (person_id, pack);

CREATE TABLE template_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL
) STRICT;

CREATE TABLE vault (
    vault_id INTEGER PRIMARY KEY CHECK (vault_id = 1),
    device TEXT NOT NULL,
    key_check TEXT NOT NULL CHECK (length(key_check) = 64)
) STRICT;

CREATE TRIGGER visit_never_goes BEFORE DELETE ON visit BEGIN SELECT RAISE(ABORT, 'visit is append-only'); END;

CREATE TRIGGER visit_never_replaced BEFORE INSERT ON visit WHEN EXISTS (SELECT 1 FROM visit WHERE event_id = NEW.event_id OR event_seq = NEW.event_seq OR (service_id = NEW.service_id AND corrected_by IS NULL)) BEGIN SELECT RAISE(ABORT, 'visit is append-only'); END;

CREATE TRIGGER visit_stays BEFORE UPDATE ON visit WHEN OLD.corrected_by IS NOT NULL OR NEW.corrected_by IS NULL OR NEW.event_id <> OLD.event_id OR NEW.service_id <> OLD.service_id OR NEW.person_id IS NOT OLD.person_id OR NEW.event_seq <> OLD.event_seq OR NEW.confirmed_at <> OLD.confirmed_at BEGIN SELECT RAISE(ABORT, 'a visit is corrected once, and changes in nothing else'); END;

CREATE TABLE visit (
    event_id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES planned_service (service_id),
    person_id TEXT REFERENCES person (person_id),
    event_seq INTEGER NOT NULL,
    confirmed_at TEXT NOT NULL,
    corrected_by TEXT
) STRICT;

CREATE UNIQUE INDEX visit_seq ON visit (event_seq);

CREATE INDEX visit_service ON visit (service_id);

CREATE UNIQUE INDEX visit_stands ON visit (service_id) WHERE corrected_by IS NULL;

CREATE TABLE visit_code (
    service_id TEXT PRIMARY KEY REFERENCES planned_service (service_id),
    patient TEXT NOT NULL CHECK (length(patient) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10),
    code_hash TEXT NOT NULL CHECK (length(code_hash) = 64)
) STRICT;

CREATE INDEX visit_code_patient ON visit_code (patient, day);

CREATE TABLE wrong_code (
    patient TEXT NOT NULL CHECK (length(patient) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10),
    tries INTEGER NOT NULL,
    PRIMARY KEY (patient, day)
) STRICT, WITHOUT ROWID;

