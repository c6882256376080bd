"""The tables are what the golden file says, and what is final cannot be changed."""

from datetime import date, datetime
from pathlib import Path

import pytest

from appliance.core.operators import Role
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.schedule import parse_schedule
from appliance.records.schema import RECORDS_MIGRATIONS
from sync.database import IntegrityError, immediate, open_database
from tests.fakes.desk import open_records
from tests.fakes.patients import make_embedding, make_iin, make_profile

GOLDEN = Path(__file__).parents[1] / "golden" / "records_schema.sql"


@pytest.fixture
def full(records: DeskRecords, at: datetime) -> DeskRecords:
    """One row in every table."""
    header = "iin,service_code,service_name_kk,service_name_ru,service_name_en,room,provider,starts\n"
    line = f"{make_iin(1).digits},A02.004,ж,р,e,12,dr-1,2026-11-22 09:30\n"
    with immediate(records.db):
        person = records.people.add(make_profile(1), at)
        records.templates.add(person, [make_embedding(1)], at)
        records.consents.give(person, "2026-1", "kk", GivenBy.PATIENT, at)
        records.consents.withdraw(person, at)
        records.services.keep(parse_schedule((header + line).encode()), at)
        service = records.services.of(person, date(2026, 11, 22))[0].service
        records.services.confirm(service, person, "e" * 32, 7, at)
        records.manual.add("e" * 32, "ab" * 32, date(2026, 11, 22))
        colleague = records.staff.people.add(make_profile(2), at)
        records.operators.put(colleague, Role.RECEPTIONIST, "$argon2id$", at)
    return records


def test_the_schema_is_the_golden_one(records: DeskRecords) -> None:
    """Every migration from empty on gives the committed text; a new one comes with a new golden file."""
    rows = records.db.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE '%sqlite\\_%' ESCAPE '\\'"
        " ORDER BY tbl_name, type DESC, name"
    ).fetchall()
    assert "".join(f"{row[0]};\n\n" for row in rows) == GOLDEN.read_text(encoding="utf-8")


def test_every_table_is_strict(records: DeskRecords) -> None:
    """A text never lands in a number's column."""
    rows = records.db.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    loose = {name for name, strict in rows if not strict and not name.startswith(("sqlite_", "_sqlite"))}
    assert loose == set()


def test_migrations_run_once(full: DeskRecords, tmp_path: Path) -> None:
    """Opening again changes nothing."""
    again = open_records(tmp_path / "desk.db")
    assert again.people.find(make_iin(1)) == full.people.find(make_iin(1))
    again.db.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent SET given_by = 'guardian'",
        "DELETE FROM consent",
        "INSERT OR REPLACE INTO consent SELECT * FROM consent",
        "UPDATE consent_withdrawal SET withdrawn_at = '2020-01-01T00:00:00+00:00'",
        "DELETE FROM consent_withdrawal",
        "INSERT OR REPLACE INTO consent_withdrawal SELECT * FROM consent_withdrawal",
        "UPDATE visit SET confirmed_at = '2020-01-01T00:00:00+00:00'",
        "DELETE FROM visit",
        "INSERT OR REPLACE INTO visit SELECT 'x', service_id, person_id, event_seq, confirmed_at, NULL FROM visit",
        "INSERT OR REPLACE INTO visit SELECT event_id, service_id, NULL, 8, confirmed_at, NULL FROM visit",
        "INSERT OR REPLACE INTO visit SELECT 'x', service_id, NULL, 8, confirmed_at, NULL FROM visit",
        "UPDATE visit SET corrected_by = 'x', person_id = NULL",
        "UPDATE visit SET corrected_by = 'x', event_id = 'y'",
        "UPDATE visit SET corrected_by = NULL",
        "DELETE FROM manual_confirmation",
        "UPDATE manual_confirmation SET day = '2020-01-01'",
        "UPDATE operator SET misses = 1",
        "UPDATE template SET sealed = zeroblob(541)",
        "DELETE FROM person",
        "UPDATE person SET iin_ref = replace(iin_ref, 'a', 'b') || ''",
        "UPDATE person SET created_at = '2020-01-01T00:00:00+00:00'",
        "UPDATE person SET person_id = 'somebody else'",
        "UPDATE person SET sealed_profile = NULL",
        "DELETE FROM data_key",
        "DELETE FROM planned_service",
    ],
)
def test_what_is_final_cannot_be_changed(full: DeskRecords, statement: str) -> None:
    """Triggers and references refuse, whoever asks."""
    with pytest.raises(IntegrityError), immediate(full.db):
        full.db.execute(statement)


def test_an_erased_person_cannot_be_brought_back(full: DeskRecords, at: datetime) -> None:
    """An erasure is final for the row."""
    person = full.people.find(make_iin(1))
    assert person is not None
    with immediate(full.db):
        full.people.erase(person, at)
    with pytest.raises(IntegrityError, match="erasure"):
        full.db.execute("UPDATE person SET erased_at = NULL, sealed_profile = x'01'")


def test_visits_of_an_older_desk_stay(tmp_path: Path, at: datetime) -> None:
    """The table of visits is made anew, with every row; a visit can be corrected then, once."""
    db = open_database(tmp_path / "desk.db", bytes(32), [], create=True)
    RECORDS_MIGRATIONS.apply(db, stop_before="0004_reception")
    db.execute("INSERT INTO person VALUES ('p', ?, x'00', '2026', NULL)", ("ab" * 32,))
    for service, seq in (("s1", 7), ("s2", 9)):
        db.execute(
            "INSERT INTO planned_service VALUES"
            " (?, ?, 'A', 'k', 'r', 'e', '1', 'd', '2026-11-22', '2026-11-22T09:00', 'x')",
            (service, "ab" * 32),
        )
        db.execute("INSERT INTO visit VALUES (?, 'p', ?, ?, ?)", (service, f"e{seq}", seq, at.isoformat()))
    RECORDS_MIGRATIONS.apply(db)
    rows = db.execute("SELECT service_id, event_id, event_seq, corrected_by FROM visit ORDER BY event_seq").fetchall()
    assert rows == [("s1", "e7", 7, None), ("s2", "e9", 9, None)]
    db.execute("UPDATE visit SET corrected_by = 'e10' WHERE event_id = 'e7'")
    with pytest.raises(IntegrityError):
        db.execute("UPDATE visit SET corrected_by = 'e11' WHERE event_id = 'e7'")
    db.execute("INSERT INTO visit VALUES ('e12', 's1', NULL, 12, '2026', NULL)")
    with pytest.raises(IntegrityError):
        db.execute("INSERT INTO visit VALUES ('e13', 's1', NULL, 13, '2026', NULL)")
    db.close()
