"""The builtin pack: known digest, mended graphs."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.errors import SourceUnusable
from models.manifest import Task
from models.recipes import centerface, dlib_resnet
from models.store import read_pack

DIGEST = "05a8aac12fc818249695af746a21a9e4ace1b480907ec3eed389153f8c8ad459"
"""Changes with every change of the recipe, its data or the manifest format, and with nothing else."""


def test_the_same_sources_give_the_same_pack_everywhere(pack_path: Path) -> None:
    """The pack on this machine is, byte for byte, the one that was calibrated."""
    contents = read_pack(pack_path)
    assert contents.digest == DIGEST
    detector, embedder = contents.manifest.model(Task.DETECT), contents.manifest.model(Task.EMBED)
    assert detector is not None
    assert embedder is not None
    assert (detector.family, embedder.family) == ("centerface", "dlib-resnet")
    assert contents.files[embedder.licence.text].startswith(b"CC0 1.0 Universal")


def _published() -> onnx.ModelProto:
    """A network with the inputs and outputs of the published detector, one convolution each."""
    weight = numpy_helper.from_array(np.ones((10, 3, 4, 4), np.float32), "w")
    values = {"537": 1, "538": 2, "539": 2, "540": 10}
    nodes = [helper.make_node("Conv", ["input.1", "w"], ["540"], strides=[4, 4])]
    for name, channels in list(values.items())[:3]:
        cut = [
            helper.make_node("Constant", [], [f"{name}_{i}"], value_ints=[v]) for i, v in enumerate((0, channels, 1))
        ]
        nodes += [*cut, helper.make_node("Slice", ["540", f"{name}_0", f"{name}_1", f"{name}_2"], [name])]
    fixed = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [10, c, 8, 8]) for n, c in values.items()]
    image = helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [10, 3, 32, 32])
    listed = helper.make_tensor_value_info("w", TensorProto.FLOAT, [10, 3, 4, 4])
    graph = helper.make_graph(nodes, "g", [image, listed], fixed, [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_the_mended_detector_takes_any_size() -> None:
    """One picture of any size, weights no inputs any more, outputs by name; weights untouched."""
    before = _published()
    after = onnx.load_model_from_string(centerface.mend(before.SerializeToString()))
    assert [value.name for value in after.graph.input] == ["image"]
    assert [d.dim_param or d.dim_value for d in after.graph.input[0].type.tensor_type.shape.dim] == [1, 3, "H", "W"]
    assert [value.name for value in after.graph.output] == ["heat", "scale", "offset", "landmarks"]
    assert after.graph.initializer == before.graph.initializer


def test_another_network_is_not_mended() -> None:
    """The names of the published file's inputs and outputs tell."""
    other = _published()
    other.graph.output[0].name = "other"
    with pytest.raises(SourceUnusable, match="not the model"):
        centerface.mend(other.SerializeToString())


def _integer(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "little")


def _tensor(values: NDArray[np.float32], *sizes: int, version: int = 2) -> bytes:
    return b"".join(map(_integer, (version, *sizes))) + values.tobytes()


def _network(stages: tuple[tuple[int, int, bool], ...], *, version: int = 2, more: bool = False) -> bytes:
    """A file like dlib's: all convolutions zero with bias 1, affine layers that double and add one, then `fc`."""
    shapes, into = [(32, 3, 7)], 32
    for blocks, out, halves in stages:
        shapes += [(out, into, 3), (out, out, 3)] if halves else []
        shapes += [(out, out, 3)] * (2 * blocks)
        into = out
    data = b""
    for out, deep, side in shapes + [(8, 8, 3)] * more:
        weights = np.zeros(out * deep * side * side + out, np.float32)
        weights[-out:] = 1
        affine = np.concatenate([np.full(out, 2, np.float32), np.ones(out, np.float32)])
        data += b"con_4" + _tensor(weights, weights.size, 1, 1, 1, version=version)
        data += b"affine_" + _tensor(affine, affine.size, 1, 1, 1)
    last = np.ones((256, 128), np.float32)
    return data + b"fc_2" + _integer(128) + _integer(256) + _tensor(last, 256, 128, 1, 1)


STAGES = ((3, 32, False), (3, 64, True), (2, 128, True), (2, 256, True), (0, 256, True))


def test_affine_layers_are_folded_into_the_convolutions() -> None:
    """A bias becomes bias * gain + shift = 1 * 2 + 1; the same bytes every time."""
    data = _network(STAGES)
    converted = dlib_resnet.convert(data)
    graph = onnx.load_model_from_string(converted).graph
    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 29
    assert all(np.all(weights[node.input[2]] == 3) for node in convolutions)
    assert [tuple(d.dim_value for d in v.type.tensor_type.shape.dim)[1:] for v in graph.input] == [(3, 150, 150)]
    assert hashlib.sha256(dlib_resnet.convert(data)).digest() == hashlib.sha256(converted).digest()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_network(((3, 32, False), (3, 96, True))), "not the face recognition ResNet"),
        (_network(STAGES, version=1), "version 1"),
        (_network(STAGES, more=True), "more layers"),
    ],
)
def test_another_dlib_network_is_not_converted(data: bytes, said: str) -> None:
    """Other shapes, another serialisation, more layers."""
    with pytest.raises(SourceUnusable, match=said):
        dlib_resnet.convert(data)
