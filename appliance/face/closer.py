"""Looks at a found face once more: upright and at one size, whatever its size and lean in the frame.

The detector was trained to be right about all sizes at once; where the pack's manifest says so, landmarks for the
embedding are taken from the size it is best at. Finding faces in a frame belongs to `detector`.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.face.align import Aligner, similarity
from appliance.face.detector import Detector
from appliance.face.pack import Runner
from appliance.face.pose import HEAD
from models.manifest import CloserSpec

_STRAY = 0.5
"""Largest mean distance between where a landmark was and where it is seen now, in eye distances: beyond, it is another
face, or none."""


class CloserLook:
    """The pack's detector on a square around one face. Used by one thread."""

    def __init__(self, runner: Runner, spec: CloserSpec) -> None:
        face = HEAD[:, :2] * spec.eyes
        self._eyes = spec.eyes
        self._template = face - face.mean(axis=0) + spec.side / 2
        self._aligner = Aligner(self._template, spec.side, spec.side)
        self._detector = Detector(runner, spec.side)

    def landmarks(self, pixels: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.floating]:
        """The landmarks (5 x 2, frame pixels) of the face that was found with these in a BGR frame.

        Those given come back when the face is not found again in its place.
        """
        matrix = similarity(landmarks, self._template)
        before = landmarks @ matrix[:, :2].T + matrix[:, 2]
        for face in self._detector.detect(self._aligner.crop(pixels, landmarks)):
            if np.hypot(*(face.landmarks - before).T).mean() < _STRAY * self._eyes:
                # a similarity is c z + t on complex numbers, its inverse (w - t) / c
                factor, shift = complex(matrix[0, 0], matrix[1, 0]), complex(*matrix[:, 2])
                seen = (face.landmarks @ np.array([1, 1j]) - shift) / factor
                return np.stack([seen.real, seen.imag], axis=1).astype(np.float32)
        return landmarks
