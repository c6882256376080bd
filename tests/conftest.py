"""Fixtures of all tests: the builtin model pack, built once a session where it is not there yet."""

import os
from pathlib import Path

import pytest

from appliance.face.pack import open_pack
from models.manifest import MANIFEST_NAME
from models.recipes import builtin


@pytest.fixture(scope="session")
def pack_path() -> Path:
    """The builtin pack's folder under $KELDIM_PACKS (default build/packs); fetches its sources when it has to."""
    packs = Path(os.environ.get("KELDIM_PACKS") or Path(__file__).parents[1] / "build" / "packs")
    path = packs / builtin.NAME
    if not (path / MANIFEST_NAME).exists():
        builtin.build(path, open_pack)
    return path
