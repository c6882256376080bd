"""Judges a pack or settings on trial by how visits ended with it, against those with the one before; pure.

Counts only, of visits and never of people. Seeing the visits and keeping the counts belongs to `appliance.probation`;
what follows from the verdict to `models.slots`; visits before the trial are `core.shadow`'s.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from appliance.core.shadow import at_most

LEAST_VISITS: Final = 20
LEAST_S: Final = 1800.0
"""Visits and seconds of one run that a pack needs to prove itself."""

ALLOWED_DROP: Final = 0.1
DOUBT: Final = 0.01
"""A pack has drifted when a share of visits this much below the one before would give so few with this probability."""

UNKNOWN_SHARE: Final = 0.6
"""Taken for the share before where too few visits are known of it; less than half of the visitors is then drift."""

MOST_VISITS: Final = 400
"""Visits of the proven pack that count; of more, older ones fade by half."""

USUAL_SHARE: Final = 0.75
LEAST_SPREAD: Final = 100
"""The level that this share of visits reached before, where a spread of so many is known, is the usual one. The lower
quartile finds a shift within 20 visits sooner than the median does, and as surely: by two standard deviations 998 times
of 1,000 after 5 visits in the middle (the median: 8), by one every second time. A pack as good as the one before is
given up for this, by either figure, 9 times in 1,000 against 100 known visits, 6 against 400; where half an hour is
long enough for 90 visits, 13 and 8 times; against 40 it would be 22 and 53 (simulated, 1,000 to 3,000 trials each,
judged after every visit; scores normal with deviation 8, shares Beta(4,2); other shapes give no more)."""

STEPS: Final = 20
"""Of a spread: five points of a figure of 0..100 each."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many visits had a figure of 0..100 within each step."""

    steps: tuple[int, ...] = (0,) * STEPS

    @property
    def of(self) -> int:
        """How many visits are known."""
        return sum(self.steps)

    def plus(self, figure: float | None) -> "Spread":
        """With one more visit; None does not count."""
        if figure is None:
            return self
        step = min(max(int(figure * STEPS / 100), 0), STEPS - 1)
        return Spread((*self.steps[:step], self.steps[step] + 1, *self.steps[step + 1 :]))

    def reached(self, step: int) -> int:
        """Visits with a figure of this step or a higher one."""
        return sum(self.steps[step:])

    def usual(self) -> int:
        """The highest step that the usual share of visits reached."""
        return max(step for step in range(STEPS) if self.reached(step) >= USUAL_SHARE * self.of)

    def faded(self) -> "Spread":
        """With half of each."""
        return Spread(tuple(count // 2 for count in self.steps))

    def fell(self, before: "Spread") -> bool:
        """Whether significantly fewer visits than before reach what was usual; never where little is known of that."""
        if before.of < LEAST_SPREAD:
            return False
        level = before.usual()
        return at_most(self.reached(level), self.of, before.reached(level) / before.of - ALLOWED_DROP) < DOUBT


@dataclass(frozen=True, slots=True)
class Tally:
    """How visits ended.

    acquired: a face was good enough to be looked at. recognised: whose it is was found. clear: of the looks of an
    acquired visit, the percentage that passed the gate. score: what the pack's quality model made of the worst look it
    compared, 0..100; nothing where it has none.
    """

    visits: int = 0
    acquired: int = 0
    recognised: int = 0
    clear: Spread = Spread()
    score: Spread = Spread()

    def plus(self, acquired: bool, recognised: bool, clear: float | None = None, score: float | None = None) -> "Tally":
        """With one more visit."""
        before = self if self.visits < MOST_VISITS else self._faded()
        return Tally(
            before.visits + 1,
            before.acquired + acquired,
            before.recognised + recognised,
            before.clear.plus(clear),
            before.score.plus(score),
        )

    def _faded(self) -> "Tally":
        counts = Tally(self.visits // 2, self.acquired // 2, self.recognised // 2)
        return replace(counts, clear=self.clear.faded(), score=self.score.faded())


class Verdict(StrEnum):
    """What became of a pack on trial."""

    WAIT = "wait"
    GOOD = "good"
    DRIFT = "drift"
    QUALITY = "quality"


def judge(trial: Tally, before: Tally, seconds: float) -> Verdict:
    """Judge a pack on trial. before: of the proven one. seconds: since this run began."""
    shares = [(trial.acquired, before.acquired), (trial.recognised, before.recognised)]
    for count, count_before in shares:
        known = before.visits >= LEAST_VISITS
        expected = max((count_before / before.visits if known else UNKNOWN_SHARE) - ALLOWED_DROP, 0.0)
        if at_most(count, trial.visits, expected) < DOUBT:
            return Verdict.DRIFT
    if trial.clear.fell(before.clear) or trial.score.fell(before.score):
        return Verdict.QUALITY
    return Verdict.GOOD if trial.visits >= LEAST_VISITS and seconds >= LEAST_S else Verdict.WAIT
