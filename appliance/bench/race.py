"""Times two ways of doing the same work, turn by turn in one run, so that a busy machine is busy for both.

What they do is the caller's. Thread CPU time is not disturbed by other processes except through caches and memory;
wall time is what a patient waits.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Stopwatch(Protocol):
    """The clocks a race is timed with."""

    def monotonic(self) -> float:
        """Seconds on an axis that never jumps."""

    def thread_cpu(self) -> float:
        """Processor seconds the calling thread has used."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One side's milliseconds: medians of thread CPU and wall time, and the longest of each."""

    cpu_ms: float
    wall_ms: float
    worst_ms: float
    worst_cpu_ms: float


@dataclass(frozen=True, slots=True)
class _Lap:
    cpu: float
    wall: float


def _lap(work: Callable[[int], object], turn: int, watch: Stopwatch) -> _Lap:
    cpu, wall = watch.thread_cpu(), watch.monotonic()
    work(turn)
    return _Lap(watch.thread_cpu() - cpu, watch.monotonic() - wall)


def _spent(laps: list[_Lap]) -> Spent:
    return Spent(
        cpu_ms=1000 * statistics.median(lap.cpu for lap in laps),
        wall_ms=1000 * statistics.median(lap.wall for lap in laps),
        worst_ms=1000 * max(lap.wall for lap in laps),
        worst_cpu_ms=1000 * max(lap.cpu for lap in laps),
    )


def race(
    ours: Callable[[int], object], theirs: Callable[[int], object], turns: int, watch: Stopwatch, run: int = 1
) -> tuple[Spent, Spent]:
    """Time both on turns 0, 1, ...; the first turn of each is run once before and not counted, to fill the caches.

    Who begins changes from turn to turn, for the second finds the caches as the first left them. run: turns each side
    has in a row, where one would leave nothing of the other in the caches.
    """
    ours(0)
    theirs(0)
    laps: tuple[list[_Lap], list[_Lap]] = ([], [])
    for number, begin in enumerate(range(0, turns, run)):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            laps[side].extend(_lap((ours, theirs)[side], turn, watch) for turn in range(begin, begin + run))
    return _spent(laps[0]), _spent(laps[1])


def timed(work: Callable[[int], object], turns: int, watch: Stopwatch) -> Spent:
    """Time one side alone on turns 0, 1, ..., without a run before: for work that changes what it works on."""
    return _spent([_lap(work, turn, watch) for turn in range(turns)])
