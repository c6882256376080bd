"""A whole nation's gallery on one machine, measured once: codes in memory, templates in a file that is mapped.

It measures the index a gallery searches with, rows 0 .. n, without the table of whose they are. The exact answers come
from comparing every template with every probe while they are drawn.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.bench import population
from appliance.bench.population import Floats, Spread
from appliance.bench.race import Stopwatch, timed
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.bench.search import DIGITS, Told, removal, resident_bytes, trained
from appliance.matching.index import Rows
from appliance.matching.scan import ScanIndex
from appliance.matching.shorts import Allocate
from models.codebook import CodeBook

PROBES: Final = 200
"""Half of them enrolled."""

BEST: Final = 2
CHANGES: Final = 200
AT_ONCE: Final = 8192


def measure(
    people: int, dimension: int, book: CodeBook | None, folder: Path | None, watch: Stopwatch, told: Told
) -> Report:
    """Enrol so many people, search, remove. folder: where the file goes, deleted afterwards; None: the system's."""
    spread = population.spread(dimension if book is None else book.dimension, book)
    chosen = trained(spread) if book is None else book
    with _mapped(folder) as allocate:
        index = ScanIndex(chosen, allocate, capacity=people)
        probes, exact = _enrolled(index, people, spread, told)
        memory = resident_bytes()
        found: list[tuple[Floats, Rows]] = []
        spent = timed(lambda turn: found.append(_asked(index, probes[turn], turn, told)), len(probes), watch)
        removed = timed(lambda turn: index.remove(turn * 7), CHANGES, watch)
    scores = np.stack([each for each, _ in found])
    same = np.abs(scores - exact) < DIGITS
    name = f"{people:,} x {chosen.dimension}"
    figures = (
        Figure(f"{name}: memory", memory / 1e9, "GB", goal=Goal(Bound.AT_MOST, 1.5)),
        Figure(f"{name}: search, CPU", spent.cpu_ms, "ms"),
        Figure(f"{name}: search, wall", spent.wall_ms, "ms"),
        Figure(f"{name}: exact best", float(same[:, 0].mean()), "share"),
        Figure(f"{name}: exact best two", float(same.all(axis=1).mean()), "share"),
        *removal(name, removed),
    )
    facts: dict[str, str | int | float] = {
        "probes": len(probes),
        "bytes of a code": chosen.code_bytes,
        "memory": "of the whole process, but without mapped files; templates lie in a mapped file of 16 bits a number",
        "threads": 1,
    }
    return Report("search, once", "", facts, figures)


@contextlib.contextmanager
def _mapped(folder: Path | None) -> Iterator[Allocate]:
    """Gives blocks of a mapped file each; they are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="keldim-nation-", dir=folder) as there:
        made: list[Path] = []

        def allocate(shape: tuple[int, int]) -> NDArray[np.int16]:
            made.append(Path(there) / f"{len(made)}.rows")
            return np.memmap(made[-1], dtype=np.int16, mode="w+", shape=shape)

        yield allocate


def _enrolled(index: ScanIndex, people: int, spread: Spread, told: Told) -> tuple[Floats, Floats]:
    """Fills the index; gives the probes, mated ones first, and their exact best scores (n, BEST)."""
    rng = np.random.default_rng(5)
    first = population.drawn(spread, AT_ONCE, rng)
    mated = population.seen_again(first[: PROBES // 2], spread, rng)
    probes = np.concatenate([mated, population.drawn(spread, PROBES - len(mated), rng)])
    best = np.full((PROBES, BEST), -1.0, dtype=np.float32)
    for begin in range(0, people, AT_ONCE):
        block = (first if begin == 0 else population.drawn(spread, AT_ONCE, rng))[: people - begin]
        index.append(block)
        scores = probes @ block.T
        for at in np.flatnonzero(scores.max(axis=1) > best[:, -1]):
            best[at] = np.sort(np.concatenate([best[at], scores[at]]))[: -BEST - 1 : -1]
        told("enrol", begin / people)
    return probes, best


def _asked(index: ScanIndex, probe: Floats, turn: int, told: Told) -> tuple[Floats, Rows]:
    told("search", turn / PROBES)
    return index.nearest(probe, BEST, BEST)
