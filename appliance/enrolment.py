"""Use cases: a patient is enrolled, flagged with a look-alike, or forgotten; each one transaction with its event.

Taking the looks is `looks`'s; the receptionist has checked the document. The gallery in memory follows after
the commit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from appliance.checkin import append, sign
from appliance.core.errors import ConsentMissing, DuplicateFace, FaceNotUsable, PersonExists, PersonUnknown
from appliance.core.events import Alarm, Enrolled, Forgotten, LookAlike
from appliance.core.iin import Iin
from appliance.core.types import PersonId
from appliance.enrolled import EnrolledGallery
from appliance.recognition import Known, Probe, Recogniser
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.people import sweep
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.envelope import Moment
from sync.errors import DatabaseFailure
from sync.ledger import Ledger

_LOG = logging.getLogger(__name__)

TEST_FAILED = "test_failed"
"""Why templates were erased that new ones take the place of."""


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """version: of the text that was read out. language: kk, ru or en."""

    version: str
    language: str
    given_by: GivenBy = GivenBy.PATIENT


@dataclass(frozen=True, slots=True)
class EnrolledBy:
    """Who enrols at the reception, by pseudonym, and the supervisor who overrules a duplicate; None at the terminal."""

    operator: str | None = None
    supervisor: str | None = None


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """person: new id. event: id of the signed event. templates: how many were kept."""

    person: PersonId
    event: str
    templates: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What enrolment works with; lives on the thread that opened the database. enrolled, staff: galleries in memory."""

    records: DeskRecords
    ledger: Ledger
    enrolled: EnrolledGallery
    staff: EnrolledGallery
    recogniser: Recogniser
    clock: Clock
    software: str

    def enrol(
        self,
        profile: Profile,
        consent: ConsentGiven | None,
        looks: Sequence[Probe],
        source: str,
        *,
        overrule_duplicate: bool = False,
        by: EnrolledBy = EnrolledBy(),
        instead: PersonId | None = None,
    ) -> EnrolmentResult:
        """Keep a patient with consent and templates, and sign that it happened.

        looks: embeddings of one person, by this desk's pack. source: "photo" or "camera". overrule_duplicate: a
        supervisor says it is another person (a twin): both are flagged as look-alikes and go to the second factor from
        now on. by: at the reception, as `FrontDesk.enrolled_by` gives it. instead: this patient's enrolment that a test
        did not find: it is erased, with its data key and an event of its own, in the same transaction. Raises
        ConsentMissing, FaceNotUsable (not one person's looks), PersonExists, DuplicateFace, PackMismatch, and a
        DatabaseFailure; then nothing was kept or erased, but what looks like fraud was signed as an alarm.
        """
        if consent is None:
            raise ConsentMissing("no consent was recorded")
        alarms: list[Alarm] = []
        try:
            # The checks belong into the transaction: another reception may be enrolling the same face just now.
            with immediate(self.records.db):
                found = self._check(profile.iin, looks, alarms, instead, overrule=overrule_duplicate)
                if instead is not None and instead == self.records.people.find(profile.iin):
                    moment = self.clock.moment()
                    _erase(self.records, self.ledger, moment, self.software, instead, TEST_FAILED, by.operator)
                result = self._keep(profile, consent, looks, source, found, alarms, by)
        except (FaceNotUsable, PersonExists, DuplicateFace):
            if alarms:
                sign(self.records, self.ledger, self.clock, *alarms)
            raise
        if instead is not None:
            self.enrolled.remove(instead)
            clear_log(self.records)
        self.enrolled.gallery.add(result.person, [look.embedding for look in looks])
        return result

    def forget(self, iin: Iin, reason: str, operator: str | None = None) -> str:
        """As the function `forget`; the gallery in memory follows at once."""
        person = self.records.people.find(iin)
        event = forget(self.records, self.ledger, self.clock, self.software, iin, reason, operator)
        if person is not None:
            self.enrolled.remove(person)
        return event

    def _check(
        self, iin: Iin, looks: Sequence[Probe], alarms: list[Alarm], instead: PersonId | None, *, overrule: bool
    ) -> Known:
        """Who else has this face; raises unless it may be enrolled all the same. alarms: gets what is suspicious."""
        records, recogniser = self.records, self.recogniser
        applicant = records.people.pseudonym(iin)

        def alarm(what: str, detail: str, *who: str) -> None:
            alarms.append(Alarm(what, detail, self.software, who))

        # Two people under one IIN would both be let in, and their mean looks like neither to the duplicate check.
        if not recogniser.agree(looks):
            alarm("several_faces_one_person", "enrolment", applicant)
            raise FaceNotUsable("the pictures do not show one and the same person")
        self.enrolled.refresh()
        self.staff.refresh()
        same = records.people.find(iin)
        if same is not None and same != instead:
            if recogniser.differs(same, looks):
                alarm("several_faces_one_person", "enrolled already", applicant)
            raise PersonExists(f"somebody with IIN {iin} is enrolled already")
        found = recogniser.known(recogniser.patients, looks)
        found = replace(found, people=tuple(each for each in found.people if each != same))
        colleagues = [records.staff.people.reference(who) for who in recogniser.known(recogniser.staff, looks).people]
        detail = "overruled" if overrule else "refused"
        if found.people:
            alarm("one_face_several_people", detail, applicant, *map(records.people.reference, found.people))
        if set(colleagues) - {applicant}:
            alarm("staff_face", f"enrolment {detail}", *colleagues, applicant)
        if alarms and not overrule:
            twin = f"as person {found.people[0]}" if found.people else "as a member of the staff"
            raise DuplicateFace(f"this face is enrolled already, {twin}")
        return found

    def _keep(
        self,
        profile: Profile,
        consent: ConsentGiven,
        looks: Sequence[Probe],
        source: str,
        found: Known,
        alarms: Sequence[Alarm],
        by: EnrolledBy,
    ) -> EnrolmentResult:
        """Write person, consent, templates and flags, and sign; inside the transaction."""
        records, moment = self.records, self.clock.moment()
        person = records.people.add(profile, moment.wall)
        given = records.consents.give(person, consent.version, consent.language, consent.given_by, moment.wall)
        names = records.templates.add(person, [look.embedding for look in looks], moment.wall)
        spare = self.recogniser.to_spare(looks)
        spared = records.templates.add(person, spare, moment.wall) if spare else ()
        for twin in found.people:
            records.look_alikes.flag(person, twin, moment.wall)
        event = Enrolled(
            patient=records.people.reference(person),
            consent=given,
            consent_version=consent.version,
            consent_language=consent.language,
            given_by=consent.given_by.value,
            templates=names,
            pack=self.enrolled.gallery.pack,
            policy=self.recogniser.policy.policy_id,
            software=self.software,
            source=source,
            quality=min(look.quality for look in looks),
            spare=spared,
            spare_pack=spare[0].pack if spare else None,
            duplicates_checked=found.searched,
            duplicate_overruled=bool(alarms),
            look_alikes=len(found.people),
            operator=by.operator,
            supervisor=by.supervisor,
        )
        for alarm in alarms:
            append(self.ledger, alarm, moment)
        return EnrolmentResult(person, append(self.ledger, event, moment).event_id, len(names))


