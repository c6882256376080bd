"""CenterFace's published ONNX file, mended: any size of input, named outputs, foldable weights.

Where the file comes from and what the pack says about it belongs to `builtin`; decoding its output to
`appliance.face.detector`.
"""

from collections.abc import MutableSequence

from onnx import TensorProto, helper

from models.errors import SourceUnusable
from models.recipes import onnx_file

IMAGE = "image"
HEAT, SCALE, OFFSET, LANDMARKS = "heat", "scale", "offset", "landmarks"
STRIDE, MULTIPLE = 4, 32

_PUBLISHED = {"input.1": IMAGE, "537": HEAT, "538": SCALE, "539": OFFSET, "540": LANDMARKS}
_CHANNELS = {HEAT: 1, SCALE: 2, OFFSET: 2, LANDMARKS: 10}


def mend(data: bytes) -> bytes:
    """Rewrite the shapes of `centerface.onnx`; weights and operators stay as they are, the same bytes every time.

    The published file declares a batch of ten pictures of 32x32 and lists its weights as inputs, which keeps
    onnxruntime from folding them. The result maps `image`, float32 1 x 3 x H x W, RGB 0..255, H and W multiples of 32,
    to `heat` (1 channel, 0..1), `scale` (2: log of height and width in strides), `offset` (2: y, x in strides) and
    `landmarks` (10: y, x of five points in box sizes), each H/4 x W/4.
    Raises SourceUnusable when the data are another model.
    """
    model = onnx_file.read(data)
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in weights]
    if set(inputs) | {value.name for value in graph.output} != set(_PUBLISHED):
        raise SourceUnusable("centerface.onnx is not the model known by that name")
    for node in graph.node:
        _rename(node.input)
        _rename(node.output)
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(helper.make_tensor_value_info(IMAGE, TensorProto.FLOAT, [1, 3, "H", "W"]))
    for name, channels in _CHANNELS.items():
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "h", "w"]))
    return onnx_file.write(model)


def _rename(names: MutableSequence[str]) -> None:
    for index, name in enumerate(names):
        names[index] = _PUBLISHED.get(name, name)
