"""Acceptance of licences: by text, with who and when; what is not accepted stays missing."""

import json
from pathlib import Path

import pytest

from models.acceptance import FILE_NAME, Acceptance, Acceptances, Restricted, restricted
from models.errors import PackDamaged, PackUnwritable
from tests.models.manifests import insightface_models, zoo_models

TEXTS = {"licence.txt": b"for research only\n"}
LICENCE = Restricted("LicenseRef-InsightFace-models", TEXTS["licence.txt"])


def test_only_licences_that_do_not_allow_everything_are_asked_for() -> None:
    """Each once, however many models have it."""
    assert restricted(insightface_models(), TEXTS) == (LICENCE,)
    assert restricted(zoo_models(), TEXTS) == ()


def test_what_was_accepted_is_kept(tmp_path: Path) -> None:
    """With who and when; a second time adds nothing."""
    kept = Acceptances(tmp_path / "packs")
    assert kept.missing([LICENCE]) == (LICENCE,)
    kept.record([LICENCE], "operator", "2026-01-31T12:00:00+05:00")
    kept.record([LICENCE], "somebody else", "2026-02-01T12:00:00+05:00")
    accepted = Acceptance(LICENCE.licence, LICENCE.sha256, "operator", "2026-01-31T12:00:00+05:00")
    assert Acceptances(tmp_path / "packs").read() == (accepted,)
    assert kept.missing([LICENCE]) == ()
    assert [path.name for path in (tmp_path / "packs").iterdir()] == [FILE_NAME]


def test_another_text_is_another_licence(tmp_path: Path) -> None:
    """Whatever it is called."""
    kept = Acceptances(tmp_path)
    kept.record([LICENCE], "operator", "2026-01-31")
    changed = Restricted(LICENCE.licence, b"for research only, and pay\n")
    assert kept.missing([LICENCE, changed]) == (changed,)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"format": 2, "accepted": []}', '{"format": 1}', '{"format": 1, "accepted": [{"licence": "x"}]}'],
)
def test_a_file_that_is_not_ours_accepts_nothing(tmp_path: Path, content: str) -> None:
    """It is named, and not taken for a yes."""
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(PackDamaged, match=FILE_NAME):
        Acceptances(tmp_path).missing([LICENCE])


def test_an_unknown_field_is_refused(tmp_path: Path) -> None:
    """As everywhere."""
    kept = Acceptances(tmp_path)
    kept.record([LICENCE], "operator", "2026-01-31")
    document = json.loads((tmp_path / FILE_NAME).read_text())
    document["accepted"][0]["note"] = "x"
    (tmp_path / FILE_NAME).write_text(json.dumps(document))
    with pytest.raises(PackDamaged, match="note"):
        kept.read()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Nothing counts as accepted that is not kept."""
    (tmp_path / "packs").write_text("mine")
    with pytest.raises(PackDamaged, match="cannot be read"):
        Acceptances(tmp_path / "packs").record([LICENCE], "operator", "2026-01-31")
    (tmp_path / "folder").symlink_to(tmp_path / "gone" / "gone")
    with pytest.raises(PackUnwritable, match="cannot be written"):
        Acceptances(tmp_path / "folder").record([LICENCE], "operator", "2026-01-31")
