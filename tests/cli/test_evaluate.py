"""keldim evaluate: real faces through a real pack; the report, the calibration it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from appliance.core.errors import CacheUnusable, CardUnmarked, DatasetUnknown, ReportUnwritable
from appliance.demo.cast import PATIENTS, STRANGER, photograph
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from models.calibration import parse_calibration
from models.errors import PackUnknown
from tests.cli.terminal import Outcome, keldim


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory, eyes: FacePipeline) -> Path:
    """The portraits that come with installed packages: eight people, each cut out large, dimmer and slanted."""
    root = tmp_path_factory.mktemp("faces") / "staff"
    for number, picture in enumerate((*(role.picture for role in PATIENTS), STRANGER)):
        model = photograph(picture, eyes)
        (x, y), side = model.face.box.centre, max(model.face.box.w, model.face.box.h)
        top, left = max(0, int(y - side)), max(0, int(x - side))
        cut = model.photo.pixels[top : int(y + side), left : int(x + side)]
        cut = np.asarray(cv2.resize(cut, (240, round(240 * cut.shape[0] / cut.shape[1]))), np.uint8)
        turned = cv2.warpAffine(
            cut, cv2.getRotationMatrix2D((120, 120), 6, 1), cut.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
        )
        folder = root / f"Sekretova_{number}"
        folder.mkdir(parents=True)
        for name, look in (("plain", cut), ("dim", (cut * 0.6).astype("uint8")), ("turned", turned)):
            cv2.imwrite(str(folder / f"{name}.png"), look)
    (root / "Sekretova_0" / "torn.png").write_bytes((root / "Sekretova_0" / "plain.png").read_bytes()[:500])
    return root


def _evaluate(packs: Path, faces: Path, out: Path, *more: object) -> Outcome:
    return keldim("--packs", packs, "evaluate", "--pack", "builtin", "--dataset", faces, "--out", out, *more)


def test_real_faces_give_a_report_and_a_calibration(pack_path: Path, faces: Path, tmp_path: Path) -> None:
    """Eight people, three looks: every one is told from the others, the torn file is counted, nobody is named."""
    done = _evaluate(pack_path.parent, faces, tmp_path / "out", "--calibrate", "--protocol", "pairs", "--json")
    assert done.code == 0, done.err
    document = json.loads((tmp_path / "out" / "evaluation.json").read_bytes())
    assert document == done.json
    (counts,) = document["counts"]
    assert (counts["people"], counts["pictures"], counts["unreadable"], counts["no_face"]) == (8, 25, 1, 0)
    (pairs,) = document["pairs"]
    assert (pairs["genuine"], pairs["impostor"]) == (24, 252)
    assert pairs["curve"]["eer"] < 0.05
    calibration = parse_calibration((tmp_path / "out" / "calibration.json").read_bytes())
    assert calibration.cohorts[0].people == 8
    told = done.out + done.err + "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "out").iterdir())
    assert "Sekretova" not in told


def test_a_recipe_gets_calibration_and_figures(pack_path: Path, faces: Path, tmp_path: Path) -> None:
    """The card keeps its words; a card without a place for figures is refused before anything is written there."""
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    (recipe / "card.md").write_text("# Card\n<!-- figures:begin -->\n<!-- figures:end -->\nlimits\n", encoding="utf-8")
    run = ("--protocol", "pairs", "--write", recipe)
    done = _evaluate(pack_path.parent, faces, tmp_path / "out", *run)
    assert done.code == 0, done.err
    assert "| staff | 8 | 25 |" in (recipe / "card.md").read_text(encoding="utf-8")
    assert parse_calibration((recipe / "calibration.json").read_bytes()).cohorts[0].name == "staff"
    (recipe / "calibration.json").unlink()
    (recipe / "card.md").write_text("# Card\n", encoding="utf-8")
    assert _evaluate(pack_path.parent, faces, tmp_path / "out", *run).code == CardUnmarked.exit_code
    assert not (recipe / "calibration.json").exists()


def test_a_cache_is_warned_of(pack_path: Path, faces: Path, tmp_path: Path) -> None:
    """Embeddings on disk are biometric data, and the command says so in plain words."""
    run = ("--protocol", "pairs", "--cache", tmp_path / "cache")
    first = _evaluate(pack_path.parent, faces, tmp_path / "out", *run)
    assert "biometric data" in first.err
    assert "report:" in first.out
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(b"torn")
    assert _evaluate(pack_path.parent, faces, tmp_path / "out", *run).code == CacheUnusable.exit_code


def test_what_cannot_be_evaluated_is_told(pack_path: Path, faces: Path, tmp_path: Path) -> None:
    """A layout nobody knows, a pack that is not there, a folder that cannot be written to."""
    assert _evaluate(pack_path.parent, tmp_path, tmp_path / "out").code == DatasetUnknown.exit_code
    unknown = keldim("--packs", pack_path.parent, "evaluate", "--pack", "none", "--dataset", faces)
    unknown.failed_with(PackUnknown)
    (tmp_path / "file").write_bytes(b"")
    blocked = _evaluate(pack_path.parent, faces, tmp_path / "file" / "out", "--protocol", "pairs")
    assert blocked.code == ReportUnwritable.exit_code
