"""A home for a desk whose parts fail."""

from pathlib import Path

import pytest

from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Where the desk lives."""
    return make_home(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    """The desk's clock."""
    return ManualClock()
