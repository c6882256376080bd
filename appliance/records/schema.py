"""The tables of the desk's records and their history; what is final is guarded by triggers, not by manners.

The rows' meaning is the modules' that own them: `people`, `data_keys`, `templates`, `consents`,
`look_alikes`, `services`, `help_calls`, `visit_codes`, `guardians`,
`operators`, `manual`, `invitations`. What both registers have begins with
`{}`, the place of the register's prefix.
A migration that has been released is never edited; the next one changes what it left.
"""

from appliance.records.tables import PATIENTS, STAFF, Tables
from sync.database import Database, Migrations

RECORDS_MIGRATIONS = Migrations("records")


def _guard(table: str, name: str, when: str, message: str) -> str:
    """A trigger that refuses a statement on a table."""
    return f"CREATE TRIGGER {table}_{name} {when} BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _final(table: str, *unique: str) -> tuple[str, str, str]:
    """Triggers that let rows of a table be added only. unique: columns REPLACE could clash on, unseen by 'delete'."""
    same = " OR ".join(f"{column} = NEW.{column}" for column in unique)
    taken = f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - own names
    message = f"{table} is append-only"
    return (
        _guard(table, "never_changes", f"BEFORE UPDATE ON {table}", message),
        _guard(table, "never_goes", f"BEFORE DELETE ON {table}", message),
        _guard(table, "never_replaced", taken, message),
    )


# Whose template key and device sealed this database: tells a wrong key from a damaged row.
_VAULT = """CREATE TABLE vault (
    vault_id INTEGER PRIMARY KEY CHECK (vault_id = 1),
    device TEXT NOT NULL,
    key_check TEXT NOT NULL CHECK (length(key_check) = 64)
) STRICT"""

_PEOPLE = (
    # The pseudonym stays after erasure: it proves to the fund and the patient what was erased.
    """CREATE TABLE {}person (
    person_id TEXT PRIMARY KEY,
    iin_ref TEXT NOT NULL CHECK (length(iin_ref) = 64),
    sealed_profile BLOB,
    created_at TEXT NOT NULL,
    erased_at TEXT,
    CHECK ((sealed_profile IS NULL) = (erased_at IS NOT NULL))
) STRICT""",
    "CREATE UNIQUE INDEX {}person_present ON {}person (iin_ref) WHERE erased_at IS NULL",
    "CREATE INDEX {}person_iin_ref ON {}person (iin_ref)",
    _guard("{}person", "never_goes", "BEFORE DELETE ON {}person", "a person is erased, not deleted"),
    _guard(
        "{}person",
        "stays",
        "BEFORE UPDATE ON {}person WHEN OLD.erased_at IS NOT NULL OR NEW.person_id <> OLD.person_id "
        "OR NEW.iin_ref <> OLD.iin_ref OR NEW.created_at <> OLD.created_at",
        "a person changes by new profile or erasure only",
    ),
    """CREATE TABLE {}data_key (
    person_id TEXT PRIMARY KEY REFERENCES {}person (person_id),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 40)
) STRICT""",
    """CREATE TABLE {}template (
    template_id INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL REFERENCES {}data_key (person_id),
    kind TEXT NOT NULL,
    pack TEXT NOT NULL CHECK (length(pack) = 64),
    sealed BLOB NOT NULL,
    template_hash TEXT NOT NULL UNIQUE CHECK (length(template_hash) = 64),
    created_at TEXT NOT NULL
) STRICT""",
    "CREATE INDEX {}template_person ON {}template (person_id, pack)",
    # Which people's templates came or went, in order: other processes follow it. AUTOINCREMENT: no number comes twice.
    """CREATE TABLE {}template_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id TEXT NOT NULL
) STRICT""",
    """CREATE TRIGGER {}template_came AFTER INSERT ON {}template
BEGIN INSERT INTO {}template_change (person_id) VALUES (NEW.person_id); END""",
    """CREATE TRIGGER {}template_went AFTER DELETE ON {}template
BEGIN INSERT INTO {}template_change (person_id) VALUES (OLD.person_id); END""",
    _guard("{}template", "never_changes", "BEFORE UPDATE ON {}template", "a template is replaced, not changed"),
)

