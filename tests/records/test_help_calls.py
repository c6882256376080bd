"""Who waits for reception, in order, and for how long a call stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from appliance.records.desk import DeskRecords
from appliance.records.help_calls import PATIENCE
from sync.database import immediate
from tests.fakes.desk import open_records

AT = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=5)))
ALI, BOTA = "a" * 64, "b" * 64


@pytest.fixture
def records(tmp_path: Path) -> Iterator[DeskRecords]:
    """The records of a desk."""
    opened = open_records(tmp_path / "desk.db")
    yield opened
    opened.db.close()


def call(records: DeskRecords, patient: str | None, at: datetime = AT, *, claimed: bool = False) -> int:
    """Call in a transaction of its own."""
    with immediate(records.db):
        return records.help_calls.add(patient, at, claimed=claimed)


def test_calls_wait_in_order_until_they_are_answered(records: DeskRecords) -> None:
    """Each is told its place; an answer moves up those behind."""
    assert [call(records, ALI), call(records, None), call(records, BOTA, claimed=True)] == [1, 2, 3]
    first, second, third = records.help_calls.waiting(AT)
    assert [(c.patient, c.claimed) for c in (first, second, third)] == [(ALI, False), (None, False), (BOTA, True)]
    with immediate(records.db):
        records.help_calls.answer(first.number, AT)
        records.help_calls.answer(first.number, AT + timedelta(minutes=1))
    assert [c.number for c in records.help_calls.waiting(AT)] == [second.number, third.number]
    assert call(records, ALI) == 3


def test_who_calls_again_keeps_the_place(records: DeskRecords) -> None:
    """A patient once; of strangers nobody knows whether they are the same."""
    assert [call(records, ALI), call(records, BOTA), call(records, ALI)] == [1, 2, 1]
    assert [call(records, None), call(records, None)] == [3, 4]


def test_a_call_that_nobody_answers_ends_by_itself(records: DeskRecords) -> None:
    """After the patience, also when the clock was set back meanwhile."""
    call(records, ALI)
    assert records.help_calls.waiting(AT + PATIENCE)
    assert not records.help_calls.waiting(AT + PATIENCE + timedelta(seconds=1))
    assert not records.help_calls.waiting(AT - PATIENCE - timedelta(seconds=1))


def test_calls_of_former_days_are_not_read(records: DeskRecords) -> None:
    """Those nobody answered stay in the table; the reception, which asks every two seconds, does not read them."""
    with immediate(records.db):
        for hours in range(5000, 0, -1):
            records.db.execute(
                "INSERT INTO help_call (claimed, called_at) VALUES (0, ?)", ((AT - timedelta(hours=hours)).isoformat(),)
            )
    assert call(records, ALI) == 1
    steps: list[None] = []
    records.db.conn.set_progress_handler(lambda: steps.append(None), 100)
    waiting = records.help_calls.waiting(AT)
    records.db.conn.set_progress_handler(None, 100)
    assert [each.patient for each in waiting] == [ALI]
    assert len(steps) < 100, "a table of 5000 that is read whole takes 400 times a hundred steps of the database"


def test_a_call_is_not_printed(records: DeskRecords) -> None:
    """It says who is in the clinic."""
    call(records, ALI)
    assert ALI not in repr(records.help_calls.waiting(AT))
