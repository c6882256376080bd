"""An observer that sees what a picture's colour says: person, session and liveness are drawn in, never photographed."""

from pathlib import Path

import numpy as np

from appliance.core.types import Box, Embedding, Face, Frame, Observation, PackDigest
from appliance.opencv import cv2
from tests.core.sights import GOOD

PACK = PackDigest("cd" * 32)
DIMENSION = 16


def draw(path: Path, person: int, look: int = 0, live: int = 200) -> None:
    """A picture of one colour: blue tells the person, green the look, red how live it is. Person 255: nobody."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 64, 3), (person, look, live), np.uint8))


class ColourObserver:
    """Implements `Observer`. looked: how many pictures it was shown."""

    def __init__(self) -> None:
        self.looked = 0

    def observe(self, frame: Frame) -> Observation:
        """One face in the middle and a smaller one in the corner; none of person 255."""
        self.looked += 1
        middle = Face(Box(16, 8, 32, 32), np.zeros((5, 2), np.float32), 0.9)
        corner = Face(Box(0, 0, 8, 8), np.ones((5, 2), np.float32), 0.8)
        faces = () if int(frame.pixels[0, 0, 0]) == 255 else (middle, corner)
        return Observation(frame.at, frame.width, frame.height, faces, GOOD if faces else None, 0.5)

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """The person's direction, a little off by the look."""
        person, look, _ = (int(v) for v in frame.pixels[0, 0])
        vector = np.random.default_rng(person).standard_normal(DIMENSION)
        vector = vector + 0.05 * np.random.default_rng(1000 + look).standard_normal(DIMENSION)
        vector *= 1 if face.box.w > 8 else -1
        return Embedding((vector / np.linalg.norm(vector)).astype(np.float32), PACK)

    def live_score(self, frame: Frame, face: Face) -> float | None:
        """Red, 0..1; of the face in the middle."""
        return float(frame.pixels[0, 0, 2]) / 255 if face.box.w > 8 else 0.5

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """Better looks have higher numbers; of the face in the middle."""
        return float(frame.pixels[0, 0, 1]) if face.box.w > 8 else 0.0
