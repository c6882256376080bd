"""Use case: every outcome at the desk becomes one recorded, signed event, in one transaction.

Implements `core.ports.Desk` over the records and the ledger. Whether somebody was recognised was decided in `core`;
delivery to the fund is another process's.
"""

from appliance.claiming import claim
from appliance.core.decision import Decision, Reason
from appliance.core.errors import ConsentMissing, PersonUnknown, ServiceUnknown, TemplateDamaged
from appliance.core.events import (
    Alarm,
    CheckedIn,
    Circumstances,
    Comparison,
    ConfirmedWithoutFace,
    Declined,
    Event,
    Refused,
    ReTemplated,
    WithoutFace,
)
from appliance.core.policy import Policy
from appliance.core.ports import Claim, Reception
from appliance.core.snapshot import Offer
from appliance.core.types import PersonId
from appliance.enrolled import EnrolledGallery
from appliance.greeting import children, greet, offer
from appliance.pace_watch import PaceWatch
from appliance.records.desk import DeskRecords
from appliance.records.services import PlannedService
from sync.clock import Clock
from sync.database import immediate
from sync.envelope import Moment
from sync.ledger import Draft, Entry, Ledger
from sync.opening import Opening

ROLLED_BACK = "rolled_back"
"""An alarm: the desk was started from an older copy of its records."""


def append(ledger: Ledger, event: Event, moment: Moment) -> Entry | Draft:
    """Sign one event into the ledger, or keep it there until the key answers; inside an open transaction."""
    return ledger.append(event.KIND, event.VERSION, event.data(), moment)


def sign(records: DeskRecords, ledger: Ledger, clock: Clock, *events: Event) -> str:
    """Sign events in one transaction; gives the id of the last."""
    with immediate(records.db):
        moment = clock.moment()
        return [append(ledger, event, moment).event_id for event in events][-1]


def tell_opening(records: DeskRecords, ledger: Ledger, clock: Clock, software: str, found: Opening) -> None:
    """Sign what waited for the key, and tell the fund of an older copy that was started."""
    ledger.sign_drafts(clock.moment())
    if found.adopted:
        sign(records, ledger, clock, Alarm(ROLLED_BACK, f"{found.adopted} events adopted", software))
    elif found.stopped is not None and not ledger.waiting:  # once: it waits with what follows
        sign(records, ledger, clock, Alarm(ROLLED_BACK, found.stopped.code, software))