_CONSENTS = (
    """CREATE TABLE {}consent (
    number INTEGER PRIMARY KEY,
    consent_id TEXT NOT NULL UNIQUE,
    person_id TEXT NOT NULL REFERENCES {}person (person_id),
    version TEXT NOT NULL,
    language TEXT NOT NULL CHECK (language IN ('kk', 'ru', 'en')),
    given_by TEXT NOT NULL CHECK (given_by IN ('patient', 'guardian')),
    given_at TEXT NOT NULL
) STRICT""",
    "CREATE INDEX {}consent_person ON {}consent (person_id)",
    *_final("{}consent", "number", "consent_id"),
    """CREATE TABLE {}consent_withdrawal (
    consent_id TEXT PRIMARY KEY REFERENCES {}consent (consent_id),
    withdrawn_at TEXT NOT NULL
) STRICT""",
    *_final("{}consent_withdrawal", "consent_id"),
)

_SERVICES = (
    """CREATE TABLE planned_service (
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
) STRICT""",
    "CREATE INDEX planned_service_day ON planned_service (day, iin_ref)",
    """CREATE TABLE visit (
    service_id TEXT PRIMARY KEY REFERENCES planned_service (service_id),
    person_id TEXT NOT NULL REFERENCES person (person_id),
    event_id TEXT NOT NULL UNIQUE,
    event_seq INTEGER NOT NULL UNIQUE,
    confirmed_at TEXT NOT NULL
) STRICT""",
    *_final("visit", "service_id", "event_id", "event_seq"),
)


