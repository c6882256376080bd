"""The golden self-test: known pictures through a model must give the known outputs on this machine too.

Pictures are drawn shapes and noise, never a person. Where the vectors come from belongs to the pack's recipe.
"""

import io
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.face.tensor import InputTensor
from models.manifest import Model

Floats = NDArray[np.float32]
Run = Callable[[Floats], tuple[Floats, ...]]

MIN_COSINE = 0.9999
"""float32 kernels of different CPUs agree to about 1e-6; a wrong weight, channel order or rounding mode does not."""
MAX_SCALE = 0.001
"""Largest relative difference of the outputs' norms: the cosine does not see a factor."""


class GoldenMismatch(Exception):
    """A model computes something else than it should; the message says which."""


def outputs(model: Model, pictures: NDArray[np.uint8], names: tuple[str, ...], run: Run) -> dict[str, Floats]:
    """What a model makes of each picture (n x h x w x 3 BGR) alone, by output, joined along the first axis."""
    tensor = InputTensor(model.input, pictures.shape[2], pictures.shape[1])
    runs = [run(tensor.fill(picture)) for picture in pictures]
    return {name: np.concatenate(parts) for name, parts in zip(names, zip(*runs, strict=True), strict=True)}


class Golden:
    """The golden vectors of a pack: .npz with `KEY.input` (uint8 n x h x w x 3 BGR) and `KEY.NAME` for each output.

    KEY is `Model.key`. Several pictures give a network whose output is one number something to be compared in.
    """

    def __init__(self, archive: bytes) -> None:
        """Raises GoldenMismatch for what is no such archive."""
        try:
            with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
                self._vectors = {name: loaded[name] for name in loaded.files}
        except (zipfile.BadZipFile, ValueError, OSError, EOFError) as error:
            raise GoldenMismatch("the golden vectors cannot be read") from error

    def pictures(self, model: Model) -> NDArray[np.uint8]:
        """The pictures for a model. Raises GoldenMismatch where there are none, or not of its size."""
        found = self._vectors.get(f"{model.key}.input")
        if found is None or found.dtype != np.uint8 or found.ndim != 4 or found.shape[3] != 3 or not len(found):
            raise GoldenMismatch(f"{model.file}: the golden vectors hold no picture for it")
        if model.input.fixed and found.shape[1:3] != (model.input.height, model.input.width):
            raise GoldenMismatch(f"{model.file}: the golden picture has another size than its input")
        pictures: NDArray[np.uint8] = found.astype(np.uint8, copy=False)
        return pictures

    def compare(self, model: Model, found: Mapping[str, Floats]) -> None:
        """Compare what a model made of its pictures. Raises GoldenMismatch naming the output that is wrong."""
        for name, values in found.items():
            expected = self._vectors.get(f"{model.key}.{name}")
            if expected is None or expected.shape != values.shape:
                raise GoldenMismatch(f"{model.file}: output {name} is not the one the golden vectors were made with")
            what = f"{model.file}: output {name}"
            _compare(what, expected.astype(np.float64).ravel(), values.astype(np.float64).ravel())


def _compare(what: str, expected: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    norms = float(np.linalg.norm(expected)), float(np.linalg.norm(values))
    if not np.isfinite(norms[1]) or min(norms) == 0:
        raise GoldenMismatch(f"{what} is zero or not finite")
    cosine = float(expected @ values) / (norms[0] * norms[1])
    if cosine < MIN_COSINE or abs(norms[1] / norms[0] - 1) > MAX_SCALE:
        raise GoldenMismatch(f"{what} fails the golden self-test (cosine {cosine:.6f}, norm {norms[1] / norms[0]:.4f})")
