"""The desk's records in memory: scripted patients and services, failures on request; checks every event it is given."""

from dataclasses import dataclass, field
from datetime import datetime

from appliance.core.decision import Decision, Reason, Verdict
from appliance.core.events import Circumstances, Comparison, LivenessMethod
from appliance.core.ports import Claim, Proof, Reception
from appliance.core.snapshot import Offer
from appliance.core.types import LivenessVerdict, PersonId
from sync.errors import KnownFailure


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event as the desk was asked to record it. kind: as in `core.events`."""

    kind: str
    event_id: str
    person: PersonId | None = None
    reasons: tuple[Reason, ...] = ()
    service: str = ""
    hint: str | None = None
    about: Circumstances | None = None
    detail: str = ""


def offer(service: str) -> Offer:
    """A planned service."""
    names = (("kk", "Дәрігер"), ("ru", "Врач"), ("en", "Doctor"))
    return Offer(service, "A02.004.000", names, "12", "10:30")


@dataclass(slots=True)
class ScriptedDesk:
    """Implements `Desk`.

    planned: services left, by person. failing: what raises which failure, once each. early: start of the next service
    of those who have nothing else left. at: when whatever is confirmed was. calls: for whom reception was
    called. wards: services of the children somebody speaks for. codes: of the visit, by number; here a patient is
    their own number. wishes: of the reception that somebody tries again.
    """

    planned: dict[str, list[str]] = field(default_factory=dict)
    children: frozenset[PersonId] = frozenset()
    events: list[Recorded] = field(default_factory=list)
    failing: dict[str, KnownFailure] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    received: PersonId | None = None

    waiting: int = 0
    calls: list[PersonId | Claim | None] = field(default_factory=list)
    last: tuple[str, Offer] | None = None
    wards: dict[str, list[Offer]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    early: str = ""
    at: str = "2026-11-23T10:31:00+05:00"
    wishes: int = 0

    def _may_fail(self, what: str) -> None:
        failure = self.failing.pop(what, None)
        if failure is not None:
            raise failure

    def expected(self) -> frozenset[PersonId]:
        """Who has a service left."""
        self._may_fail("expected")
        return frozenset(PersonId(person) for person, services in self.planned.items() if services)

    def under_age(self, person: PersonId) -> bool:
        """One of the children."""
        return person in self.children

    def receive(self, person: PersonId) -> Reception:
        """Greeting by first name and initial."""
        self._may_fail("receive")
        self.received = person
        offers = tuple(offer(service) for service in self.planned.get(person, [])) + tuple(self.wards.get(person, []))
        return Reception(
            f"{person.title()} A.", offers, self.confirmed.get(person, ""), "" if offers else self.early, self.at
        )

    def claim(self, iin: str, code: str) -> Claim:
        """The right code, or not; a number that is nobody's is as wrong."""
        self._may_fail("claim")
        if not code:
            return Claim(Proof.NONE, iin)
        if self.codes.get(iin) != code:
            return Claim(Proof.WRONG, iin)
        return Claim(Proof.CODE, iin, self.receive(PersonId(iin)))

    def call(self, known: PersonId | Claim | None) -> int:
        """Everybody waits behind those before."""
        self._may_fail("call")
        self.calls.append(known)
        return len(self.calls)

    def invited(self) -> bool:
        """Once for each wish."""
        self._may_fail("invited")
        self.wishes, before = max(0, self.wishes - 1), self.wishes
        return before > 0

    def just_confirmed(self) -> tuple[str, Offer] | None:
        """As told."""
        self._may_fail("just_confirmed")
        return self.last

    def unsigned(self) -> int:
        """As told."""
        return self.waiting

    def record_visit(self, decision: Decision, service: str, about: Circumstances) -> str:
        """Only an accepted, live, received person confirms, and only a service that was offered."""
        assert decision.verdict is Verdict.ACCEPTED
        assert decision.person is not None
        assert decision.person == self.received, "who confirms was received"
        wards = {each.service: each for each in self.wards.get(decision.person, [])}
        own = self.planned.get(decision.person, [])
        assert service in (*own, *wards), "only an offered service is confirmed"
        assert about.liveness is LivenessVerdict.LIVE
        self._may_fail("record_visit")
        event = self._record("checked_in", about, person=decision.person, reasons=decision.reasons, service=service)
        if service in wards:
            self.wards[decision.person].remove(wards[service])
        else:
            own.remove(service)
        self.confirmed[decision.person] = event
        return event

    def record_without_face(self, claim: Claim, service: str, reasons: tuple[Reason, ...], about: Circumstances) -> str:
        """Only the right code, only an offered service, and never without saying why not by face."""
        person = PersonId(claim.patient)
        assert claim.proof is Proof.CODE
        assert claim.reception is not None
        assert person == self.received
        assert service in self.planned[person]
        assert reasons
        assert about.liveness is LivenessVerdict.NOT_CHECKED
        self._may_fail("record_without_face")
        event = self._record("confirmed_without_face", about, person=person, reasons=reasons, service=service)
        self.planned[person].remove(service)
        self.confirmed[person] = event
        return event

    def record_refusal(
        self,
        known: PersonId | Claim | None,
        reasons: tuple[Reason, ...],
        hint: str | None,
        decision: Decision | None,
        about: Circumstances,
    ) -> str:
        """A refusal has reasons; a name only after an accepted decision."""
        assert reasons
        person = PersonId(known.patient) if isinstance(known, Claim) else known
        if isinstance(known, Claim):
            assert known.proof is Proof.CODE, "nobody is named by their word alone"
            assert decision is None
        else:
            assert (person is not None) == (decision is not None and decision.verdict is Verdict.ACCEPTED)
        assert decision is None or Comparison.of(decision).mode
        self._may_fail("record_refusal")
        return self._record("refused", about, person=person, reasons=reasons, hint=hint)

    def record_decline(self, known: Decision | Claim, reason: Reason, about: Circumstances) -> str:
        """Only who was received declines."""
        person = PersonId(known.patient) if isinstance(known, Claim) else known.person
        assert person is not None
        assert person == self.received
        self._may_fail("record_decline")
        return self._record("declined", about, person=person, reasons=(reason,))

    def record_alarm(self, what: str, detail: str) -> str:
        """An alarm."""
        self._may_fail("record_alarm")
        return self._record(what, None, detail=detail)

    def _record(
        self,
        kind: str,
        about: Circumstances | None,
        person: PersonId | None = None,
        reasons: tuple[Reason, ...] = (),
        service: str = "",
        hint: str | None = None,
        detail: str = "",
    ) -> str:
        if about is not None:
            self._plausible(about)
        event_id = f"{len(self.events) + 1:032x}"
        self.events.append(Recorded(kind, event_id, person, reasons, service, hint, about, detail))
        return event_id

    @staticmethod
    def _plausible(about: Circumstances) -> None:
        assert datetime.fromisoformat(about.began).tzinfo is not None, "an arrival has a time with its offset"
        assert 1 <= about.attempts <= len(about.earlier) + 1
        assert about.quality is None or 0 <= about.quality <= 100
        checked = about.liveness_method is not LivenessMethod.NONE
        assert checked or about.liveness is LivenessVerdict.NOT_CHECKED
        challenged = about.liveness_method in (LivenessMethod.CHALLENGE, LivenessMethod.PASSIVE_AND_CHALLENGE)
        scored = about.liveness_method in (LivenessMethod.PASSIVE, LivenessMethod.PASSIVE_AND_CHALLENGE)
        assert challenged == bool(about.liveness_steps)
        assert challenged or about.liveness_cause is None
        assert not scored or about.liveness_score is not None
        assert (about.liveness_accept is None) == (about.liveness_reject is None)
