"""Files that are there whole or not at all."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.durable import create_file, replace_file


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    """And leaves nothing behind."""
    create_file(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a", b"second")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"first")]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_replaced_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    """A disk that takes no more leaves the old one, and no rest of the new one."""
    replace_file(tmp_path / "a", b"old")
    with small_disk(1000), pytest.raises(OSError, match="too large"):
        replace_file(tmp_path / "a", b"n" * 100_000)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("before", [None, 0o600, 0o666])
def test_a_file_others_may_read_is_of_that_mode_whatever_was_there(tmp_path: Path, before: int | None) -> None:
    """Neither the mode of a temporary file nor that of an older one."""
    path = tmp_path / "file"
    if before is not None:
        path.touch(before)
    replace_file(path, b"new", 0o640)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    """The attempt leaves nothing behind."""
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
