"""Whether the patient turned the voice off, and how long that lasts: until their visit is over.

What falls silent is `voice`'s, that a button shows it the window's. Time is an argument: the instants of snapshots.
"""

from dataclasses import dataclass, replace
from typing import Final

from appliance.core.session import State
from appliance.core.types import Instant

UNUSED_S: Final = 30.0
"""A desk that was muted while nobody stood there speaks again after this: whoever pressed has gone."""


_NEVER: Final = Instant(0.0)


@dataclass(frozen=True, slots=True)
class Mute:
    """on: nothing is said. since: when it was last pressed."""

    on: bool = False
    since: Instant = _NEVER

    def pressed(self, at: Instant) -> "Mute":
        """The button was pressed: off, or on again."""
        return Mute(not self.on, at)

    def follow(self, state: State, at: Instant, *, over: bool) -> "Mute":
        """After this snapshot: the next patient is spoken to again. over: it is the first after a visit."""
        unused = state is State.IDLE and at - self.since >= UNUSED_S
        return replace(self, on=False) if self.on and (over or unused) else self
