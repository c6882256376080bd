"""The standard pairs of a set in ten folds: LFW's accuracy, as labelled, with the threshold of the other nine folds.

After Huang et al. 2007, "Labeled Faces in the Wild", view 2, unrestricted with labelled outside data.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.datasets import StandardPair


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Share of pairs told right, mean and standard deviation over the folds.

    pairs: compared. listed: of the set's list, with those whose pictures are not there. failed: pairs with a picture in
    which no face was found; they count as told different people.
    """

    mean: float
    deviation: float
    error_of_mean: float
    pairs: int
    listed: int
    failed: int
    folds: int


def accuracy(
    vectors: Scores, found: NDArray[np.bool_], pairs: tuple[StandardPair, ...], absent: int
) -> Accuracy | None:
    """The accuracy on the standard pairs; None without two folds.

    vectors: (pictures, d), unit length. found: whether there is an embedding for a picture.
    """
    if len({pair.fold for pair in pairs}) < 2:
        return None
    one, other = np.array([pair.one for pair in pairs]), np.array([pair.other for pair in pairs])
    same, fold = np.array([pair.same for pair in pairs]), np.array([pair.fold for pair in pairs])
    both = found[one] & found[other]
    scores = np.where(both, np.einsum("nd,nd->n", vectors[one], vectors[other]), np.float32(-1))
    right = [_right(scores, same, fold == number) for number in np.unique(fold)]
    return Accuracy(
        mean=float(np.mean(right)),
        deviation=float(np.std(right, ddof=1)),
        error_of_mean=float(np.std(right, ddof=1) / np.sqrt(len(right))),
        pairs=len(pairs),
        listed=len(pairs) + absent,
        failed=int(np.count_nonzero(~both)),
        folds=len(right),
    )


def _right(scores: Scores, same: NDArray[np.bool_], tested: NDArray[np.bool_]) -> float:
    threshold = best_threshold(scores[~tested], same[~tested])
    return float(np.mean((scores[tested] >= threshold) == same[tested]))


def best_threshold(scores: Scores, same: NDArray[np.bool_]) -> float:
    """The threshold with the most right answers, in the middle between two scores; the lowest of several."""
    order: Ints = np.argsort(scores, kind="stable")
    rising = scores[order].astype(np.float64)
    # right answers with the threshold below place i: different people before i, same people from i on
    different = np.concatenate([[0], np.cumsum(~same[order])])
    right = different + np.count_nonzero(same) - np.concatenate([[0], np.cumsum(same[order])])
    edges = np.concatenate([[rising[0] - 1], (rising[1:] + rising[:-1]) / 2, [rising[-1] + 1]])
    tied = np.concatenate([[False], rising[1:] == rising[:-1], [False]])
    return float(edges[int(np.argmax(np.where(tied, -1, right)))])
