"""Fixtures of the sync tests."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sync_desk import SyncDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[SyncDesk]:
    """A desk without events, with a fund in memory."""
    desk = SyncDesk.create(tmp_path)
    yield desk
    with contextlib.suppress(Exception):
        desk.db.close()
