"""What was measured on the pictures of one cohort: embeddings, quality, live scores, and what could not be measured.

Measuring is `measuring`'s; what follows from it belongs to the statistics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Sensitive
from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.datasets import DataSet


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Measured(Sensitive):
    """One row for each picture, then one for each frame of each clip, in order.

    vectors: unit length, zeros where no face was found (n, d). found, readable: (n,). person: -1 unknown (n,). session:
    number of the session's name in `sessions`, -1 without one (n,). species: the values of `Species` (n,). series: rows
    with one number were taken one after another of one face (n,). quality: unified, 0..100, NaN without (n,). passed:
    whether the policy's gate for a check-in lets it through (n,). components: (n, c), NaN without, higher is better,
    named by `names`. live: score, NaN without (n,).
    """

    vectors: Scores
    found: NDArray[np.bool_]
    readable: NDArray[np.bool_]
    person: Ints
    session: Ints
    sessions: tuple[str, ...]
    species: NDArray[np.str_]
    series: Ints
    quality: Scores
    passed: NDArray[np.bool_]
    components: Scores
    names: tuple[str, ...]
    live: Scores

    @property
    def bona_fide(self) -> NDArray[np.bool_]:
        """Rows of living people with a face."""
        return np.asarray(self.found & (self.species == "live"))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Cohort(Sensitive):
    """A set with what was measured on it."""

    data: DataSet
    measured: Measured

    def comparable(self) -> Ints:
        """Rows for recognition: living, known people with a face, known label errors left out."""
        good = self.measured.bona_fide & (self.measured.person >= 0)
        good[list(self.data.noise)] = False
        return np.flatnonzero(good)
