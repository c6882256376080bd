"""Use case: a patient takes the consent back at the reception, sees what is held, and leaves with a proof of its end.

The erasure itself, with its signed event, is `enrolment.forget`; printing belongs to the screen.
"""

from dataclasses import dataclass

from appliance.core.errors import PersonUnknown
from appliance.core.types import PersonId, Sensitive
from appliance.enrolment import forget
from appliance.reception_texts import Erasure, erasure_text
from appliance.records.consents import Consent
from appliance.records.desk import DeskRecords
from appliance.records.stamp import written
from appliance.texts import Language
from sync.clock import Clock
from sync.ledger import Ledger


@dataclass(frozen=True, slots=True, repr=False)
class Held(Sensitive):
    """What the desk holds of a patient. name: first name and initial. templates: how many, of whatever pack.

    consents: that stand, oldest first. since: when they were enrolled is the first one's.
    """

    name: str
    masked_iin: str
    language: Language
    templates: int
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ErasureProof(Sensitive):
    """What was erased, for the patient. at: RFC 3339. event: id of the signed event, which the fund gets, too."""

    held: Held
    at: str
    event: str

    def lines(self, language: Language, *, named: bool = True) -> tuple[str, ...]:
        """The proof to be printed, line by line, the title first. named: with the name, which no file of ours keeps."""
        held, given = self.held, self.held.consents
        who = erasure_text(Erasure.WHO, language, name=held.name, iin=held.masked_iin)
        return (
            erasure_text(Erasure.TITLE, language),
            *((who,) if named else ()),
            *(
                erasure_text(Erasure.CONSENT, language, version=each.version, given=_day(each.given_at))
                for each in given
            ),
            erasure_text(Erasure.WHAT, language, count=str(held.templates)),
            erasure_text(Erasure.STAYS, language),
            erasure_text(Erasure.WHEN, language, at=f"{_day(self.at)}, {self.at[11:16]}"),
            erasure_text(Erasure.EVENT, language, event=self.event),
        )


def _day(at: str) -> str:
    """Of an RFC 3339 time, as all three languages read it."""
    year, month, day = at[:10].split("-")
    return f"{day}.{month}.{year}"


def held(records: DeskRecords, patient: str) -> Held:
    """What would be erased. patient: pseudonym. Raises PersonUnknown, TemplateDamaged."""
    person = _enrolled(records, patient)
    profile = records.people.profile(person)
    return Held(
        name=profile.greeting,
        masked_iin=profile.iin.masked,
        language=Language(profile.language),
        templates=records.templates.count(person),
        consents=tuple(each for each in records.consents.of(person) if each.withdrawn_at is None),
    )


def withdraw(
    records: DeskRecords, ledger: Ledger, clock: Clock, software: str, patient: str, operator: str
) -> ErasureProof:
    """Erase it, and sign that it was done, and by whom. patient, operator: pseudonyms.

    Raises PersonUnknown, TemplateDamaged.
    """
    shown = held(records, patient)
    iin = records.people.profile(_enrolled(records, patient)).iin
    at = clock.moment().wall
    event = forget(records, ledger, clock, software, iin, "consent_withdrawn", operator)
    return ErasureProof(shown, written(at), event)


def _enrolled(records: DeskRecords, patient: str) -> PersonId:
    person = records.people.named(patient)
    if person is None:
        raise PersonUnknown("nobody with this pseudonym is enrolled")
    return person
