"""A desk at work in a temporary home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk, make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Where the desk lives."""
    return make_home(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    """The desk's clock."""
    return ManualClock()


@pytest.fixture
def desk(home: Home, clock: ManualClock) -> Iterator[WorkingDesk]:
    """The desk's process; everything it left is checked in the end."""
    opened = WorkingDesk(home, clock)
    yield opened
    opened.check_everything()
    opened.close()


@pytest.fixture
def other(home: Home, clock: ManualClock) -> Iterator[WorkingDesk]:
    """Another process of the same desk."""
    opened = WorkingDesk(home, clock)
    yield opened
    opened.close()
