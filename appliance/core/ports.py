"""What the desk needs from the outside worlds; each port has one named door that implements it.

A port guarantees its error types whatever library works behind it.
"""

from typing import Protocol

from appliance.core.types import Embedding, Face, Frame, MatchResult, Observation, PersonId


class FrameSource(Protocol):
    """Frames of one camera, recording or scripted scene, in order of time."""

    @property
    def name(self) -> str:
        """Stable name of the source, as recorded in events."""

    def read(self) -> Frame | None:
        """The newest frame not given before; None when a recording has ended.

        A live source waits for the next frame and never gives one twice.
        Raises CameraUnavailable or CameraFrozen; may be called again afterwards.
        """

    def close(self) -> None:
        """Release the device; harmless when called twice."""


class Observer(Protocol):
    """The measuring side: one model pack, opened."""

    def observe(self, frame: Frame) -> Observation:
        """Find and measure the faces of a frame."""

    def embed(self, frame: Frame, face: Face) -> Embedding:
        """Compute the embedding of one face of this frame."""


class Matcher(Protocol):
    """Comparison of a probe with enrolled templates of the same pack."""

    def verify(self, probe: Embedding, person: PersonId) -> MatchResult:
        """1:1. A person without a template gives a result without candidates."""

    def among(self, probe: Embedding, people: frozenset[PersonId]) -> MatchResult:
        """1:few, against the templates of these people only."""

    def identify(self, probe: Embedding, limit: int = 5) -> MatchResult:
        """1:N, against the whole gallery: the best `limit` people."""
