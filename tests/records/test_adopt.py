"""What the reception has comes along to another desk, as far as whoever it is about does."""

from datetime import date, datetime
from pathlib import Path

from appliance.core.operators import Mark, Misses, Role
from appliance.core.types import PersonId
from appliance.records.adopt import adopt
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.schedule import parse_schedule
from appliance.records.vault import Vault
from sync.database import immediate
from tests.fakes.desk import DEVICE, TEMPLATE_KEY, open_records
from tests.fakes.patients import make_iin, make_profile

HEADER = "iin,service_code,service_name_kk,service_name_ru,service_name_en,room,provider,starts\n"
DAY = date(2026, 11, 22)


def test_pins_counts_notes_and_corrections_come_along(records: DeskRecords, at: datetime, tmp_path: Path) -> None:
    """Without the wrong tries; of the erased neither PIN nor note; a corrected visit stays corrected."""
    lines = "".join(f"{make_iin(1).digits},A02.{n},ж,р,e,12,dr-1,2026-11-22 09:3{n}\n" for n in (0, 1))
    with immediate(records.db):
        patient, gone = (records.people.add(make_profile(number), at) for number in (1, 2))
        for person in (patient, gone):
            records.consents.give(person, "2026-1", "kk", GivenBy.PATIENT, at)
        colleague, former = (records.staff.people.add(make_profile(number), at) for number in (8, 9))
        for person in (colleague, former):
            records.operators.put(person, Role.SUPERVISOR, "$argon2id$", at)
        records.operators.miss(colleague, Misses(3, Mark("boot", 12)))
        records.services.keep(parse_schedule((HEADER + lines).encode()), at)
        first, second = records.services.of(patient, DAY)
        records.services.confirm(first.service, patient, "e1", 7, at)
        records.services.correct("e1", "e2")
        records.services.confirm(first.service, None, "e3", 8, at)
        notes: tuple[tuple[str, PersonId | None], ...] = (("e1", patient), ("e2", gone), ("e3", None))
        for event, about in notes:
            records.manual.add(event, "ab" * 32, DAY)
            records.manual.write(event, about, f"note {event}")
        erased = {records.people.reference(gone), records.staff.people.reference(former)}
    new = open_records(tmp_path / "new.db", bytes(32), "desk-2")
    with immediate(new.db):
        adopt(
            new.db,
            records.db,
            Vault(TEMPLATE_KEY, DEVICE),
            Vault(bytes(32), "desk-2"),
            lambda who, _: who in erased,
            at,
        )
    (operator,) = new.operators.all()
    assert (operator.person, operator.role, operator.pin_hash) == (colleague, Role.SUPERVISOR, "$argon2id$")
    assert operator.misses == Misses()
    assert new.manual.counts(DAY) == {"ab" * 32: 3}
    assert [new.manual.note(event) for event in ("e1", "e2", "e3")] == ["note e1", "", "note e3"]
    assert [service.event for service in new.services.of(patient, DAY)] == ["e3", None]
    visits = new.services.visits(first.patient)
    assert [(visit.receipt, visit.corrected) for visit in visits] == [("e3", None), ("e1", "e2")]
    assert second.event is None
    new.db.close()


def test_visits_keep_their_order_from_desk_to_desk(records: DeskRecords, at: datetime, tmp_path: Path) -> None:
    """What is newest stays so; no number of an earlier chain is in the way of the next one's, however many there were.

    Else a desk that took over twice could not record a visit, and looked at the oldest visits to judge the pace.
    """
    lines = "".join(f"{make_iin(1).digits},A02.{n},ж,р,e,12,dr-{n},2026-11-22 09:3{n}\n" for n in range(5))
    vaults = [Vault(TEMPLATE_KEY, DEVICE), Vault(bytes(32), "desk-2"), Vault(bytes([1]) * 32, "desk-3")]
    with immediate(records.db):
        records.services.keep(parse_schedule((HEADER + lines).encode()), at)
        planned = [service.service for service in records.services.on(DAY)]
        records.services.confirm(planned[0], None, "e0", 1, at)
        records.services.confirm(planned[1], None, "e1", 2, at)
        for _ in range(3):
            records.visit_codes.wrong("ab" * 32, DAY)
    desk = records
    for place, number in ((2, 2), (3, 2)):
        new = open_records(tmp_path / f"{place}.db", bytes([place - 2]) * 32, f"desk-{place}")
        with immediate(new.db):
            adopt(new.db, desk.db, vaults[place - 2], vaults[place - 1], lambda *_: False, at)
            new.services.confirm(planned[place], None, f"e{place}", number, at)
        if desk is not records:
            desk.db.close()
        desk = new
    assert [provider for provider, _ in desk.services.newest(3)] == ["dr-3", "dr-2", "dr-1"]
    last = desk.services.last_at_the_screen()
    assert last is not None
    assert last[0].event == "e3"
    assert desk.visit_codes.locked("ab" * 32, DAY)
    desk.db.close()
