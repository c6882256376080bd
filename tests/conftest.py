"""Fixtures of all tests: the builtin model pack, and the folders a machine may or may not have (`folders`)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.face.laboratory import Laboratory
from models.manifest import MANIFEST_NAME
from models.recipes.build import build
from models.recipes.recipe import load
from models.upstream import obtain
from tests.fakes.downloads import NoDownloads
from tests.folders import (
    evaluation,
    pytest_collection,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
    upstream,
)

__all__ = [
    "evaluation",
    "pytest_collection",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "upstream",
]


@pytest.fixture(scope="module")
def uncounted() -> Iterator[None]:
    """No lines are counted in the programs that a module starts.

    Of a module, as what starts them: of the session it would last into the tests of other folders.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.fixture(scope="session")
def pack_path() -> Path:
    """The builtin pack's folder under $KELDIM_PACKS (default build/packs); fetches its sources when it has to."""
    packs = Path(os.environ.get("KELDIM_PACKS") or Path(__file__).parents[1] / "build" / "packs")
    path = packs / "builtin"
    if not (path / MANIFEST_NAME).exists():
        recipe, cache = load("builtin"), packs / ".upstream"
        obtain(recipe.published, [], cache, NoDownloads())
        build(recipe, [cache], path, Laboratory())
    return path
