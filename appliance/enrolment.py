"""Use cases: a patient is enrolled with consent and templates, or forgotten; each one transaction with its event.

Taking the looks is `looks`'s; the receptionist has checked the document. The gallery in memory follows after
the commit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.checkin import append
from appliance.core.errors import ConsentMissing, DuplicateFace, FaceNotUsable, PersonExists, PersonUnknown
from appliance.core.events import Enrolled, Forgotten
from appliance.core.iin import Iin
from appliance.core.policy import Policy
from appliance.core.types import MatchMode, PersonId
from appliance.enrolled import EnrolledGallery
from appliance.matching.matcher import GalleryMatcher
from appliance.recognition import Probe, ThresholdSource, agreement, fuse
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.people import sweep
from appliance.records.profile import Profile
from sync.clock import Clock
from sync.database import immediate
from sync.errors import DatabaseFailure
from sync.ledger import Ledger

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """version: of the text that was read out. language: kk, ru or en."""

    version: str
    language: str
    given_by: GivenBy = GivenBy.PATIENT


@dataclass(frozen=True, slots=True)
class EnrolmentResult:
    """person: new id. event: id of the signed event. templates: how many were kept."""

    person: PersonId
    event: str
    templates: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What enrolment works with; lives on the thread that opened the database."""

    records: DeskRecords
    ledger: Ledger
    enrolled: EnrolledGallery
    calibration: ThresholdSource
    policy: Policy
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
    ) -> EnrolmentResult:
        """Keep a patient with consent and templates, and sign that it happened.

        looks: embeddings of one person, by this desk's pack. source: "photo" or "camera". overrule_duplicate: a
        supervisor says it is another person (a twin); recorded. Raises ConsentMissing, FaceNotUsable (not one person's
        looks), PersonExists, DuplicateFace, PackMismatch, and a DatabaseFailure; then nothing was kept.
        """
        if consent is None:
            raise ConsentMissing("no consent was recorded")
        # Two people under one IIN would both be let in, and their mean looks like neither to the duplicate check.
        if not agreement(looks) >= self.calibration.thresholds(MatchMode.VERIFY, 1, self.policy).agree:
            raise FaceNotUsable("the pictures do not show one and the same person")
        embeddings = [look.embedding for look in looks]
        gallery = self.enrolled.gallery
        # The checks belong into the transaction: another reception may be enrolling the same face just now.
        with immediate(self.records.db):
            if self.records.people.find(profile.iin) is not None:
                raise PersonExists(f"somebody with IIN {profile.iin} is enrolled already")
            self.enrolled.refresh()
            searched, twin = gallery.people, self._same_face(looks)
            if twin is not None and not overrule_duplicate:
                raise DuplicateFace(f"this face is enrolled already, as person {twin}")
            moment = self.clock.moment()
            person = self.records.people.add(profile, moment.wall)
            given = self.records.consents.give(person, consent.version, consent.language, consent.given_by, moment.wall)
            names = self.records.templates.add(person, embeddings, moment.wall)
            event = Enrolled(
                patient=self.records.people.reference(person),
                consent=given,
                consent_version=consent.version,
                consent_language=consent.language,
                given_by=consent.given_by.value,
                templates=names,
                pack=gallery.pack,
                policy=self.policy.policy_id,
                software=self.software,
                source=source,
                quality=min(look.quality for look in looks),
                duplicates_checked=searched,
                duplicate_overruled=twin is not None,
            )
            entry = append(self.ledger, event, moment)
        gallery.add(person, embeddings)
        return EnrolmentResult(person, entry.event_id, len(names))

    def forget(self, iin: Iin, reason: str) -> str:
        """As the function `forget`; the gallery in memory follows at once."""
        person = self.records.people.find(iin)
        event = forget(self.records, self.ledger, self.clock, self.software, iin, reason)
        if person is not None:
            self.enrolled.gallery.remove(person)
        return event

    def _same_face(self, looks: Sequence[Probe]) -> PersonId | None:
        """Who in the gallery has this face, at the policy's FPIR for a gallery of this size. Raises PackMismatch."""
        gallery = self.enrolled.gallery
        found = GalleryMatcher(gallery).duplicates(fuse(looks))
        needed = self.calibration.thresholds(MatchMode.IDENTIFY, max(gallery.people, 1), self.policy).accept
        return found[0].person if found and found[0].score >= needed else None


def forget(records: DeskRecords, ledger: Ledger, clock: Clock, software: str, iin: Iin, reason: str) -> str:
    """Erase a patient's templates, data key and profile, and sign that it happened; gives the event's id.

    Needs neither pack nor gallery: a consent can be withdrawn whatever is wrong with the models. A desk that runs takes
    it over before its next comparison. reason: "consent_withdrawn" or "clinic_request". Raises PersonUnknown.
    """
    with immediate(records.db):
        person = records.people.find(iin)
        if person is None:
            raise PersonUnknown(f"nobody with IIN {iin} is enrolled")
        moment = clock.moment()
        patient = records.people.reference(person)
        withdrawn = records.consents.withdraw(person, moment.wall)
        erased = records.people.erase(person, moment.wall)
        consent = withdrawn[-1] if withdrawn else None
        entry = append(ledger, Forgotten(patient, consent, erased, reason, software), moment)
    clear_log(records)
    return entry.event_id


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
