"""False non-match rates of the pictures that a desk would use: those that pass the policy's gate for a check-in.

What the gate asks for is `core.policy`'s. A picture that does not pass costs the patient a hint and another second, not
a failed check-in.
"""

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.intervals import Rate, by_person, people_weights

_DRAWS = 400


class Passing:
    """The genuine comparisons among passing pictures of one cohort."""

    def __init__(self, vectors: Scores, person: Ints, session: Ints) -> None:
        """Vectors (n, d), person (n,) from 0, session (n,), -1 unknown."""
        people = int(person.max(initial=-1)) + 1
        self._people, self._weights = people, people_weights(max(people, 1), _DRAWS, 1)
        owner, scores, apart = [], [], []
        for number in range(people):
            rows = np.flatnonzero(person == number)
            a, b = np.triu_indices(len(rows), 1)
            one, other = rows[a], rows[b]
            scores.append(np.einsum("nd,nd->n", vectors[one], vectors[other]))
            apart.append((session[one] != session[other]) & (session[one] >= 0) & (session[other] >= 0))
            owner.append(np.full(len(one), number))
        self._scores: NDArray[np.float32] = np.concatenate(scores) if scores else np.zeros(0, np.float32)
        self._apart: NDArray[np.bool_] = np.concatenate(apart) if apart else np.zeros(0, bool)
        self._owner: Ints = np.concatenate(owner) if owner else np.zeros(0, np.int64)

    def fnmr(self, threshold: float, *, apart: bool = False) -> Rate | None:
        """At a threshold, of all pairs or of those of different sessions; None without such a pair."""
        of = self._apart if apart else np.ones(len(self._scores), bool)
        if not of.any():
            return None
        wrong = of & (self._scores < np.float32(threshold))
        errors, trials = (
            np.bincount(self._owner[which], minlength=self._people).astype(np.float64) for which in (wrong, of)
        )
        return by_person(errors, trials, self._weights)
