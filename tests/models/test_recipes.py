"""Recipes: strictly read, complete, and what they name is what goes into the pack or nothing does."""

import hashlib
import re
import shutil
import ssl
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from appliance.core.errors import PackInvalid
from appliance.face.golden import Golden, GoldenMismatch
from appliance.face.laboratory import Laboratory
from appliance.face.pack import open_pack
from models.acceptance import Acceptances, restricted
from models.download import Downloader
from models.errors import PackDamaged, PackUnknown, SourceUnusable
from models.manifest import Task, Use
from models.manifest_document import parse_manifest
from models.recipes import any_size
from models.recipes.build import GOLDEN, build, licence_texts
from models.recipes.golden_pictures import draw
from models.recipes.recipe import DATA, LICENCES, RECIPE_NAME, Recipe, load, names, read
from models.upstream import obtain
from sync.clock import SystemClock
from tests.fakes.documents import make_fund_home
from tests.fakes.networks import YUNET_OUTPUTS, embedder, yunet
from tests.fakes.tls_server import reply, tls_server

ZOO = load("opencv-zoo")
YUNET, SFACE = "face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec.onnx"


def test_every_recipe_of_the_issue_is_there() -> None:
    """And only those that may be used for everything go without the gate."""
    uses = {name: load(name).use for name in names()}
    assert {name for name, use in uses.items() if use is Use.ANY} == {"builtin", "open", "opencv-zoo"}
    assert {name for name, use in uses.items() if use is Use.RESEARCH} == {
        *("edge", "insightface", "buffalo_s", "buffalo_l"),
    }
    with pytest.raises(PackUnknown, match="no recipe 'closed'; known: buffalo_l"):
        load("closed")


@pytest.mark.parametrize("name", names())
def test_a_recipe_brings_what_a_pack_needs(name: str) -> None:
    """A detector and an embedder, a card, the text of every licence, an exact address for every file."""
    recipe = load(name)
    tasks = [model.task for model in recipe.models]
    assert tasks.count(Task.DETECT) == tasks.count(Task.EMBED) == 1
    card = (recipe.beside("card.md") or b"").decode()
    assert card.startswith(f"# Model card: pack `{name}`, version {recipe.version}\n")
    assert {model.licence.text for model in recipe.models} == set(recipe.texts)
    assert len({model.file for model in recipe.models}) == len(recipe.models)
    for published in recipe.published:
        pinned = r"https://github\.com/[\w.-]+/[\w.-]+/(blob/[0-9a-f]{40}|releases/download/v[\d.]+)/[\w./-]+"
        assert re.fullmatch(rf"{pinned}|pkg:pypi/[a-z-]+@[\d.]+", published.address), published.address


def test_every_shipped_licence_text_is_used() -> None:
    """None is left over."""
    used = {text for name in names() for text in load(name).texts.values()}
    assert {path.name for path in LICENCES.iterdir()} <= used


def _copied(tmp_path: Path, name: str, change: "dict[str, str]") -> Path:
    folder = tmp_path / name
    shutil.copytree(DATA / name, folder)
    text = (folder / RECIPE_NAME).read_text()
    for before, after in change.items():
        assert before in text
        text = text.replace(before, after, 1)
    (folder / RECIPE_NAME).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"[texts]": "colour = 1\n[texts]"}, "unknown field 'colour'"),
        ({"[texts]": "[texts]\n'LICENCE' = 'x'"}, "'LICENCE' has no short name"),
        ({'version = "1"': ""}, "'version' is missing"),
        ({'name = "opencv-zoo"': 'name = "zoo"'}, "is called zoo"),
        ({"bytes = 232589": "bytes = '232589'"}, "'bytes' is not a whole number"),
        ({"bytes = 232589": "bytes = 232589\nmirror = 'x'"}, "unknown field 'mirror'"),
        ({"https://github.com": "http://github.com"}, "neither https nor"),
        ({f'source = "{YUNET}"': 'source = "none.onnx"'}, "'source' is not among the files"),
        ({f'name = "{SFACE}"': f'name = "{YUNET}"', f'source = "{SFACE}"': f'source = "{YUNET}"'}, "a file twice"),
        ({"yunet-mit.txt": "none.txt"}, "no licence text none.txt"),
        ({"mirror = false": "mirror = 2026-01-31"}, "'mirror' is not true or false"),
        ({"dimension = 128": "dimension = 128, extra = 1"}, "unknown field 'extra'"),
        ({"[texts]": "[texts"}, "cannot be read"),
    ],
)
def test_a_recipe_is_read_strictly(tmp_path: Path, change: "dict[str, str]", said: str) -> None:
    """What is missing, unknown or of another kind is named."""
    with pytest.raises(PackDamaged, match=re.escape(said)):
        read(_copied(tmp_path, "opencv-zoo", change))


