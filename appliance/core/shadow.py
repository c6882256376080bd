"""Judges a new pack by how it saw real visits beside the pack in use, before it decides anything; pure.

Counts only: what was compared is told in yes and no, and nothing of it is a face, a score or a person's. Seeing the
visits belongs to `appliance.shadow`; what follows from the verdict to `models.slots`.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LEAST_VISITS: Final = 20
"""Visits a pack is watched for, as many as its trial takes afterwards (`appliance.probation`). Judged after each of
them, a pack that agrees in 99 visits of 100 is refused once in 10,000 times, in nine of ten 3 times of 100, in every
second one 97 times of 100 (exact, by each of the four likenesses)."""

LONGEST_S: Final = 3 * 86_400.0
FEWEST_VISITS: Final = 3
"""At a desk with few visits: seconds that it has run with a pack beside it, after which so many visits are enough.
Three days where a desk is never switched off, nine of eight hours where it is every night; no clock that somebody sets
is asked. Three is what refuses a pack that agrees in none; one that agrees in every second visit is refused every
eighth time only, and met by its trial. Where not even so many came, nobody is kept waiting by the old pack."""

LIKE_SHARE: Final = 0.9
"""Of the visits, what a pack as good as the one in use agrees in; less in a way that chance explains is let pass, the
trial looks again. 0.9: a gate's border, a half-turned face and a look too dark may be seen either way."""

TAKEN_SHARE: Final = 0.01
"""Of comparisons between visitors and people who certainly were somebody else, what may be taken for one person. A
hundred times the policy's usual FMR: a pack that keeps its promise of 1e-4 is refused here once in a million
times, one that accepts every tenth stranger 998 times of 1000, every twentieth 8 times of 10 (exact, as above). How
good a pack is, 140 comparisons cannot say."""

DOUBT: Final = 0.01
"""A count that a pack with these shares would give with less than this probability is no chance."""

SLOWEST_S: Final = 1.0
"""Processor seconds for finding all faces of a picture and for embedding one, each. The builtin pack needs some 30 ms
of an old desktop core; at a second a frame no liveness challenge can be followed."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How a pack saw one visit, against the pack in use.

    found: the same face or none, in most frames. passed: the same word of the quality gate, in most frames. alike: it
    takes the visit's looks for one person; None for fewer than two. live: it does not take a visit for an attack that
    was found live; None where it has no live scores or the visit was not. strangers: people it was compared with who
    were somebody else; taken: for how many of them it took the visitor. slowest: processor seconds of its slowest step.
    """

    found: bool
    passed: bool
    alike: bool | None = None
    live: bool | None = None
    strangers: int = 0
    taken: int = 0
    slowest: float = 0.0


@dataclass(frozen=True, slots=True)
class Agreed:
    """In how many of so many."""

    times: int = 0
    of: int = 0

    def plus(self, same: bool | None) -> "Agreed":
        """With one more; None does not count."""
        return self if same is None else Agreed(self.times + same, self.of + 1)


@dataclass(frozen=True, slots=True)
class ShadowTally:
    """What is kept of a pack that is watched; as `Compared`, over all visits."""

    found: Agreed = Agreed()
    passed: Agreed = Agreed()
    alike: Agreed = Agreed()
    live: Agreed = Agreed()
    taken: Agreed = Agreed()

    @property
    def visits(self) -> int:
        """How many there were."""
        return self.found.of

    def plus(self, visit: Compared) -> "ShadowTally":
        """With one more visit."""
        return replace(
            self,
            found=self.found.plus(visit.found),
            passed=self.passed.plus(visit.passed),
            alike=self.alike.plus(visit.alike),
            live=self.live.plus(visit.live),
            taken=Agreed(self.taken.times + visit.taken, self.taken.of + visit.strangers),
        )


class ShadowVerdict(StrEnum):
    """What becomes of a pack that is watched."""

    WAIT = "wait"
    PASSED = "passed"
    DIFFERS = "differs"
    SLOW = "slow"


def judge_shadow(tally: ShadowTally, seconds: float, slowest: float = 0.0) -> ShadowVerdict:
    """Judge a pack by all visits so far.

    seconds: the desk has run with it beside. slowest: processor seconds of the slowest step of the last visit.
    """
    if not slowest <= SLOWEST_S:
        return ShadowVerdict.SLOW
    likes = (tally.found, tally.passed, tally.alike, tally.live)
    if any(at_most(like.times, like.of, LIKE_SHARE) < DOUBT for like in likes):
        return ShadowVerdict.DIFFERS
    taken = tally.taken
    if taken.times and 1 - at_most(taken.times - 1, taken.of, TAKEN_SHARE) < DOUBT:
        return ShadowVerdict.DIFFERS
    least = LEAST_VISITS if seconds < LONGEST_S else FEWEST_VISITS
    return ShadowVerdict.PASSED if tally.visits >= least else ShadowVerdict.WAIT


def at_most(count: int, of: int, share: float) -> float:
    """The probability of at most so many, of a binomial distribution."""
    return math.fsum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(count + 1))
