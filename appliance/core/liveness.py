"""Judges over time whether a head did what it was asked for, or a flat picture was moved.

The evidence of a turn is the nose's parallax (`liveness_signs`); coming closer is judged by growth, which a picture can
show too and which therefore never stands alone. What is asked for is drawn by the caller (`liveness_steps`). A film
that happens to show the right motions, and a strongly bent picture, have parallax too; those attacks are left to
passive models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.core.liveness_signs import Change, Reading, Sample
from appliance.core.liveness_steps import Step, dot_at
from appliance.core.policy import LivenessRule
from appliance.core.types import Cue, Instant, LivenessVerdict


class Phase(StrEnum):
    """Where a step of a challenge stands."""

    WAIT = "wait"
    ACT = "act"
    RETURN = "return"
    DONE = "done"


class Cause(StrEnum):
    """Why a challenge ended as it did."""

    ANSWERED = "answered"
    FLAT_MOTION = "flat_motion"
    NO_ANSWER = "no_answer"
    WRONG_WAY = "wrong_way"
    TOO_EARLY = "too_early"
    TRACK_LOST = "track_lost"
    JUMPED = "jumped"
    IDENTITY_CHANGED = "identity_changed"


_STILL = Change()
_GROWTH_NOISE = 0.05
"""How much the median of a face's size changes between two frames by noise alone; a logarithm."""

