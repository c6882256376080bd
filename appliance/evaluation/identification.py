"""Open-set identification: who is enrolled and not found, at a rate of strangers who are found (ISO/IEC 19795-1).

A search gives the best person of a gallery and a score, as the desk's matcher does: the highest of a person's
templates. FPIR: share of searches of people who are not enrolled whose best score reaches the threshold. FNIR: share
of searches of enrolled people whose right person is not first, or not above the threshold. Thresholds are taken from
the strangers' scores themselves; who is enrolled is drawn anew several times and the counts are means over the draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.intervals import Rate, by_person, people_weights, supports

FPIRS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)
"""The false positive identification rates that tables speak about."""
DRAWS = 10
_RESAMPLED = 400

Fuse = Callable[[Ints], Scores]
"""The embedding of the frames at these rows, fused as the desk fuses them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """looks: templates of each person. frames: fused into one probe. gallery: people enrolled; 0: who can be found."""

    looks: int
    frames: int
    gallery: int


@dataclass(frozen=True, slots=True)
class AtFpir:
    """fnir: None where the strangers' searches do not support the FPIR (3 / n)."""

    fpir: float
    fnir: Rate | None
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Identification:
    """One setting. mated, non_mated: searches of each draw. first: share of mated searches with the right one first.

    ranks: share of mated searches with the right person among the best 1, 2 ... (the CMC).
    """

    setting: Setting
    draws: int
    mated: float
    non_mated: float
    first: Rate
    ranks: tuple[float, ...]
    rows: tuple[AtFpir, ...]


@dataclass(slots=True)
class _Tally:
    """Sums over the draws: of each person (people,)."""

    searches: NDArray[np.float64]
    misses: NDArray[np.float64]
    beyond: dict[float, NDArray[np.float64]]
    ranks: NDArray[np.float64]
    thresholds: dict[float, list[float]]
    strangers: list[int]


def identify(
    vectors: Scores, person: Ints, fuse: Fuse, setting: Setting, *, draws: int = DRAWS, seed: int = 1
) -> Identification | None:
    """Measure one setting; None when nobody has pictures enough, or too few strangers are left.

    vectors: (n, d); person: (n,) numbers from 0.
    """
    people = int(person.max()) + 1
    beyond, thresholds = {f: np.zeros(people) for f in FPIRS}, {f: list[float]() for f in FPIRS}
    tally = _Tally(np.zeros(people), np.zeros(people), beyond, np.zeros(10), thresholds, [])
    rng = np.random.default_rng(seed)
    size = 0
    for _ in range(draws):
        size = _draw(vectors, person, fuse, setting, rng, tally)
        if not size:
            return None
    weights = people_weights(people, _RESAMPLED, seed)
    strangers = min(tally.strangers)
    if not supports(max(FPIRS), strangers):
        return None
    rows = [
        AtFpir(f, by_person(tally.beyond[f], tally.searches, weights, draws), float(np.mean(tally.thresholds[f])))
        if supports(f, strangers)
        else AtFpir(f, None, None)
        for f in FPIRS
    ]
    return Identification(
        setting=Setting(setting.looks, setting.frames, size),
        draws=draws,
        mated=float(tally.searches.sum()) / draws,
        non_mated=float(np.mean(tally.strangers)),
        first=by_person(tally.misses, tally.searches, weights, draws),
        ranks=tuple(float(v) for v in np.cumsum(tally.ranks) / tally.searches.sum()),
        rows=tuple(rows),
    )


def _draw(vectors: Scores, person: Ints, fuse: Fuse, setting: Setting, rng: np.random.Generator, tally: _Tally) -> int:
    """Enrol people at random, search everybody once. The number enrolled; 0 when the setting cannot be made."""
    groups = _groups(person, rng)
    mates = [p for p, rows in groups.items() if len(rows) > setting.looks]
    others = [p for p, rows in groups.items() if len(rows) <= setting.looks]
    enrolled, strangers = _roles(mates, others, setting.gallery, rng)
    if not mates or not strangers:
        return 0
    rows = np.concatenate([groups[p][: setting.looks] for p in enrolled])
    starts = np.cumsum([0, *(len(groups[p][: setting.looks]) for p in enrolled)])[:-1]
    place = {p: n for n, p in enumerate(enrolled)}
    searched = [p for p in mates if p in place]
    probes = np.stack([fuse(groups[p][setting.looks : setting.looks + setting.frames]) for p in searched])
    foreign = np.stack([fuse(groups[p][: setting.frames]) for p in strangers])
    best = np.maximum.reduceat(foreign @ vectors[rows].T, starts, axis=1).max(axis=1)
    scores = np.maximum.reduceat(probes @ vectors[rows].T, starts, axis=1)
    _count(scores, np.array([place[p] for p in searched]), np.array(searched), np.sort(best)[::-1], tally)
    return len(enrolled)


def _groups(person: Ints, rng: np.random.Generator) -> dict[int, Ints]:
    """Rows of each person, in random order."""
    shuffled = rng.permutation(len(person))
    order = shuffled[np.argsort(person[shuffled], kind="stable")]
    numbers, starts = np.unique(person[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True))


def _roles(
    mates: Sequence[int], others: Sequence[int], gallery: int, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """(enrolled, strangers): those who can be searched for first, then others, one half of whom stay strangers."""
    first, rest = list(rng.permutation(mates)), list(rng.permutation(others))
    size = gallery or len(first)
    spare = len(rest) // 2
    if size > len(first) + spare:
        return [], []
    filled = max(0, size - len(first))
    return [int(p) for p in (*first[:size], *rest[:filled])], [int(p) for p in (*first[size:], *rest[filled:])]


def _count(scores: Scores, right: Ints, searched: Ints, strangers: Scores, tally: _Tally) -> None:
    own = scores[np.arange(len(right)), right]
    rank = np.count_nonzero(scores > own[:, None], axis=1)
    np.add.at(tally.searches, searched, 1)
    np.add.at(tally.misses, searched[rank > 0], 1)
    tally.ranks += np.bincount(rank[rank < len(tally.ranks)], minlength=len(tally.ranks))
    tally.strangers.append(len(strangers))
    for fpir, sums in tally.beyond.items():
        k = int(fpir * len(strangers) * (1 + 1e-12))
        threshold = float(strangers[k - 1]) if k else np.inf
        tally.thresholds[fpir].append(threshold)
        np.add.at(sums, searched[(rank > 0) | (own < threshold)], 1)
