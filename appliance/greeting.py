"""Use case: what a patient is greeted with and offered today, and what is too early yet.

Who the patient is was decided before; what is confirmed, and its signed event, is `checkin`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from appliance.core.errors import PersonUnknown, TemplateDamaged
from appliance.core.policy import Policy
from appliance.core.ports import Reception
from appliance.core.snapshot import Offer
from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from appliance.records.profile import Profile
from appliance.records.services import PlannedService


def greet(records: DeskRecords, person: PersonId, now: datetime, policy: Policy) -> Reception:
    """What to greet an enrolled patient with: their own services, and those of the children they speak for.

    now: the clinic's wall time. Raises PersonUnknown, TemplateDamaged.
    """
    own = reception(records.people.profile(person).greeting, records.services.of(person, now.date()), now, policy)
    wards = [
        reception(profile.greeting, records.services.of(child, now.date()), now, policy)
        for child, profile in children(records, person, now.date(), policy)
    ]
    theirs = [replace(each, child=ward.greeting) for ward in wards for each in ward.offers]
    offers = tuple(sorted((*own.offers, *theirs), key=lambda each: each.starts_at))
    before = next((each for each in (own, *wards) if each.confirmed), own)
    early = min((each.early for each in (own, *wards) if each.early), default="")
    return Reception(
        greeting=own.greeting,
        offers=offers,
        confirmed=before.confirmed,
        early="" if offers else early,
        at=before.at,
    )


def children(records: DeskRecords, guardian: PersonId, day: date, policy: Policy) -> Iterator[tuple[PersonId, Profile]]:
    """The children somebody speaks for, while they are below the policy's age.

    A child whose profile does not open has no age: nobody speaks for it at this desk, reception does.
    """
    for child in records.guardians.children(guardian):
        try:
            profile = records.people.profile(child)
        except (PersonUnknown, TemplateDamaged):
            continue
        if profile.iin.age_on(day) < policy.identify_min_age:
            yield child, profile


def reception(greeting: str, services: Sequence[PlannedService], now: datetime, policy: Policy) -> Reception:
    """What of a day's services, in order of their time, can be confirmed now.

    A service that is too far off is not offered beside one that is due: it is confirmed when its time comes.
    """
    limit = now + timedelta(seconds=policy.timing.early)
    confirmed = [(each.event, each.at) for each in services if each.event]
    last, at = confirmed[-1] if confirmed else ("", "")
    still = [(_starts(each, now), each) for each in services if each.event is None]
    offers = tuple(offer(each) for starts, each in still if starts <= limit)
    return Reception(
        greeting=greeting,
        offers=offers,
        confirmed=last,
        early=still[0][0].isoformat() if still and not offers else "",
        at=at,
    )


def offer(service: PlannedService) -> Offer:
    """A planned service as the patient sees it."""
    return Offer(service.service, service.code, service.names, service.room, service.starts_at, doctor=service.doctor)


def _starts(service: PlannedService, now: datetime) -> datetime:
    """Clinic time, written without its offset: that of today."""
    return datetime.fromisoformat(service.starts_at).replace(tzinfo=now.tzinfo)
