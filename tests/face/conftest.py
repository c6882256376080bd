"""The builtin pack, opened once for all tests of this folder."""

from pathlib import Path

import pytest

from appliance.face.pack import Pack, open_pack
from appliance.face.pipeline import FacePipeline


@pytest.fixture(scope="session")
def pack(pack_path: Path) -> Pack:
    """The builtin pack."""
    return open_pack(pack_path)


@pytest.fixture(scope="session")
def pipeline(pack: Pack) -> FacePipeline:
    """The pipeline at its default size."""
    return FacePipeline(pack)
