"""Judges whether pictures stand still or come round again: a film in a loop, injected or shown, is no visit.

Exact repetition is proof: two exposures of a sensor never agree in every pixel of a moving face. A loop that
was coded anew differs a little each time; it is told by coming close to the past again and again *while something
moves*. How far pictures are apart is measured in `appliance.capture.recurrence`; a film shown once is left to
`liveness`. A film shown again hours later gives faces that are more alike than any two captures.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.core.policy import ReplayRule
from appliance.core.types import Instant, Recurrence


class Repetition(StrEnum):
    """What is wrong with the pictures of a visit; the codes of the alarms."""

    FROZEN = "frames_frozen"
    LOOPING = "frames_looping"


@dataclass(frozen=True, slots=True)
class Repeats:
    """What a visit's pictures repeated so far; `follow` gives the next one, nothing is changed in place.

    still_since, still_frames: the run of equal pictures. exact: pictures of this visit seen before. run_since, moving:
    the run of pictures that came close to the past, and how many of them belong to motion within the run.
    """

    still_since: Instant | None = None
    still_frames: int = 0
    exact: int = 0
    run_since: Instant | None = None
    moving: int = 0
    found: Repetition | None = None

    def follow(self, seen: Recurrence, rule: ReplayRule) -> "Repeats":
        """Take one picture into account; what was found stays found until the visit ends."""
        now = self._still(seen)._exact(seen)._near(seen, rule)
        return now if now.found else replace(now, found=now._judged(seen.at, rule))

    def _still(self, seen: Recurrence) -> "Repeats":
        if not seen.same:
            return replace(self, still_since=seen.at, still_frames=0)
        since = seen.at if self.still_since is None else self.still_since  # it stood still when the visit began
        return replace(self, still_since=since, still_frames=self.still_frames + 1)

    def _exact(self, seen: Recurrence) -> "Repeats":
        return replace(self, exact=self.exact + 1) if seen.seen and not seen.same else self

    def _near(self, seen: Recurrence, rule: ReplayRule) -> "Repeats":
        if seen.nearest > rule.near:
            return replace(self, run_since=None, moving=0)
        if self.run_since is None:
            return replace(self, run_since=seen.at)
        within = seen.at - self.run_since >= rule.stride
        return replace(self, moving=self.moving + (within and seen.moved >= rule.moving))

    def _judged(self, at: Instant, rule: ReplayRule) -> Repetition | None:
        still = 0.0 if self.still_since is None else at - self.still_since
        if self.still_frames >= rule.frozen_frames and still >= rule.frozen_seconds:
            return Repetition.FROZEN
        run = 0.0 if self.run_since is None else at - self.run_since
        near = run >= rule.near_seconds and self.moving >= rule.moving_frames
        return Repetition.LOOPING if near or self.exact >= rule.exact_frames else None


REPLAYED_FACE = "replayed_face"
"""Code of the alarm for a face that was before this camera already, in another visit."""


def shown_before(similarity: float, alike: float, rule: ReplayRule) -> bool:
    """Whether two faces are more alike than two captures can be: they are one picture, coded twice at most.

    similarity: cosine of a face and the most similar one of another visit. alike: least cosine of two looks of one
    person for this pack and policy. A similarity that is no number is none.
    """
    return 1 - similarity <= rule.face * (1 - alike)
