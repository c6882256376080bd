"""A session at the reception: when it locks and ends, and how long nobody may try a PIN after wrong ones.

Who they are is looked up, and what they do is recorded, by the use case; time is an argument throughout.
"""

from dataclasses import dataclass, replace

from appliance.core.operators import Mark, Misses, Role
from appliance.core.policy import ReceptionRule
from appliance.core.types import Instant, PersonId


def pause_after(misses: int, rule: ReceptionRule) -> float:
    """Seconds without a try after so many wrong PINs in a row: none at first, then each twice the one before."""
    if misses < rule.tries:
        return 0.0
    return min(rule.most_pause, rule.pause * 2.0 ** min(misses - rule.tries, 30))


def pause_left(misses: Misses, now: Mark, rule: ReceptionRule) -> float:
    """Seconds of the pause that are left; 0 when a PIN may be tried.

    After a restart only the time since then counts: how long the machine was off is known from the wall clock alone,
    and that may have been set.
    """
    if misses.last is None:
        return 0.0
    began = misses.last.mono_ms if misses.last.boot_id == now.boot_id else 0
    return max(0.0, pause_after(misses.count, rule) - (now.mono_ms - began) / 1000)


@dataclass(frozen=True, slots=True)
class Shift:
    """One session of one operator. operator: pseudonym. began, touched: sign-in, and the last input.

    face_missing: the operator's face is not enrolled, so that it would not be noticed before the camera.
    """

    person: PersonId
    operator: str
    role: Role
    began: Instant
    touched: Instant
    face_missing: bool
    locked: bool = False

    def at(self, now: Instant, rule: ReceptionRule) -> "Shift | None":
        """The session as it is now: locked after a while without input, None when it has lasted its time."""
        if now - self.began >= rule.shift:
            return None
        return self.lock() if now - self.touched >= rule.idle else self

    def touch(self, now: Instant) -> "Shift":
        """Somebody typed or clicked; opens no lock."""
        return self if self.locked else replace(self, touched=now)

    def lock(self) -> "Shift":
        """Locked until the PIN is given."""
        return replace(self, locked=True)

    def unlock(self, now: Instant) -> "Shift":
        """The PIN was given; the session ends when it would have."""
        return replace(self, locked=False, touched=now)
