"""Codes are kept as keyed hashes for their day, judged in constant work, and locked after three wrong tries."""

from datetime import date, datetime
from pathlib import Path

import pytest

from appliance.records.desk import DeskRecords
from appliance.records.schedule import COLUMNS, ScheduledService, parse_schedule
from appliance.records.services import Imported
from appliance.records.vault import code_hash, pseudonym
from appliance.records.visit_codes import MOST_WRONG
from sync.database import immediate
from tests.fakes.desk import PSEUDONYM_KEY, open_readable_records
from tests.fakes.patients import make_iin

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)
PATIENT = pseudonym(make_iin(1), PSEUDONYM_KEY)
OTHER = pseudonym(make_iin(2), PSEUDONYM_KEY)


def line(number: int, code: str, day: date = TODAY, service: str = "A02") -> ScheduledService:
    """One service with a code, or without one."""
    row = f"{make_iin(number).digits},{service},қабылдау,приём,visit,12,dr-1,{day} 09:30,{code}"
    (read,) = parse_schedule(f"{','.join((*COLUMNS, 'code'))}\n{row}\n".encode())
    return read


def keep(records: DeskRecords, at: datetime, *lines: ScheduledService) -> Imported:
    """Import in one transaction."""
    with immediate(records.db):
        return records.services.keep(lines, at)


def test_the_right_code_fits_its_patient_on_its_day(records: DeskRecords, at: datetime) -> None:
    """Nobody else, no other day, no other code; any of several codes."""
    keep(records, at, line(1, "123456"), line(1, "654321", service="B03"), line(2, ""), line(1, "777777", TOMORROW))
    codes = records.visit_codes
    assert codes.fits(PATIENT, TODAY, "123456")
    assert codes.fits(PATIENT, TODAY, "654321")
    for patient, day, code in (
        (PATIENT, TODAY, "123457"),
        (PATIENT, TODAY, ""),
        (PATIENT, TOMORROW, "123456"),
        (OTHER, TODAY, "123456"),
        ("f" * 64, TODAY, "123456"),
    ):
        assert not codes.fits(patient, day, code)


def test_a_new_code_takes_the_place_of_the_old_one(records: DeskRecords, at: datetime) -> None:
    """And counts as a change; the same one, or none, changes nothing."""
    assert keep(records, at, line(1, "123456")) == Imported(1, 0, 0)
    assert keep(records, at, line(1, "123456")) == Imported(0, 0, 1)
    assert keep(records, at, line(1, "")) == Imported(0, 0, 1)
    assert records.visit_codes.fits(PATIENT, TODAY, "123456")
    assert keep(records, at, line(1, "654321")) == Imported(0, 1, 0)
    assert not records.visit_codes.fits(PATIENT, TODAY, "123456")
    assert records.visit_codes.fits(PATIENT, TODAY, "654321")


def test_three_wrong_codes_lock_a_patient_for_the_day(records: DeskRecords) -> None:
    """That patient, on that day."""
    for tries in range(MOST_WRONG):
        assert not records.visit_codes.locked(PATIENT, TODAY), tries
        with immediate(records.db):
            records.visit_codes.wrong(PATIENT, TODAY)
    assert records.visit_codes.locked(PATIENT, TODAY)
    assert not records.visit_codes.locked(PATIENT, TOMORROW)
    assert not records.visit_codes.locked(OTHER, TODAY)


def test_codes_and_counts_go_with_their_day(records: DeskRecords, at: datetime) -> None:
    """With the next import."""
    keep(records, at, line(1, "123456"), line(2, "222222", TOMORROW))
    with immediate(records.db):
        records.visit_codes.wrong(PATIENT, TODAY)
    keep(records, at.replace(day=23))
    assert not records.visit_codes.fits(PATIENT, TODAY, "123456")
    assert records.visit_codes.fits(OTHER, TOMORROW, "222222")
    assert records.db.execute("SELECT count(*) FROM wrong_code").fetchone()[0] == 0


def test_no_code_lies_in_the_database(tmp_path: Path, at: datetime) -> None:
    """Nor a hash of it that could be looked up without the key, or compared between patients and days."""
    desk = open_readable_records(tmp_path / "desk.db")
    keep(desk, at, line(1, "918273"), line(2, "918273"), line(1, "918273", TOMORROW))
    hashes = {row[0] for row in desk.db.execute("SELECT code_hash FROM visit_code").fetchall()}
    desk.db.close()
    assert len(hashes) == 3
    assert not any(b"918273" in file.read_bytes() for file in tmp_path.iterdir())
    assert code_hash("918273", PATIENT, TODAY, bytes(32)) not in hashes


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "١٢٣٤٥٦", "12 345"])
def test_a_code_is_six_digits(code: str) -> None:
    """Anything else is a broken export, told without repeating it."""
    with pytest.raises(Exception, match="line 2: code is not six digits") as raised:
        line(1, code)
    assert code not in str(raised.value)
