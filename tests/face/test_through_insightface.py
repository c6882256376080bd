"""Packs through the insightface package: its classes vouch for the models, and nobody else pays for the import."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.core.errors import PackInvalid
from appliance.face.laboratory import Laboratory
from appliance.face.pack import Runner, open_pack
from models.acceptance import Acceptances, restricted
from models.manifest import Loader, Model, Task
from models.recipes.build import build, licence_texts
from models.recipes.recipe import Recipe, load

OPENED = """
import sys
from pathlib import Path
from appliance.face.pack import open_pack
open_pack(Path(sys.argv[1]), evaluation=True)
print("insightface" in sys.modules)
"""


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory, upstream: Path) -> Path:
    """The pack `insightface`, made from real weights."""
    root, recipe = tmp_path_factory.mktemp("packs"), load("insightface")
    Acceptances(root).record(restricted(recipe.models, licence_texts(recipe)), "test", "2026-01-31")
    build(recipe, [upstream], root / "insightface", Laboratory())
    return root


def _imports_it(pack: Path) -> str:
    done = subprocess.run([sys.executable, "-c", OPENED, pack], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_other_packs_do_not_import_insightface(pack_path: Path) -> None:
    """In a process of its own: half a second of start-up that a desk does not need."""
    assert _imports_it(pack_path) == "False"


@pytest.mark.upstream
def test_a_pack_that_asks_for_it_is_opened_through_it(packs: Path) -> None:
    """And gives what the same files give without it."""
    assert _imports_it(packs / "insightface") == "True"
    opened = open_pack(packs / "insightface", evaluation=True)
    for runner in (opened.detector, opened.embedder):
        data = (packs / "insightface" / runner.model.file).read_bytes()
        plain = Runner(data, replace(runner.model, loader=Loader.ONNXRUNTIME))
        side = runner.model.input.width or 64
        tensor = np.linspace(-1, 1, 3 * side * side, dtype=np.float32).reshape(1, 3, side, side)
        for ours, theirs in zip(plain.run(tensor), runner.run(tensor), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def _model(recipe: Recipe, task: Task) -> Model:
    return next(model for model in recipe.models if model.task is task)


@pytest.mark.upstream
def test_what_the_package_takes_for_something_else_is_refused(packs: Path) -> None:
    """A detector given as embedder, and an embedder whose pixels the package would feed otherwise."""
    recipe = load("insightface")
    detector, embedder = _model(recipe, Task.DETECT), _model(recipe, Task.EMBED)
    data = {model.task: (packs / "insightface" / model.file).read_bytes() for model in (detector, embedder)}
    with pytest.raises(PackInvalid, match="insightface takes it for SCRFD"):
        Runner(data[Task.DETECT], embedder)
    with pytest.raises(PackInvalid, match="insightface takes it for ArcFaceONNX"):
        Runner(data[Task.EMBED], detector)
    other = replace(embedder, input=replace(embedder.input, mean=(127.5, 127.5, 127.5)))
    with pytest.raises(PackInvalid, match="insightface uses mean 0"):
        Runner(data[Task.EMBED], other)
    with pytest.raises(PackInvalid, match="onnxruntime refuses"):
        Runner(b"nothing", embedder)
