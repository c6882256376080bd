"""The store: a pack is read whole and verified, or not at all; a new one takes its place only when checked."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from models.calibration import CALIBRATION_NAME, Calibration, write_calibration
from models.errors import PackDamaged, PackUnknown, PackUnwritable
from models.manifest import MANIFEST_NAME, DetectSpec, Manifest, pack_digest
from models.manifest_document import write_manifest
from models.store import PackStore, read_pack, staged
from tests.models.manifests import calibration, insightface_models, manifest_of, write_pack, zoo_models

NAMES = sorted({MANIFEST_NAME, CALIBRATION_NAME, "scrfd.onnx", "arcface.onnx", "licence.txt", "golden.npz", "card.md"})


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack that is whole as files."""
    write_pack(tmp_path / "packs" / "example", insightface_models())
    return tmp_path / "packs" / "example"


def test_a_whole_pack_is_read(pack: Path) -> None:
    """Every file, under the digest of its manifest."""
    contents = read_pack(pack)
    assert contents.digest == pack_digest((pack / MANIFEST_NAME).read_bytes())
    assert set(contents.files) | {MANIFEST_NAME} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_file_is_named(pack: Path, name: str) -> None:
    """One byte less is enough."""
    path = pack / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PackDamaged, match=name):
        read_pack(pack)


