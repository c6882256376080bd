"""Follows one person from frame to frame, so that nobody takes another's place in the middle of a challenge.

A head that turns looks different at the end of the turn, but hardly so from one frame to the next: each frame must
resemble the frames held before the challenge or one of the last that did. How alike two frames of one person are is the
pack's calibration; what becomes of a face that is not the same is for `liveness` to judge.
"""

from dataclasses import dataclass, replace

from appliance.core.types import Embedding, Sensitive

_REMEMBERED = 4  # frames: a quarter of a second at 15 a second, over which a quick turn is some 20 degrees


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Chain(Sensitive):
    """held: frames before the challenge. recent: the last ones that were found to be of the same person."""

    held: tuple[Embedding, ...]
    recent: tuple[Embedding, ...] = ()

    def holds(self, seen: Embedding, agree: float) -> bool:
        """Whether a frame is of the same person; agree: least cosine similarity of two frames of one."""
        return any(float(seen.vector @ known.vector) >= agree for known in (*self.recent, *self.held))

    def follow(self, seen: Embedding) -> "Chain":
        """Go on from a frame that was found to be of the same person."""
        return replace(self, recent=(*self.recent, seen)[-_REMEMBERED:])
