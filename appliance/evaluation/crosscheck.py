"""Tests thresholds on people they were not taken from: half of each cohort calibrates, the other half is tested.

Figures on the pictures that set a threshold flatter it. Both ways, for several random halves; the strictest cohort of
the calibrating half decides, as at the desk.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.evaluation.comparisons import Comparisons, Ints, Scores, compare
from appliance.evaluation.fitting import fit_impostors
from appliance.evaluation.intervals import Rate, wilson
from appliance.evaluation.results import CrossChecked

HALVES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A cohort's pictures. vectors (n, d), person (n,) from 0, session (n,)."""

    name: str
    vectors: Scores
    person: Ints
    session: Ints


@dataclass(frozen=True, slots=True)
class _Test:
    threshold: float
    wrong: int
    impostors: int
    missed: int
    genuine: int


def cross_check(cohorts: Sequence[Compared], target: float, seed: int = 1) -> tuple[CrossChecked, ...]:
    """One row for each cohort. target: the false match rate that is asked of the calibrating half."""
    rng = np.random.default_rng(seed)
    tests: dict[str, list[_Test]] = {cohort.name: [] for cohort in cohorts}
    for _ in range(HALVES):
        halves = [_halves(cohort, rng) for cohort in cohorts]
        for calibrating, tested in ((0, 1), (1, 0)):
            threshold = max(fit_impostors(half[calibrating].impostor).score_at(target) for half in halves)
            for cohort, half in zip(cohorts, halves, strict=True):
                tests[cohort.name].append(_test(half[tested], threshold))
    return tuple(_row(name, target, found) for name, found in tests.items())


def _halves(cohort: Compared, rng: np.random.Generator) -> tuple[Comparisons, Comparisons]:
    """People who have several pictures are split evenly, and so are the others."""
    counts = np.bincount(cohort.person)
    order = rng.permutation(len(counts))
    order = order[np.argsort(counts[order] > 1, kind="stable")]
    first = np.zeros(len(counts), bool)
    first[order[::2]] = True
    one, other = (_part(cohort, np.flatnonzero(first[cohort.person] == side)) for side in (True, False))
    return one, other


def _part(cohort: Compared, rows: Ints) -> Comparisons:
    return compare(cohort.vectors[rows], cohort.person[rows], cohort.session[rows])


def _test(half: Comparisons, threshold: float) -> _Test:
    wrong, missed = half.false_matches(threshold), half.false_non_matches(threshold)
    return _Test(threshold, wrong, len(half.impostor), missed, len(half.genuine))


def _row(name: str, target: float, tests: list[_Test]) -> CrossChecked:
    return CrossChecked(
        cohort=name,
        target=target,
        tests=len(tests),
        fmr=_mean([t.wrong for t in tests], [t.impostors for t in tests]),
        fnmr=_mean([t.missed for t in tests], [t.genuine for t in tests]),
        worst_fmr=max(t.wrong / t.impostors for t in tests),
        worst_fnmr=max(t.missed / t.genuine for t in tests),
        highest_threshold=max(t.threshold for t in tests),
        lowest_threshold=min(t.threshold for t in tests),
    )


def _mean(errors: list[int], trials: list[int]) -> Rate:
    wrong, total = float(np.mean(errors)), float(np.mean(trials))
    return Rate(wrong, total, *wilson(wrong, total))