class RecordedDesk:
    """The desk's records and ledger behind the station; lives on the thread that opened the database."""

    def __init__(
        self,
        records: DeskRecords,
        enrolled: EnrolledGallery,
        staff: EnrolledGallery,
        ledger: Ledger,
        clock: Clock,
        policy: Policy,
        software: str,
    ) -> None:
        """software: version named in alarm events."""
        self._records = records
        self._enrolled = enrolled
        self._staff = staff
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._software = software
        self._pace = PaceWatch(records.services, policy.pace, software)

    def expected(self) -> frozenset[PersonId]:
        """The enrolled people who have a service today, or speak for a child that has one.

        Before a comparison it also brings the galleries up to date, and signs what waited for the key.
        """
        self._ledger.sign_drafts(self._clock.moment())
        self._enrolled.refresh()
        self._staff.refresh()
        day = self._clock.moment().wall.date()
        return self._records.services.expected(day) | self._records.guardians.expected(day)

    def under_age(self, person: PersonId) -> bool:
        """Whether a person is below the policy's age for 1:N; read from the sealed profile."""
        try:
            iin = self._records.people.profile(person).iin
        except (PersonUnknown, TemplateDamaged):
            return False  # erased just now, or told by `receive` if this person is recognised; a stranger goes on
        return iin.age_on(self._clock.moment().wall.date()) < self._policy.identify_min_age

    def receive(self, person: PersonId) -> Reception:
        """What to greet with, what can be confirmed now, and what was."""
        return greet(self._records, person, self._clock.moment().wall, self._policy)

    def claim(self, iin: str, code: str) -> Claim:
        """Judge a number and a code as they were typed."""
        return claim(self._records, self._clock, self._policy, iin, code)

    def call(self, known: PersonId | Claim | None) -> int:
        """Keep the call for the receptionist's screen, with whom it is about, and whether that is proven."""
        claimed = isinstance(known, Claim) and known.reception is None
        with immediate(self._records.db):
            return self._records.help_calls.add(self._named(known), self._clock.moment().wall, claimed=claimed)

    def _named(self, known: PersonId | Claim | None) -> str | None:
        """The pseudonym of whom this is about, if anybody."""
        if isinstance(known, Claim):
            return known.patient or None
        return None if known is None else self._records.people.reference(known)

    def invited(self) -> bool:
        """Take up a wish of the reception, if there is one."""
        records, now = self._records, self._clock.moment().wall
        if not records.invitations.waiting(now):
            return False
        with immediate(records.db):
            records.invitations.take(now)
        return True

    def just_confirmed(self) -> tuple[str, Offer] | None:
        """The youngest visit at the patient's screen, within the policy's time; also when the clock was set back."""
        last = self._records.services.last_at_the_screen()
        if last is None:
            return None
        service, at = last
        age = abs(self._clock.moment().wall - at).total_seconds()
        return (service.event, offer(service)) if service.event and age <= self._policy.timing.again else None

    def unsigned(self) -> int:
        """How many recorded events wait for the device's key."""
        return self._ledger.waiting

    def record_visit(self, decision: Decision, service: str, about: Circumstances) -> str:
        """Sign the visit and mark the service confirmed, all or nothing.

        Who was recognised by a pack that is on its way out gets templates of the desk's pack from this visit, by an
        event of its own in the same transaction.
        """
        if decision.person is None:
            raise ValueError("a visit needs an accepted decision")
        records, person = self._records, decision.person
        # Read inside the transaction: another process may erase the patient at any other moment.
        with immediate(records.db):
            consent = records.consents.standing(person)
            template = None if consent is None else records.templates.best(person, decision.evidence.probe)
            if consent is None or template is None:
                raise ConsentMissing(f"the templates of person {person} were erased in the meantime")
            planned = records.services.get(service)
            whose = self._whose(person, planned)
            event = CheckedIn(
                patient=records.people.reference(whose),
                service=planned.service,
                service_code=planned.code,
                provider=planned.provider,
                consent=consent.consent,
                template=template.name,
                reasons=decision.reasons,
                comparison=Comparison.of(decision),
                circumstances=about,
                guardian=None if whose == person else records.people.reference(person),
            )
            moment = self._clock.moment()
            alarms = self._pace.alarms(planned.provider, moment)
            entry = append(self._ledger, event, moment)
            records.services.confirm(service, whose, entry.event_id, entry.seq, moment.wall)
            self._re_template(decision, person, consent.consent, entry.event_id, moment)
            for alarm in alarms:
                append(self._ledger, alarm, moment)
        self._pace.recorded()
        return entry.event_id

    def _whose(self, person: PersonId, planned: PlannedService) -> PersonId:
        """The child whose service this is, if a guardian confirms it; else whoever was recognised."""
        wards = children(self._records, person, self._clock.moment().wall.date(), self._policy)
        references = ((child, self._records.people.reference(child)) for child, _ in wards)
        return next((child for child, reference in references if reference == planned.patient), person)

    def record_without_face(self, claim: Claim, service: str, reasons: tuple[Reason, ...], about: Circumstances) -> str:
        """Sign the visit of a patient with the right code, enrolled or not, and mark the service confirmed."""
        if claim.reception is None:
            raise ValueError("only the right code confirms a visit")
        records = self._records
        with immediate(records.db):
            planned = records.services.get(service)
            if planned.patient != claim.patient:
                raise ServiceUnknown(f"service {service} is not planned for the patient who was identified")
            event = ConfirmedWithoutFace(
                patient=claim.patient,
                service=planned.service,
                service_code=planned.code,
                provider=planned.provider,
                method=WithoutFace.IIN_CODE,
                reasons=reasons,
                circumstances=about,
            )
            moment = self._clock.moment()
            alarms = self._pace.alarms(planned.provider, moment)
            entry = append(self._ledger, event, moment)
            person = records.people.named(claim.patient)
            records.services.confirm(service, person, entry.event_id, entry.seq, moment.wall)
            for alarm in alarms:
                append(self._ledger, alarm, moment)
        self._pace.recorded()
        return entry.event_id

    def _re_template(self, decision: Decision, person: PersonId, consent: str, visit: str, moment: Moment) -> None:
        """Keep the fresh templates of a confirmed visit, unless another process already did; inside its transaction."""
        fresh, templates = decision.evidence.fresh, self._records.templates
        if not fresh or templates.of(person, fresh[0].pack):
            return
        event = ReTemplated(
            patient=self._records.people.reference(person),
            consent=consent,
            visit=visit,
            templates=templates.add(person, fresh, moment.wall),
            pack=fresh[0].pack,
            matched_by=decision.evidence.pack,
            policy=self._policy.policy_id,
            software=self._software,
        )
        append(self._ledger, event, moment)

    def record_refusal(
        self,
        known: PersonId | Claim | None,
        reasons: tuple[Reason, ...],
        hint: str | None,
        decision: Decision | None,
        about: Circumstances,
    ) -> str:
        """Sign that nobody was recognised, or that there was nothing to confirm.

        A staff face that was presented for a patient is an alarm beside the refusal, in the same transaction.
        """
        patient = self._named(known)
        compared = None if decision is None else Comparison.of(decision)
        refused = Refused(patient, reasons, hint, compared, about)
        if decision is None or Reason.STAFF_FACE not in reasons:
            return self._sign(refused)
        evidence, staff = decision.evidence, self._records.staff.people
        others = [each for each in evidence.staff_presented() if each not in evidence.own]
        alarm = Alarm("staff_face", "check-in", self._software, tuple(map(staff.reference, others)))
        return self._sign(alarm, refused)

    def record_decline(self, known: Decision | Claim, reason: Reason, about: Circumstances) -> str:
        """Sign that the patient said no, or gave no answer."""
        if isinstance(known, Claim):
            patient, met, compared = known.patient, known.reception, None
        elif known.person is not None:
            patient, met = self._records.people.reference(known.person), self.receive(known.person)
            compared = Comparison.of(known)
        else:
            met = None
        if met is None:
            raise ValueError("only a patient who was recognised or had the right code can decline")
        codes = tuple(offer.code for offer in met.offers)
        return self._sign(Declined(patient, reason, codes, compared, about))

    def record_alarm(self, what: str, detail: str) -> str:
        """Sign something an auditor should see."""
        return self._sign(Alarm(what, detail, self._software))

    def _sign(self, *events: Event) -> str:
        """Sign events in one transaction; gives the id of the last."""
        return sign(self._records, self._ledger, self._clock, *events)