def flag_look_alikes(
    records: DeskRecords, ledger: Ledger, clock: Clock, software: str, one: Iin, other: Iin, *, flagged: bool = True
) -> str | None:
    """Flag two patients whom a face alone does not tell apart, or take the flag back; signed, the event's id.

    None when it was so already: nothing was signed. Raises PersonUnknown; ValueError for one and the same patient.
    """
    with immediate(records.db):
        people = [records.people.find(iin) for iin in (one, other)]
        first, second = people
        if first is None or second is None:
            raise PersonUnknown(f"nobody with IIN {one if first is None else other} is enrolled")
        moment = clock.moment()
        changed = (
            records.look_alikes.flag(first, second, moment.wall)
            if flagged
            else records.look_alikes.clear(first, second)
        )
        if not changed:
            return None
        who = (records.people.reference(first), records.people.reference(second))
        return append(ledger, LookAlike(who, flagged, "declared", software), moment).event_id


def forget(
    records: DeskRecords,
    ledger: Ledger,
    clock: Clock,
    software: str,
    iin: Iin,
    reason: str,
    operator: str | None = None,
) -> str:
    """Erase a patient's templates, data key and profile, and sign that it happened; gives the event's id.

    Needs neither pack nor gallery: a consent can be withdrawn whatever is wrong with the models. A desk that runs takes
    it over before its next comparison. reason: "consent_withdrawn", "clinic_request" or "test_failed". operator:
    pseudonym of who is signed in. Raises PersonUnknown.
    """
    with immediate(records.db):
        person = records.people.find(iin)
        if person is None:
            raise PersonUnknown(f"nobody with IIN {iin} is enrolled")
        event = _erase(records, ledger, clock.moment(), software, person, reason, operator)
    clear_log(records)
    return event


def _erase(
    records: DeskRecords,
    ledger: Ledger,
    moment: Moment,
    software: str,
    person: PersonId,
    reason: str,
    operator: str | None,
) -> str:
    """Inside the transaction; after its commit `clear_log`."""
    patient = records.people.reference(person)
    withdrawn = records.consents.withdraw(person, moment.wall)
    erased = records.people.erase(person, moment.wall)
    consent = withdrawn[-1] if withdrawn else None
    return append(ledger, Forgotten(patient, consent, erased, reason, software, operator), moment).event_id


def clear_log(records: DeskRecords) -> None:
    """Take the last copies of erased templates out of the write-ahead log; after an erasure and at each start.

    When it cannot be done now, that is logged: the erasure itself is on the disk already.
    """
    try:
        swept = sweep(records.db)
    except DatabaseFailure as failure:
        _LOG.warning("the log of the database was not swept: %s", failure.code)
    else:
        if not swept:
            _LOG.info("the log of the database is in use and is swept at the next start")
