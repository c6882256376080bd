"""What comes along from another desk's back-up beside people and visits: codes of the day, and who speaks for whom."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from appliance.core.types import PersonId
from appliance.records.adopt import adopt
from appliance.records.desk import DeskRecords
from appliance.records.schedule import COLUMNS, parse_schedule
from appliance.records.vault import Vault
from sync.database import immediate
from tests.fakes.desk import TEMPLATE_KEY, open_records
from tests.fakes.patients import make_iin, make_profile

TODAY = date(2026, 11, 22)
OLD, NEW = Vault(TEMPLATE_KEY, "desk-0"), Vault(bytes(range(50, 82)), "desk-2")


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[DeskRecords]:
    """The records of the desk that is no more."""
    opened = open_records(tmp_path / "old.db", OLD.template_key, OLD.device)
    yield opened
    opened.db.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[DeskRecords]:
    """The empty records of the desk that takes its place."""
    opened = open_records(tmp_path / "new.db", NEW.template_key, NEW.device)
    yield opened
    opened.db.close()


def taken_over(lost: DeskRecords, fresh: DeskRecords, at: datetime, *gone: int) -> None:
    """Adopt everything but those who were erased since."""
    erased = {lost.people.pseudonym(make_iin(number)) for number in gone}
    with immediate(fresh.db):
        adopt(fresh.db, lost.db, OLD, NEW, lambda patient, _consent: patient in erased, at)


def people(lost: DeskRecords, at: datetime) -> dict[int, PersonId]:
    """A guardian (1) of two children (2, 3), all known here."""
    with immediate(lost.db):
        known = {number: lost.people.add(make_profile(number), at) for number in (1, 2, 3)}
        for child in (2, 3):
            lost.guardians.link(known[1], known[child], at)
    return known


def test_guardians_come_along_unless_one_of_the_two_was_erased(
    lost: DeskRecords, fresh: DeskRecords, at: datetime
) -> None:
    """A link to nobody would be one too many."""
    known = people(lost, at)
    taken_over(lost, fresh, at, 3)
    assert fresh.guardians.children(known[1]) == (known[2],)


def test_the_codes_of_the_day_come_along(lost: DeskRecords, fresh: DeskRecords, at: datetime) -> None:
    """A patient with an SMS checks in at the new desk as well."""
    header = ",".join((*COLUMNS, "code"))
    line = f"{make_iin(1).digits},A02,қабылдау,приём,visit,12,dr-1,{TODAY} 09:30,123456"
    with immediate(lost.db):
        lost.services.keep(parse_schedule(f"{header}\n{line}\n".encode()), at)
    taken_over(lost, fresh, at)
    assert fresh.visit_codes.fits(fresh.people.pseudonym(make_iin(1)), TODAY, "123456")
