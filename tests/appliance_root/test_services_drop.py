"""A file that is dropped is taken once, when it is whole, and moved aside; a refused one tells why beside it."""

from pathlib import Path

import pytest

from appliance.core.errors import ServicesFileInvalid
from appliance.services_drop import ServicesDrop, Taken
from sync.errors import DatabaseFailure


def keep(content: bytes) -> str:
    """As a desk does: refuses what it cannot read."""
    if content == b"bad":
        raise ServicesFileInvalid("line 2: iin is empty")
    return f"{len(content)} new"


def looked(drop: ServicesDrop) -> list[Taken]:
    """One look."""
    return list(drop.look(keep))


def test_a_file_is_taken_when_it_has_stood_still(tmp_path: Path) -> None:
    """Not while it grows; then once, and it is gone."""
    drop, file = ServicesDrop(tmp_path), tmp_path / "a.csv"
    file.write_bytes(b"x")
    assert looked(drop) == []
    file.write_bytes(b"xy")
    assert looked(drop) == []
    assert looked(drop) == [Taken("a.csv", True, "2 new")]
    assert looked(drop) == []
    assert (tmp_path / "done" / "a.csv").read_bytes() == b"xy"


def test_a_refused_file_lies_beside_its_reasons(tmp_path: Path) -> None:
    """And the next one is taken all the same."""
    drop = ServicesDrop(tmp_path)
    (tmp_path / "b.json").write_bytes(b"bad")
    (tmp_path / "c.CSV").write_bytes(b"good")
    looked(drop)
    assert {taken.name: taken.kept for taken in looked(drop)} == {"b.json": False, "c.CSV": True}
    assert (tmp_path / "refused" / "b.json.txt").read_text() == "line 2: iin is empty\n"


def test_the_same_name_every_day_loses_no_file(tmp_path: Path) -> None:
    """Each gets a name of its own among the done ones."""
    drop = ServicesDrop(tmp_path)
    for day in ("mon", "tue", "wed"):
        (tmp_path / "list.csv").write_text(day)
        looked(drop)
        looked(drop)
    assert {each.read_text() for each in (tmp_path / "done").iterdir()} == {"mon", "tue", "wed"}


def test_other_files_stay(tmp_path: Path) -> None:
    """Hidden ones, folders and what is neither list."""
    for name in (".a.csv", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.csv").mkdir()
    drop = ServicesDrop(tmp_path)
    assert looked(drop) + looked(drop) == []


def test_a_desk_that_cannot_keep_it_leaves_it_there(tmp_path: Path) -> None:
    """A full disk is no fault of the file: it is taken later."""
    drop, file = ServicesDrop(tmp_path), tmp_path / "a.csv"
    file.write_bytes(b"x")
    looked(drop)

    def fail(content: bytes) -> str:
        raise DatabaseFailure(f"no room for {len(content)} bytes")

    with pytest.raises(DatabaseFailure):
        list(drop.look(fail))
    assert file.exists()
    looked(drop)
    assert [taken.kept for taken in looked(drop)] == [True] or not file.exists()
