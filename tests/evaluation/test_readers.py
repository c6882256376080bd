"""Readers: each layout from its folders alone, people as numbers, and what is expected told when nothing fits."""

import json
from pathlib import Path

import pytest

from appliance.core.errors import DatasetUnknown
from appliance.evaluation.datasets import Species, Subject
from appliance.evaluation.readers import read_sets


def _touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def _lfw(root: Path, pairs: str) -> Path:
    _touch(root, *(f"images/{who}/{who}_000{n}.jpg" for who in ("Ann", "Bob", "Cid", "Robert") for n in (1, 2)))
    (root / "pairs.txt").write_text(pairs, encoding="utf-8")
    return root


PAIRS = "Ann\t1\t2\nBob\t1\t2\nAnn\t1\tBob\t2\nCid\t1\t2\nEve\t1\t2\nCid\t1\tAnn\t1\n"
"""Two folds; of one pair the pictures are not there."""


def test_lfw_is_read_with_its_pairs_and_folds(tmp_path: Path) -> None:
    """A fold begins where a matched pair follows a mismatched one; missing pictures are counted."""
    (found,) = read_sets(_lfw(tmp_path / "lfw", PAIRS))
    assert (found.name, found.people, len(found.pictures), found.subject) == ("lfw", 4, 8, Subject.MIDDLE)
    assert [(pair.same, pair.fold) for pair in found.pairs] == [
        (True, 0), (True, 0), (False, 0), (True, 1), (False, 1),
    ]  # fmt: skip
    assert found.absent == 1
    assert found.pictures[found.pairs[2].one].path.name == "Ann_0001.jpg"


def test_the_head_of_the_full_list_is_no_pair(tmp_path: Path) -> None:
    """`10 300` in the first line tells folds and pairs."""
    (found,) = read_sets(_lfw(tmp_path / "lfw", "10\t300\n" + PAIRS))
    assert len(found.pairs) == 5


def test_label_errors_are_left_out_and_names_of_one_person_joined(tmp_path: Path) -> None:
    """Whatever other keys the list has."""
    root = _lfw(tmp_path / "lfw", PAIRS)
    noise = {"drop_images_official": ["Ann_0002", "Gone_0001"], "same_person_alias_ours": [["Bob", "Robert"]]}
    (root / "label_noise.json").write_text(json.dumps(noise), encoding="utf-8")
    (found,) = read_sets(root)
    assert [found.pictures[place].path.name for place in found.noise] == ["Ann_0002.jpg"]
    assert found.people == 3
    person = {picture.path.name: picture.person for picture in found.pictures}
    assert person["Bob_0001.jpg"] == person["Robert_0002.jpg"] != person["Cid_0001.jpg"]


@pytest.mark.parametrize(
    ("name", "text"), [("pairs.txt", "Ann 1\n"), ("label_noise.json", "[]"), ("label_noise.json", "{")]
)
def test_a_damaged_list_is_told(tmp_path: Path, name: str, text: str) -> None:
    """With its file's name."""
    root = _lfw(tmp_path / "lfw", PAIRS)
    (root / name).write_text(text, encoding="utf-8")
    with pytest.raises(DatasetUnknown, match=name):
        read_sets(root)


def test_one_folder_for_each_person_is_read(tmp_path: Path) -> None:
    """Other files and empty folders are passed over; the desk's choice of face."""
    _touch(tmp_path / "staff", "a/1.jpg", "a/2.PNG", "a/notes.txt", "b/1.jpeg", "c/readme.md")
    (found,) = read_sets(tmp_path / "staff")
    assert (found.name, found.people, len(found.pictures), found.subject) == ("staff", 2, 3, Subject.LARGEST)
    assert [picture.person for picture in found.pictures] == [0, 0, 1]
    assert not found.presents


def test_folders_of_sessions_tell_the_days_apart(tmp_path: Path) -> None:
    """Numbered in order of their names, since a folder may bear a date; other folders are passed over."""
    _touch(tmp_path / "own", "p1/session-2026-01-05/a.jpg", "p1/session-2026-02-01/b.jpg", "p1/raw/c.jpg", "p2/d.jpg")
    (found,) = read_sets(tmp_path / "own")
    assert [(picture.person, picture.session) for picture in found.pictures] == [(0, "1"), (0, "2"), (1, "")]


def test_nuaa_tells_sessions_and_prints(tmp_path: Path) -> None:
    """Frames of one person and session stay together, in order of their numbers."""
    live, fake = "ClientRaw/0002/0002_00_05_{}_{}.jpg", "ImposterRaw/0002/0002_01_00_01_{}.jpg"
    _touch(tmp_path / "nuaa", live.format("02", 9), live.format("01", 10), live.format("01", 9), fake.format(3))
    _touch(tmp_path / "nuaa", "ImposterRaw/0016/0016_01_00_03_1.jpg")
    (found,) = read_sets(tmp_path / "nuaa")
    told = [(p.species, p.person, p.session, p.order) for p in found.pictures]
    assert told == [
        (Species.LIVE, 0, "01", 9), (Species.LIVE, 0, "01", 10), (Species.LIVE, 0, "02", 9),
        (Species.PRINT, 0, "01", 3), (Species.PRINT, 1, "03", 1),
    ]  # fmt: skip
    assert (found.people, found.people_name, found.presents) == (2, "nuaa-live", True)
    _touch(tmp_path / "nuaa", "ClientRaw/0002/other.jpg")
    with pytest.raises(DatasetUnknown, match=r"other\.jpg"):
        read_sets(tmp_path / "nuaa")


def test_clips_are_told_by_name_or_by_folder(tmp_path: Path) -> None:
    """Sessions are numbers, since a file may bear a name; a type of attack nobody knows is `other`."""
    _touch(tmp_path / "one", "jane_real.mp4", "jane_fake.mp4")
    _touch(tmp_path / "two", "live/a.mp4", "attack/print/b.mp4", "attack/doll/c.avi")
    one, two = read_sets(tmp_path)
    assert sorted((clip.species.value, clip.session) for clip in one.clips) == [("live", "2"), ("replay", "1")]
    assert sorted(clip.species.value for clip in two.clips) == ["live", "other", "print"]
    _touch(tmp_path / "one", "what.mp4")
    with pytest.raises(DatasetUnknown, match=r"what\.mp4"):
        read_sets(tmp_path / "one")


def test_a_folder_of_several_sets_gives_each(tmp_path: Path) -> None:
    """In order of name; what is none is passed over."""
    _touch(tmp_path, "casia/1/a.png", "casia/2/b.png", "spot_checks/deep/er/x.jpg", "README.md")
    _lfw(tmp_path / "lfw", PAIRS)
    assert [found.name for found in read_sets(tmp_path)] == ["casia-facev5", "lfw"]


def test_an_unknown_layout_is_told_what_is_expected(tmp_path: Path) -> None:
    """All of the known ones; and a folder that is not there is told as such."""
    _touch(tmp_path / "mess", "1.jpg")
    with pytest.raises(DatasetUnknown, match="ClientRaw"):
        read_sets(tmp_path / "mess")
    with pytest.raises(DatasetUnknown, match="no such folder"):
        read_sets(tmp_path / "none")
