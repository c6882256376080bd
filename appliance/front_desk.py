"""Use cases of whoever is signed in at the reception: confirm by hand, correct a receipt, answer calls, hand over.

Who is signed in and may do it is `operators`'s; what is seen is `reception_queue`'s. Each act is one transaction with
its signed event, by a named person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from appliance.checkin import append
from appliance.core.by_hand import ByHand
from appliance.core.errors import AttemptTaken, ReasonMissing, SecondPersonNeeded, ServiceConfirmed, ServiceUnknown
from appliance.core.iin import Iin
from appliance.core.operators import RIGHTS, Right
from appliance.core.policy import Policy
from appliance.core.reception_events import (
    ConfirmedManually,
    Corrected,
    CorrectionReason,
    FaceFailure,
    IdentityCheck,
    Invited,
    Relation,
)
from appliance.core.shift import Shift
from appliance.core.standing import Status
from appliance.core.types import Sensitive
from appliance.day_book import DayBook
from appliance.enrolment import ConsentGiven, EnrolledBy
from appliance.guardianship import Guardianship
from appliance.operators import Operators, Voucher
from appliance.pace_watch import PaceWatch
from appliance.reception_queue import Card, Queue, ReceptionQueue
from appliance.records.desk import DeskRecords
from appliance.records.profile import Profile
from appliance.records.services import PlannedService
from appliance.withdrawal import ErasureProof, Held, held, withdraw
from sync.clock import Clock
from sync.database import immediate
from sync.ledger import Ledger
from sync.outbox import Outbox

NOTE_MOST = 200
"""Characters of a note: a line, not a medical record."""


@dataclass(frozen=True, slots=True, repr=False)
class Manual(Sensitive):
    """A service that the reception confirms without a face. service: its id.

    identity: how it was made sure who the patient is. reason: why the face did not do. note: asked for with
    `IdentityCheck.OTHER`; stays at the desk. attempt: event id of the failed try that was this patient's, if any.
    """

    service: str
    identity: IdentityCheck | None
    reason: FaceFailure | None
    note: str = ""
    attempt: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Correction(Sensitive):
    """A receipt that does not stand. receipt: event id. instead: id of the patient's service that takes its place."""

    receipt: str
    reason: CorrectionReason | None
    instead: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Handover(Sensitive):
    """The day as it is handed over. statuses: services of today by what became of them. waiting: calls for help.

    by_hand: services put on record by hand, by operator, names as first name and initial, empty for who was forgotten.
    corrected: receipts taken back today. unsent: events the fund does not have; oldest: seconds since the oldest of
    them, None without any. unsigned: of these, how many wait for the device's key.
    """

    statuses: Mapping[Status, int]
    waiting: int
    by_hand: tuple[tuple[str, int], ...]
    corrected: int
    unsent: int
    oldest: float | None
    unsigned: int


