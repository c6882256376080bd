"""dlib's face recognition ResNet as ONNX: reads dlib's serialised weights and writes the network again.

Where the weights come from and what the pack says about them belongs to `builtin`. The architecture is that of
dlib's `dnn_face_recognition_ex.cpp` (`anet_type`): 29 convolutions, each followed by an affine layer, which is folded
into its weights here; input 150x150 RGB 0..255, output 128 numbers, not normalised.
"""

import re
from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.errors import SourceUnusable
from models.recipes import onnx_file

Floats = NDArray[np.float32]

IMAGE, EMBEDDING = "image", "embedding"
SIDE, DIMENSION = 150, 128

_MEAN_RGB = (122.782, 117.001, 104.298)
_TENSOR_VERSION = 2
_STAGES = ((3, 32, False), (3, 64, True), (2, 128, True), (2, 256, True), (0, 256, True))
"""(residual blocks, channels, whether a halving block comes first), from the input to the output."""
_OPSET, _IR_VERSION = 17, 9


class _Reader:
    """dlib's serialisation: packed integers (low nibble: count of bytes, then little-endian) and raw float32."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def integer(self, at: int) -> tuple[int, int]:
        """The integer at an offset, and the offset behind it."""
        end = at + 1 + (self._data[at] & 15)
        return int.from_bytes(self._data[at + 1 : end], "little"), end

    def tensor(self, at: int) -> tuple[Floats, tuple[int, ...]]:
        """The flat values of the tensor at an offset, and its four sizes."""
        version, at = self.integer(at)
        if version != _TENSOR_VERSION:
            raise SourceUnusable(f"the dlib network holds a tensor of version {version}, not {_TENSOR_VERSION}")
        sizes = []
        for _ in range(4):
            size, at = self.integer(at)
            sizes.append(size)
        return np.frombuffer(self._data, "<f4", int(np.prod(sizes)), at), tuple(sizes)

    def parameters(self) -> Iterator[Floats]:
        """The values of every convolution and affine layer, in order of the file (from the input to the output)."""
        for match in re.finditer(rb"con_4|affine_", self._data):
            yield self.tensor(match.end())[0]

    def last_layer(self) -> Floats:
        """The weights of the fully connected layer, 256 x 128."""
        at = self._data.rfind(b"fc_2") + len(b"fc_2")
        _, at = self.integer(at)
        _, at = self.integer(at)
        values, sizes = self.tensor(at)
        return values.reshape(sizes[0], sizes[1])


class _Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, parameters: Iterator[Floats]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._parameters = parameters

    def node(self, operator: str, inputs: list[str], **attributes: list[int]) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        node = helper.make_node(operator, inputs, [name])
        node.attribute.extend(helper.make_attribute(key, value) for key, value in sorted(attributes.items()))
        self.nodes.append(node)
        return name

    def constant(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def convolution(self, x: str, channels: tuple[int, int], side: int, stride: int) -> str:
        """A convolution with the affine layer behind it folded in; dlib pads only those of stride 1."""
        into, out = channels
        values = next(self._parameters).astype(np.float64)
        affine = next(self._parameters).astype(np.float64)
        if values.size != out * into * side * side + out or affine.size != 2 * out:
            raise SourceUnusable("the dlib network is not the face recognition ResNet")
        gain, shift = affine[:out], affine[out:]
        kernel = values[:-out].reshape(out, into, side, side) * gain[:, None, None, None]
        bias = values[-out:] * gain + shift
        weights = [self.constant(kernel.astype(np.float32)), self.constant(bias.astype(np.float32))]
        pad = side // 2 if stride == 1 else 0
        return self.node("Conv", [x, *weights], kernel_shape=[side, side], strides=[stride, stride], pads=[pad] * 4)

    def residual(self, x: str, channels: int) -> str:
        y = self.node("Relu", [self.convolution(x, (channels, channels), 3, 1)])
        y = self.convolution(y, (channels, channels), 3, 1)
        return self.node("Relu", [self.node("Add", [y, x])])

    def halving(self, x: str, into: int, out: int, side: int) -> tuple[str, int]:
        """A residual block of stride 2 on maps of `side`; gives its result and the new side.

        dlib adds tensors of unlike size as if the smaller one were zero outside.
        """
        y = self.node("Relu", [self.convolution(x, (into, out), 3, 2)])
        y = self.convolution(y, (out, out), 3, 1)
        short = self.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        y_side, short_side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        both, channels = max(y_side, short_side), max(into, out)
        y = self._padded(y, channels - out, both - y_side)
        short = self._padded(short, channels - into, both - short_side)
        return self.node("Relu", [self.node("Add", [y, short])]), both

    def _padded(self, x: str, channels: int, sides: int) -> str:
        if channels == 0 and sides == 0:
            return x
        return self.node("Pad", [x, self.constant(np.array([0, 0, 0, 0, 0, channels, sides, sides], np.int64))])


def convert(data: bytes) -> bytes:
    """Turn `dlib_face_recognition_resnet_model_v1.dat` into ONNX, the same bytes every time.

    The result maps `image`, float32 N x 3 x 150 x 150 RGB 0..255, to `embedding`, float32 N x 128.
    Raises SourceUnusable when the data hold another network.
    """
    reader = _Reader(data)
    parameters = reader.parameters()
    graph = _Graph(parameters)
    mean = np.array(_MEAN_RGB, np.float32).reshape(1, 3, 1, 1)
    x = graph.node("Sub", [IMAGE, graph.constant(mean)])
    x = graph.node("Mul", [x, graph.constant(np.array(1 / 256, np.float32))])
    x = graph.node("Relu", [graph.convolution(x, (3, 32), 7, 2)])
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    side, into = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1, 32
    for blocks, channels, halves in _STAGES:
        if halves:
            x, side = graph.halving(x, into, channels, side)
            into = channels
        for _ in range(blocks):
            x = graph.residual(x, channels)
    if next(parameters, None) is not None:
        raise SourceUnusable("the dlib network has more layers than the face recognition ResNet")
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])])
    graph.nodes.append(helper.make_node("MatMul", [x, graph.constant(reader.last_layer())], [EMBEDDING]))
    return _model(graph)


def _model(graph: _Graph) -> bytes:
    image = helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, ["N", 3, SIDE, SIDE])
    embedding = helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["N", DIMENSION])
    whole = helper.make_graph(graph.nodes, "dlib_face_resnet", [image], [embedding], graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return onnx_file.write(model)
