"""The protocol `pairs`: every picture of a cohort with every other, summed up."""

import numpy as np

from appliance.evaluation.comparisons import Comparisons, Ints
from appliance.evaluation.discard import ErrorVersusDiscard, error_versus_discard, genuine_pairs
from appliance.evaluation.intervals import supports
from appliance.evaluation.measured import Cohort
from appliance.evaluation.protocol import accuracy
from appliance.evaluation.rates import AtTarget, OperatingPoint, Resampled, at_targets, curve
from appliance.evaluation.results import Histogram, Pairs

BINS = 80
MAX_PAIRS = 200_000
"""Genuine pairs that error versus discard looks at."""
DISCARD_FMRS = (1e-4, 1e-3, 1e-2)
"""The threshold of error versus discard: of the lowest of these rates that the cohort supports."""


def sum_up(cohort: Cohort, rows: Ints, compared: Comparisons, resampled: Resampled) -> Pairs:
    """Everything the report says about one cohort's pairs. rows: the compared pictures."""
    measured, data = cohort.measured, cohort.data
    return Pairs(
        cohort=data.people_name,
        people=compared.people,
        genuine=len(compared.genuine),
        impostor=len(compared.impostor),
        targets=tuple(at_targets(resampled, compared)),
        apart=_apart(compared, resampled),
        curve=curve(resampled, compared),
        accuracy=accuracy(measured.vectors, measured.found, data.pairs, data.absent),
        discards=_discards(cohort, rows, compared),
        histogram=_histogram(compared),
    )


def _apart(compared: Comparisons, resampled: Resampled) -> tuple[AtTarget, ...]:
    """Genuine pairs of different sessions only; empty where the set does not tell sessions."""
    if not compared.apart.any():
        return ()
    return tuple(
        AtTarget(row.target, None)
        if row.point is None
        else AtTarget(
            row.target,
            OperatingPoint(row.point.threshold, row.point.fmr, resampled.fnmr_apart(row.point.threshold)),
        )
        for row in at_targets(resampled, compared)
    )


def _discards(cohort: Cohort, rows: Ints, compared: Comparisons) -> tuple[ErrorVersusDiscard, ...]:
    rate = next((rate for rate in DISCARD_FMRS if supports(rate, len(compared.impostor))), None)
    if rate is None:
        return ()
    measured = cohort.measured
    pairs, scores = genuine_pairs(measured.vectors[rows], measured.person[rows], MAX_PAIRS)
    columns = [("unified", measured.quality), *zip(measured.names, measured.components.T, strict=True)]
    threshold = compared.threshold(rate)
    found = (error_versus_discard(name, values[rows], pairs, scores, threshold) for name, values in columns)
    return tuple(row for row in found if row is not None)


def _histogram(compared: Comparisons) -> Histogram:
    low = float(min(compared.genuine[0], compared.impostor[-1]))
    edges = np.linspace(low, 1.0, BINS + 1)
    genuine, impostor = (
        np.histogram(scores, edges)[0] / len(scores) for scores in (compared.genuine, compared.impostor)
    )
    return Histogram(tuple(edges.tolist()), tuple(genuine.tolist()), tuple(impostor.tolist()))
