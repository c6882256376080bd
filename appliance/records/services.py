"""The planned services of this desk's patients, and which of them were confirmed.

The file they come from is read by `schedule`; what a confirmation is, and its signed event, is the use case's.

A service is found by the patient's pseudonym, so that services may be imported before their patient is enrolled. Its
id is a hash of who, what, by whom and when: importing a file again changes rooms and names and doubles nothing.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from appliance.core.errors import ReceiptUnknown, ServiceConfirmed, ServiceUnknown
from appliance.core.types import PersonId
from appliance.records.schedule import ScheduledService
from appliance.records.stamp import written
from appliance.records.vault import pseudonym
from appliance.records.visit_codes import VisitCodes
from sync.database import Database, known

_SELECT = (
    "SELECT planned_service.service_id, iin_ref, code, name_kk, name_ru, name_en, room, provider, doctor, starts_at,"
    " visit.event_id, visit.confirmed_at FROM planned_service LEFT JOIN visit"
    " ON visit.service_id = planned_service.service_id AND corrected_by IS NULL"
)


@dataclass(frozen=True, slots=True)
class PlannedService:
    """One service. patient: pseudonym. names: by language code. starts_at: clinic time `YYYY-MM-DDTHH:MM`.

    doctor: name as the patient knows it, empty where the clinic does not say.
    event: id of the event that confirmed it; None while it is open. at: RFC 3339, when that was; empty while it is.
    """

    service: str
    patient: str
    code: str
    names: tuple[tuple[str, str], ...]
    room: str
    provider: str
    starts_at: str
    event: str | None
    at: str = ""
    doctor: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One confirmation. receipt: id of its event. at: RFC 3339. names, room: of the service.

    corrected: id of the event that took it back; None while it stands.
    """

    receipt: str
    at: str
    names: tuple[tuple[str, str], ...]
    room: str
    corrected: str | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in services: new here, changed in room or name, as they were."""

    added: int
    changed: int
    unchanged: int


class Services:
    """The tables `planned_service` and `visit`. `keep` and `confirm` happen inside the caller's transaction."""

    __slots__ = ("_codes", "_db", "_pseudonym_key")

    def __init__(self, db: Database, pseudonym_key: bytes) -> None:
        self._db = db
        self._pseudonym_key = pseudonym_key
        self._codes = VisitCodes(db, pseudonym_key)

    def keep(self, scheduled: Iterable[ScheduledService], at: datetime) -> Imported:
        """Take over the lines of a file; services it does not name, and codes it does not give, stay as they are."""
        added = changed = unchanged = 0
        self._codes.forget_before(at.date())
        for line in scheduled:
            before = self._shown(self._id(line))
            after = (*(name for _, name in line.names), line.room, line.doctor)
            if before is None:
                self._insert(line, written(at))
                self._keep_code(line)
                added += 1
            elif self._keep_code(line) or before != after:
                self._db.execute(
                    "UPDATE planned_service SET name_kk = ?, name_ru = ?, name_en = ?, room = ?, doctor = ?,"
                    " imported_at = ? WHERE service_id = ?",
                    (*after, written(at), self._id(line)),
                )
                changed += 1
            else:
                unchanged += 1
        return Imported(added, changed, unchanged)

    def on(self, day: date) -> tuple[PlannedService, ...]:
        """All services of a day (by clinic time), in order of their time."""
        return self._read(f"{_SELECT} WHERE day = ? ORDER BY starts_at, planned_service.service_id", day.isoformat())

    def of(self, person: PersonId, day: date) -> tuple[PlannedService, ...]:
        """One person's services of a day, open and confirmed, in order of their time."""
        return self._read(
            f"{_SELECT} JOIN person USING (iin_ref) WHERE person.person_id = ? AND erased_at IS NULL AND day = ?"
            " ORDER BY starts_at, planned_service.service_id",
            person,
            day.isoformat(),
        )

    def expected(self, day: date) -> frozenset[PersonId]:
        """The enrolled people who have a service on a day: the list of a 1:few comparison."""
        with known():
            rows = self._db.execute(
                "SELECT DISTINCT person_id FROM planned_service JOIN person USING (iin_ref)"
                " WHERE day = ? AND erased_at IS NULL",
                (day.isoformat(),),
            ).fetchall()
        return frozenset(PersonId(row[0]) for row in rows)

    def get(self, service: str) -> PlannedService:
        """One service by its id. Raises ServiceUnknown."""
        found = self._read(f"{_SELECT} WHERE planned_service.service_id = ?", service)
        if not found:
            raise ServiceUnknown(f"there is no planned service {service}")
        return found[0]

    def newest(self, count: int) -> tuple[tuple[str, datetime], ...]:
        """Provider and moment of the last confirmed visits, newest first."""
        with known():
            rows = self._db.execute(
                "SELECT provider, confirmed_at FROM visit JOIN planned_service USING (service_id)"
                " WHERE corrected_by IS NULL ORDER BY event_seq DESC LIMIT ?",
                (count,),
            ).fetchall()
        return tuple((provider, datetime.fromisoformat(at)) for provider, at in rows)

    def last_at_the_screen(self) -> tuple[PlannedService, datetime] | None:
        """The youngest service that a patient confirmed, and when; not what reception confirmed or put right."""
        with known():
            row = self._db.execute(
                "SELECT service_id, confirmed_at FROM visit WHERE corrected_by IS NULL"
                " AND event_id NOT IN (SELECT event_id FROM manual_confirmation)"
                " AND event_id NOT IN (SELECT corrected_by FROM visit WHERE corrected_by IS NOT NULL)"
                " ORDER BY event_seq DESC LIMIT 1"
            ).fetchone()
        return None if row is None else (self.get(row[0]), datetime.fromisoformat(row[1]))

    def confirm(self, service: str, person: PersonId | None, event_id: str, event_seq: int, at: datetime) -> None:
        """Record that a service was confirmed by a signed event; until that is corrected, once.

        person: None for a patient who is not enrolled here. Raises ServiceUnknown, also when the service is another
        person's; ServiceConfirmed.
        """
        planned = self.get(service)
        row = self._db.execute(
            "SELECT 1 FROM person WHERE person_id = ? AND iin_ref = ?", (person, planned.patient)
        ).fetchone()
        if person is not None and row is None:
            raise ServiceUnknown(f"service {service} is not planned for person {person}")
        if planned.event is not None:
            raise ServiceConfirmed(f"service {service} was confirmed by event {planned.event}")
        self._db.execute(
            "INSERT INTO visit (service_id, person_id, event_id, event_seq, confirmed_at) VALUES (?, ?, ?, ?, ?)",
            (service, person, event_id, event_seq, written(at)),
        )

    def confirmed_by(self, receipt: str) -> tuple[PlannedService, PersonId | None]:
        """The service that an event confirmed, and who was; while it stands. Raises ReceiptUnknown."""
        with known():
            row = self._db.execute(
                "SELECT service_id, person_id FROM visit WHERE event_id = ? AND corrected_by IS NULL", (receipt,)
            ).fetchone()
        if row is None:
            raise ReceiptUnknown("there is no standing confirmation with this receipt")
        service, person = row
        return self.get(service), None if person is None else PersonId(person)

    def correct(self, receipt: str, event_id: str) -> None:
        """A confirmation does not stand any more; the service is open again. Raises ReceiptUnknown."""
        self.confirmed_by(receipt)
        self._db.execute("UPDATE visit SET corrected_by = ? WHERE event_id = ?", (event_id, receipt))

    def patients(self, day: date) -> dict[str, PersonId]:
        """The enrolled people who have a service on a day, by pseudonym."""
        with known():
            rows = self._db.execute(
                "SELECT DISTINCT iin_ref, person_id FROM planned_service JOIN person USING (iin_ref)"
                " WHERE day = ? AND erased_at IS NULL",
                (day.isoformat(),),
            ).fetchall()
        return {patient: PersonId(person) for patient, person in rows}

    def visits(self, patient: str, most: int = 10) -> tuple[Visit, ...]:
        """A patient's last confirmations, also those that do not stand any more, newest first."""
        with known():
            rows = self._db.execute(
                "SELECT event_id, confirmed_at, name_kk, name_ru, name_en, room, corrected_by FROM visit"
                " JOIN planned_service USING (service_id) WHERE iin_ref = ? ORDER BY event_seq DESC LIMIT ?",
                (patient, most),
            ).fetchall()
        return tuple(
            Visit(receipt, at, (("kk", kk), ("ru", ru), ("en", en)), room, corrected)
            for receipt, at, kk, ru, en, room, corrected in rows
        )

    def of_patient(self, patient: str, day: date) -> tuple[PlannedService, ...]:
        """As `of`, by pseudonym: also of a patient who is not enrolled here."""
        return self._read(
            f"{_SELECT} WHERE day = ? AND iin_ref = ? ORDER BY starts_at, planned_service.service_id",
            day.isoformat(),
            patient,
        )

    def _keep_code(self, line: ScheduledService) -> bool:
        """Keep the code that a line gives; whether it is another one than before."""
        service, who = self._id(line), pseudonym(line.iin, self._pseudonym_key)
        if not line.visit_code or self._codes.knows(service, who, line.day, line.visit_code):
            return False
        self._codes.keep(service, who, line.day, line.visit_code)
        return True

    def _id(self, line: ScheduledService) -> str:
        who = pseudonym(line.iin, self._pseudonym_key)
        parts = (part.encode() for part in (who, line.code, line.provider, _starts_at(line)))
        whole = b"".join(len(part).to_bytes(2) + part for part in parts)
        return hashlib.sha256(whole).hexdigest()[:32]

    def _shown(self, service: str) -> tuple[str, ...] | None:
        row = self._db.execute(
            "SELECT name_kk, name_ru, name_en, room, doctor FROM planned_service WHERE service_id = ?", (service,)
        ).fetchone()
        return None if row is None else tuple(row)

    def _insert(self, line: ScheduledService, at: str) -> None:
        names = (name for _, name in line.names)
        who = pseudonym(line.iin, self._pseudonym_key)
        self._db.execute(
            "INSERT INTO planned_service (service_id, iin_ref, code, name_kk, name_ru, name_en, room, provider, doctor,"
            " day, starts_at, imported_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._id(line), who, line.code, *names, line.room, line.provider, line.doctor),
                *(line.day.isoformat(), _starts_at(line), at),
            ),
        )

    def _read(self, sql: str, *values: str) -> tuple[PlannedService, ...]:
        with known():
            rows = self._db.execute(sql, values).fetchall()
        return tuple(
            PlannedService(
                *(service, patient, code, (("kk", kk), ("ru", ru), ("en", en)), room, provider, starts, event),
                at=at or "",
                doctor=doctor,
            )
            for service, patient, code, kk, ru, en, room, provider, doctor, starts, event, at in rows
        )


def _starts_at(line: ScheduledService) -> str:
    return line.starts.isoformat(timespec="minutes")
