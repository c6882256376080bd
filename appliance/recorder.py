"""Puts the outcome of a visit into words for the desk: which event, about whom, for which reasons, on what evidence.

When something is recorded is `core.session`'s; that it becomes durable and signed is the desk's.
"""

from dataclasses import dataclass

from appliance.attempt import Attempt
from appliance.core.decision import Decision, Reason
from appliance.core.events import Circumstances
from appliance.core.liveness_passive import PassiveLimits
from appliance.core.policy import Policy
from appliance.core.ports import Desk
from appliance.core.session import Effect, State, Visit
from appliance.encounter import Encounter

_NOTHING_TO_CONFIRM = {
    State.NO_SERVICE: Reason.NO_SERVICE_TODAY,
    State.TOO_EARLY: Reason.TOO_EARLY,
    State.ALREADY: Reason.ALREADY_CONFIRMED,
}


@dataclass(frozen=True, slots=True)
class Recorder:
    """pack, software, camera: as events name them. limits: of the pack's live scores, None where nobody measured."""

    desk: Desk
    policy: Policy
    pack: str
    software: str
    camera: str
    limits: PassiveLimits | None

    def write(self, effect: Effect, visit: Visit, met: Encounter) -> str:
        """Record what an effect asks for; the event's id, empty where there is nothing to record.

        Raises KnownFailure, and then nothing was recorded.
        """
        if effect is Effect.RECORD_VISIT:
            return self._visit(visit, met)
        if effect is Effect.RECORD_DECLINE or (effect is Effect.RECORD_OUTCOME and met.reception):
            return self._decline(visit, met)
        if effect is Effect.RECORD_OUTCOME and (met.recorded or not _tried(visit, met.attempt)):
            return ""
        event = self._refusal(visit, met)
        met.recorded = True
        return event

    def _visit(self, visit: Visit, met: Encounter) -> str:
        assert met.chosen is not None  # noqa: S101 - CONFIRM is about one service
        service, about = met.chosen.service, self._circumstances(visit, met)
        if met.claim is None:
            return self.desk.record_visit(_accepted(met), service, about)
        wrong = (Reason.WRONG_CODE,) if visit.wrong else ()
        reasons = (*(met.attempt.earlier or (Reason.WITHOUT_FACE,)), *wrong)
        return self.desk.record_without_face(met.claim, service, reasons, about)

    def _decline(self, visit: Visit, met: Encounter) -> str:
        return self.desk.record_decline(met.claim or _accepted(met), met.declined, self._circumstances(visit, met))

    def _refusal(self, visit: Visit, met: Encounter) -> str:
        attempt, about = met.attempt, self._circumstances(visit, met)
        known = met.known if met.reception else None
        hint = attempt.last_hint.value if attempt.last_hint else None
        return self.desk.record_refusal(known, _why(visit, met), hint, attempt.decision, about)

    def _circumstances(self, visit: Visit, met: Encounter) -> Circumstances:
        attempt, limits = met.attempt, self.limits
        challenge, score = attempt.challenge, attempt.window.fused
        return Circumstances(
            pack=self.pack,
            policy=self.policy.policy_id,
            software=self.software,
            camera=self.camera,
            began=attempt.began,
            attempts=visit.tries + 1,
            earlier=attempt.earlier,
            quality=attempt.quality,
            liveness=attempt.liveness,
            liveness_method=attempt.method,
            liveness_cause=attempt.doubt or (challenge.cause if challenge else None),
            liveness_score=None if score is None else round(score, 4),
            liveness_accept=None if limits is None else round(limits.accept, 4),
            liveness_reject=None if limits is None else round(limits.reject, 4),
            liveness_steps=tuple(step.cue for step in challenge.steps) if challenge else (),
        )


def _why(visit: Visit, met: Encounter) -> tuple[Reason, ...]:
    """The reasons of a refusal."""
    nothing_to_confirm = _NOTHING_TO_CONFIRM.get(visit.state)
    if nothing_to_confirm:
        return (nothing_to_confirm,)
    reasons = met.attempt.earlier if visit.without_face else met.attempt.reasons()
    if met.claim is not None:
        reasons = (*reasons, Reason.WRONG_CODE)
    if visit.state is State.LEAVING:
        reasons = (*reasons, Reason.LEFT)
    if met.declined is Reason.ASKED_FOR_HELP:
        reasons = (*reasons, Reason.ASKED_FOR_HELP)
    return reasons


def _tried(visit: Visit, attempt: Attempt) -> bool:
    """Whether more happened than that somebody stood there."""
    return visit.tries > 0 or visit.wrong > 0 or attempt.challenge is not None


def _accepted(met: Encounter) -> Decision:
    assert met.attempt.decision is not None  # noqa: S101 - nobody else is asked anything
    return met.attempt.decision
