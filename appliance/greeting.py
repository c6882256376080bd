"""Use case: what a patient is greeted with and offered today, and what is too early yet.

Who the patient is was decided before; what is confirmed, and its signed event, is `checkin`'s.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from appliance.core.policy import Policy
from appliance.core.ports import Reception
from appliance.core.snapshot import Offer
from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from appliance.records.services import PlannedService


def greet(records: DeskRecords, person: PersonId, now: datetime, policy: Policy) -> Reception:
    """What to greet an enrolled patient with. now: the clinic's wall time. Raises PersonUnknown, TemplateDamaged."""
    services = records.services.of(person, now.date())
    return reception(records.people.profile(person).greeting, services, now, policy)


def reception(greeting: str, services: Sequence[PlannedService], now: datetime, policy: Policy) -> Reception:
    """What of a day's services, in order of their time, can be confirmed now.

    A service that is too far off is not offered beside one that is due: it is confirmed when its time comes.
    """
    limit = now + timedelta(seconds=policy.timing.early)
    confirmed = [each.event for each in services if each.event]
    still = [(_starts(each, now), each) for each in services if each.event is None]
    offers = tuple(offer(each) for starts, each in still if starts <= limit)
    return Reception(
        greeting=greeting,
        offers=offers,
        confirmed=confirmed[-1] if confirmed else "",
        early=still[0][0].isoformat() if still and not offers else "",
    )


def offer(service: PlannedService) -> Offer:
    """A planned service as the patient sees it."""
    return Offer(service.service, service.code, service.names, service.room, service.starts_at)


def _starts(service: PlannedService, now: datetime) -> datetime:
    """Clinic time, written without its offset: that of today."""
    return datetime.fromisoformat(service.starts_at).replace(tzinfo=now.tzinfo)
