"""Use cases: somebody who works here is enrolled as staff, or forgotten; each one transaction with its event.

Staff are known so that their face is not taken for a patient's; nobody checks in by it. Who has a PIN (`operators`) may
be in the register before their face is. What a staff face before
the camera leads to is `core.decision`'s. Taking the looks is `looks`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.checkin import append, sign
from appliance.core.errors import ConsentMissing, DuplicateFace, FaceNotUsable, PersonExists, PersonUnknown
from appliance.core.events import Alarm, StaffEnrolled, StaffForgotten
from appliance.core.iin import Iin
from appliance.enrolled import EnrolledGallery
from appliance.enrolment import ConsentGiven, EnrolmentResult, clear_log
from appliance.recognition import Probe, Recogniser
from appliance.records.desk import DeskRecords
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.ledger import Ledger


@dataclass(frozen=True, slots=True)
class StaffEnrolment:
    """What it works with; lives on the thread that opened the database. enrolled, staff: galleries in memory."""

    records: DeskRecords
    ledger: Ledger
    enrolled: EnrolledGallery
    staff: EnrolledGallery
    recogniser: Recogniser
    clock: Clock
    software: str

    def enrol(
        self, profile: Profile, consent: ConsentGiven | None, looks: Sequence[Probe], source: str
    ) -> EnrolmentResult:
        """Keep somebody of the staff with consent and templates, and sign that it happened.

        A patient with this face under another number is no reason to refuse, but an alarm: from now on that patient
        is compared with this member of the staff at every visit. Raises ConsentMissing, FaceNotUsable, PersonExists,
        DuplicateFace (two of the staff with one face), PackMismatch, and a DatabaseFailure; then nothing was kept.
        """
        if consent is None:
            raise ConsentMissing("no consent was recorded")
        recogniser, people = self.recogniser, self.records.staff.people
        if not recogniser.agree(looks):
            raise FaceNotUsable("the pictures do not show one and the same person")
        alarms: list[Alarm] = []
        try:
            with immediate(self.records.db):
                self.enrolled.refresh()
                self.staff.refresh()
                known = people.find(profile.iin)
                if known is not None and self.records.staff.templates.count(known):
                    raise PersonExists(f"somebody with IIN {profile.iin} is enrolled as staff already")
                self._compare(profile.iin, looks, alarms)
                result = self._keep(profile, consent, looks, source, alarms)
        except DuplicateFace:
            sign(self.records, self.ledger, self.clock, *alarms)
            raise
        self.staff.gallery.add(result.person, [look.embedding for look in looks])
        return result

    def _compare(self, iin: Iin, looks: Sequence[Probe], alarms: list[Alarm]) -> None:
        recogniser, operator = self.recogniser, self.records.staff.people.pseudonym(iin)
        twins = recogniser.known(recogniser.staff, looks).people
        if twins:
            who = (operator, *map(self.records.staff.people.reference, twins))
            alarms.append(Alarm("one_face_several_people", "staff refused", self.software, who))
            raise DuplicateFace("this face is enrolled already, as another member of the staff")
        patients = map(self.records.people.reference, recogniser.known(recogniser.patients, looks).people)
        others = [reference for reference in patients if reference != operator]
        if others:
            alarms.append(Alarm("staff_face", "enrolled as a patient", self.software, (operator, *others)))

    def _keep(
        self,
        profile: Profile,
        consent: ConsentGiven,
        looks: Sequence[Probe],
        source: str,
        alarms: Sequence[Alarm],
    ) -> EnrolmentResult:
        register, moment = self.records.staff, self.clock.moment()
        person = register.people.find(profile.iin) or register.people.add(profile, moment.wall)
        given = register.consents.give(person, consent.version, consent.language, consent.given_by, moment.wall)
        names = register.templates.add(person, [look.embedding for look in looks], moment.wall)
        spare = self.recogniser.to_spare(looks)
        spared = register.templates.add(person, spare, moment.wall) if spare else ()
        event = StaffEnrolled(
            operator=register.people.reference(person),
            consent=given,
            consent_version=consent.version,
            consent_language=consent.language,
            templates=names,
            pack=self.staff.gallery.pack,
            policy=self.recogniser.policy.policy_id,
            software=self.software,
            source=source,
            quality=min(look.quality for look in looks),
            spare=spared,
            spare_pack=spare[0].pack if spare else None,
        )
        for alarm in alarms:
            append(self.ledger, alarm, moment)
        return EnrolmentResult(person, append(self.ledger, event, moment).event_id, len(names))


def forget_staff(records: DeskRecords, ledger: Ledger, clock: Clock, software: str, iin: Iin, reason: str) -> str:
    """Erase the templates, data key and profile of somebody who worked here, and sign it; gives the event's id.

    Needs neither pack nor gallery, as `enrolment.forget`. Raises PersonUnknown.
    """
    register = records.staff
    with immediate(records.db):
        person = register.people.find(iin)
        if person is None:
            raise PersonUnknown(f"nobody with IIN {iin} is enrolled as staff")
        moment = clock.moment()
        operator = register.people.reference(person)
        withdrawn = register.consents.withdraw(person, moment.wall)
        erased = register.people.erase(person, moment.wall)
        event = StaffForgotten(operator, withdrawn[-1] if withdrawn else None, erased, reason, software)
        entry = append(ledger, event, moment)
    clear_log(records)
    return entry.event_id
