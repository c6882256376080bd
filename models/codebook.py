"""The code book of a pack: how an embedding is shortened to a few bytes, as a checked npz file and back.

Product quantisation after Jégou, Douze and Schmid (IEEE TPAMI 33, 2011), 16 centroids a part: the projected vector is
cut into parts of equal length and each part stands as the number of its nearest centroid, 4 bits. Training belongs to
`codebook_training`; searching with codes, to the gallery. A code book holds averages over many public faces and
nobody's template.
"""

import io
import zipfile
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import PackDamaged

CENTROIDS: Final = 16
"""Per part: what fits 4 bits, so that a whole table of 16 distances fits one SIMD register."""


@dataclass(frozen=True, slots=True, eq=False)
class CodeBook:
    """projection: int8 (k, d), in steps of `step`. centroids: float32 (parts, 16, k / parts), of projected vectors."""

    projection: NDArray[np.int8]
    step: float
    centroids: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Raises PackDamaged where the shapes do not fit, or a number is none."""
        shape = self.centroids.shape
        fits = (
            self.projection.ndim == 2
            and len(shape) == 3
            and shape[1] == CENTROIDS
            and shape[0] % 2 == 0  # two parts a byte
            and 0 < shape[0] * shape[2] == len(self.projection)
        )
        if not fits:
            raise PackDamaged(f"code book: a projection {self.projection.shape} with centroids {shape}")
        if not (np.isfinite(self.centroids).all() and np.isfinite(self.step) and self.step > 0):
            raise PackDamaged("code book: a number is not finite, or the step is not positive")

    @property
    def dimension(self) -> int:
        """Length of the embeddings it is for."""
        return int(self.projection.shape[1])

    @property
    def code_bytes(self) -> int:
        """Bytes of one code."""
        return len(self.centroids) // 2

    def matrix(self) -> NDArray[np.float32]:
        """The projection as float32 (k, d). Its rows are orthonormal to the precision of the steps."""
        return self.projection.astype(np.float32) * np.float32(self.step)

    def write(self) -> bytes:
        """The file."""
        out = io.BytesIO()
        step = np.float32(self.step)
        np.savez_compressed(out, projection=self.projection, step=step, centroids=self.centroids.astype(np.float16))
        return out.getvalue()


def read(data: bytes) -> CodeBook:
    """A code book from its file. Raises PackDamaged."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            projection, step, centroids = arrays["projection"], arrays["step"], arrays["centroids"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise PackDamaged("code book: not the npz file it has to be") from error
    if (projection.dtype, step.dtype, step.shape, centroids.dtype) != (np.int8, np.float32, (), np.float16):
        raise PackDamaged("code book: arrays of other types than int8, float32 and float16")
    return CodeBook(projection, float(step), centroids.astype(np.float32))