_GONE_BACK = 0.09
"""Half of what counts as closer: who got that much smaller again has gone back; a logarithm."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge in progress; `follow` gives the next one, nothing is changed in place.

    since: when what is asked for now was first asked. before: medians to which all is compared: of the size, those
    before the current cue; of the rest, those before the challenge. recent: the last readings; what is judged is their
    median, so that no single wild frame counts. step: index of the current step. reached: how many of its turns are
    done. leaving: whether the head is still where the turn before took it. near: whether it came closer when asked, and
    has not gone back since. change: what the last median differs in.
    flat_frames: how many medians looked like a tilted picture.
    """

    steps: tuple[Step, ...]
    since: Instant
    last: Sample
    before: Reading
    recent: tuple[Reading, ...]
    step: int = 0
    reached: int = 0
    leaving: bool = False
    near: bool = False
    phase: Phase = Phase.WAIT
    change: Change = _STILL
    flat_frames: int = 0
    verdict: LivenessVerdict = LivenessVerdict.NOT_CHECKED
    cause: Cause | None = None

    @classmethod
    def begin(cls, steps: tuple[Step, ...], before: Sequence[Sample]) -> "Challenge":
        """Start with the last of these sightings of a face that looked ahead.

        Where none of them has usable landmarks, the challenge is over before it began. Raises ValueError without a step
        that asks for a turn.
        """
        if not any(step.ways for step in steps):
            raise ValueError("a challenge asks for at least one turn")
        at, readings = before[-1].at, tuple(r for r in map(Reading.of, before) if r is not None)
        if readings:
            return cls(steps, at, before[-1], Reading.middle(readings), readings)
        unread = cls(steps, at, before[-1], Reading(at, 0.5, 1.0, 1.0), ())
        return unread._end(LivenessVerdict.INCONCLUSIVE, Cause.TRACK_LOST)

    @property
    def asked(self) -> Step:
        """The current step, or the last."""
        return self.steps[min(self.step, len(self.steps) - 1)]

    @property
    def cue(self) -> Cue:
        """What to show now."""
        return self.asked.cue if self.phase is Phase.ACT else Cue.STRAIGHT

    def dot(self, at: Instant) -> tuple[float, float] | None:
        """Where the dot of the current step is; None where there is none. Shares of the screen, as `dot_at` tells.

        It sets out from where the head is: from the middle, or from the side to which the step before had it turned.
        """
        if self.asked.cue is not Cue.DOT or self.phase is not Phase.ACT:
            return None
        before = self.steps[self.step - 1].ways[-1:] if self.step else ()
        path = (before[0] if before == (-self.asked.ways[0],) else 0, *self.asked.ways)
        return dot_at(path[self.reached], path[self.reached + 1], at - self.since)

    @property
    def progress(self) -> float:
        """Share of the challenge done, 0..1; real, for the ring on the screen."""
        if self.phase is Phase.DONE:
            return 1.0
        return (self.step + self.reached / (len(self.asked.ways) + 1)) / len(self.steps)

    def _end(self, verdict: LivenessVerdict, cause: Cause) -> "Challenge":
        return replace(self, phase=Phase.DONE, verdict=verdict, cause=cause)

    def _unanswered(self, cause: Cause, rule: LivenessRule) -> "Challenge":
        """End without a valid answer: flat motion seen before is told as what it is."""
        if self.flat_frames >= rule.planar_frames:
            return self._end(LivenessVerdict.SPOOF, Cause.FLAT_MOTION)
        return self._end(LivenessVerdict.INCONCLUSIVE, cause)

    def expire(self, at: Instant, rule: LivenessRule) -> "Challenge":
        """Tell the time when no face was seen: a lost track or a time-out ends the challenge."""
        if self.phase is Phase.DONE:
            return self
        if at - self.last.at > rule.max_gap:
            return self._unanswered(Cause.TRACK_LOST, rule)
        if self.phase is not Phase.WAIT and at - self.since > rule.turn_timeout:
            return self._unanswered(Cause.NO_ANSWER, rule)
        return self

    def follow(self, seen: Sample, rule: LivenessRule, *, same: bool = True) -> "Challenge":
        """Take one more sighting into account; same: whether it is of the person the challenge began with.

        Only sightings of that person are evidence; one or two that are not (a blurred frame) are left out.
        """
        if self.phase is Phase.DONE:
            return self
        if seen.box.iou(self.last.box) < rule.min_overlap:
            return self._unanswered(Cause.TRACK_LOST, rule)
        if not same:
            return self._missed(seen.at, rule)
        late = self.expire(seen.at, rule)
        reading = Reading.of(seen)
        if late.phase is Phase.DONE or reading is None:
            return late
        recent = (*self.recent, reading)[-rule.smoothing :]
        change = Reading.middle(recent).since(self.before)
        flat = change.slim < rule.planar_foreshortening and abs(change.parallax) < rule.planar_parallax
        now = replace(self, last=seen, recent=recent, change=change, flat_frames=self.flat_frames + flat)
        return now._unanswered(Cause.JUMPED, rule) if self._jumped(now, rule) else now._resized()._judged(rule)

    def _missed(self, at: Instant, rule: LivenessRule) -> "Challenge":
        """Another person is seen instead."""
        return self._unanswered(Cause.IDENTITY_CHANGED, rule) if at - self.last.at > rule.max_gap else self

    def _judged(self, rule: LivenessRule) -> "Challenge":
        if self.phase is Phase.WAIT:
            return self._waited(rule)
        if self.phase is Phase.RETURN:
            return self._returned(rule)
        return self._turned(rule) if self.asked.ways else self._came(rule)

    def _jumped(self, now: "Challenge", rule: LivenessRule) -> bool:
        """Whether the face moved as no head does: another picture took its place."""
        seconds = now.last.at - self.last.at
        turned, grown = now.change.parallax - self.change.parallax, now.change.growth - self.change.growth
        too_far = abs(turned) > rule.max_speed * seconds + rule.centred
        return too_far or abs(grown) > rule.max_growth_speed * seconds + _GROWTH_NOISE

    def _waited(self, rule: LivenessRule) -> "Challenge":
        if abs(self.change.parallax) >= rule.min_parallax or self.change.growth >= rule.min_growth:
            return self._unanswered(Cause.TOO_EARLY, rule)
        return self if self.last.at - self.since < self.asked.pause else self._told()

    def _told(self) -> "Challenge":
        """The current step is asked for from now on."""
        now = Reading.middle(self.recent)  # who was still stepping up is larger than at first, and stays so
        before = self.before if self._came_before else replace(self.before, size=now.size)
        return replace(self, phase=Phase.ACT, since=self.last.at, before=before, change=now.since(before))

    @property
    def _came_before(self) -> bool:
        """Whether coming closer was a step before this one; it is asked for once."""
        return not all(step.ways for step in self.steps[: self.step])

    def _resized(self) -> "Challenge":
        """Who came closer when asked may be under way still, or go back; coming closer again is what counts then."""
        if not self._came_before:
            return self
        size = Reading.middle(self.recent).size
        near = self.near and size > self.before.size * math.exp(-_GONE_BACK)
        before = replace(self.before, size=max(self.before.size, size) if near else min(self.before.size, size))
        return replace(self, near=near, before=before, change=Reading.middle(self.recent).since(before))

    def _turned(self, rule: LivenessRule) -> "Challenge":
        sign = self.asked.ways[self.reached]
        turned = self.change.parallax * sign
        if self.change.growth >= rule.min_growth or (turned <= -rule.min_parallax and not self.leaving):
            return self._unanswered(Cause.WRONG_WAY, rule)
        if turned < max(rule.min_parallax, rule.min_depth * self.change.foreshortening):
            return replace(self, leaving=self.leaving and turned < -rule.centred)
        there = (r.at for r in self.recent if (r.place - self.before.place) * sign >= rule.min_parallax)
        return self._reached(min(there), rule)

    def _came(self, rule: LivenessRule) -> "Challenge":
        if abs(self.change.parallax) >= rule.min_parallax:
            return self._unanswered(Cause.WRONG_WAY, rule)
        if self.change.growth < rule.min_growth:
            return self
        return self._reached(min(r.at for r in self.recent if r.since(self.before).growth >= rule.min_growth), rule)

    def _reached(self, began: Instant, rule: LivenessRule) -> "Challenge":
        """The head is where it was asked to be; began: when it first was."""
        if began - self.since < rule.reaction:
            return self._unanswered(Cause.TOO_EARLY, rule)
        reached = replace(self, reached=self.reached + 1, since=self.last.at, leaving=True)
        if reached.reached < len(self.asked.ways):
            return reached
        if not self.asked.ways:  # whoever came closer looks ahead, and need not go back to turn
            return replace(reached, near=True)._done(rule)
        if reached._crosses:
            return replace(reached, step=self.step + 1, reached=0)._told()
        return replace(reached, phase=Phase.RETURN)

    @property
    def _crosses(self) -> bool:
        """Whether the step after this turn begins with a turn to the other side: the way there leads back."""
        after = self.steps[self.step + 1 : self.step + 2]
        return any(step.ways[:1] == (-self.asked.ways[-1],) for step in after)

    def _returned(self, rule: LivenessRule) -> "Challenge":
        return self if abs(self.change.parallax) > rule.centred else self._done(rule)

    def _done(self, rule: LivenessRule) -> "Challenge":
        """The current step is answered, and the face looks ahead."""
        if self.flat_frames >= rule.planar_frames:
            return self._end(LivenessVerdict.SPOOF, Cause.FLAT_MOTION)
        if self.step + 1 == len(self.steps):
            return self._end(LivenessVerdict.LIVE, Cause.ANSWERED)
        return replace(self, step=self.step + 1, reached=0, leaving=False, phase=Phase.WAIT, since=self.last.at)
