"""What has been gathered about the person before the camera: probes, challenge, reasons, decision.

The station owns one and starts it anew for each visit; judging what is gathered is left to `core`.
"""

from dataclasses import dataclass, field

from appliance.core.decision import Decision, Reason
from appliance.core.liveness import Challenge, Sample
from appliance.core.quality import Hint
from appliance.core.types import LivenessVerdict
from appliance.recognition import Probe

_BY_HINT = {Hint.ONE_PERSON: Reason.MORE_THAN_ONE_PERSON, Hint.MORE_LIGHT: Reason.LOW_LIGHT}
_BY_LIVENESS = {
    LivenessVerdict.SPOOF: Reason.LIVENESS_SPOOF,
    LivenessVerdict.INCONCLUSIVE: Reason.LIVENESS_INCONCLUSIVE,
}


@dataclass(slots=True)
class Attempt:
    """One try of one visit.

    began: RFC 3339 wall time of arrival. sightings: of the held face, one for each probe. in_sight: the last
    sighting of the face that the challenge proved alive.
    """

    began: str = ""
    probes: list[Probe] = field(default_factory=list)
    sightings: list[Sample] = field(default_factory=list)
    challenge: Challenge | None = None
    in_sight: Sample | None = None
    decision: Decision | None = None
    last_hint: Hint | None = None
    earlier: tuple[Reason, ...] = ()

    @property
    def quality(self) -> int | None:
        """Unified quality of the worst probe, 0..100."""
        return min((p.quality for p in self.probes), default=None)

    @property
    def liveness(self) -> LivenessVerdict:
        """The challenge's verdict; inconclusive when it was begun and not ended."""
        if self.challenge is None:
            return LivenessVerdict.NOT_CHECKED
        open_ended = self.challenge.verdict is LivenessVerdict.NOT_CHECKED
        return LivenessVerdict.INCONCLUSIVE if open_ended else self.challenge.verdict

    def reasons(self) -> tuple[Reason, ...]:
        """Why this try did not succeed; never empty."""
        if self.decision is not None:
            return self.decision.reasons
        if self.challenge is not None:
            return (_BY_LIVENESS.get(self.liveness, Reason.NOT_ACQUIRED),)
        return (_BY_HINT.get(self.last_hint, Reason.NOT_ACQUIRED) if self.last_hint else Reason.NOT_ACQUIRED,)

    def again(self) -> "Attempt":
        """The next try of the same visit: gathered evidence is dropped, the reasons of failure are kept."""
        return Attempt(began=self.began, earlier=tuple(dict.fromkeys(self.earlier + self.reasons())))

    def restart(self) -> None:
        """Begin collecting anew within the same try: another face, or a gate failed."""
        self.probes.clear()
        self.sightings.clear()
