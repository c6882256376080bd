"""What has been gathered about the person before the camera: probes, live scores, challenge, reasons, decision.

The station owns one and starts it anew for each visit; judging what is gathered is left to `core`.
"""

from dataclasses import dataclass, field

from appliance.core.decision import Decision, Reason
from appliance.core.events import LivenessMethod
from appliance.core.liveness import Challenge
from appliance.core.liveness_identity import Chain
from appliance.core.liveness_passive import Window
from appliance.core.liveness_signs import Sample
from appliance.core.quality import Hint
from appliance.core.types import Embedding, LivenessVerdict
from appliance.recognition import Probe

_BY_HINT = {Hint.ONE_PERSON: Reason.MORE_THAN_ONE_PERSON, Hint.MORE_LIGHT: Reason.LOW_LIGHT}
_BY_LIVENESS = {
    LivenessVerdict.SPOOF: Reason.LIVENESS_SPOOF,
    LivenessVerdict.INCONCLUSIVE: Reason.LIVENESS_INCONCLUSIVE,
}


@dataclass(slots=True)
class Attempt:
    """One try of one visit.

    began: RFC 3339 wall time of arrival. sightings, window: of the held face. passive: what its live scores say, once
    it was held long enough. chain: the person the challenge is about. in_sight: the last sighting of the face that was
    proved alive. followed: the face in each frame of the challenge. doubt: why none of it counts as live, the code of
    an alarm.
    """

    began: str = ""
    probes: list[Probe] = field(default_factory=list)
    sightings: list[Sample] = field(default_factory=list)
    window: Window = field(default_factory=Window)
    passive: LivenessVerdict = LivenessVerdict.NOT_CHECKED
    challenge: Challenge | None = None
    chain: Chain = field(default_factory=lambda: Chain(()))
    in_sight: Sample | None = None
    decision: Decision | None = None
    last_hint: Hint | None = None
    earlier: tuple[Reason, ...] = ()
    followed: list[Embedding] = field(default_factory=list)
    doubt: str | None = None

    @property
    def faces(self) -> list[Embedding]:
        """Every embedding of this try."""
        return [*(probe.embedding for probe in self.probes), *self.followed]

    @property
    def quality(self) -> int | None:
        """Unified quality of the worst probe, 0..100."""
        return min((p.quality for p in self.probes), default=None)

    @property
    def liveness(self) -> LivenessVerdict:
        """The verdict of the challenge, if one was begun (inconclusive until it ends), else that of the live scores.

        What was shown before is not live, whatever else it passed.
        """
        found = self.passive if self.challenge is None else self.challenge.verdict
        open_ended = self.challenge is not None and found is LivenessVerdict.NOT_CHECKED
        doubted = self.doubt is not None and found is LivenessVerdict.LIVE
        return LivenessVerdict.INCONCLUSIVE if open_ended or doubted else found

    @property
    def method(self) -> LivenessMethod:
        """What that verdict rests on."""
        scored = self.passive is not LivenessVerdict.NOT_CHECKED
        if self.challenge is None:
            return LivenessMethod.PASSIVE if scored else LivenessMethod.NONE
        return LivenessMethod.PASSIVE_AND_CHALLENGE if scored else LivenessMethod.CHALLENGE

    def reasons(self) -> tuple[Reason, ...]:
        """Why this try did not succeed; never empty."""
        if self.decision is not None:
            return self.decision.reasons
        if self.method is not LivenessMethod.NONE:
            return (_BY_LIVENESS.get(self.liveness, Reason.NOT_ACQUIRED),)
        return (_BY_HINT.get(self.last_hint, Reason.NOT_ACQUIRED) if self.last_hint else Reason.NOT_ACQUIRED,)

    def again(self) -> "Attempt":
        """The next try of the same visit: gathered evidence is dropped, the reasons of failure are kept."""
        return Attempt(began=self.began, earlier=tuple(dict.fromkeys(self.earlier + self.reasons())))

    def restart(self) -> None:
        """Begin collecting anew within the same try: another face, or a gate failed."""
        self.probes.clear()
        self.sightings.clear()
        self.window = Window()
