"""Computes the embedding of a face: aligned crop through the pack's embedder, unit length.

What embeddings are compared with belongs to `appliance.matching`; averaging over frames to `core`.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Embedding, PackDigest
from appliance.face.align import Aligner
from appliance.face.pack import Runner
from appliance.face.tensor import InputTensor


class Embedder:
    """One embedder with its crop and input buffers. Used by one thread."""

    def __init__(self, runner: Runner, pack: PackDigest) -> None:
        spec, size = runner.model.embed, runner.model.input
        if spec is None:
            raise ValueError("the model is no embedder")
        self._runner = runner
        self._pack = pack
        self._mirror = spec.mirror
        self._aligner = Aligner(np.array(spec.template), size.width, size.height)
        self._tensor = InputTensor(size, size.width, size.height)
        images = 2 if spec.mirror else 1
        self._batch: NDArray[np.float32] = np.zeros((images, 3, size.height, size.width), np.float32)

    def embed(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> Embedding:
        """The embedding of the face with these landmarks (5 x 2) in a BGR frame."""
        return self.embed_crop(self.align(pixels, landmarks))

    def align(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The aligned crop (BGR uint8) as the model expects it; overwritten by the next call."""
        return self._aligner.crop(pixels, landmarks)

    def embed_crop(self, crop: NDArray[np.uint8]) -> Embedding:
        """The embedding of an aligned crop."""
        values = self._tensor.fill(crop)
        self._batch[0] = values[0]
        if self._mirror:
            self._batch[1] = values[0, :, :, ::-1]
        (vectors,) = self._runner.run(self._batch)
        mean = vectors.mean(axis=0, dtype=np.float64)
        return Embedding((mean / np.linalg.norm(mean)).astype(np.float32), self._pack)
