"""The only module that reads clocks or waits; everything else gets time as an argument.

Whether a reading may be believed is left to `time_trust`: a single reading cannot know.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from sync.envelope import Moment, TimeTrust

SYSTEM_UNCERTAINTY_MS: Final = 60_000
"""What we claim for a clock that only the operating system vouches for (our choice: NTP keeps far less, an
unsynchronised PC drifts about a second a day and is rarely a minute off before somebody notices)."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Time as composition roots and loops see it; tests give a clock they move by hand."""

    def monotonic(self) -> float:
        """Seconds on an axis that never jumps; only differences have a meaning."""

    def moment(self) -> Moment:
        """All clocks of the desk, read together."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        """Read the boot id once: a process does not outlive its boot."""
        self._boot_id = _BOOT_ID.read_text(encoding="ascii").strip()

    def monotonic(self) -> float:
        """Seconds on the process's monotonic axis."""
        return time.monotonic()

    def process_cpu(self) -> float:
        """Processor seconds this process has used so far, all its threads; for benchmarks."""
        return time.process_time()

    def thread_cpu(self) -> float:
        """Processor seconds the calling thread has used."""
        return time.thread_time()

    def moment(self) -> Moment:
        """Wall time to the millisecond with the local offset, and milliseconds since boot (suspended time included)."""
        wall = datetime.now(UTC).astimezone()  # noqa: TID251 - the one place that reads the wall clock
        return Moment(
            wall=wall.replace(microsecond=wall.microsecond // 1000 * 1000),
            mono_ms=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
            boot_id=self._boot_id,
            trust=TimeTrust.SYSTEM,
            uncertainty_ms=SYSTEM_UNCERTAINTY_MS,
        )

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


_SLICE_S: Final = 0.2


def pause(clock: Clock, seconds: float, stopped: Callable[[], bool]) -> None:
    """Wait in slices, so that a stop is noticed soon."""
    end = clock.monotonic() + seconds
    while clock.monotonic() < end and not stopped():
        clock.sleep(_SLICE_S)
