"""Takes the records of another desk's database into this one: opened under its keys, sealed anew under this desk's.

Who is left out is the caller's decision; the chain of the other desk stays where it is. Data keys stay the same, so
that the names of templates in signed events go on to mean the same templates.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.core.types import PackDigest, PersonId
from appliance.records.stamp import written
from appliance.records.tables import PATIENTS, STAFF, Tables
from appliance.records.vault import Vault
from sync.database import Database, Value

_PERSON = "person_id, iin_ref, sealed_profile, created_at, erased_at"
_TEMPLATE = "person_id, kind, pack, sealed, template_hash, created_at"
_SERVICE = "service_id, iin_ref, code, name_kk, name_ru, name_en, room, provider, doctor, day, starts_at, imported_at"


@dataclass(frozen=True, slots=True)
class Adopted:
    """Who came along, and who was left out because they had been erased."""

    people: int
    staff: int
    erased: int


def is_empty(db: Database) -> bool:
    """Whether no person and no service was ever recorded here."""
    tables = (*(tables.sql("{}person") for tables in (PATIENTS, STAFF)), "planned_service")
    return not any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables)  # noqa: S608 - own names


def adopt(
    db: Database, source: Database, old: Vault, new: Vault, gone: Callable[[str, str], bool], at: datetime
) -> Adopted:
    """Take everything along. Inside an open transaction of `db`.

    gone: whether a person (pseudonym, consent) was erased since. Raises TemplateDamaged.
    """
    counts, erased = [], 0
    for tables in (PATIENTS, STAFF):
        present, left = _people(db, source, tables, old, new, gone, at)
        counts.append(len(present))
        erased += left
        for person, kind, pack, sealed, name, created in _rows(source, tables, "template", _TEMPLATE):
            who = PersonId(str(person))
            if who in present:
                key = new.unwrap(who, present[who])
                plain = old.open(key, tables.face, PackDigest(str(pack)), _bytes(sealed))
                again = new.seal(key, tables.face, PackDigest(str(pack)), plain)
                _add(db, tables.sql("{}template"), _TEMPLATE, [(who, kind, pack, again, name, created)])
        kept = "number, consent_id, person_id, version, language, given_by, given_at"
        _add(db, tables.sql("{}consent"), kept, _rows(source, tables, "consent", kept))
        kept = "consent_id, withdrawn_at"
        _add(db, tables.sql("{}consent_withdrawal"), kept, _rows(source, tables, "consent_withdrawal", kept))
    _services(db, source)
    _reception(db, source)
    for pack, form in source.execute("SELECT pack, form FROM pack_form").fetchall():
        db.execute("INSERT INTO pack_form (pack, form) VALUES (?, ?) ON CONFLICT DO NOTHING", (pack, form))
    return Adopted(counts[0], counts[1], erased)


def _people(
    db: Database,
    source: Database,
    tables: Tables,
    old: Vault,
    new: Vault,
    gone: Callable[[str, str], bool],
    at: datetime,
) -> tuple[dict[PersonId, bytes], int]:
    """Everybody with their profile; gives the wrapped data keys of those who are enrolled, and how many were erased."""
    consents: dict[str, str] = dict(
        source.execute(tables.sql("SELECT person_id, max(consent_id) FROM {}consent GROUP BY person_id")).fetchall()
    )
    wrapped = dict(source.execute(tables.sql("SELECT person_id, wrapped FROM {}data_key")).fetchall())
    present: dict[PersonId, bytes] = {}
    left = 0
    for person, reference, sealed, created, erased_at in _rows(source, tables, "person", _PERSON):
        who = PersonId(str(person))
        if sealed is None or gone(str(reference), consents.get(who, "")):
            left += sealed is not None
            row = (who, reference, None, created, erased_at or written(at))
            _add(db, tables.sql("{}person"), _PERSON, [row])
            continue
        key = old.unwrap(who, wrapped[who])
        again = new.seal(key, tables.profile, None, old.open(key, tables.profile, None, _bytes(sealed)))
        _add(db, tables.sql("{}person"), _PERSON, [(who, reference, again, created, None)])
        present[who] = new.wrap(key)
        _add(db, tables.sql("{}data_key"), "person_id, wrapped", [(who, present[who])])
    return present, left


def _services(db: Database, source: Database) -> None:
    """Services and their visits: what was confirmed stays confirmed, and what was tried in vain counted.

    Visits of other chains are numbered up to -1 in their order: before any of this desk's own chain, also where the
    other desk had taken over from a third.
    """
    _add(db, "planned_service", _SERVICE, source.execute(f"SELECT {_SERVICE} FROM planned_service").fetchall())  # noqa: S608
    visit = "service_id, person_id, event_id, event_seq, confirmed_at, corrected_by"
    visits = source.execute(
        "SELECT service_id, person_id, event_id, row_number() OVER (ORDER BY event_seq) - 1 - count(*) OVER (),"
        " confirmed_at, corrected_by FROM visit"
    ).fetchall()
    _add(db, "visit", visit, visits)
    code = "service_id, patient, day, code_hash"
    _add(db, "visit_code", code, source.execute(f"SELECT {code} FROM visit_code").fetchall())  # noqa: S608 - own names
    _add(
        db, "wrong_code", "patient, day, tries", source.execute("SELECT patient, day, tries FROM wrong_code").fetchall()
    )
    pairs = source.execute("SELECT person_id, other_id, flagged_at FROM look_alike").fetchall()
    enrolled = {row[0] for row in db.execute("SELECT person_id FROM data_key").fetchall()}
    _add(db, "look_alike", "person_id, other_id, flagged_at", [row for row in pairs if {row[0], row[1]} <= enrolled])
    links = source.execute("SELECT guardian_id, child_id, since FROM guardian").fetchall()
    _add(db, "guardian", "guardian_id, child_id, since", [row for row in links if {row[0], row[1]} <= enrolled])


def _reception(db: Database, source: Database) -> None:
    """PINs of the staff who came along, how often each confirmed by hand, and the notes about who came along."""
    staff = {row[0] for row in db.execute("SELECT person_id FROM staff_data_key").fetchall()}
    rows = source.execute("SELECT person_id, role, pin_hash, pin_set_at FROM operator ORDER BY rowid").fetchall()
    _add(db, "operator", "person_id, role, pin_hash, pin_set_at", [row for row in rows if row[0] in staff])
    counted = "event_id, operator, day"
    _add(db, "manual_confirmation", counted, source.execute(f"SELECT {counted} FROM manual_confirmation").fetchall())  # noqa: S608
    enrolled = {None, *(row[0] for row in db.execute("SELECT person_id FROM data_key").fetchall())}
    notes = source.execute("SELECT event_id, person_id, note FROM reception_note").fetchall()
    _add(db, "reception_note", "event_id, person_id, note", [row for row in notes if row[1] in enrolled])


def _rows(source: Database, tables: Tables, table: str, columns: str) -> list[Sequence[Value]]:
    sql = f"SELECT {columns} FROM {tables.sql('{}' + table)} ORDER BY rowid"  # noqa: S608 - own names
    rows: list[Sequence[Value]] = source.execute(sql).fetchall()
    return rows


def _add(db: Database, table: str, columns: str, rows: Iterable[Sequence[Value]]) -> None:
    marks = ", ".join("?" for _ in columns.split(","))
    for row in rows:
        db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row))  # noqa: S608 - own names


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a sealed blob is bytes")
    return value
