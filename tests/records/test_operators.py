"""Who may sign in, and what they missed."""

from datetime import datetime

import pytest

from appliance.core.errors import OperatorUnknown
from appliance.core.operators import Mark, Misses, Role
from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from sync.database import immediate
from tests.fakes.patients import make_profile


def test_a_row_is_what_was_put(records: DeskRecords, at: datetime) -> None:
    """A new PIN takes the place of the old one and forgets what was missed before it."""
    with immediate(records.db):
        person = records.staff.people.add(make_profile(1), at)
        records.operators.put(person, Role.RECEPTIONIST, "first", at)
        records.operators.miss(person, Misses(3, Mark("boot", 12)))
    kept = records.operators.get(person)
    assert (kept.role, kept.pin_hash, kept.misses) == (Role.RECEPTIONIST, "first", Misses(3, Mark("boot", 12)))
    with immediate(records.db):
        records.operators.put(person, Role.SUPERVISOR, "second", at)
    (again,) = records.operators.all()
    assert (again.role, again.pin_hash, again.misses) == (Role.SUPERVISOR, "second", Misses())


def test_who_is_erased_signs_in_no_more(records: DeskRecords, at: datetime) -> None:
    """The row goes with the data key."""
    with immediate(records.db):
        person = records.staff.people.add(make_profile(1), at)
        records.operators.put(person, Role.IT, "hash", at)
        records.staff.people.erase(person, at)
    assert records.operators.all() == ()
    with pytest.raises(OperatorUnknown):
        records.operators.get(person)
    with pytest.raises(OperatorUnknown):
        records.operators.get(PersonId("nobody"))
