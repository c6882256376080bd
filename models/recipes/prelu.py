"""PReLU written so that onnxruntime is quick at it, and back: exact, node by node.

onnxruntime's PRelu kernel branches on every number and takes half to two thirds of a MobileFaceNet's time; it also
breaks the blocked layout of the convolutions around it. Which recipe wants this, and checking it, belongs to `build`.

PReLU(x) = (1 - a) max(x, 0) + a x for every slope a. One slope for all channels is LeakyRelu, which onnxruntime fuses
into the convolution before it. Measured on retail-0095 (one thread, CPU time, interleaved): PRelu 18.9 ms, this form
14.4 ms, LeakyRelu 9.0 ms. With a slope per channel, on MobileFaceNet y1: PRelu 14.7 ms, this form 7.3 ms; written with
depthwise convolutions or a maximum instead, 7.4 to 7.6 ms.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.errors import SourceUnusable
from models.recipes import onnx_file

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Site:
    """One PReLU: y from x with slopes. results: the names of all that make it up, y last."""

    x: str
    y: str
    slopes: Floats
    results: tuple[str, ...]


_Write = Callable[[_Site], tuple[list[onnx.NodeProto], list[onnx.TensorProto]]]


class _Graph:
    """The nodes by result, and how often each result is used."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.constants = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
        self.makers = {result: node for node in graph.node for result in node.output}
        self.uses = Counter(name for node in graph.node for name in node.input)
        self.uses.update(value.name for value in graph.output)

    def sites(self) -> Iterator[_Site]:
        for node in self.graph.node:
            site = self._prelu(node) or self._leaky(node) or self._sum(node)
            if site is not None:
                yield site

    def _prelu(self, node: onnx.NodeProto) -> _Site | None:
        if node.op_type != "PRelu" or node.input[1] not in self.constants:
            return None
        return _Site(node.input[0], node.output[0], self.constants[node.input[1]], (node.output[0],))

    @staticmethod
    def _leaky(node: onnx.NodeProto) -> _Site | None:
        if node.op_type != "LeakyRelu":
            return None
        slope = next((a.f for a in node.attribute if a.name == "alpha"), 0.01)
        return _Site(node.input[0], node.output[0], np.array([slope], np.float32), (node.output[0],))

    def _sum(self, node: onnx.NodeProto) -> _Site | None:
        """(1 - a) relu(x) + a x, in either order."""
        if node.op_type != "Add":
            return None
        for one, other in (tuple(node.input), tuple(reversed(node.input))):
            rectified, direct = self._scaled(one), self._scaled(other)
            maker = self.makers.get(rectified[0]) if rectified else None
            if rectified is None or direct is None or maker is None or maker.op_type != "Relu":
                continue
            inner = (maker.output[0], one, other)
            if maker.input[0] != direct[0] or any(self.uses[name] != 1 for name in inner):
                continue
            if rectified[1].shape == direct[1].shape and np.allclose(rectified[1], 1 - direct[1], atol=1e-6):
                return _Site(direct[0], node.output[0], direct[1], (*inner, node.output[0]))
        return None

    def _scaled(self, name: str) -> tuple[str, Floats] | None:
        """What a Mul by a constant multiplies, and the constant."""
        node = self.makers.get(name)
        if node is None or node.op_type != "Mul":
            return None
        free = [value for value in node.input if value not in self.constants]
        fixed = [value for value in node.input if value in self.constants]
        return (free[0], self.constants[fixed[0]]) if len(free) == len(fixed) == 1 else None


def quicken(data: bytes) -> bytes:
    """Write every PReLU of a model in the quicker form; the same bytes every time.

    Raises SourceUnusable when there is nothing to gain: a recipe that names this converter was made for another file.
    """
    model = onnx_file.read(data)
    graph = _Graph(model.graph)
    sites = {site.y: site for site in graph.sites() if _can_gain(graph.makers[site.y], site)}
    if not sites:
        raise SourceUnusable("the model holds no PReLU that could be written quicker")
    return _rewritten(model, sites, _quick)


def as_published(data: bytes) -> bytes:
    """Write every PReLU of a model as one PRelu node, as its makers did; for comparing, never for a pack.

    A model without one is given back as it is.
    """
    model = onnx_file.read(data)
    sites = {site.y: site for site in _Graph(model.graph).sites()}
    return _rewritten(model, sites, _plain) if sites else data


def _can_gain(node: onnx.NodeProto, site: _Site) -> bool:
    return node.op_type == "PRelu" or (node.op_type == "Add" and _one_slope(site))


def _one_slope(site: _Site) -> bool:
    return bool(np.all(site.slopes == site.slopes.flat[0]))


def _quick(site: _Site) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    if _one_slope(site):
        return [helper.make_node("LeakyRelu", [site.x], [site.y], alpha=float(site.slopes.flat[0]))], []
    slope, rest, parts = f"{site.y}_slope", f"{site.y}_rest", [f"{site.y}_{part}" for part in ("relu", "up", "through")]
    nodes = [
        helper.make_node("Relu", [site.x], [parts[0]]),
        helper.make_node("Mul", [parts[0], rest], [parts[1]]),
        helper.make_node("Mul", [site.x, slope], [parts[2]]),
        helper.make_node("Add", parts[1:], [site.y]),
    ]
    weights = ((slope, site.slopes), (rest, 1 - site.slopes))
    return nodes, [numpy_helper.from_array(values.astype(np.float32), name) for name, values in weights]


def _plain(site: _Site) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    slope = f"{site.y}_prelu"
    values = numpy_helper.from_array(site.slopes.astype(np.float32), slope)
    return [helper.make_node("PRelu", [site.x, slope], [site.y])], [values]


def _rewritten(model: onnx.ModelProto, sites: dict[str, _Site], write: _Write) -> bytes:
    graph = model.graph
    gone = {result for site in sites.values() for result in site.results}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output[0] in sites:
            made, weights = write(sites[node.output[0]])
            nodes += made
            graph.initializer.extend(weights)
        elif node.output[0] not in gone:
            nodes.append(node)
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    _drop_unused_inputs(graph, used)
    return onnx_file.write(model)


def _drop_unused_inputs(graph: onnx.GraphProto, used: set[str]) -> None:
    """Old exporters list weights as inputs, too."""
    kept = [value for value in graph.input if value.name in used]
    del graph.input[:]
    graph.input.extend(kept)
