"""Use case: right after an enrolment one look is compared as a check-in's would be, and what came of it is signed.

Taking the look is `looks`'s; what it proves is judged by `core.decision`. Nothing but the result is recorded: no visit
comes of it, and no template.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.checkin import sign
from appliance.core.decision import Trial, trial
from appliance.core.errors import PersonUnknown
from appliance.core.reception_events import EnrolmentTried
from appliance.core.types import LivenessVerdict, PersonId
from appliance.enrolled import EnrolledGallery
from appliance.recognition import Probe, Recogniser
from appliance.records.desk import DeskRecords
from sync.clock import Clock
from sync.ledger import Ledger


@dataclass(frozen=True, slots=True)
class TrialMatch:
    """What a test works with; lives on the thread that opened the database. enrolled, staff: galleries in memory."""

    records: DeskRecords
    ledger: Ledger
    enrolled: EnrolledGallery
    staff: EnrolledGallery
    recogniser: Recogniser
    clock: Clock
    software: str

    def test(self, person: PersonId, enrolment: str, looks: Sequence[Probe], operator: str | None) -> Trial:
        """Compare with everybody enrolled, and sign the result. enrolment: id of its event.

        Open-set, against the whole gallery: the hardest of what a check-in asks, and nobody says who it is. Raises
        PersonUnknown for somebody erased meanwhile, PackMismatch, a DatabaseFailure; then nothing was signed.
        """
        self.enrolled.refresh()
        self.staff.refresh()
        if not self.records.templates.count(person):
            raise PersonUnknown("who was enrolled was erased meanwhile")
        decision = self.recogniser.decide(looks, LivenessVerdict.NOT_CHECKED, None, frozenset(), lambda _: False)
        result = trial(decision, person)
        event = EnrolmentTried(
            patient=self.records.people.reference(person),
            enrolment=enrolment,
            result=result,
            reasons=decision.reasons,
            quality=min(look.quality for look in looks),
            operator=operator,
            pack=decision.evidence.pack,
            policy=self.recogniser.policy.policy_id,
            software=self.software,
        )
        sign(self.records, self.ledger, self.clock, event)
        return result
