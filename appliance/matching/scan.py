"""Rows as 4-bit codes, scanned whole for a shortlist, and in 16 bits a number for the exact scores of the shortlist.

How codes are scanned is in `kernels`, how rows are kept in `shorts`. Here it is decided how long the shortlist has to
be.
"""

import math
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np

from appliance.matching.index import Floats, Rows
from appliance.matching.kernels import FIRST_CAPACITY, Codes
from appliance.matching.shorts import Allocate, ShortRows, in_memory
from models.codebook import CodeBook

FIRST: Final = 96
"""Rows compared exactly at once: they show how far the codes are off for this probe."""

LISTED: Final = 320
"""Rows the first scan names at least; seldom more are needed at 100,000."""

MISSED: Final = 0.002
"""Rows that may be left out wrongly in one search, as the codes' error is distributed."""

SHORTER: Final = 8
"""A shortlist is at least so many times shorter than all rows; else all are compared."""


class ScanIndex:
    """Implements `Index`.

    The shortlist ends where it may: the first rows' exact scores give the `sure`-th best so far and the error of their
    codes; a row whose code says so much less than that score that the error hardly explains it is not among the
    best. So a face on which the code book was not trained gets a longer list and not a wrong answer.
    """

    __slots__ = ("_codes", "_projection", "_short")

    def __init__(self, book: CodeBook, allocate: Allocate = in_memory, capacity: int = FIRST_CAPACITY) -> None:
        """allocate: memory for rows, as `ShortRows` takes it. capacity: codes to make room for at first."""
        self._codes = Codes(book, capacity)
        self._projection = book.matrix()
        self._short = ShortRows(book.dimension, allocate)

    def __len__(self) -> int:
        return len(self._codes)

    def append(self, block: Floats) -> None:
        """Encode and keep."""
        self._codes.append(block @ self._projection.T)
        self._short.append(block)

    def remove(self, row: int) -> None:
        """The last row takes the place of this one, code and numbers."""
        self._codes.remove(row)
        self._short.remove(row)

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """Exact, over the rows in 16 bits a number."""
        return self._short.scores(query, rows)

    def nearest(self, query: Floats, count: int, sure: int) -> tuple[Floats, Rows]:
        """Exact scores; the first `sure` rows are those of a full comparison, to the certainty above."""
        projected = self._projection @ query
        listed = max(LISTED, 4 * count)
        while listed * SHORTER <= len(self):
            found = self._shortlist(query, projected, count, sure, listed)
            if found is not None:
                return found
            listed *= 2
        return self.nearest_of_all(query, count)

    def nearest_of_all(self, query: Floats, count: int) -> tuple[Floats, Rows]:
        """Exact scores of all, some tens of milliseconds for 100,000."""
        scores = self._short.all_scores(query)
        return _best(scores, np.arange(len(scores)), count)

    def _shortlist(
        self, query: Floats, projected: Floats, count: int, sure: int, listed: int
    ) -> tuple[Floats, Rows] | None:
        """The best among the `listed` rows the codes name; None when rows beyond them might be among the first too."""
        coded, rows = self._codes.nearest(projected, listed)
        if rows[-1] < 0:
            return None
        first = max(FIRST, 2 * count)
        scores = self._short.scores(query, rows[:first])
        errors = scores - coded[:first]
        mean = float(errors.sum()) / first
        deviation = math.sqrt(max(float(errors @ errors) / first - mean * mean, 0.0))
        least = float(np.partition(scores, first - sure)[first - sure]) - mean - _certain(listed) * deviation
        needed = int(np.count_nonzero(coded >= least))
        if needed == listed:
            return None
        if needed > first:
            scores = np.concatenate([scores, self._short.scores(query, rows[first:needed])])
        return _best(scores, rows[: len(scores)], count)

    def wipe(self) -> None:
        """Overwrite everything."""
        self._codes.wipe()
        self._short.wipe()


@cache
def _certain(rows: int) -> float:
    """Standard deviations that so many rows, all of them at the limit, exceed by chance `MISSED` times."""
    return NormalDist().inv_cdf(1 - MISSED / rows)


def _best(scores: Floats, rows: Rows, count: int) -> tuple[Floats, Rows]:
    chosen = np.argpartition(-scores, count - 1)[:count]
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
    return scores[chosen], rows[chosen]