# Pairs by random ids, the smaller first; whichever data key is destroyed takes the pair along.
_LOOK_ALIKES = (
    """CREATE TABLE look_alike (
    person_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    other_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    flagged_at TEXT NOT NULL,
    PRIMARY KEY (person_id, other_id),
    CHECK (person_id < other_id)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX look_alike_other ON look_alike (other_id)",
)


_HELP = """CREATE TABLE help_call (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    patient TEXT CHECK (length(patient) = 64),
    claimed INTEGER NOT NULL CHECK (claimed IN (0, 1)),
    called_at TEXT NOT NULL,
    answered_at TEXT
) STRICT"""

# A visit that was taken back stays; the service is open again, and one visit of it stands at most. Who is confirmed by
# hand may not be enrolled here.
_VISITS = (
    "ALTER TABLE visit RENAME TO visit_before",
    """CREATE TABLE visit (
    event_id TEXT PRIMARY KEY,
    service_id TEXT NOT NULL REFERENCES planned_service (service_id),
    person_id TEXT REFERENCES person (person_id),
    event_seq INTEGER NOT NULL,
    confirmed_at TEXT NOT NULL,
    corrected_by TEXT
) STRICT""",
    "CREATE UNIQUE INDEX visit_seq ON visit (event_seq)",
    "CREATE UNIQUE INDEX visit_stands ON visit (service_id) WHERE corrected_by IS NULL",
    (
        "INSERT INTO visit (event_id, service_id, person_id, event_seq, confirmed_at)"
        " SELECT event_id, service_id, person_id, event_seq, confirmed_at FROM visit_before"
    ),
    "DROP TABLE visit_before",
    _guard(
        "visit",
        "stays",
        "BEFORE UPDATE ON visit WHEN OLD.corrected_by IS NOT NULL OR NEW.corrected_by IS NULL"
        " OR NEW.event_id <> OLD.event_id OR NEW.service_id <> OLD.service_id OR NEW.person_id IS NOT OLD.person_id"
        " OR NEW.event_seq <> OLD.event_seq OR NEW.confirmed_at <> OLD.confirmed_at",
        "a visit is corrected once, and changes in nothing else",
    ),
    _guard("visit", "never_goes", "BEFORE DELETE ON visit", "visit is append-only"),
    _guard(
        "visit",
        "never_replaced",
        "BEFORE INSERT ON visit WHEN EXISTS (SELECT 1 FROM visit WHERE event_id = NEW.event_id"
        " OR event_seq = NEW.event_seq OR (service_id = NEW.service_id AND corrected_by IS NULL))",
        "visit is append-only",
    ),
)

_OPERATORS = (
    # The hash of the PIN goes with the data key: whoever is forgotten as staff signs in no more.
    """CREATE TABLE operator (
    person_id TEXT PRIMARY KEY REFERENCES staff_data_key (person_id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('receptionist', 'supervisor', 'it')),
    pin_hash TEXT NOT NULL,
    pin_set_at TEXT NOT NULL,
    misses INTEGER NOT NULL DEFAULT 0,
    missed_boot TEXT,
    missed_mono_ms INTEGER,
    CHECK ((misses = 0) = (missed_boot IS NULL) AND (missed_boot IS NULL) = (missed_mono_ms IS NULL))
) STRICT""",
)

# operator: pseudonym, so that the count outlives the operator's PIN.
_MANUAL = (
    """CREATE TABLE manual_confirmation (
    event_id TEXT PRIMARY KEY,
    operator TEXT NOT NULL CHECK (length(operator) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10)
) STRICT""",
    "CREATE INDEX manual_confirmation_day ON manual_confirmation (day, operator)",
    *_final("manual_confirmation", "event_id"),
    # What somebody wrote about a patient goes with the patient's data key.
    """CREATE TABLE reception_note (
    event_id TEXT PRIMARY KEY,
    person_id TEXT REFERENCES data_key (person_id) ON DELETE CASCADE,
    note TEXT NOT NULL CHECK (length(note) BETWEEN 1 AND 200)
) STRICT""",
)


_CODES = (
    """CREATE TABLE visit_code (
    service_id TEXT PRIMARY KEY REFERENCES planned_service (service_id),
    patient TEXT NOT NULL CHECK (length(patient) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10),
    code_hash TEXT NOT NULL CHECK (length(code_hash) = 64)
) STRICT""",
    "CREATE INDEX visit_code_patient ON visit_code (patient, day)",
    """CREATE TABLE wrong_code (
    patient TEXT NOT NULL CHECK (length(patient) = 64),
    day TEXT NOT NULL CHECK (length(day) = 10),
    tries INTEGER NOT NULL,
    PRIMARY KEY (patient, day)
) STRICT, WITHOUT ROWID""",
)


# A patient's card shows their last visits, of whatever day.
_PATIENTS_SERVICES = "CREATE INDEX planned_service_patient ON planned_service (iin_ref)"

# As of look-alikes: whichever data key is destroyed takes the link along.
_GUARDIANS = (
    """CREATE TABLE guardian (
    guardian_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    child_id TEXT NOT NULL REFERENCES data_key (person_id) ON DELETE CASCADE,
    since TEXT NOT NULL,
    PRIMARY KEY (guardian_id, child_id),
    CHECK (guardian_id <> child_id)
) STRICT, WITHOUT ROWID""",
    "CREATE INDEX guardian_child ON guardian (child_id)",
)


# What reception asks of the patient's screen; nobody is named.
_INVITATIONS = """CREATE TABLE invitation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    invited_at TEXT NOT NULL,
    taken_at TEXT
) STRICT"""


def _register(db: Database, tables: Tables) -> None:
    for statement in (*_PEOPLE, *_CONSENTS):
        db.execute(tables.sql(statement))


@RECORDS_MIGRATIONS(name="0001_people_consents_services")
def _first(db: Database) -> None:
    db.execute(_VAULT)
    _register(db, PATIENTS)
    for statement in _SERVICES:
        db.execute(statement)


@RECORDS_MIGRATIONS(name="0002_staff_look_alikes")
def _second(db: Database) -> None:
    _register(db, STAFF)
    for statement in _LOOK_ALIKES:
        db.execute(statement)


@RECORDS_MIGRATIONS(name="0003_help_calls")
def _third(db: Database) -> None:
    db.execute(_HELP)


@RECORDS_MIGRATIONS(name="0004_reception")
def _reception(db: Database) -> None:
    for statement in (*_VISITS, *_OPERATORS, *_MANUAL):
        db.execute(statement)


@RECORDS_MIGRATIONS(name="0005_visit_codes")
def _fifth(db: Database) -> None:
    for statement in _CODES:
        db.execute(statement)


@RECORDS_MIGRATIONS(name="0006_patients_services")
def _patients_services(db: Database) -> None:
    db.execute(_PATIENTS_SERVICES)


_PACK_FORMS = """CREATE TABLE pack_form (
    pack TEXT PRIMARY KEY CHECK (length(pack) > 0),
    form TEXT NOT NULL CHECK (length(form) > 0)
) STRICT"""


@RECORDS_MIGRATIONS(name="0007_guardians")
def _guardians(db: Database) -> None:
    for statement in _GUARDIANS:
        db.execute(statement)


@RECORDS_MIGRATIONS(name="0008_pack_forms")
def _pack_forms(db: Database) -> None:
    db.execute(_PACK_FORMS)


@RECORDS_MIGRATIONS(name="0009_invitations")
def _invitations(db: Database) -> None:
    db.execute(_INVITATIONS)


@RECORDS_MIGRATIONS(name="0010_doctor")
def _doctor(db: Database) -> None:
    db.execute("ALTER TABLE planned_service ADD COLUMN doctor TEXT NOT NULL DEFAULT ''")


# A patient's receipts, also those that do not stand, are shown with the card and asked for every two seconds.
@RECORDS_MIGRATIONS(name="0011_visits_of_a_service")
def _visits_of_a_service(db: Database) -> None:
    db.execute("CREATE INDEX visit_service ON visit (service_id)")
