"""Gathers the proof that one living person stands before the camera, from the hold and from the challenge.

It asks the measuring side for scores and embeddings and the core for judgements, and names the signal that follows;
what the signal leads to is `core.session`'s, and performing that is the station's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from appliance.attempt import Attempt
from appliance.core import session
from appliance.core.liveness import Challenge, Phase
from appliance.core.liveness_identity import Chain
from appliance.core.liveness_passive import PassiveLimits
from appliance.core.liveness_signs import Sample
from appliance.core.liveness_steps import Step
from appliance.core.policy import LivenessRule, Policy
from appliance.core.ports import Observer
from appliance.core.quality import QualityReport, judge
from appliance.core.session import Signal, Visit
from appliance.core.types import Face, Frame, LivenessVerdict, Observation
from appliance.recognition import take

Draw = Callable[[LivenessRule], tuple[Step, ...]]
"""Draws the steps of a challenge by chance."""


@dataclass(frozen=True, slots=True)
class Prover:
    """What the proof is gathered with.

    agree: least similarity of two frames of one person. limits: of the pack's live scores, None where nobody measured
    them. earlier: packs that the desk is moving away from.
    """

    observer: Observer
    policy: Policy
    draw: Draw
    agree: float
    limits: PassiveLimits | None
    earlier: tuple[Observer, ...] = ()

    def hold(
        self, attempt: Attempt, visit: Visit, frame: Frame, seen: Observation, report: QualityReport
    ) -> Signal | None:
        """Collect one more frame of the held face; a signal once a gate fails or enough was collected."""
        if not report.passed:
            attempt.restart()
            return Signal.GATE_FAILED
        face = seen.faces[0]
        sample = Sample(seen.at, face.box, face.landmarks)
        if attempt.sightings and not self._follows(attempt.sightings[-1], sample):
            attempt.restart()
        self._collect(attempt, frame, seen, sample, report.quality)
        if not self._enough(attempt):
            return None
        attempt.passive, attempt.in_sight = attempt.window.judge(self.limits), sample
        signal = session.held(visit, attempt.passive, self.policy)
        if signal is Signal.HELD:
            attempt.challenge = Challenge.begin(self.draw(self.policy.liveness), attempt.sightings)
            attempt.chain = Chain(tuple(p.embedding for p in attempt.probes))
        return signal

    def _follows(self, last: Sample, now: Sample) -> bool:
        """Whether two sightings are of one face that was never lost."""
        rule = self.policy.liveness
        return now.box.iou(last.box) >= rule.min_overlap and now.at - last.at <= rule.max_gap

    def _collect(self, attempt: Attempt, frame: Frame, seen: Observation, sample: Sample, quality: int) -> None:
        """Score every frame; embed some, spread over the time it takes. Somebody else starts the collection anew."""
        face = seen.faces[0]
        if self._probe_due(attempt, sample):
            probe = take(self.observer, self.earlier, frame, face, quality, partial(self._would_enrol, seen))
            known = Chain(tuple(p.embedding for p in attempt.probes))
            if attempt.probes and not known.holds(probe.embedding, self.agree):
                attempt.restart()
            attempt.probes.append(probe)
        attempt.sightings.append(sample)
        if self.limits is not None:
            score = self.observer.live_score(frame, face)
            attempt.window = attempt.window.follow(sample.at, score, self.policy.liveness.max_gap)

    def _would_enrol(self, seen: Observation, unified: float | None) -> bool:
        """Whether the frame would do for an enrolment: only then may it become a template."""
        return judge(seen, self.policy.enrolment_gate, unified=unified).passed

    def _probe_due(self, attempt: Attempt, sample: Sample) -> bool:
        taken, wanted = len(attempt.probes), self.policy.hold_frames
        if self.limits is None or not attempt.sightings:
            return taken < wanted
        elapsed = sample.at - attempt.sightings[0].at
        return taken < wanted and elapsed >= taken * self.policy.liveness.window / wanted

    def _enough(self, attempt: Attempt) -> bool:
        """Enough probes, and, where the pack gives live scores, a window of them."""
        return self.held_share(attempt) >= 1.0

    def held_share(self, attempt: Attempt) -> float:
        """How much of what is to be collected from the held face is there, 0..1."""
        share = len(attempt.probes) / self.policy.hold_frames
        if self.limits is not None and attempt.window.scores:
            share = min(share, len(attempt.window.scores) / self.limits.frames)
            if self.policy.liveness.window > 0:
                share = min(share, attempt.window.seconds / self.policy.liveness.window)
        return min(share, 1.0)

    def challenge(
        self, attempt: Attempt, visit: Visit, frame: Frame, seen: Observation, report: QualityReport
    ) -> Signal | None:
        """Follow the face through the challenge; a signal once it is over."""
        rule, before = self.policy.liveness, attempt.challenge
        assert before is not None  # noqa: S101 - set before HELD leads here
        if seen.faces:
            face = max(seen.faces, key=lambda f: f.box.iou(before.last.box))
            quality = report.quality if face is seen.faces[0] else 0  # only the largest is measured
            after = self._follow(attempt, before, frame, face, quality)
        else:
            after = before.expire(seen.at, rule)
        attempt.challenge, attempt.in_sight = after, after.last
        if after.phase is not Phase.DONE:
            return None
        live = after.verdict is LivenessVerdict.LIVE
        return Signal.LIVE if live else session.failed_attempt(visit, self.policy)

    def _follow(self, attempt: Attempt, before: Challenge, frame: Frame, face: Face, quality: int) -> Challenge:
        """One more sighting; every frame is embedded, so that only the person who was held can answer."""
        embedding = self.observer.embed(frame, face)
        same = attempt.chain.holds(embedding, self.agree)
        after = before.follow(Sample(frame.at, face.box, face.landmarks), self.policy.liveness, same=same)
        if same:
            attempt.chain = attempt.chain.follow(embedding)
            attempt.followed.append(embedding)
            if _looks_ahead(before, after):
                attempt.probes.append(take(self.observer, self.earlier, frame, face, quality))
        return after

    def gone(self, attempt: Attempt, seen: Observation) -> Signal | None:
        """Who was recognised must be the one who answers: another face in another place does not stand in for them."""
        last = attempt.in_sight
        assert last is not None  # noqa: S101 - set by the hold, which comes before every question
        face = max(seen.faces, key=lambda f: f.box.iou(last.box), default=None)
        if face is not None and face.box.iou(last.box) >= self.policy.liveness.min_overlap:
            attempt.in_sight = Sample(seen.at, face.box, face.landmarks)
            return None
        return Signal.WALKED_OFF if seen.at - last.at > self.policy.timing.absence else None


def _looks_ahead(before: Challenge, after: Challenge) -> bool:
    """Whether this frame ends a step with the face back from a turn or nearest: it looks ahead and becomes a probe."""
    if after.verdict not in (LivenessVerdict.NOT_CHECKED, LivenessVerdict.LIVE) or before.phase is after.phase:
        return False
    return before.phase is Phase.RETURN or (before.phase is Phase.ACT and not before.asked.ways)
