"""Real packs that are no good: the builtin one, its embedder wrapped so that it is slow, endless, or kills the runtime.

What the embedder computes stays the same, so that neither hashes nor golden vectors tell: only running it does.
"""

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from appliance.face.laboratory import Laboratory
from models.calibration import parse_calibration, write_calibration
from models.manifest import MANIFEST_NAME, Model, Task
from models.manifest_document import write_manifest
from models.recipes.build import record
from models.store import PackContents, read_pack
from tests.fakes.networks import quality
from tests.models.manifests import guard_models, manifest_of

SIDE = 256
"""Of the matrices that a slow embedder multiplies with each other: some 2 ms each time."""

Spoil = Callable[[onnx.GraphProto, str], str]
"""Adds nodes after an output; gives the name of a number that is to be added to the embedding: zero."""


def with_files(
    pack: Path, folder: Path, change: Callable[[PackContents], dict[str, bytes]], more: tuple[Model, ...] = ()
) -> Path:
    """A pack with some files changed, whole again. more: models that it has besides."""
    shutil.copytree(pack, folder)
    contents = read_pack(folder)
    files = {**contents.files, **change(contents)}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    models = contents.manifest.models + more
    listed = manifest_of(models, files).files
    (folder / MANIFEST_NAME).write_bytes(write_manifest(replace(contents.manifest, models=models, files=listed)))
    return folder


def with_card(pack: Path, folder: Path, card: bytes) -> Path:
    """The same pack with another card: another digest, and nothing else."""
    return with_files(pack, folder, lambda contents: {contents.manifest.card: card})


def with_quality(pack: Path, folder: Path, native: float) -> Path:
    """A pack whose quality network, whole by every hash and golden vector, scores all faces near this number of its."""
    *_, model = guard_models()
    data = quality(native)
    vectors = io.BytesIO(record([model], {model.file: data}, Laboratory()))
    with np.load(vectors) as mine:
        added = dict(mine)

    def change(contents: PackContents) -> dict[str, bytes]:
        stream = io.BytesIO()
        with np.load(io.BytesIO(contents.files[contents.manifest.golden])) as known:
            np.savez(stream, **known, **added)
        return {model.file: data, contents.manifest.golden: stream.getvalue(), "licence.txt": b"Apache-2.0\n"}

    return with_files(pack, folder, change, (model,))


def with_embedder(pack: Path, folder: Path, spoil: Spoil) -> Path:
    """A pack whose embedder does something beside."""

    def change(contents: PackContents) -> dict[str, bytes]:
        (model,) = contents.manifest.models_for(Task.EMBED)
        network = onnx.load_from_string(contents.files[model.file])
        graph = network.graph
        out = graph.output[0].name
        for node in graph.node:
            node.output[:] = ["spoilt" if name == out else name for name in node.output]
        zero = spoil(graph, "spoilt")
        graph.node.append(helper.make_node("Add", ["spoilt", zero], [out]))
        data = network.SerializeToString(deterministic=True)
        calibration = contents.manifest.calibration
        assert calibration is not None
        before = parse_calibration(contents.files[calibration])
        files = manifest_of(contents.manifest.models, {**contents.files, model.file: data}).files
        named = replace(contents.manifest, files=files).model_digests()
        models = tuple((task, named[task]) for task, _ in before.models)
        return {model.file: data, calibration: write_calibration(replace(before, models=models))}

    return with_files(pack, folder, change)


def slow(rounds: int) -> Spoil:
    """So many products of two matrices for each face."""

    def spoil(graph: onnx.GraphProto, out: str) -> str:
        value = helper.make_tensor_value_info
        body = helper.make_graph(
            [
                helper.make_node("Identity", ["go"], ["goes"]),
                helper.make_node("MatMul", ["before", "factor"], ["after"]),
            ],
            "body",
            [
                value("round", TensorProto.INT64, []),
                value("go", TensorProto.BOOL, []),
                value("before", TensorProto.FLOAT, [SIDE, SIDE]),
            ],
            [value("goes", TensorProto.BOOL, []), value("after", TensorProto.FLOAT, [SIDE, SIDE])],
        )
        _constants(
            graph,
            rounds=np.array(rounds, np.int64),
            always=np.array(True),
            factor=np.eye(SIDE, dtype=np.float32),
            nothing=np.zeros((SIDE, SIDE), np.float32),
        )
        graph.node.extend(
            [
                helper.make_node("ReduceMean", [out], ["mean"], keepdims=0),
                helper.make_node("Mul", ["mean", "nothing"], ["start"]),
                helper.make_node("Loop", ["rounds", "always", "start"], ["end"], body=body),
                helper.make_node("ReduceMean", ["end"], ["zero"], keepdims=0),
            ]
        )
        return "zero"

    return spoil


def deadly(graph: onnx.GraphProto, out: str) -> str:
    """The smallest 64-bit integer through minus one: x86 answers by SIGFPE, which ends the process."""
    _constants(graph, nought=np.array(0, np.float32), one=np.array(1, np.int64), low=np.array(-(2**63), np.int64))
    graph.node.extend(
        [
            helper.make_node("ReduceMean", [out], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "nought"], ["none"]),
            helper.make_node("Cast", ["none"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Sub", ["whole", "one"], ["minus"]),
            helper.make_node("Div", ["low", "minus"], ["never"]),
            helper.make_node("Cast", ["never"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["real", "nought"], ["zero"]),
        ]
    )
    return "zero"


def _constants(graph: onnx.GraphProto, **values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
