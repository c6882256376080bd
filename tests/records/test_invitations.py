"""A wish of the reception is taken up once, soon or never."""

from datetime import datetime, timedelta, timezone

from appliance.records.desk import DeskRecords
from appliance.records.invitations import VALID
from sync.database import immediate

AT = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=5)))


def test_a_wish_is_taken_up_once(records: DeskRecords) -> None:
    """Two presses are one wish; the next is a new one."""
    assert not records.invitations.waiting(AT)
    with immediate(records.db):
        records.invitations.add(AT)
        records.invitations.add(AT)
    assert records.invitations.waiting(AT)
    with immediate(records.db):
        records.invitations.take(AT)
    assert not records.invitations.waiting(AT)
    with immediate(records.db):
        records.invitations.add(AT)
    assert records.invitations.waiting(AT)


def test_a_wish_is_over_after_half_a_minute(records: DeskRecords) -> None:
    """Also when the clock was set back meanwhile: whoever comes then is somebody else."""
    with immediate(records.db):
        records.invitations.add(AT)
    assert records.invitations.waiting(AT + VALID)
    late = timedelta(seconds=1)
    assert not records.invitations.waiting(AT + VALID + late)
    assert not records.invitations.waiting(AT - VALID - late)
