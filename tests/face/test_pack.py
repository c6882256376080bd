"""Opening a pack: whole and right, or PackInvalid saying what is wrong."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from appliance.core.errors import PackInvalid, PackUncalibrated
from appliance.face.pack import Pack, open_pack
from models.acceptance import Acceptances, Restricted
from models.calibration import parse_calibration, write_calibration
from models.errors import LicenceNotAccepted
from models.manifest import MANIFEST_NAME, Manifest, PackFile, Use
from models.manifest_document import parse_manifest, write_manifest
from tests.models.manifests import insightface_models, write_pack, zoo_models

FILES = ("manifest.json", "detector.onnx", "embedder.onnx", "calibration.json", "golden.npz", "card.md")


@pytest.fixture
def copy(pack_path: Path, tmp_path: Path) -> Path:
    """The builtin pack once more, by hard links; replace files, never write into them."""
    folder = tmp_path / "builtin"
    folder.mkdir()
    for path in pack_path.iterdir():
        os.link(path, folder / path.name)
    return folder


def _replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def _repack(folder: Path, change: Callable[[Manifest], Manifest], files: Mapping[str, bytes]) -> None:
    """Replace files and make manifest and calibration consistent with them again, as a forger would."""
    written = dict(files)
    manifest = _listing(change(parse_manifest((folder / MANIFEST_NAME).read_bytes())), written)
    if "calibration.json" not in written:
        calibration = parse_calibration((folder / "calibration.json").read_bytes())
        models = tuple(manifest.model_digests().items())
        written["calibration.json"] = write_calibration(replace(calibration, models=models))
        manifest = _listing(manifest, written)
    for name, data in written.items():
        _replace(folder / name, data)
    _replace(folder / MANIFEST_NAME, write_manifest(manifest))


def _listing(manifest: Manifest, written: Mapping[str, bytes]) -> Manifest:
    listed = tuple(
        PackFile(f.name, hashlib.sha256(written[f.name]).hexdigest(), len(written[f.name])) if f.name in written else f
        for f in manifest.files
    )
    return replace(manifest, files=listed)


def _same(manifest: Manifest) -> Manifest:
    return manifest


def test_a_whole_pack_opens(pack: Pack) -> None:
    """With both models and a calibration that can be asked."""
    assert pack.name == "builtin"
    assert len(pack.digest) == 64
    assert pack.measured is pack.calibration
    assert pack.measured.threshold_verify(1e-3).value < 1
    assert (pack.pads, pack.quality) == ((), None)
    assert pack.detector.outputs == ("heat", "scale", "offset", "landmarks")


def test_a_pack_that_is_only_repacked_still_opens(copy: Path) -> None:
    """The helper of the tests below breaks nothing by itself."""
    _repack(copy, _same, {"card.md": b"another card\n"})
    open_pack(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(copy: Path, name: str) -> None:
    """Half of it is there."""
    data = (copy / name).read_bytes()
    _replace(copy / name, data[: len(data) // 2])
    with pytest.raises(PackInvalid, match=name):
        open_pack(copy)


@pytest.mark.parametrize("name", FILES)
def test_an_altered_file_is_named(copy: Path, name: str) -> None:
    """One bit in the middle."""
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 16
    _replace(copy / name, bytes(data))
    with pytest.raises(PackInvalid, match=name):
        open_pack(copy)


def test_missing_and_unexpected_files_are_named(copy: Path) -> None:
    """Neither more nor less than the manifest says."""
    (copy / "notes.txt").write_text("x")
    with pytest.raises(PackInvalid, match=r"notes\.txt"):
        open_pack(copy)
    (copy / "notes.txt").unlink()
    (copy / "embedder.onnx").unlink()
    with pytest.raises(PackInvalid, match=r"embedder\.onnx: missing"):
        open_pack(copy)
    with pytest.raises(PackInvalid, match=r"manifest\.json: missing"):
        open_pack(copy / "none")


def test_a_network_with_other_weights_fails_its_self_test(copy: Path) -> None:
    """Although every hash is right: somebody made the pack anew."""
    model = onnx.load(copy / "embedder.onnx")
    weight = model.graph.initializer[2]
    values = numpy_helper.to_array(weight).copy()
    values[:4] = 0
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    _repack(copy, _same, {"embedder.onnx": model.SerializeToString()})
    with pytest.raises(PackInvalid, match=r"embedder\.onnx: output embedding fails the golden self-test"):
        open_pack(copy)


def test_another_input_than_the_network_was_trained_with_fails_its_self_test(copy: Path) -> None:
    """Mean and spread belong to what is tested."""

    def wrong_spread(manifest: Manifest) -> Manifest:
        detector, embedder = manifest.models
        spec = replace(embedder.input, std=(2.0, 1.0, 1.0))
        return replace(manifest, models=(detector, replace(embedder, input=spec)))

    _repack(copy, wrong_spread, {})
    with pytest.raises(PackInvalid, match=r"embedder\.onnx: .* golden"):
        open_pack(copy)


@pytest.mark.parametrize("data", [b"no model", b"\x08\x09", bytes(1000)])
def test_what_is_no_network_is_refused(copy: Path, data: bytes) -> None:
    """Whatever onnxruntime says about it."""
    _repack(copy, _same, {"detector.onnx": data})
    with pytest.raises(PackInvalid, match=r"detector\.onnx"):
        open_pack(copy)


def test_golden_vectors_that_cannot_be_read_are_a_fault_of_the_pack(copy: Path) -> None:
    """Not a crash."""
    _repack(copy, _same, {"golden.npz": b"no archive"})
    with pytest.raises(PackInvalid, match="golden vectors"):
        open_pack(copy)


def test_families_of_later_versions_are_refused_by_name(tmp_path: Path) -> None:
    """Their manifests are read; there is no adapter for them yet."""
    for name, models in (("buffalo", insightface_models()), ("zoo", zoo_models())):
        later = tuple(
            replace(model, family=f"{model.family}-9", licence=replace(model.licence, use=Use.ANY)) for model in models
        )
        write_pack(tmp_path / name, later)
        with pytest.raises(PackInvalid, match=f"family {later[0].family} .*not supported by this version"):
            open_pack(tmp_path / name)


def test_a_pack_for_research_opens_once_its_licence_is_accepted(tmp_path: Path) -> None:
    """Here it goes on to the models, which are none; before, nothing of it is run."""
    write_pack(tmp_path / "research", insightface_models())
    with pytest.raises(LicenceNotAccepted, match="pack example is not for every use"):
        open_pack(tmp_path / "research")
    Acceptances(tmp_path).record(
        [Restricted("LicenseRef-InsightFace-models", b"permitted\n")], "operator", "2026-01-31"
    )
    with pytest.raises(PackInvalid):
        open_pack(tmp_path / "research")


def test_a_pack_nobody_measured_opens_for_evaluation_only(copy: Path) -> None:
    """No threshold follows from its scores, and whoever asks for one is told."""
    manifest = parse_manifest((copy / MANIFEST_NAME).read_bytes())
    kept = tuple(file for file in manifest.files if file.name != manifest.calibration)
    (copy / "calibration.json").unlink()
    _replace(copy / MANIFEST_NAME, write_manifest(replace(manifest, files=kept, calibration=None)))
    with pytest.raises(PackUncalibrated, match="pack builtin: it carries no calibration"):
        open_pack(copy)
    opened = open_pack(copy, evaluation=True)
    with pytest.raises(PackUncalibrated, match="no threshold"):
        _ = opened.measured


def test_a_code_book_comes_with_the_pack(copy: Path, pack: Pack, pack_path: Path) -> None:
    """Its bytes, verified like every other file; a pack need not have one."""
    manifest = parse_manifest((copy / MANIFEST_NAME).read_bytes())
    assert manifest.codebook is not None
    assert pack.codebook == (pack_path / manifest.codebook).read_bytes()
    (copy / manifest.codebook).unlink()
    files = tuple(file for file in manifest.files if file.name != manifest.codebook)
    _replace(copy / MANIFEST_NAME, write_manifest(replace(manifest, files=files, codebook=None)))
    assert open_pack(copy).codebook is None


def test_a_pack_without_an_embedder_is_refused(copy: Path) -> None:
    """A desk needs both."""

    def only_detector(manifest: Manifest) -> Manifest:
        return replace(manifest, models=manifest.models[:1])

    _repack(copy, only_detector, {})
    with pytest.raises(PackInvalid, match="no model to embed"):
        open_pack(copy)


def test_no_weight_is_subnormal(pack: Pack, pack_path: Path) -> None:
    """Subnormal numbers can slow a network tenfold, and the sessions do not flush them."""
    for model in pack.manifest.models:
        for weight in onnx.load(pack_path / model.file).graph.initializer:
            values = numpy_helper.to_array(weight)
            if values.dtype == np.float32:
                assert not np.any((values != 0) & (np.abs(values) < np.finfo(np.float32).tiny))