def test_an_archive_has_to_be_declared(tmp_path: Path) -> None:
    """A file of an archive nobody described cannot be verified."""
    with pytest.raises(PackDamaged, match="'archive' is not among the archives"):
        read(_copied(tmp_path, "buffalo_s", {'archive = "buffalo_s.zip"': 'archive = "other.zip"'}))


# ---- building, with networks that only have the shapes of YuNet and SFace


def stand_in(tmp_path: Path, detector: bytes, recogniser: bytes, address: str = "https://example.org") -> Recipe:
    """The recipe `opencv-zoo` for stand-ins of its files, which lie in the folder `upstream`."""
    (tmp_path / "upstream").mkdir(exist_ok=True)
    change: dict[str, str] = {}
    for source, data in ((YUNET, detector), (SFACE, recogniser)):
        (known,) = (s for s in ZOO.sources if s.name == source)
        (tmp_path / "upstream" / source).write_bytes(data)
        change |= {known.sha256: hashlib.sha256(data).hexdigest(), f"bytes = {known.size}": f"bytes = {len(data)}"}
        change |= {known.address: f"{address}/{source}"}
    shutil.rmtree(tmp_path / "opencv-zoo", ignore_errors=True)
    return read(_copied(tmp_path, "opencv-zoo", change))


def test_a_pack_is_built_tested_and_the_same_every_time(tmp_path: Path) -> None:
    """Without shipped vectors it gets those of this machine; with them the rewritten networks are what was shipped."""
    recipe = stand_in(tmp_path, yunet(640), embedder(112, 128))
    out = tmp_path / "packs" / "opencv-zoo"
    digests = {build(recipe, [tmp_path / "upstream"], out, Laboratory()) for _ in range(2)}
    pack = open_pack(out, evaluation=True)
    assert digests == {pack.digest}
    assert [model.rewrites for model in pack.manifest.models] == [("any-size",), ("prelu",)]
    assert pack.manifest.calibration is None
    shutil.copy(out / GOLDEN, tmp_path / "opencv-zoo")
    assert build(read(tmp_path / "opencv-zoo"), [tmp_path / "upstream"], out, Laboratory()) == pack.digest


def test_shipped_vectors_are_not_made_anew(tmp_path: Path) -> None:
    """A network that computes something else than the recipe's author had is refused, and the old pack stays."""
    out = tmp_path / "packs" / "opencv-zoo"
    first = stand_in(tmp_path, yunet(640), embedder(112, 128))
    digest = build(first, [tmp_path / "upstream"], out, Laboratory())
    vectors = (out / GOLDEN).read_bytes()
    other = stand_in(tmp_path, yunet(640), embedder(112, 128, seed=7))
    (tmp_path / "opencv-zoo" / GOLDEN).write_bytes(vectors)
    with pytest.raises(PackInvalid, match=r"embedder\.onnx: output fc1 fails the golden self-test"):
        build(other, [tmp_path / "upstream"], out, Laboratory())
    assert open_pack(out, evaluation=True).digest == digest


NO_LANDMARKS = tuple(name for name in YUNET_OUTPUTS if not name.startswith("kps"))


@pytest.mark.parametrize(
    ("detector", "recogniser", "said"),
    [
        (yunet(640, NO_LANDMARKS), embedder(112, 128), "not YuNet: it lacks an output"),
        (
            yunet(640),
            embedder(112, 64),
            r"an embedding of 128 numbers is needed, this network gives \[64\]",
        ),
        (
            yunet(640),
            embedder(96, 128),
            r"its input is \[1, 3, 96, 96\], not pictures of 3 x 112 x 112",
        ),
        (yunet(640), yunet(112), "no PReLU"),
        (yunet(640), b"\x08\x09no network", "no ONNX network"),
    ],
)
def test_a_network_of_other_shapes_replaces_nothing(
    tmp_path: Path, detector: bytes, recogniser: bytes, said: str
) -> None:
    """Landmarks that are missing, another dimension, another input: told before anything is written."""
    recipe = stand_in(tmp_path, detector, recogniser)
    out = tmp_path / "packs" / "opencv-zoo"
    out.mkdir(parents=True)
    (out / "old").write_bytes(b"old")
    with pytest.raises((SourceUnusable, PackInvalid), match=said):
        build(recipe, [tmp_path / "upstream"], out, Laboratory())
    assert [path.name for path in out.parent.rglob("*")] == ["opencv-zoo", "old"]


@pytest.mark.parametrize("size", [None, 1000, 38696353])
def test_unusable_sources_replace_nothing(tmp_path: Path, size: int | None) -> None:
    """Missing, truncated or altered: named, and the old pack stays."""
    (tmp_path / "upstream").mkdir()
    (tmp_path / "upstream" / YUNET).write_bytes(b"x")
    said = {None: "is missing", 1000: "is truncated", 38696353: "is altered"}[size]
    if size is not None:
        with (tmp_path / "upstream" / SFACE).open("wb") as stream:
            stream.truncate(size)
    only = replace(ZOO, texts={}, origins={"embedder.onnx": SFACE}, models=ZOO.models[1:])
    with pytest.raises(SourceUnusable, match=f"{SFACE} {said}"):
        build(only, [tmp_path / "upstream"], tmp_path / "packs" / "x", Laboratory())
    assert not (tmp_path / "packs").exists()


