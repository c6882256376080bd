"""Families: a network that is not what its manifest says is told by what it takes and gives."""

from dataclasses import replace

import numpy as np
import pytest

from appliance.face.families import FamilyMismatch, check_input, check_outputs, supported
from models.manifest import Loader, Model, Task
from models.recipes.recipe import load

MODELS = {model.key: model for name in ("edge", "open", "builtin") for model in load(name).models}
YUNET, SCRFD, CENTERFACE = (
    next(model for model in load(name).models if model.task is Task.DETECT) for name in ("open", "edge", "builtin")
)
EMBEDDER = next(model for model in load("edge").models if model.task is Task.EMBED)
PAD, QUALITY = load("open").models[2], load("open").models[4]

ROWS = {8: 96, 16: 24, 32: 6}
"""Cells of a picture of 64 x 96."""
YUNET_SHAPES = {
    f"{part}_{stride}": (1, rows, channels)
    for part, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
    for stride, rows in ROWS.items()
}
SCRFD_SHAPES = {
    f"{channels}_{stride}": (2 * rows, channels) for channels in (1, 4, 10) for stride, rows in ROWS.items()
}
CENTERFACE_SHAPES = {
    "heat": (1, 1, 16, 24),
    "scale": (1, 2, 16, 24),
    "offset": (1, 2, 16, 24),
    "landmarks": (1, 10, 16, 24),
}


def _check(model: Model, shapes: "dict[str, tuple[int, ...]]") -> None:
    check_outputs(model, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, 64, 96)


@pytest.mark.parametrize(
    ("model", "shapes"),
    [
        (YUNET, YUNET_SHAPES),
        (SCRFD, SCRFD_SHAPES),
        (SCRFD, {name: (1, *shape) for name, shape in SCRFD_SHAPES.items()}),
        (CENTERFACE, CENTERFACE_SHAPES),
        (EMBEDDER, {"e": (1, 512)}),
        (PAD, {"prob": (1, 3)}),
        (QUALITY, {"q": (1, 1)}),
        (QUALITY, {"q": (1,)}),
    ],
)
def test_the_outputs_of_the_families_pass(model: Model, shapes: "dict[str, tuple[int, ...]]") -> None:
    """For a picture of 64 x 96."""
    _check(model, shapes)


WITHOUT_LANDMARKS = {name: shape for name, shape in YUNET_SHAPES.items() if not name.startswith("kps")}


@pytest.mark.parametrize(
    ("model", "shapes", "said"),
    [
        (YUNET, WITHOUT_LANDMARKS, "has an output kps_8, this one has not"),
        (YUNET, YUNET_SHAPES | {"kps_8": (1, 96, 8)}, r"output kps_8 is \[1, 96, 8\], not \[1, 96, 10\]"),
        (YUNET, YUNET_SHAPES | {"cls_32": (1, 7, 1)}, "output cls_32"),
        (SCRFD, dict(list(SCRFD_SHAPES.items())[:6]), "this one has no landmark outputs"),
        (SCRFD, dict(list(SCRFD_SHAPES.items())[:8]), "has 8 outputs, not 9"),
        (SCRFD, SCRFD_SHAPES | {"10_32": (12, 8)}, r"\[12, 8\], not \[12, 10\]"),
        (SCRFD, SCRFD_SHAPES | {"10_32": (2, 12, 10)}, "10_32"),
        (CENTERFACE, {name: CENTERFACE_SHAPES[name] for name in ("heat", "scale", "offset")}, "landmarks"),
        (EMBEDDER, {"e": (1, 128)}, r"512 numbers is needed, this network gives \[128\]"),
        (EMBEDDER, {"e": (1, 512, 1, 1)}, "512 numbers is needed"),
        (EMBEDDER, {"e": (1, 512), "f": (1, 512)}, "512 numbers is needed"),
        (PAD, {"prob": (1, 1)}, "classes up to 1"),
        (QUALITY, {"q": (1, 2)}, "one number"),
    ],
)
def test_other_outputs_are_named(model: Model, shapes: "dict[str, tuple[int, ...]]", said: str) -> None:
    """What is missing, or its shape."""
    with pytest.raises(FamilyMismatch, match=said):
        _check(model, shapes)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (YUNET, ["n", 3, "h", "w"]),
        (YUNET, [1, 3, None, None]),
        (EMBEDDER, ["n", 3, 112, 112]),
        (QUALITY, ["n", 96, 96, 3]),
    ],
)
def test_inputs_that_fit_pass(model: Model, shape: "list[object]") -> None:
    """Names and gaps are free sizes."""
    check_input(model, shape)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (YUNET, [1, 3, 640, 640]),
        (YUNET, [1, 1, "h", "w"]),
        (EMBEDDER, ["n", 3, 128, 128]),
        (EMBEDDER, ["n", 112, 112, 3]),
        (EMBEDDER, ["n", 512]),
        (QUALITY, ["n", 3, 96, 96]),
    ],
)
def test_inputs_of_other_sizes_are_told(model: Model, shape: "list[object]") -> None:
    """A fixed size where any is promised, another size, other channels, another order."""
    with pytest.raises(FamilyMismatch, match=f"{model.file}: its input is"):
        check_input(model, shape)


def test_only_families_of_insightface_go_through_its_package() -> None:
    """The rest is loaded directly; families nobody wrote an adapter for are not loaded at all."""
    assert all(supported(model) for model in MODELS.values())
    assert supported(replace(SCRFD, loader=Loader.INSIGHTFACE))
    assert not supported(replace(YUNET, loader=Loader.INSIGHTFACE))
    assert not supported(replace(EMBEDDER, family="scrfd"))
