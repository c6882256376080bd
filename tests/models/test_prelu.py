"""PReLU rewritten: the same function, whatever the slopes, and back again."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from models.errors import SourceUnusable
from models.recipes import prelu
from models.recipes.recipe import load
from models.sources import read_sources

Floats = NDArray[np.float32]
CHANNELS = 3
SLOPES = st.floats(-8, 8, width=32)


def _model(slopes: Floats, form: str = "prelu", *, shared: bool = False) -> bytes:
    """One PReLU between two products. form: prelu, or sum. shared: an inner result is an output as well."""
    weights = {"two": np.full((1, 1, 1), 2, np.float32), "slope": slopes, "rest": (1 - slopes).astype(np.float32)}
    nodes = [helper.make_node("Mul", ["image", "two"], ["x"])]
    if form == "prelu":
        nodes.append(helper.make_node("PRelu", ["x", "slope"], ["y"]))
    else:
        nodes += [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("Mul", ["r", "rest"], ["a"]),
            helper.make_node("Mul", ["slope", "x"], ["b"]),
            helper.make_node("Add", ["b", "a"], ["y"]),
        ]
    nodes.append(helper.make_node("Mul", ["y", "two"], ["out"]))
    shape = [1, CHANNELS, 2, 2]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("image", "out", "r")]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    outputs = values[1:] if shared else values[1:2]
    graph = helper.make_graph(nodes, "g", values[:1], outputs, constants)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())


def _run(data: bytes, image: Floats) -> Floats:
    found = ReferenceEvaluator(onnx.load_model_from_string(data)).run(["out"], {"image": image})
    assert isinstance(found, list)
    return np.asarray(found[0], np.float32)


def _operators(data: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(data).graph.node]


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float32, (CHANNELS, 1, 1), elements=SLOPES),
    arrays(np.float32, (1, CHANNELS, 2, 2), elements=st.floats(-100, 100, width=32)),
)
def test_the_rewritten_network_is_the_same_function(slopes: Floats, image: Floats) -> None:
    """Also for slopes below zero and above one, which real networks have; and the way back gives it again."""
    before = _model(slopes)
    after = prelu.quicken(before)
    assert "PRelu" not in _operators(after)
    np.testing.assert_allclose(_run(after, image), _run(before, image), rtol=2e-5, atol=2e-3)
    again = prelu.as_published(after)
    assert _operators(again) == ["Mul", "PRelu", "Mul"]
    np.testing.assert_array_equal(_run(again, image), _run(before, image))


@pytest.mark.parametrize("form", ["prelu", "sum"])
def test_one_slope_for_all_channels_is_a_leaky_relu(form: str) -> None:
    """Both ways it may be written become one node, and no constant stays behind."""
    slopes = np.full((CHANNELS, 1, 1), 0.25, np.float32)
    after = prelu.quicken(_model(slopes, form))
    assert _operators(after) == ["Mul", "LeakyRelu", "Mul"]
    assert [weight.name for weight in onnx.load_model_from_string(after).graph.initializer] == ["two"]
    assert prelu.quicken(_model(slopes, form)) == after


def test_the_sum_is_recognised_and_not_touched_where_nothing_is_gained() -> None:
    """Slopes that differ, already in the quicker form; the recipe that asks for more is refused."""
    slopes = np.array([0.1, -0.2, 3], np.float32).reshape(CHANNELS, 1, 1)
    data = _model(slopes, "sum")
    with pytest.raises(SourceUnusable, match="no PReLU that could be written quicker"):
        prelu.quicken(data)
    assert _operators(prelu.as_published(data)) == ["Mul", "PRelu", "Mul"]


def test_a_network_without_prelu_is_given_back() -> None:
    """Byte for byte: there is nothing to compare it with."""
    model = onnx.load_model_from_string(_model(np.zeros((CHANNELS, 1, 1), np.float32)))
    model.graph.node[1].CopyFrom(helper.make_node("Relu", ["x"], ["y"]))
    data = bytes(model.SerializeToString())
    assert prelu.as_published(data) == data


def test_what_only_looks_like_a_prelu_stays() -> None:
    """A result that is used elsewhere too, or factors that do not belong together."""
    slopes = np.full((CHANNELS, 1, 1), 0.25, np.float32)
    model = onnx.load_model_from_string(_model(slopes, "sum"))
    model.graph.initializer[2].CopyFrom(numpy_helper.from_array(slopes, "rest"))
    for data in (_model(slopes, "sum", shared=True), bytes(model.SerializeToString())):
        with pytest.raises(SourceUnusable, match="no PReLU"):
            prelu.quicken(data)


@pytest.mark.upstream
def test_every_prelu_of_the_real_networks_is_recognised(upstream: Path) -> None:
    """As many as their architectures have; none of the sum's nodes stays in the published form."""
    for name, count in (("open", 48), ("insightface", 33)):
        recipe = load(name)
        (model,) = (model for model in recipe.models if model.embed)
        source = recipe.origins[model.file]
        data = read_sources([upstream], [s for s in recipe.used if s.name == source])[source]
        operators = _operators(prelu.as_published(data))
        assert (operators.count("PRelu"), operators.count("Relu")) == (count, 0)
