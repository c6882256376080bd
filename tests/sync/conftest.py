"""Fixtures of the sync tests."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.home import Home
from tests.fakes.documents import make_fund_home
from tests.fakes.sync_desk import SyncDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SyncDesk]:
    """A desk without events, with a fund in memory."""
    desk = SyncDesk.create(tmp_path)
    yield desk
    with contextlib.suppress(Exception):
        desk.db.close()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fund, not to be changed."""
    return make_fund_home(tmp_path_factory.mktemp("fund")).root


@pytest.fixture
def fund(tmp_path: Path, founded: Path) -> Path:
    """A copy of the fund."""
    shutil.copytree(founded, tmp_path / "fund")
    return tmp_path / "fund"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Where the desk will live."""
    return Home(tmp_path / "a" / "desk")
