"""The manifest: fits every family, one canonical form, nothing unknown."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import CALIBRATION_NAME
from models.errors import PackDamaged
from models.manifest import Layout, Loader, Manifest, Task, Use
from models.manifest_document import parse_manifest, write_manifest
from tests.models.manifests import guard_models, insightface_models, manifest_of, zoo_models

FILES = {
    name: name.encode()
    for name in (
        *(
            "scrfd.onnx",
            "arcface.onnx",
            "yunet.onnx",
            "cosine.onnx",
            "pad-small.onnx",
            "pad-wide.onnx",
            "lightqnet.onnx",
        ),
        *("licence.txt", "golden.npz", "card.md", "codebook.npz", CALIBRATION_NAME),
    )
}
INSIGHTFACE, ZOO = manifest_of(insightface_models(), FILES), manifest_of(zoo_models(), FILES)
GUARDED = replace(manifest_of((*zoo_models(), *guard_models()), FILES), codebook="codebook.npz")
BARE = replace(ZOO, calibration=None)
DATA = write_manifest(GUARDED)


@pytest.mark.parametrize("manifest", [INSIGHTFACE, ZOO, GUARDED, BARE])
def test_a_manifest_reads_back_as_it_was_written(manifest: Manifest) -> None:
    """With and without an ensemble against attacks, a quality network, a calibration; nothing is lost."""
    assert parse_manifest(write_manifest(manifest)) == manifest


def test_what_other_families_need_to_say_can_be_said() -> None:
    """Loader, licence gate, alignment template, embedding size and input sizes survive."""
    read = parse_manifest(write_manifest(INSIGHTFACE))
    detector, embedder = read.model(Task.DETECT), read.model(Task.EMBED)
    assert detector is not None
    assert embedder is not None
    assert embedder.embed is not None
    assert (detector.family, detector.loader, detector.input.multiple) == ("scrfd", Loader.INSIGHTFACE, 32)
    assert (embedder.embed.dimension, embedder.input.width) == (512, 112)
    assert embedder.licence.use is read.use is Use.RESEARCH
    assert parse_manifest(DATA).use is Use.ANY


def test_an_ensemble_keeps_its_order() -> None:
    """PAD models and what each wants of its crop; the quality network's layout and scale."""
    read = parse_manifest(DATA)
    assert [(m.key, m.pad.context, m.rewrites) for m in read.models_for(Task.PAD) if m.pad is not None] == [
        ("pad-small", 2.7, ("prelu",)),
        ("pad-wide", 4.0, ("prelu",)),
    ]
    quality = read.model(Task.QUALITY)
    assert quality is not None
    assert quality.quality is not None
    assert (quality.input.layout, quality.quality.centre) == (Layout.NHWC, 0.5)
    assert list(read.model_digests()) == ["detect", "embed", "pad", "pad-2", "quality"]


@given(st.data())
def test_no_altered_byte_goes_unnoticed(data: st.DataObject) -> None:
    """Any other bytes are refused, or are another manifest, whose digest differs: never the same one."""
    at = data.draw(st.integers(0, len(DATA) - 1))
    byte = data.draw(st.integers(0, 255))
    altered = DATA[:at] + bytes([byte]) + DATA[at + 1 :]
    try:
        read = parse_manifest(altered)
    except PackDamaged:
        return
    assert write_manifest(read) == altered
    assert (read == GUARDED) == (altered == DATA)


@given(st.integers(0, len(DATA) - 1))
def test_a_truncated_manifest_is_refused(length: int) -> None:
    """No prefix is a manifest."""
    with pytest.raises(PackDamaged):
        parse_manifest(DATA[:length])


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.just(b"[" * 100_000))
def test_no_bytes_do_more_than_be_refused(noise: bytes) -> None:
    """Whatever stands in the file, the failure is the known one."""
    with pytest.raises(PackDamaged):
        parse_manifest(noise)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in _paths(item, (*path, key)))]


PATHS = [path for path in _paths(json.loads(DATA)) if path]
WRONG: list[object] = [None, True, -1, 1e9, "", " a", "../evil", "X Y", [], {}, [[]], {"a": 1}]


