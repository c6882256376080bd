"""A desk's records in a temporary encrypted database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.records.desk import DeskRecords
from tests.fakes.desk import open_records


@pytest.fixture
def at() -> datetime:
    """When everything happens."""
    return datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[DeskRecords]:
    """The records of one desk."""
    desk = open_records(tmp_path / "desk.db")
    yield desk
    desk.db.close()
