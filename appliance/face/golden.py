"""The golden self-test: known pictures through a model must give the known outputs on this machine too.

Pictures are drawn shapes and noise, never a person. Where the vectors come from belongs to the pack's recipe.
"""

import io
import zipfile
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from appliance.face.tensor import InputTensor
from models.manifest import Model

Floats = NDArray[np.float32]

MIN_COSINE = 0.9999
"""float32 kernels of different CPUs agree to about 1e-6; a wrong weight, channel order or rounding mode does not."""
MAX_SCALE = 0.001
"""Largest relative difference of the outputs' norms: the cosine does not see a factor."""


class GoldenMismatch(Exception):
    """A model computes something else than it should; the message says which."""


def check(archive: bytes, model: Model, outputs: tuple[str, ...], run: Callable[[Floats], tuple[Floats, ...]]) -> None:
    """Run a model on its golden pictures. Raises GoldenMismatch.

    archive: .npz with `KEY.input` (uint8 n x h x w x 3 BGR) and `KEY.NAME` (float32) for each output of the model: the
    outputs for every picture alone, one behind the other along the first axis. KEY is `Model.key`. Several pictures
    give a network whose output is one number something to be compared in.
    """
    vectors = _vectors(archive)
    pictures = vectors.get(f"{model.key}.input")
    if (
        pictures is None
        or pictures.dtype != np.uint8
        or pictures.ndim != 4
        or pictures.shape[3] != 3
        or not len(pictures)
    ):
        raise GoldenMismatch(f"{model.file}: the golden vectors hold no picture for it")
    tensor = InputTensor(model.input, pictures.shape[2], pictures.shape[1])
    runs = [run(tensor.fill(picture)) for picture in pictures.astype(np.uint8, copy=False)]
    for name, parts in zip(outputs, zip(*runs, strict=True), strict=True):
        expected, values = vectors.get(f"{model.key}.{name}"), np.concatenate(parts)
        if expected is None or expected.shape != values.shape:
            raise GoldenMismatch(f"{model.file}: output {name} is not the one the golden vectors were made with")
        _compare(f"{model.file}: output {name}", expected.astype(np.float64).ravel(), values.astype(np.float64).ravel())


def _compare(what: str, expected: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    norms = float(np.linalg.norm(expected)), float(np.linalg.norm(values))
    if not np.isfinite(norms[1]) or min(norms) == 0:
        raise GoldenMismatch(f"{what} is zero or not finite")
    cosine = float(expected @ values) / (norms[0] * norms[1])
    if cosine < MIN_COSINE or abs(norms[1] / norms[0] - 1) > MAX_SCALE:
        raise GoldenMismatch(f"{what} fails the golden self-test (cosine {cosine:.6f}, norm {norms[1] / norms[0]:.4f})")


def _vectors(archive: bytes) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
        raise GoldenMismatch("the golden vectors cannot be read") from error