@given(st.sampled_from(PATHS), st.sampled_from(WRONG))
def test_a_value_of_another_kind_is_refused(path: tuple[str | int, ...], wrong: object) -> None:
    """Wherever it stands, in an otherwise canonical document."""
    document = json.loads(DATA)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    altered = (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()
    try:
        read = parse_manifest(altered)
    except PackDamaged:
        return
    assert write_manifest(read) == altered, "what is accepted, is accepted for what it says"
    assert path[-1] in {"mirror", "identifier", "address", "modified", "rewrites", "live"} or isinstance(path[-1], int)


@given(st.sampled_from([path for path in PATHS if isinstance(path[-1], str)]), st.booleans())
def test_a_missing_or_an_unknown_field_is_refused(path: tuple[str | int, ...], remove: bool) -> None:
    """At every level; without what may be missing it is another manifest, of another digest."""
    document = json.loads(DATA)
    place = document
    for key in path[:-1]:
        place = place[key]
    if remove:
        del place[path[-1]]
    else:
        place["grease"] = 1
    altered = (json.dumps(document, indent=1) + "\n").encode()
    if remove and path[-1] in {"calibration", "closer", "codebook", "modified"}:
        assert parse_manifest(altered) != GUARDED
    else:
        with pytest.raises(PackDamaged):
            parse_manifest(altered)


def test_a_second_look_leaves_room_for_the_face() -> None:
    """Eyes wider apart than half the picture: the rest of the face would not be in it."""
    wide = DATA.replace(b'"eyes": 44.0', b'"eyes": 81.0')
    assert wide != DATA
    with pytest.raises(PackDamaged, match="no room for the face"):
        parse_manifest(wide)


def test_a_repeated_field_is_refused() -> None:
    """Two readers of one document never see two different packs."""
    twice = DATA.replace(b'"name": "example"', b'"name": "other",\n "name": "example"', 1)
    with pytest.raises(PackDamaged, match="given twice"):
        parse_manifest(twice)


def test_inconsistent_manifests_are_refused() -> None:
    """Two models for a task, none at all, a file that is not listed, listed twice, or the manifest itself."""
    detector, embedder = insightface_models()
    small, wide, quality = guard_models()
    for manifest, said in (
        (replace(INSIGHTFACE, models=(detector, detector)), "at most one per task"),
        (replace(INSIGHTFACE, models=()), "needs models"),
        (replace(INSIGHTFACE, models=(replace(detector, file="none.onnx"), embedder)), "none.onnx"),
        (replace(INSIGHTFACE, files=INSIGHTFACE.files + INSIGHTFACE.files[-1:]), "repeated"),
        (replace(INSIGHTFACE, files=INSIGHTFACE.files[::-1]), "order"),
        (manifest_of(insightface_models(), FILES | {"manifest.json": b"x"}), "lists itself"),
        (replace(INSIGHTFACE, models=(detector, replace(embedder, input=detector.input))), "fixed size"),
        (replace(GUARDED, models=(detector, quality, quality)), "at most one per task"),
        (replace(GUARDED, models=(small, replace(wide, file=small.file))), "a file name of its own"),
        (replace(GUARDED, models=(replace(small, file="licence"),)), "with a suffix"),
        (replace(GUARDED, models=(replace(small, rewrites=("prelu", "prelu")),)), "different short names"),
        (replace(GUARDED, codebook="none.npz"), "none.npz"),
        (replace(GUARDED, calibration="none.json"), "none.json"),
    ):
        with pytest.raises(PackDamaged, match=said):
            parse_manifest(write_manifest(manifest))


def test_a_pack_of_a_later_format_says_so() -> None:
    """An older program names the reason instead of misreading."""
    with pytest.raises(PackDamaged, match="another version"):
        parse_manifest(DATA.replace(b'"format": 2', b'"format": 3', 1))


def test_files_are_found_by_name() -> None:
    """And only those the manifest lists."""
    assert INSIGHTFACE.file("card.md").size == len(b"card.md")
    with pytest.raises(KeyError):
        INSIGHTFACE.file("none")
    assert replace(INSIGHTFACE, models=INSIGHTFACE.models[:1]).model(Task.EMBED) is None
