"""Cuts faces out of a frame so that their five landmarks come to lie where an embedder expects them.

The template comes from the pack's manifest; what is measured on the crop belongs to `quality` and `embedder`.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.opencv import cv2


def similarity(points: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rotation, scale and shift (2 x 3) that best map points (n x 2) onto a template, never a mirror image.

    Least squares after Umeyama (1991), "Least-squares estimation of transformation parameters between two point
    patterns". In two dimensions the optimum is closed: with centred points as complex numbers z and w, the factor is
    sum(conj(z) w) / sum(|z|^2). Points that all coincide give the identity's scale.
    """
    centre, target = points.mean(axis=0, dtype=np.float64), template.mean(axis=0, dtype=np.float64)
    z = (points - centre) @ np.array([1, 1j])
    w = (template - target) @ np.array([1, 1j])
    spread = float(np.sum(np.abs(z) ** 2))
    factor = np.vdot(z, w) / spread if spread > 0 else 1.0 + 0j
    a, b = float(np.real(factor)), float(np.imag(factor))
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, target - linear @ centre])


class Aligner:
    """Cuts crops of one size; the crop it returns is overwritten by the next call."""

    def __init__(self, template: NDArray[np.floating], width: int, height: int) -> None:
        self.template = np.asarray(template, np.float64)
        self._size = (width, height)
        self._crop: NDArray[np.uint8] = np.zeros((height, width, 3), np.uint8)

    def crop(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The aligned crop (BGR uint8, height x width x 3) of the face with these landmarks (5 x 2, frame pixels).

        What lies outside the frame repeats its border, so that a face at the edge gets no black wedge.
        """
        matrix = similarity(landmarks, self.template)
        cv2.warpAffine(
            pixels, matrix, self._size, dst=self._crop, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return self._crop
