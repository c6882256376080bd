"""Which families of networks this version understands, and what each must take and give to be what it says.

What an output means belongs to the adapters (`detector`, `embedder` and others), whether its values are right to
`golden`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.manifest import Layout, Loader, Model, Task

Shapes = Mapping[str, tuple[int, ...]]
"""Of the outputs for one picture, by name, in the order of the network."""

STRIDES = (8, 16, 32)


class FamilyMismatch(Exception):
    """A network is not of the family its manifest says; the message says what is missing or different."""


def supported(model: Model) -> bool:
    """Whether this version has an adapter for the model's family and loader."""
    families = _OUTPUTS.get(model.task, {})
    through = model.loader is Loader.ONNXRUNTIME or model.family in {"scrfd", "cosine"}
    return model.family in families and through


def check_input(model: Model, shape: Sequence[object]) -> None:
    """The declared input of a network (numbers, or names where free) fits the manifest. Raises FamilyMismatch."""
    last = model.input.layout is Layout.NHWC
    height, width = (model.input.height or None), (model.input.width or None)
    wanted = (None, height, width, 3) if last else (None, 3, height, width)
    if len(shape) != 4 or any(
        isinstance(have, int) and have > 0 and have != want for have, want in zip(shape[1:], wanted[1:], strict=True)
    ):
        told = " x ".join("any" if want is None else str(want) for want in wanted[1:])
        raise FamilyMismatch(f"{model.file}: its input is {list(shape)}, not pictures of {told}")


def check_outputs(model: Model, found: Mapping[str, NDArray[np.float32]], height: int, width: int) -> None:
    """The outputs for pictures of this size are those of the family. Raises FamilyMismatch."""
    shapes = {name: values.shape for name, values in found.items()}
    _OUTPUTS[model.task][model.family](model, shapes, height, width)


def _named(model: Model, have: Shapes, want: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in want.items():
        if name not in have:
            raise FamilyMismatch(f"{model.file}: a {model.family} network has an output {name}, this one has not")
        if have[name] != shape:
            raise FamilyMismatch(f"{model.file}: output {name} is {list(have[name])}, not {list(shape)}")


def _centerface(model: Model, have: Shapes, height: int, width: int) -> None:
    channels = {"heat": 1, "scale": 2, "offset": 2, "landmarks": 10}
    _named(model, have, {name: (1, count, height // 4, width // 4) for name, count in channels.items()})


def _yunet(model: Model, have: Shapes, height: int, width: int) -> None:
    parts = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    cells = {stride: (height // stride) * (width // stride) for stride in STRIDES}
    _named(model, have, {f"{part}_{s}": (1, cells[s], count) for part, count in parts.items() for s in STRIDES})


def _scrfd(model: Model, have: Shapes, height: int, width: int) -> None:
    """Nine outputs in order, two anchors a cell: scores, boxes, landmarks, each for three strides."""
    if len(have) != 9:
        what = "has no landmark outputs" if len(have) == 6 else f"has {len(have)} outputs, not 9"
        raise FamilyMismatch(f"{model.file}: a scrfd network with landmarks is needed, this one {what}")
    wanted = [(2 * (height // s) * (width // s), count) for count in (1, 4, 10) for s in STRIDES]
    for (name, shape), rows in zip(have.items(), wanted, strict=True):
        if shape[-2:] != rows or any(size != 1 for size in shape[:-2]):
            raise FamilyMismatch(f"{model.file}: output {name} is {list(shape)}, not {list(rows)}")


def _vector(model: Model, have: Shapes, height: int, width: int) -> None:
    del height, width
    dimension = model.embed.dimension if model.embed is not None else 0
    shapes = list(have.values())
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] != dimension:
        told = ", ".join(str(list(shape[1:])) for shape in shapes)
        raise FamilyMismatch(f"{model.file}: an embedding of {dimension} numbers is needed, this network gives {told}")


def _classes(model: Model, have: Shapes, height: int, width: int) -> None:
    del height, width
    live = model.pad.live if model.pad is not None else 0
    shapes = list(have.values())
    if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][1] <= max(live, 1):
        told = ", ".join(str(list(shape[1:])) for shape in shapes)
        raise FamilyMismatch(
            f"{model.file}: probabilities of classes up to {live} are needed, this network gives {told}"
        )


def _number(model: Model, have: Shapes, height: int, width: int) -> None:
    del height, width
    shapes = list(have.values())
    if len(shapes) != 1 or shapes[0][1:] not in ((), (1,)):
        told = ", ".join(str(list(shape[1:])) for shape in shapes)
        raise FamilyMismatch(f"{model.file}: one number a picture is needed, this network gives {told}")


_Check = Callable[[Model, Shapes, int, int], None]
_OUTPUTS: Mapping[Task, Mapping[str, _Check]] = {
    Task.DETECT: {"centerface": _centerface, "yunet": _yunet, "scrfd": _scrfd},
    Task.EMBED: {"dlib-resnet": _vector, "cosine": _vector},
    Task.PAD: {"minifasnet": _classes},
    Task.QUALITY: {"lightqnet": _number},
}
