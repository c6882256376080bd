"""What became of a planned service, in the codes a receptionist's screen shows: how it was confirmed, or why it waits.

Which service stands where is found out by the use case; words are `texts`'s.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.core.decision import Reason
from appliance.core.quality import Hint


class How(StrEnum):
    """How a service came to be confirmed."""

    BY_FACE = "by_face"
    BY_CODE = "by_code"
    BY_HAND = "by_hand"
    GUARDIAN = "guardian"
    """A guardian's face, for a child."""


class Status(StrEnum):
    """What became of a service so far."""

    NEEDS_HELP = "needs_help"
    WAITING = "waiting"
    NOT_COME = "not_come"
    BY_FACE = "by_face"
    BY_CODE = "by_code"
    BY_HAND = "by_hand"
    GUARDIAN = "guardian"
    CONFIRMED = "confirmed"
    """Nobody can tell how: at a desk that took over another's records."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it did not work, and how often today."""

    code: Reason | Hint
    times: int
