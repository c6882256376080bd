"""Small networks that have the inputs and outputs of real ones, and nothing of their weights."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)
YUNET_PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
YUNET_OUTPUTS = tuple(f"{part}_{stride}" for part in YUNET_PARTS for stride in STRIDES)


def _weights(seed: int, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(0, 0.01, shape).astype(np.float32)


def _bytes(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def yunet(side: int | None = None, outputs: tuple[str, ...] = YUNET_OUTPUTS) -> bytes:
    """YuNet's twelve outputs, each from one convolution. side: of the only picture it takes; None: any."""
    nodes, constants, values = [], [], []
    for name in outputs:
        part, _, text = name.rpartition("_")
        stride, channels = int(text), YUNET_PARTS[part]
        constants.append(numpy_helper.from_array(_weights(stride, channels, 3, stride, stride), f"{name}_w"))
        constants.append(numpy_helper.from_array(np.array([1, -1, channels]), f"{name}_s"))
        nodes += [
            helper.make_node("Conv", ["input", f"{name}_w"], [f"{name}_c"], strides=[stride, stride]),
            helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [f"{name}_r"]),
            helper.make_node("Sigmoid", [f"{name}_r"], [name]),
        ]
        cells = f"cells_{stride}" if side is None else (side // stride) ** 2
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, cells, channels]))
    size = ["height", "width"] if side is None else [side, side]
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, *size])
    return _bytes(helper.make_graph(nodes, "yunet", [image], values, constants))


def embedder(side: int, dimension: int, slopes: tuple[float, ...] = (0.1, -0.5, 2.0, 0.3), seed: int = 1) -> bytes:
    """A picture to a vector, by a convolution, a PReLU and a product. Called as in SFace: `data` to `fc1`."""
    slope = np.array(slopes, np.float32).reshape(-1, 1, 1)
    constants = [
        numpy_helper.from_array(_weights(seed, 4, 3, 8, 8), "w"),
        numpy_helper.from_array(slope, "slope"),
        numpy_helper.from_array(_weights(seed + 1, 4, dimension), "out"),
    ]
    nodes = [
        helper.make_node("Conv", ["data", "w"], ["c"], strides=[8, 8]),
        helper.make_node("PRelu", ["c", "slope"], ["p"]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("MatMul", ["f", "out"], ["fc1"]),
    ]
    image = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, side, side])
    vector = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, dimension])
    return _bytes(helper.make_graph(nodes, "embedder", [image], [vector], constants))


def quality(native: float) -> bytes:
    """LightQNet's input and output: a number near `native`, by a thousandth of how bright the picture is."""
    constants = [
        numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("k", 1e-3), ("n", native))
    ]
    nodes = [
        helper.make_node("ReduceMean", ["data"], ["light"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["light", "k"], ["little"]),
        helper.make_node("Add", ["little", "n"], ["native"]),
    ]
    image = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 96, 96, 3])
    number = helper.make_tensor_value_info("native", TensorProto.FLOAT, [1])
    return _bytes(helper.make_graph(nodes, "quality", [image], [number], constants))
