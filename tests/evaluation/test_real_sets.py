"""On real pictures: the builtin pack's calibration is measured again, and a printed photo does not get in."""

from pathlib import Path

import pytest

from appliance.core.policy import Policy
from appliance.evaluation.evaluate import Order, Protocol, evaluate
from appliance.evaluation.measuring import Forgetful, Instruments
from appliance.evaluation.readers import read_sets
from appliance.evaluation.results import Evaluation
from appliance.face.laboratory import Laboratory
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from models.recipes.build import build
from models.recipes.recipe import load


def _evaluate(pack_path: Path, folder: Path, protocol: Protocol, *, calibrate: bool) -> Evaluation:
    pack = open_pack(pack_path, evaluation=True)
    policy = Policy()
    order = Order(frozenset({protocol}), policy, "2026-01-31", "keldim", calibrate=calibrate)
    tools = Instruments(FacePipeline(pack), policy.gate, live=bool(pack.pads))
    return evaluate(pack, read_sets(folder), tools, Forgetful(), order, lambda what, done, of: None)  # noqa: ARG005


@pytest.mark.evaluation
def test_the_builtin_calibration_is_measured_again(evaluation: Path, pack_path: Path) -> None:
    """CASIA-FaceV5 through the builtin pack gives what its calibration says, within rounding."""
    found = _evaluate(pack_path, evaluation / "casia", Protocol.PAIRS, calibrate=True)
    assert found.calibration is not None
    (again,) = found.calibration.cohorts
    carried = open_pack(pack_path).measured
    before = next(cohort for cohort in carried.cohorts if cohort.name == again.name)
    assert (again.people, again.images) == (before.people, before.images)
    assert again.impostor.count == before.impostor.count
    for rate in (1e-2, 1e-3, 1e-5):
        assert again.impostor.score_at(rate) == pytest.approx(before.impostor.score_at(rate), abs=3e-4)
    for threshold in (0.95, 0.96, 0.97):
        assert again.genuine.fnmr_at(threshold) == pytest.approx(before.genuine.fnmr_at(threshold), abs=0.01)
    assert again.margin == pytest.approx(before.margin, abs=2e-3)


@pytest.mark.evaluation
@pytest.mark.upstream
def test_a_printed_photo_does_not_get_in(evaluation: Path, upstream: Path, tmp_path: Path) -> None:
    """Two people of NUAA before the `open` pack as it is carried: prints match and are refused, people are not."""
    for kind in ("ClientRaw", "ImposterRaw"):
        for person in ("0004", "0006"):
            folder = tmp_path / "nuaa" / kind / person
            folder.mkdir(parents=True)
            for session in ("01", "03"):
                for file in sorted((evaluation / "nuaa" / kind / person).glob(f"????_??_??_{session}_*"))[:8]:
                    (folder / file.name).symlink_to(file)
    build(load("open"), [upstream], tmp_path / "packs" / "open", Laboratory())
    found = _evaluate(tmp_path / "packs" / "open", tmp_path / "nuaa", Protocol.PAD, calibrate=False)
    assert found.attacks is not None
    assert not found.own
    printed = next(row for row in found.attacks.end_to_end if row.attack)
    assert printed.matched.value > 0.9
    assert printed.accepted.errors == 0
    living = [group for group in found.attacks.groups if not group.attack]
    assert living
    assert all(group.refused.errors == 0 for group in living)
