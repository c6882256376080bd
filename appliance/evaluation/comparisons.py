"""Compares every picture of a cohort with every other: genuine and impostor scores, and who they belong to.

What follows from the scores (rates, curves, thresholds) belongs to `rates` and `fitting`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Sensitive

Scores = NDArray[np.float32]
Ints = NDArray[np.int64]

MAX_COMPARISONS = 60_000_000
"""Scores kept in memory (4 bytes each, and as much again while they are sorted); more people than that are sampled."""
MAX_TRACED = 60_000
"""Impostor scores whose people are remembered: the highest ones, and every so many-th below."""
_BLOCK = 512


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparisons(Sensitive):
    """The scores of one cohort.

    genuine: ascending; owner: whose (m,); apart: whether its two pictures are of different sessions (m,).
    impostor: descending (n,). traced: ranks in `impostor` (from 0) whose people are known, ascending; first, second:
    those people; stands: how many ranks up to the next traced one it stands for.
    images: pictures of each person (people,).
    """

    genuine: Scores
    owner: Ints
    apart: NDArray[np.bool_]
    impostor: Scores
    traced: Ints
    first: Ints
    second: Ints
    stands: Ints
    images: Ints

    @property
    def people(self) -> int:
        """People with a picture."""
        return int(np.count_nonzero(self.images))

    def threshold(self, fmr: float) -> float:
        """The lowest score that at most a share `fmr` of the impostor comparisons reaches; 2 when that is no score."""
        k = int(fmr * len(self.impostor) * (1 + 1e-12))
        return float(self.impostor[k - 1]) if k else 2.0

    def false_matches(self, threshold: float) -> int:
        """Impostor comparisons that reach a threshold."""
        return int(len(self.impostor) - np.searchsorted(self.impostor[::-1], np.float32(threshold), side="left"))

    def false_non_matches(self, threshold: float) -> int:
        """Genuine comparisons that do not."""
        return int(np.searchsorted(self.genuine, np.float32(threshold), side="left"))


def compare(vectors: Scores, person: Ints, session: Ints, seed: int = 1) -> Comparisons:
    """Compare every picture with every other.

    vectors: unit length (n, d). person, session: numbers (n,); a session of -1 is unknown and apart from none.
    Raises ValueError when there is no genuine or no impostor comparison.
    """
    keep = _within_limit(person, seed)
    vectors, person, session = vectors[keep], person[keep], session[keep]
    genuine, impostor = _scores(vectors, person)
    if not genuine[0].size or not impostor[0].size:
        raise ValueError("a cohort needs two people, one of them with two pictures")
    order = np.argsort(genuine[0], kind="stable")
    falling = np.argsort(-impostor[0], kind="stable")
    traced = _traced(len(falling))
    cells = impostor[1][falling[traced]]
    return Comparisons(
        genuine=genuine[0][order],
        owner=person[genuine[1][order] // len(person)],
        apart=_apart(session, genuine[1][order]),
        impostor=impostor[0][falling],
        traced=traced,
        first=person[cells // len(person)],
        second=person[cells % len(person)],
        stands=np.diff(traced, append=len(falling)),
        images=np.bincount(person),
    )


def _within_limit(person: Ints, seed: int) -> Ints:
    """Places of the pictures to compare: all, or those of as many randomly drawn people as the memory takes."""
    if len(person) * (len(person) - 1) // 2 <= MAX_COMPARISONS:
        return np.arange(len(person))
    order = np.random.default_rng(seed).permutation(np.unique(person))
    images = np.cumsum(np.bincount(person, minlength=order.max() + 1)[order])
    chosen = order[images * (images - 1) // 2 <= MAX_COMPARISONS]
    return np.flatnonzero(np.isin(person, chosen))


def _scores(vectors: Scores, person: Ints) -> tuple[tuple[Scores, Ints], tuple[Scores, Ints]]:
    """(scores, cells) of genuine and of impostor pairs; a cell is row * n + column."""
    kept: tuple[list[tuple[Scores, Ints]], list[tuple[Scores, Ints]]] = ([], [])
    for rows, scores, upper in _blocks(vectors):
        mine = person[rows][:, None] == person[None, :]
        for wanted, chosen in zip((mine, ~mine), kept, strict=True):
            at = np.nonzero(wanted & upper)
            chosen.append((scores[at], (rows.start + at[0]) * np.int64(len(person)) + at[1]))
    genuine, impostor = ((np.concatenate([s for s, _ in c]), np.concatenate([i for _, i in c])) for c in kept)
    return genuine, impostor


def _blocks(vectors: Scores) -> Iterator[tuple[slice, Scores, NDArray[np.bool_]]]:
    columns = np.arange(len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(vectors)))
        yield rows, vectors[rows] @ vectors.T, columns[None, :] > columns[rows][:, None]


def _apart(session: Ints, cells: Ints) -> NDArray[np.bool_]:
    one, other = session[cells // len(session)], session[cells % len(session)]
    return np.asarray((one != other) & (one >= 0) & (other >= 0))


def _traced(count: int) -> Ints:
    """All of the highest `MAX_TRACED` / 2 ranks, then evenly as many of the others."""
    top = min(count, MAX_TRACED // 2)
    rest = np.linspace(top, count - 1, min(count - top, MAX_TRACED // 2)).astype(np.int64)
    return np.unique(np.concatenate([np.arange(top), rest]))
