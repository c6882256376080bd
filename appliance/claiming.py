"""Use case: somebody says who they are by number and code, without a face.

What the visit does with the answer is `core.session`'s; the event of a confirmation is `checkin`'s.
"""

from appliance.core.errors import IinInvalid, PersonUnknown, TemplateDamaged
from appliance.core.iin import Iin
from appliance.core.policy import Policy
from appliance.core.ports import Claim, Proof
from appliance.greeting import reception
from appliance.records.desk import DeskRecords
from sync.clock import Clock
from sync.database import immediate


def claim(records: DeskRecords, clock: Clock, policy: Policy, iin: str, code: str) -> Claim:
    """Judge a number and a code as they were typed. A wrong code is counted for good before this returns.

    A number that belongs to nobody is as wrong as a wrong code, so that nobody learns who has an appointment. A patient
    who is not enrolled is greeted by the end of their number. Raises DatabaseFailure.
    """
    now = clock.moment().wall
    try:
        number = Iin.parse(iin)
    except IinInvalid:
        return Claim(Proof.WRONG, "")
    patient, day = records.people.pseudonym(number), now.date()
    if not code:
        return Claim(Proof.NONE, patient)
    with immediate(records.db):  # two desks' windows at once do not get twice as many tries
        if records.visit_codes.locked(patient, day):
            return Claim(Proof.NONE, patient)
        if not records.visit_codes.fits(patient, day, code):
            records.visit_codes.wrong(
                patient, day
            )  # also a number without an appointment: the lock tells nothing either
            return Claim(Proof.WRONG, patient)
    services = records.services.of_patient(patient, day)
    return Claim(Proof.CODE, patient, reception(_greeting(records, number), services, now, policy))


def _greeting(records: DeskRecords, number: Iin) -> str:
    person = records.people.find(number)
    try:
        return number.masked if person is None else records.people.profile(person).greeting
    except (PersonUnknown, TemplateDamaged):  # erased just now, or altered: the code is as good as before
        return number.masked