def _pulled(tmp_path: Path, recogniser: bytes, detector: bytes) -> str:
    """Download the files of `opencv-zoo` from a server on this machine, with ranges and TLS, and build the pack."""
    authority = make_fund_home(tmp_path)
    served = {YUNET: detector, SFACE: recogniser}

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        reply(200, served[head.split()[1].decode().rpartition("/")[2]])(secure, head)

    with tls_server(authority.server, answer) as port:
        recipe = stand_in(tmp_path, detector, recogniser, f"https://127.0.0.1:{port}")
        downloader = Downloader(SystemClock().monotonic, authorities=authority.ca_certificate)
        obtain(recipe.published, [], tmp_path / "cache", downloader)
    return build(recipe, [tmp_path / "cache"], tmp_path / "packs" / "opencv-zoo", Laboratory())


def test_opencv_zoo_is_pulled_over_tls_and_built(tmp_path: Path) -> None:
    """With stand-ins of the shapes of both files: SFace itself was never at hand here."""
    digest = _pulled(tmp_path, embedder(112, 128), yunet(640))
    assert open_pack(tmp_path / "packs" / "opencv-zoo", evaluation=True).digest == digest


@pytest.mark.upstream
def test_opencv_zoo_is_pulled_with_the_real_detector(tmp_path: Path, upstream: Path) -> None:
    """YuNet as OpenCV Zoo publishes it; SFace is a stand-in of its shape."""
    digest = _pulled(tmp_path, embedder(112, 128), (upstream / YUNET).read_bytes())
    pack = open_pack(tmp_path / "packs" / "opencv-zoo", evaluation=True)
    assert pack.digest == digest
    assert pack.detector.outputs == YUNET_OUTPUTS


# ---- real files


@pytest.mark.upstream
@pytest.mark.parametrize("name", ["open", "edge", "insightface"])
def test_the_real_files_give_the_shipped_vectors(tmp_path: Path, upstream: Path, name: str) -> None:
    """Every network of the pack, in every output; from the files and nothing else."""
    recipe = load(name)
    assert recipe.beside(GOLDEN) is not None
    Acceptances(tmp_path).record(restricted(recipe.models, licence_texts(recipe)), "test", "2026-01-31")
    digest = build(recipe, [upstream], tmp_path / name, Laboratory())
    manifest = parse_manifest((tmp_path / name / "manifest.json").read_bytes())
    assert open_pack(tmp_path / name, evaluation=True).digest == digest
    assert [model.upstream.sha256 for model in manifest.models] == [
        next(source.sha256 for source in recipe.sources if source.name == recipe.origins[model.file])
        for model in recipe.models
    ]


@pytest.mark.upstream
@pytest.mark.parametrize("name", ["open", "edge"])
def test_one_changed_weight_fails_the_vectors(upstream: Path, name: str) -> None:
    """In every network of the pack: the filter of the first convolution that matters most, its sign turned."""
    recipe, laboratory = load(name), Laboratory()
    golden = Golden(recipe.beside(GOLDEN) or b"")
    for model in recipe.models:
        network = onnx.load(upstream / recipe.origins[model.file])
        first = next(node.input[1] for node in network.graph.node if node.op_type == "Conv")
        weight = next(weight for weight in network.graph.initializer if weight.name == first)
        values = numpy_helper.to_array(weight).copy()
        values[np.argmax(np.abs(values).sum(axis=(1, 2, 3)))] *= -1
        weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        found = laboratory.outputs(bytes(network.SerializeToString()), model, golden.pictures(model))
        with pytest.raises(GoldenMismatch, match=f"{model.file}: output .* fails"):
            golden.compare(model, found)


@pytest.mark.upstream
def test_yunet_of_any_size_is_the_published_dynamic_one(upstream: Path) -> None:
    """Zoo's file takes 640 x 640 only; with free sizes it gives what its makers' own dynamic export gives."""
    laboratory = Laboratory()
    model = ZOO.models[0]
    zoo = any_size.convert((upstream / YUNET).read_bytes())
    dynamic = (upstream / "yunet_s_dynamic.onnx").read_bytes()
    for size in ((64, 96), (192, 320)):
        pictures = draw(replace(model, input=replace(model.input, height=size[0], width=size[1])))
        ours, theirs = (laboratory.outputs(data, model, pictures) for data in (zoo, dynamic))
        for name in YUNET_OUTPUTS:
            np.testing.assert_array_equal(ours[name], theirs[name])
