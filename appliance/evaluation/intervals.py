"""Error rates with their confidence: what so many errors in so many trials can and cannot claim.

Pure numbers. Which trials there were, and whether they are independent, is the caller's knowledge.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
"""Of every interval: the convention of ISO/IEC 19795-1."""
Z = 1.959963984540054
"""Standard normal quantile at (1 + CONFIDENCE) / 2."""
LEAST_ERRORS = 3
"""Rule of three (ISO/IEC 19795-1, annex B): with no error in n independent trials, the 95 % upper bound is 3 / n."""


@dataclass(frozen=True, slots=True)
class Rate:
    """errors in trials, with an interval low..high of 95 % confidence.

    A rate is claimed only from three errors on; with fewer the trials support no more than an upper bound.
    """

    errors: float
    trials: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """Errors / trials; NaN without a trial."""
        return self.errors / self.trials if self.trials else math.nan

    @property
    def supported(self) -> bool:
        """Whether the rate itself may be claimed."""
        return self.errors >= LEAST_ERRORS

    @property
    def at_most(self) -> float:
        """3 / n without an error, else the upper end of the interval; 1 without a trial."""
        if not self.trials:
            return 1.0
        return min(1.0, LEAST_ERRORS / self.trials if self.errors == 0 else self.high)


def supports(rate: float, trials: float) -> bool:
    """Whether so many trials can speak about a rate at all: at least 3 / n."""
    return trials > 0 and rate * trials >= LEAST_ERRORS * (1 - 1e-12)


def wilson(errors: float, trials: float) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927; ISO/IEC 19795-1). 0..1 without a trial."""
    if not trials:
        return 0.0, 1.0
    p, z2 = errors / trials, Z * Z
    middle = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    low = 0.0 if errors <= 0 else max(0.0, middle - half)
    return low, 1.0 if errors >= trials else min(1.0, middle + half)


def clopper_pearson(errors: int, trials: int) -> tuple[float, float]:
    """Exact interval of a binomial proportion (Clopper and Pearson 1934), by bisection on the binomial's tails."""
    if not trials:
        return 0.0, 1.0
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if errors == 0 else _solve(lambda p: beta_share(errors, trials - errors + 1, p), tail)
    high = 1.0 if errors == trials else _solve(lambda p: beta_share(errors + 1, trials - errors, p), 1 - tail)
    return low, high


def _solve(rising: Callable[[float], float], target: float) -> float:
    below, above = 0.0, 1.0
    for _ in range(100):
        middle = (below + above) / 2
        if rising(middle) < target:
            below = middle
        else:
            above = middle
    return (below + above) / 2


def beta_share(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8).

    Evaluated by Lentz's method; where it converges slowly, 1 - I_(1-x)(b, a) is used.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front * _lentz(a, b, x) / a


def _lentz(a: float, b: float, x: float) -> float:
    tiny, c = 1e-300, 1.0
    d = 1 / _apart(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _apart(1 + even * d, tiny), _apart(1 + even / c, tiny)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _apart(1 + odd * d, tiny), _apart(1 + odd / c, tiny)
        value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return value


def _apart(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def counted(errors: int, trials: int) -> Rate:
    """The rate of independent trials, with the exact interval."""
    low, high = clopper_pearson(errors, trials)
    return Rate(errors, trials, low, high)


def by_person(errors: Floats, trials: Floats, weights: NDArray[np.float32], repeats: int = 1) -> Rate:
    """The rate of trials that hang together by person, with a bootstrap over people (Bolle, Ratha, Pankanti 2004).

    errors, trials: (people,) sums of each person. weights: (draws, people), how often each is drawn. repeats: how often
    the experiment was repeated with the same people (random draws of who is enrolled): counts are means over them.
    The interval is widened to Wilson's where that is wider: few people, or no error, make a bootstrap overconfident.
    """
    total, wrong = float(trials.sum()) / repeats, float(errors.sum()) / repeats
    low, high = wilson(wrong, total)
    seen = weights @ trials
    drawn = (weights @ errors)[seen > 0] / seen[seen > 0]
    if drawn.size:
        ends = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    return Rate(wrong, total, low, high)


def people_weights(people: int, draws: int, seed: int) -> NDArray[np.float32]:
    """How often each person is drawn when as many people are drawn with replacement: (draws, people)."""
    chance = np.full(people, 1 / people)
    return np.random.default_rng(seed).multinomial(people, chance, size=draws).astype(np.float32)
