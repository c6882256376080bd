"""An observer and a film for tests of taking looks: what is seen depends on the frame's number."""

from collections.abc import Callable

import numpy as np

from appliance.core.errors import CameraUnavailable
from appliance.core.types import Embedding, Face, Frame, Instant, Observation
from tests.fakes.patients import make_embedding

FPS = 8.0
PIXELS = np.zeros((48, 64, 3), np.uint8)


def no_model(_: int) -> float | None:
    """The pack has no quality model."""
    return None


class Eyes:
    """Implements `core.ports.Observer`. embedded: the numbers of the frames that became probes."""

    def __init__(
        self,
        sight: Callable[[int], Observation],
        unified: Callable[[int], float | None] = no_model,
        whose: Callable[[int], Embedding] = make_embedding,
    ) -> None:
        self._sight, self._unified, self._whose = sight, unified, whose
        self.embedded: list[int] = []

    def observe(self, frame: Frame) -> Observation:
        """As told."""
        return self._sight(frame.index)

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """As told; each frame has a vector of its own unless somebody says otherwise."""
        assert face.score > 0
        self.embedded.append(frame.index)
        return self._whose(frame.index)

    def live_score(self, frame: Frame, face: Face) -> None:
        """No such model."""
        assert frame.index in self.embedded or face.score > 0

    def unified_quality(self, frame: Frame, face: Face) -> float | None:
        """As told."""
        assert face.score > 0
        return self._unified(frame.index)


class Film:
    """Implements `core.ports.FrameSource`: so many black frames, eight a second, then the end or a failure."""

    name = "film"

    def __init__(self, length: int, failure: CameraUnavailable | None = None) -> None:
        self._length, self._failure, self._index = length, failure, 0

    def read(self) -> Frame | None:
        """The next frame."""
        index, self._index = self._index, self._index + 1
        if index >= self._length:
            if self._failure is not None:
                raise self._failure
            return None
        return Frame(PIXELS, Instant(5.0 + index / FPS), self.name, index)

    def close(self) -> None:
        """Nothing to release."""
