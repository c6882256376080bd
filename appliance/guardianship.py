"""Use case: an adult is named as the guardian of a child, one transaction with its event.

A child below the age for a search needs no face at this desk: it is known by name and number, with the guardian's
consent, and the guardian's face speaks for it. What the guardian then confirms is `checkin`'s.
"""

from dataclasses import dataclass

from appliance.checkin import append
from appliance.core.errors import ConsentMissing, NotAChild, PersonUnknown
from appliance.core.events import Alarm
from appliance.core.iin import Iin
from appliance.core.policy import Policy
from appliance.core.reception_events import GuardianNamed, Relation
from appliance.core.types import PersonId
from appliance.enrolment import ConsentGiven
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.envelope import Moment
from sync.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Guardianship:
    """What naming a guardian works with; lives on the thread that opened the database."""

    records: DeskRecords
    ledger: Ledger
    clock: Clock
    policy: Policy
    software: str

    def adult(self, iin: Iin) -> Profile:
        """Who would speak for a child, to be read back. Raises PersonUnknown, NotAChild, TemplateDamaged."""
        person = self.records.people.find(iin)
        if person is None:
            raise PersonUnknown(f"nobody with IIN {iin} is enrolled")
        self._require_of_age(iin, self.clock.moment())
        return self.records.people.profile(person)

    def name(
        self,
        guardian: Iin,
        child: Profile,
        consent: ConsentGiven | None,
        relation: Relation | None = None,
        operator: str | None = None,
    ) -> str | None:
        """Keep that an enrolled adult speaks for a child, and sign it; the event's id.

        consent: given by the guardian, for a child that is not known here yet. relation: None where nobody asked.
        operator: pseudonym of who is signed in. None when it was so already: nothing was signed. Raises PersonUnknown,
        NotAChild, ConsentMissing; then nothing was kept.
        """
        records = self.records
        with immediate(records.db):
            moment = self.clock.moment()
            adult = records.people.find(guardian)
            if adult is None:
                raise PersonUnknown(f"nobody with IIN {guardian} is enrolled")
            if child.iin.age_on(moment.wall.date()) >= self.policy.identify_min_age:
                raise NotAChild(f"the owner of IIN {child.iin} is {self.policy.identify_min_age} or older")
            self._require_of_age(guardian, moment)
            known = records.people.find(child.iin)
            person = known or self._keep(child, consent, moment)
            if not records.guardians.link(adult, person, moment.wall):
                return None
            given = records.consents.standing(person)
            assert given is not None  # noqa: S101 - who is enrolled has one; a withdrawal erases
            event = GuardianNamed(
                patient=records.people.reference(person),
                guardian=records.people.reference(adult),
                relation=relation,
                consent=given.consent,
                consent_version=given.version,
                consent_language=given.language,
                given_by=given.given_by.value,
                first=known is None,
                policy=self.policy.policy_id,
                software=self.software,
                operator=operator,
            )
            entry = append(self.ledger, event, moment)
            wards = len(records.guardians.children(adult))
            if wards > self.policy.reception.wards:
                who = (event.guardian, event.patient)
                append(self.ledger, Alarm("many_wards", str(wards), self.software, who), moment)
            return entry.event_id

    @staticmethod
    def _require_of_age(iin: Iin, moment: Moment) -> None:
        if iin.age_on(moment.wall.date()) < _OF_AGE:
            raise NotAChild(f"the owner of IIN {iin} is not of age")

    def _keep(self, child: Profile, consent: ConsentGiven | None, moment: Moment) -> PersonId:
        if consent is None or consent.given_by is not GivenBy.GUARDIAN:
            raise ConsentMissing("no consent of the guardian was recorded")
        person = self.records.people.add(child, moment.wall)
        self.records.consents.give(person, consent.version, consent.language, consent.given_by, moment.wall)
        return person


_OF_AGE = 18
"""Years; Civil Code of Kazakhstan, article 17."""
