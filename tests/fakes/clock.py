"""A clock that tests move by hand; checks that nobody moves its monotonic axis backwards."""

from datetime import UTC, datetime, timedelta

from sync.clock import SYSTEM_UNCERTAINTY_MS
from sync.envelope import Moment, TimeTrust

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class ManualClock:
    """Implements `sync.clock.Clock`. Sleeping advances it at once."""

    def __init__(self, wall: datetime = START, boot_id: str = "boot-1", mono_s: float = 100.0) -> None:
        self.wall = wall
        self.boot_id = boot_id
        self.mono_s = mono_s
        self.slept_s = 0.0
        self.suspended_s = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.mono_s

    def moment(self) -> Moment:
        """All clocks, as an unattested system reads them."""
        mono_ms = round((self.mono_s + self.suspended_s) * 1000)
        return Moment(self.wall, mono_ms, self.boot_id, TimeTrust.SYSTEM, SYSTEM_UNCERTAINTY_MS)

    def sleep(self, seconds: float) -> None:
        """Pass time."""
        self.slept_s += seconds
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Time passes on all clocks."""
        assert seconds >= 0, "monotonic time never runs backwards"
        self.mono_s += seconds
        self.wall += timedelta(seconds=seconds)

    def suspend(self, seconds: float) -> None:
        """The machine sleeps: time since boot passes, the process's monotonic time stands still."""
        self.suspended_s += seconds
        self.wall += timedelta(seconds=seconds)

    def step_wall(self, seconds: float) -> None:
        """Somebody, or NTP, sets the wall clock."""
        self.wall += timedelta(seconds=seconds)

    def reboot(self, boot_id: str, off_s: float = 60.0) -> None:
        """The machine starts again: a new boot id, monotonic time from zero."""
        self.boot_id = boot_id
        self.mono_s = self.suspended_s = 0.0
        self.wall += timedelta(seconds=off_s)