class FrontDesk:
    """One reception; lives on the thread that opened the database.

    Whatever needs somebody signed in raises NotSignedIn and NotAllowed, as `Operators.require`; every act a
    DatabaseFailure, and then nothing was done.
    """

    def __init__(
        self, records: DeskRecords, ledger: Ledger, clock: Clock, policy: Policy, software: str, operators: Operators
    ) -> None:
        self.operators = operators
        self._records = records
        self._ledger = ledger
        self._clock = clock
        self._policy = policy
        self._software = software
        self._book = DayBook(records.db, ledger)
        self._queue = ReceptionQueue(records, self._book, policy.reception)
        self._guardianship = Guardianship(records, ledger, clock, policy, software)
        self._pace = PaceWatch(records.services, policy.pace, software)

    def queue(self, search: str = "") -> Queue:
        """Today's services and calls; see `ReceptionQueue.show`."""
        self._see()
        return self._queue.show(self._now(), search)

    def find(self, iin: Iin) -> Card:
        """The card of whoever's document this is, enrolled or not."""
        self._see()
        return self._queue.card(self._records.people.pseudonym(iin), self._now())

    def card(self, patient: str) -> Card:
        """The card of a patient, by the pseudonym of a row."""
        self._see()
        return self._queue.card(patient, self._now())

    def answer(self, call: int) -> None:
        """Somebody takes care of a call for help."""
        self.operators.require(Right.SEE)
        with immediate(self._records.db):
            self._records.help_calls.answer(call, self._now())

    def invite(self, patient: str) -> str:
        """Let whoever stands at the patient's screen try again at once; gives the event's id.

        patient: whose card is open: their call for help is answered. The screen is told that somebody may try, and not
        who: they are found among everybody, as anybody else.
        """
        shift = self.operators.require(Right.CONFIRM)
        with immediate(self._records.db):
            moment = self._clock.moment()
            self._records.invitations.add(moment.wall)
            self._answer_for(patient, moment.wall)
            return append(self._ledger, Invited(patient, shift.operator, self._software), moment).event_id

    def by_hand(self) -> ByHand:
        """How far the signed-in operator is today, and for whom the screen asks for a second person."""
        return self._by_hand(self.operators.require(Right.CONFIRM), self._now())

    def confirm(self, manual: Manual, voucher: Voucher | None = None) -> str:
        """Confirm a service of today by hand; gives the event's id, which is the receipt.

        voucher: a colleague who agrees; needed above the shift's limit, and where the patient is the operator. Raises
        ReasonMissing, SecondPersonNeeded, ServiceUnknown (also of another day), ServiceConfirmed (also when the kiosk
        was faster), AttemptTaken, and as `Operators.vouch`.
        """
        shift = self.operators.require(Right.CONFIRM)
        if manual.identity is None or manual.reason is None:
            raise ReasonMissing("how the patient was identified, and why not by face, has to be said")
        note = _note(manual.note, needed=manual.identity is IdentityCheck.OTHER)
        second = None if voucher is None else self.operators.vouch(voucher, Right.CONFIRM)
        with immediate(self._records.db):
            moment = self._clock.moment()
            planned = self._open_today(manual.service, moment.wall)
            by_hand = self._by_hand(shift, moment.wall)
            by_hand.judge(planned.patient, second)
            self._judge_attempt(manual.attempt, planned, moment.wall)
            person = self._records.people.named(planned.patient)
            event = ConfirmedManually(
                patient=planned.patient,
                service=planned.service,
                service_code=planned.code,
                provider=planned.provider,
                identity=manual.identity,
                reason=manual.reason,
                operator=shift.operator,
                role=shift.role,
                second=second,
                count=by_hand.done + 1,
                limit=by_hand.limit,
                attempt=manual.attempt or None,
                enrolled=person is not None,
                policy=self._policy.policy_id,
                software=self._software,
            )
            alarms = self._pace.alarms(planned.provider, moment)
            entry = append(self._ledger, event, moment)
            self._records.services.confirm(manual.service, person, entry.event_id, entry.seq, moment.wall)
            self._records.manual.add(entry.event_id, shift.operator, moment.wall.date())
            self._write(entry.event_id, planned.patient, note)
            self._answer_for(planned.patient, moment.wall)
            for alarm in alarms:
                append(self._ledger, alarm, moment)
        self._pace.recorded()
        return entry.event_id

    def correct(self, correction: Correction, voucher: Voucher | None = None) -> str:
        """Take a confirmation back, or put another open service of that patient and day in its place; the event's id.

        The receipt and its event stay; a service that was taken back is open again. With `instead` the new receipt is
        the event's id, and counts among what the operator confirmed by hand: voucher is asked for as in `confirm`.
        Raises ReasonMissing, ReceiptUnknown (also when it was corrected before), ServiceUnknown, ServiceConfirmed,
        SecondPersonNeeded, and as `Operators.vouch`.
        """
        shift = self.operators.require(Right.CORRECT)
        if correction.reason is None:
            raise ReasonMissing("why the receipt does not stand has to be said")
        note = _note(correction.note, needed=correction.reason is CorrectionReason.OTHER)
        second = None if voucher is None else self.operators.vouch(voucher, Right.CORRECT)
        records = self._records
        with immediate(records.db):
            moment = self._clock.moment()
            planned, person = records.services.confirmed_by(correction.receipt)
            by_hand = self._by_hand(shift, moment.wall)
            instead = self._instead(planned, correction.instead) if correction.instead else None
            if instead is not None:
                by_hand.judge(planned.patient, second)
            event = Corrected(
                receipt=correction.receipt,
                patient=planned.patient,
                service=planned.service,
                service_code=planned.code,
                provider=planned.provider,
                instead=None if instead is None else instead.service,
                instead_code=None if instead is None else instead.code,
                instead_provider=None if instead is None else instead.provider,
                reason=correction.reason,
                operator=shift.operator,
                second=second,
                count=None if instead is None else by_hand.done + 1,
                limit=None if instead is None else by_hand.limit,
                software=self._software,
            )
            entry = append(self._ledger, event, moment)
            records.services.correct(correction.receipt, entry.event_id)
            if instead is not None:
                alarms = self._pace.alarms(instead.provider, moment)  # the visit that it replaces counts no more
                records.services.confirm(instead.service, person, entry.event_id, entry.seq, moment.wall)
                records.manual.add(entry.event_id, shift.operator, moment.wall.date())
                for alarm in alarms:
                    append(self._ledger, alarm, moment)
            self._write(entry.event_id, planned.patient, note)
        if instead is not None:
            self._pace.recorded()
        return entry.event_id

    def enrolled_by(self, *, overrule: bool = False, voucher: Voucher | None = None) -> EnrolledBy:
        """Who enrols now; to be asked for, and given to `Enrolment.enrol`, at its last step.

        overrule: somebody else has this face, and it is another person all the same. A supervisor who is signed in may
        say so, else one who vouches. Raises SecondPersonNeeded, and as `Operators.vouch`.
        """
        shift = self.operators.require(Right.ENROL)
        if not overrule:
            return EnrolledBy(shift.operator)
        if voucher is not None:
            return EnrolledBy(shift.operator, self.operators.vouch(voucher, Right.OVERRULE))
        if Right.OVERRULE not in RIGHTS[shift.role]:
            raise SecondPersonNeeded("whether it is a twin, a supervisor says")
        return EnrolledBy(shift.operator, shift.operator)

    def is_child(self, iin: Iin) -> bool:
        """Whether somebody is too young for a face of their own: a guardian speaks for them."""
        return iin.age_on(self._now().date()) < self._policy.identify_min_age

    def adult(self, iin: Iin) -> Profile:
        """Who would speak for a child; as `Guardianship.adult`."""
        self.operators.require(Right.ENROL)
        return self._guardianship.adult(iin)

    def name_guardian(self, guardian: Iin, child: Profile, consent: ConsentGiven, relation: Relation) -> str | None:
        """An enrolled adult speaks for a child from now on; as `Guardianship.name`.

        Raises also SecondPersonNeeded: whoever is signed in names not themselves, a colleague does.
        """
        shift = self.operators.require(Right.ENROL)
        if self._records.people.pseudonym(guardian) == shift.operator:
            raise SecondPersonNeeded("nobody names themselves a guardian")
        return self._guardianship.name(guardian, child, consent, relation, shift.operator)

    def own_profile(self) -> Profile:
        """Who is signed in, as the register of staff has them: for the enrolment of their own face.

        Raises NotSignedIn, PersonUnknown, TemplateDamaged.
        """
        return self._records.staff.people.profile(self.operators.present().person)

    def held(self, patient: str) -> Held:
        """What the desk holds of a patient, to be shown before it is erased. Raises PersonUnknown, TemplateDamaged."""
        self.operators.require(Right.WITHDRAW)
        return held(self._records, patient)

    def withdraw(self, patient: str) -> ErasureProof:
        """The patient takes the consent back: everything the desk holds of them is erased at once.

        Raises PersonUnknown; TemplateDamaged for a profile that does not open (`keldim forget` erases that, too).
        """
        shift = self.operators.require(Right.WITHDRAW)
        return withdraw(self._records, self._ledger, self._clock, self._software, patient, shift.operator)

    def hand_over(self) -> Handover:
        """The day's figures."""
        self.operators.require(Right.SEE)
        now, records = self._now(), self._records
        queue, outbox = self._queue.show(now), Outbox(records.db).status(now.timestamp())
        names = {records.staff.people.reference(line.person): line.name for line in self.operators.listed()}
        counts = records.manual.counts(now.date())
        states = [row.status for row in queue.rows]
        return Handover(
            statuses={status: states.count(status) for status in Status},
            waiting=len(records.help_calls.waiting(now)),
            by_hand=tuple((names.get(operator, ""), count) for operator, count in counts.items()),
            corrected=self._queue.corrected(now),
            unsent=outbox.pending + outbox.parked_count + outbox.unsigned,
            oldest=outbox.oldest_pending_age_s,
            unsigned=outbox.unsigned,
        )

    @property
    def names_in_memory(self) -> int:
        """Of how many patients the name is opened just now."""
        return self._queue.names_in_memory

    def _see(self) -> None:
        """Names stay opened in memory only while somebody may see them."""
        try:
            self.operators.require(Right.SEE)
        except BaseException:
            self._queue.forget_names()
            raise

    def _open_today(self, service: str, now: datetime) -> PlannedService:
        planned = self._records.services.get(service)
        if planned.starts_at[:10] != now.date().isoformat():
            raise ServiceUnknown(f"service {service} is not planned for today")
        return planned

    def _by_hand(self, shift: Shift, now: datetime) -> ByHand:
        done = self._records.manual.count(shift.operator, now.date())
        return ByHand(shift.operator, done, self._policy.reception.manual_per_shift)

    def _judge_attempt(self, attempt: str, planned: PlannedService, now: datetime) -> None:
        """A try belongs to one patient: whom the desk recognised, or whom somebody confirmed by hand for it."""
        if not attempt:
            return
        day = self._book.read(now.date())
        owner = {**{each.event: each.patient for each in day.attempts}, **day.helped}
        if owner.get(attempt, "") not in (None, planned.patient):
            raise AttemptTaken("this try was another patient's, or none of today")

    def _instead(self, planned: PlannedService, service: str) -> PlannedService:
        other = self._records.services.get(service)
        if (other.patient, other.starts_at[:10]) != (planned.patient, planned.starts_at[:10]):
            raise ServiceUnknown(f"service {service} is not that patient's, or of another day")
        if other.event is not None:
            raise ServiceConfirmed(f"service {service} is confirmed, so it takes no other's place")
        return other

    def _write(self, event: str, patient: str, note: str) -> None:
        """Keep a note; that of an enrolled patient is erased with them."""
        if note:
            self._records.manual.write(event, self._records.people.named(patient), note)

    def _answer_for(self, patient: str, now: datetime) -> None:
        for call in self._records.help_calls.waiting(now):
            if call.patient == patient:
                self._records.help_calls.answer(call.number, now)

    def _now(self) -> datetime:
        return self._clock.moment().wall


def _note(text: str, *, needed: bool) -> str:
    """A note as it is kept. Raises ReasonMissing when it is missing, or is no single line of at most 200 characters."""
    note = " ".join(text.split())
    if needed and not note:
        raise ReasonMissing("other: what was done has to be written")
    if len(note) > NOTE_MOST or not note.isprintable():
        raise ReasonMissing(f"a note is a line of at most {NOTE_MOST} characters")
    return note
