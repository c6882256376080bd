"""Judges whether visits follow one another faster than people can be served.

Which visits there were is read from the records; that a pace is an alarm, and how often it is told, is the use case's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.core.policy import PaceRule

IMPOSSIBLE_PACE = "impossible_pace"
"""Code of the alarm."""

WINDOW = timedelta(hours=1)
"""Over which visits are counted; it ends with the newest."""


class Paced(StrEnum):
    """Whose pace is counted."""

    PROVIDER = "provider"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One confirmed visit: who gives the service, and when the patient confirmed it."""

    provider: str
    at: datetime


def too_fast(newest: Confirmed, earlier: Sequence[Confirmed], rule: PaceRule) -> tuple[tuple[Paced, int], ...]:
    """Whose visits of the hour before the newest, itself included, exceed their limit, and how many there were.

    earlier: the visits before it, in any order. A clock that was put back makes visits of the last hour look like
    visits to come; they count too.
    """
    recent = [visit for visit in earlier if abs(newest.at - visit.at) < WINDOW]
    same = 1 + sum(visit.provider == newest.provider for visit in recent)
    counted = ((Paced.PROVIDER, same, rule.provider_per_hour), (Paced.DESK, 1 + len(recent), rule.desk_per_hour))
    return tuple((whose, count) for whose, count, limit in counted if count > limit)
