"""False match and false non-match rates of compared pictures, with confidence: curve, error rates at thresholds, EER.

After ISO/IEC 19795-1. Comparisons share people, so intervals come from a bootstrap over people (Bolle, Ratha and
Pankanti 2004, "Error analysis of pattern recognition systems: the subsets bootstrap"), widened to Wilson's where that
is wider.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Comparisons, Ints
from appliance.evaluation.intervals import CONFIDENCE, Rate, by_person, people_weights, supports, wilson

DRAWS = 400
"""Bootstrap draws: the ends of a 95 % interval then rest on ten draws each."""
POINTS = 90
"""Of a curve."""
TARGETS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The false match rates that tables speak about."""
_ENDS = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Both error rates at one threshold."""

    threshold: float
    fmr: Rate
    fnmr: Rate


@dataclass(frozen=True, slots=True)
class AtTarget:
    """What a cohort says about one false match rate. point: None where its comparisons do not support it (3 / n)."""

    target: float
    point: OperatingPoint | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The detection error trade-off, from the lowest false match rate that the comparisons support to 1/2.

    band: at the false match rate of each point, the interval of the false non-match rate, with the threshold of that
    rate taken anew in every draw of people. eer: where both error rates are equal, and the threshold it is at.
    """

    points: tuple[OperatingPoint, ...]
    band: tuple[tuple[float, float], ...]
    eer: float
    eer_threshold: float


class Resampled:
    """The comparisons of one cohort with its people drawn anew, many times over."""

    def __init__(self, comparisons: Comparisons, draws: int = DRAWS, seed: int = 1) -> None:
        self._all = comparisons
        self._weights = people_weights(len(comparisons.images), draws, seed)
        self._genuine = self._sums(comparisons.owner, None, np.ones(len(comparisons.owner), np.int64))
        self._impostor = self._sums(comparisons.first, comparisons.second, comparisons.stands)
        pictures = self._weights @ comparisons.images.astype(np.float64)
        squares = self._weights.astype(np.float64) ** 2 @ comparisons.images.astype(np.float64) ** 2
        self._pairs = (pictures**2 - squares) / 2

    def _sums(self, one: Ints, other: Ints | None, stands: Ints) -> NDArray[np.float32]:
        """Running sums over the scores, (draws, scores); a person drawn twice is not compared with himself."""
        found = np.empty((len(self._weights), len(one)), np.float32)
        for row, weights in zip(found, self._weights, strict=True):
            each = weights[one] if other is None else weights[one] * weights[other]
            row[:] = np.cumsum(each * stands, dtype=np.float64)
        return found

    def fnmr(self, threshold: float) -> Rate:
        """False non-match rate at a threshold."""
        wrong, total = self._all.false_non_matches(threshold), len(self._all.genuine)
        drawn = self._genuine[:, wrong - 1] if wrong else np.zeros(len(self._genuine), np.float32)
        return _rate(wrong, total, drawn, self._genuine[:, -1].astype(np.float64))

    def fnmr_apart(self, threshold: float) -> Rate:
        """The same over pictures of different sessions only."""
        apart, owner = self._all.apart, self._all.owner
        people = len(self._all.images)
        wrong = apart & (self._all.genuine < np.float32(threshold))
        errors, trials = (np.bincount(owner[of], minlength=people).astype(np.float64) for of in (wrong, apart))
        return by_person(errors, trials, self._weights)

    def fmr(self, threshold: float) -> Rate:
        """False match rate at a threshold."""
        wrong, total = self._all.false_matches(threshold), len(self._all.impostor)
        last = int(np.searchsorted(self._all.traced, wrong, side="left")) - 1
        drawn = self._impostor[:, last] if last >= 0 else np.zeros(len(self._impostor), np.float32)
        return _rate(wrong, total, drawn, self._pairs)

    def band(self, points: Sequence[OperatingPoint]) -> list[tuple[float, float]]:
        """The interval of the false non-match rate at each point's false match rate."""
        wanted = np.array([point.fmr.value for point in points])
        drawn = np.full((len(self._weights), len(points)), np.nan)
        traced = self._all.impostor[self._all.traced]
        for row, missed, matched, of in zip(drawn, self._genuine, self._impostor, self._pairs, strict=True):
            if of <= 0 or missed[-1] <= 0:
                continue
            last = np.clip(np.searchsorted(matched, wanted * of, side="right") - 1, 0, len(traced) - 1)
            wrong = np.searchsorted(self._all.genuine, traced[last], side="left")
            row[:] = np.where(wrong > 0, missed[wrong - 1], 0) / missed[-1]
        ends = np.nanquantile(drawn, _ENDS, axis=0)
        return [
            (min(low, point.fnmr.low), max(high, point.fnmr.high))
            for low, high, point in zip(*ends.tolist(), points, strict=True)
        ]

    def at(self, threshold: float) -> OperatingPoint:
        """Both rates at a threshold."""
        return OperatingPoint(threshold, self.fmr(threshold), self.fnmr(threshold))


def _rate(wrong: int, total: int, drawn: NDArray[np.float32], of: NDArray[np.float64]) -> Rate:
    low, high = wilson(wrong, total)
    if np.any(of > 0):
        ends = np.quantile(drawn[of > 0] / of[of > 0], _ENDS)
        low, high = min(low, float(ends[0])), max(high, min(1.0, float(ends[1])))
    return Rate(wrong, total, low, high)


def at_targets(resampled: Resampled, comparisons: Comparisons, targets: tuple[float, ...] = TARGETS) -> list[AtTarget]:
    """The thresholds for false match rates, and what they cost; nothing for a rate below 3 / n."""
    supported = [supports(target, len(comparisons.impostor)) for target in targets]
    return [
        AtTarget(target, resampled.at(comparisons.threshold(target)) if good else None)
        for target, good in zip(targets, supported, strict=True)
    ]


def curve(resampled: Resampled, comparisons: Comparisons) -> Curve:
    """The whole trade-off at thresholds whose false match rates are evenly spaced on a logarithmic axis."""
    count = len(comparisons.impostor)
    ranks = np.unique(np.geomspace(3, max(3, count // 2), POINTS).astype(np.int64))
    points = tuple(resampled.at(float(comparisons.impostor[rank - 1])) for rank in ranks if rank <= count)
    return Curve(points, tuple(resampled.band(points)), *equal_error(comparisons))


def equal_error(comparisons: Comparisons) -> tuple[float, float]:
    """(rate, threshold) where the two error rates cross: mean of both at the threshold where they differ least."""
    thresholds = comparisons.genuine
    fnmr = np.arange(len(thresholds)) / len(thresholds)
    rising = comparisons.impostor[::-1]
    fmr = 1 - np.searchsorted(rising, thresholds, side="left") / len(rising)
    best = int(np.argmin(np.abs(fnmr - fmr)))
    return float(fnmr[best] + fmr[best]) / 2, float(thresholds[best])
