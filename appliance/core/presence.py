"""Tells from one frame to the next whether somebody has come, is still there, or has gone.

A face must be seen for a while before it counts as an arrival, and be gone for a while before it
counts as leaving: a passer-by starts no visit, a blink of the detector ends none.
"""

from dataclasses import dataclass, replace

from appliance.core.policy import Timing
from appliance.core.types import Instant


@dataclass(frozen=True, slots=True)
class Presence:
    """present: the settled answer. since: when the opposite was first seen without a break, None if it was not."""

    present: bool = False
    since: Instant | None = None

    def follow(self, face_seen: bool, at: Instant, timing: Timing) -> "Presence":
        """Take one frame into account; `present` flips after `timing.presence` or `timing.absence` seconds."""
        if face_seen == self.present:
            return replace(self, since=None)
        since = at if self.since is None else self.since
        needed = timing.absence if self.present else timing.presence
        return Presence(not self.present) if at - since >= needed else replace(self, since=since)