@pytest.mark.parametrize("name", NAMES)
def test_an_altered_file_is_named(pack: Path, name: str) -> None:
    """One bit is enough."""
    path = pack / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(PackDamaged, match=name):
        read_pack(pack)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(pack: Path, name: str) -> None:
    """Whichever it is."""
    (pack / name).unlink()
    with pytest.raises(PackDamaged, match=name):
        read_pack(pack)


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_file_is_named(pack: Path, name: str) -> None:
    """Refused by its size before it is read."""
    with (pack / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(PackDamaged, match=name):
        read_pack(pack)


@pytest.mark.parametrize("name", NAMES)
def test_a_link_or_a_folder_is_no_file_of_a_pack(pack: Path, name: str, tmp_path: Path) -> None:
    """What is behind a link can change at any time."""
    (pack / name).rename(tmp_path / "elsewhere")
    (pack / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackDamaged, match=f"{name}: not a plain file"):
        read_pack(pack)
    (pack / name).unlink()
    (pack / name).mkdir()
    with pytest.raises(PackDamaged, match=name):
        read_pack(pack)


def test_an_unexpected_file_is_named(pack: Path) -> None:
    """Nothing lies in a pack that its manifest does not know."""
    (pack / "extra.onnx").write_bytes(b"x")
    with pytest.raises(PackDamaged, match=r"extra\.onnx"):
        read_pack(pack)


def test_no_folder_is_no_pack(tmp_path: Path) -> None:
    """The message names the manifest and the folder."""
    with pytest.raises(PackDamaged, match=r"manifest\.json: missing in"):
        read_pack(tmp_path / "none")


def _recalibrate(folder: Path, manifest: Manifest, measured: Calibration) -> None:
    files = {file.name: (folder / file.name).read_bytes() for file in manifest.files}
    files[CALIBRATION_NAME] = write_calibration(measured)
    (folder / CALIBRATION_NAME).write_bytes(files[CALIBRATION_NAME])
    (folder / MANIFEST_NAME).write_bytes(write_manifest(manifest_of(zoo_models(), files)))


def test_a_calibration_of_other_models_is_refused(tmp_path: Path) -> None:
    """Thresholds never come from scores of another network; nor may it leave open which one it was."""
    manifest = write_pack(tmp_path / "p", zoo_models())
    right = calibration(*(manifest.model_digests()[task] for task in ("detect", "embed")))
    for measured in (calibration(), replace(right, models=right.models[:1])):
        _recalibrate(tmp_path / "p", manifest, measured)
        with pytest.raises(PackDamaged, match="other models"):
            read_pack(tmp_path / "p")
    _recalibrate(tmp_path / "p", manifest, right)
    assert read_pack(tmp_path / "p").calibration == right


def test_a_calibration_of_another_crop_or_mirror_is_refused(tmp_path: Path) -> None:
    """The same network looks at something else, so its scores mean something else."""
    detector, embedder = zoo_models()
    assert embedder.embed is not None
    manifest = write_pack(tmp_path / "p", (detector, embedder))
    measured = calibration(*(manifest.model_digests()[task] for task in ("detect", "embed")))
    for other in (
        replace(manifest, models=(detector, replace(embedder, embed=replace(embedder.embed, mirror=True)))),
        replace(manifest, models=(replace(detector, detect=DetectSpec(0.5, 0.4)), embedder)),
    ):
        assert other.model_digests() != manifest.model_digests()
        (tmp_path / "p" / MANIFEST_NAME).write_bytes(write_manifest(other))
        with pytest.raises(PackDamaged, match="other models"):
            read_pack(tmp_path / "p")
    renamed = replace(manifest, models=(replace(detector, licence=replace(detector.licence, identifier="X")), embedder))
    (tmp_path / "p" / MANIFEST_NAME).write_bytes(write_manifest(renamed))
    assert read_pack(tmp_path / "p").calibration == measured


def test_a_pack_may_wait_for_its_calibration(tmp_path: Path) -> None:
    """It is read, and says that it has none."""
    manifest = write_pack(tmp_path / "p", zoo_models())
    kept = tuple(file for file in manifest.files if file.name != CALIBRATION_NAME)
    (tmp_path / "p" / CALIBRATION_NAME).unlink()
    bare = replace(manifest, files=kept, calibration=None)
    (tmp_path / "p" / MANIFEST_NAME).write_bytes(write_manifest(bare))
    assert read_pack(tmp_path / "p").calibration is None


def test_the_store_lists_whole_and_damaged_packs(pack: Path) -> None:
    """A damaged pack stays visible, with its fault instead of a digest."""
    store = PackStore(pack.parent)
    write_pack(pack.parent / "broken", zoo_models())
    (pack.parent / "broken" / "card.md").unlink()
    (pack.parent / ".example.staging").mkdir()
    broken, whole = store.installed()
    assert (broken.name, broken.digest, whole.name, whole.fault) == ("broken", None, "example", None)
    assert broken.fault is not None
    assert "card.md" in broken.fault
    assert whole.digest == read_pack(pack).digest
    assert store.path("example") == pack


@pytest.mark.parametrize("name", ["none", "../example", "", ".", ".."])
def test_a_pack_that_is_not_there_is_unknown(pack: Path, name: str) -> None:
    """Nor does a name lead out of the store."""
    with pytest.raises(PackUnknown):
        PackStore(pack.parent).path(name)
    assert PackStore(pack / "none").installed() == ()


def test_a_checked_pack_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """Whole, and nothing else is left."""
    out = tmp_path / "packs" / "p"
    for version in (b"1", b"2"):
        with staged(out, Path.exists) as staging:
            (staging / "file").write_bytes(version)
            assert (out / "file").exists() == (version == b"2")
    assert (out / "file").read_bytes() == b"2"
    assert [path.name for path in out.parent.iterdir()] == ["p"]


class Refused(Exception):
    """What a check raises in these tests."""


def _refuse(path: Path) -> None:
    raise Refused((path / "file").read_text())


def test_a_refused_pack_replaces_nothing(tmp_path: Path) -> None:
    """Neither a failing check nor a failing build touches the installed one."""
    out = tmp_path / "p"
    with staged(out, Path.exists) as staging:
        (staging / "file").write_text("old")
    with pytest.raises(Refused, match="new"), staged(out, _refuse) as staging:
        (staging / "file").write_text("new")
    with pytest.raises(Refused, match="half"), staged(out, _refuse):
        raise Refused("half")
    assert (out / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder of packs should be."""
    (tmp_path / "packs").write_text("mine")
    with pytest.raises(PackUnwritable, match="example"), staged(tmp_path / "packs" / "example", Path.exists):
        raise AssertionError("nothing is staged there")


def test_a_disk_that_is_full_while_a_pack_is_written_leaves_the_old_one(tmp_path: Path) -> None:
    """And nothing half made beside it."""
    out = tmp_path / "example"
    with staged(out, Path.exists) as staging:
        (staging / "card.md").write_text("old")
    with pytest.raises(PackUnwritable, match="No space"), staged(out, Path.exists):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (out / "card.md").read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]
