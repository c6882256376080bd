"""Makes the calibration a pack carries from what was measured: tails, quantiles, margin, limits of attack detection.

What the numbers mean when a desk uses them is `models.calibration`'s.
"""

import math

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Comparisons, Ints, Scores
from models.calibration import MARGIN_SHARE, Cohort, GenuineScores, ImpostorScores

TAIL_POINTS = 40
TAIL_SHARE = 0.01
"""The part of the impostor scores that the model of extrapolation is fitted to."""
QUANTILES = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99,
)  # fmt: skip
MARGIN_DRAWS = 50
"""Random choices of who is enrolled with which picture; a small set needs several."""
_DIGITS = 5
_LEAST_BELOW = 1.25  # a quantile is only given where this many scores lie below it


def fit_cohort(
    name: str, description: str, comparisons: Comparisons, vectors: Scores, person: Ints, seed: int = 1
) -> Cohort:
    """One cohort of a calibration. vectors (n, d), person (n,): the compared pictures."""
    return Cohort(
        name=name,
        description=description,
        people=comparisons.people,
        images=int(comparisons.images.sum()),
        impostor=fit_impostors(comparisons.impostor),
        genuine=fit_genuine(comparisons.genuine),
        margin=round(margin(vectors, person, seed), _DIGITS),
    )


def fit_impostors(falling: Scores) -> ImpostorScores:
    """Tail and model of impostor scores (descending). The power is the maximum-likelihood estimate over the tail.

    With x = (1 - above) / (1 - s) for the k scores s above `above`, P(X > x) = x ** -power, whose estimate is
    k / sum(log x) (Hill 1975).
    """
    count = len(falling)
    ranks = np.unique([1, 2, *np.round(np.geomspace(3, max(4, count // 2), TAIL_POINTS)).astype(int)])
    ranks = ranks[ranks <= count]
    k = max(1, int(TAIL_SHARE * count))
    above = float(falling[k])
    logs = np.log((1 - above) / np.maximum(1 - falling[:k].astype(np.float64), 1e-9))
    return ImpostorScores(
        count=count,
        tail=tuple((float(rank), _up(float(falling[rank - 1]))) for rank in ranks),
        above=round(above, _DIGITS),
        share=round(k / count, _DIGITS + 2),
        power=round(min(200.0, max(0.5, k / max(float(logs.sum()), 1e-9))), 3),
    )


def _up(score: float) -> float:
    """Rounded away from acceptance, so that rounding never loosens a threshold."""
    scale = 10.0**_DIGITS
    return min(1.0, math.ceil(score * scale - 1e-6) / scale)


def fit_genuine(rising: Scores) -> GenuineScores:
    """Quantiles of genuine scores (ascending), those that so many scores can tell."""
    told = [share for share in QUANTILES if share * len(rising) >= _LEAST_BELOW] or [0.5]
    values = np.quantile(rising.astype(np.float64), told)
    return GenuineScores(len(rising), tuple((q, round(float(v), _DIGITS)) for q, v in zip(told, values, strict=True)))


def margin(vectors: Scores, person: Ints, seed: int = 1) -> float:
    """The lead over the second person that `MARGIN_SHARE` of the searches which put a wrong person first do not reach.

    In each draw everybody is enrolled with one picture at random and searched for with the others. With no wrong first
    rank in any draw it is 0: nothing was seen that a margin would catch.
    """
    rng = np.random.default_rng(seed)
    leads: list[NDArray[np.float32]] = []
    for _ in range(MARGIN_DRAWS):
        shuffled = rng.permutation(len(person))
        _, first = np.unique(person[shuffled], return_index=True)
        enrolled = shuffled[first]
        probes = np.setdiff1d(shuffled, enrolled)
        if len(enrolled) < 2 or not len(probes):
            return 0.0
        scores = vectors[probes] @ vectors[enrolled].T
        best = scores.argmax(axis=1)
        top = np.partition(scores, -2, axis=1)[:, -2:]
        wrong = person[enrolled][best] != person[probes]
        leads.append((top[:, 1] - top[:, 0])[wrong])
    wrongs = np.concatenate(leads)
    return float(np.quantile(wrongs, MARGIN_SHARE)) if wrongs.size else 0.0
