"""Judges whether the kiosk lives: its picture changes, and its window's timer runs.

Where the signs come from and who is told are `supervisor`'s. A process that is merely there proves nothing: a window
can hang while a thread goes on, and a camera can repeat one picture for ever.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.core.types import Instant


class Missing(StrEnum):
    """The sign of life that is overdue."""

    PICTURE = "picture"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class PulseLimits:
    """Seconds. picture: without a changed picture. window: without a run of the window's timer, which runs each second.

    told: how long a camera's failure that the screen tells of counts as life. A restart opens the device anew, which
    helps a hung driver; but not each 20 seconds before the patients' eyes while the camera is being repaired.
    """

    picture: float = 10.0
    window: float = 5.0
    told: float = 600.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What the station sees. mark: of the newest picture; equal pictures have equal marks. changed: when it was new.

    fault: since when there is none for a reason that the screen tells; None while there is one.
    """

    changed: Instant
    mark: int | None = None
    fault: Instant | None = None

    def seen(self, mark: int, at: Instant) -> "Sight":
        """After the next picture."""
        return self if mark == self.mark else Sight(at, mark)

    def failed(self, at: Instant) -> "Sight":
        """After a failure of the camera; several in a row count from the first."""
        return self if self.fault is not None else replace(self, fault=at)


def missing(sight: Sight, window: Instant, now: Instant, limits: PulseLimits) -> Missing | None:
    """The sign of life that is overdue, or None. window: when the window's timer ran last."""
    if now - window > limits.window:
        return Missing.WINDOW
    told = sight.fault is not None and now - sight.fault <= limits.told
    return None if told or now - sight.changed <= limits.picture else Missing.PICTURE
