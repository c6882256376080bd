"""The gallery against faiss's `IndexFlatIP`: time, share of equal decisions, changes, memory.

The people do not exist (`population`); each side holds the same ones, one template each, and gets the same probes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from appliance.bench import population
from appliance.bench.population import Floats, Spread
from appliance.bench.race import Spent, Stopwatch, race, timed
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.core.types import Candidate, Embedding, PackDigest, PersonId
from appliance.matching.gallery import Gallery
from appliance.matching.kernels import PlainIndex
from appliance.matching.matcher import CANDIDATES
from models import codebook
from models.codebook import CodeBook
from models.codebook_training import train
from models.errors import PackDamaged
from models.store import read_pack

Told = Callable[[str, float], None]
"""Hears what is being done, and how much of it is done, 0..1."""

PACK: Final = PackDigest("0" * 64)
TURNS: Final = 100
CHANGES: Final = 300
MARGIN: Final = 0.05
FPIR: Final = 0.01
DIGITS: Final = 5e-5
"""Scores this near are the same to the four digits an event carries."""

AT_ONCE: Final = 4096


def code_book(folder: Path) -> CodeBook:
    """The code book of a pack, which need not be calibrated. Raises PackDamaged where it has none."""
    contents = read_pack(folder)
    if contents.manifest.codebook is None:
        raise PackDamaged(f"pack {contents.manifest.name} has no code book")
    return codebook.read(contents.files[contents.manifest.codebook])


def trained(spread: Spread) -> CodeBook:
    """A code book trained on other people of the same population."""
    return train(population.drawn(spread, 10_000, np.random.default_rng(11)))


def measure(
    sizes: Sequence[int], dimensions: Sequence[int], book: CodeBook | None, probes: int, watch: Stopwatch, told: Told
) -> Report:
    """Every size in every dimension. book: the pack's, whose dimension then is the only one."""
    figures: list[Figure] = []
    for dimension in dimensions if book is None else [book.dimension]:
        spread = population.spread(dimension, book)
        chosen = trained(spread) if book is None else book
        for people in sizes:
            side = _filled(people, chosen, spread, told)
            figures.extend(_figures(side, probes, watch, told))
    facts: dict[str, str | int | float] = {
        "probes": probes,
        "FPIR": FPIR,
        "margin": MARGIN,
        "candidates": CANDIDATES,
        "threads": 1,
    }
    return Report("search", "IndexFlatIP", facts, tuple(figures))


@dataclass(frozen=True, slots=True)
class _Sides:
    people: int
    spread: Spread
    gallery: Gallery
    plain: PlainIndex
    some: Floats
    """Templates of the first people, for mated probes."""
    resident: int
    """Bytes by which the process grew with the gallery."""

    @property
    def name(self) -> str:
        return f"{self.people:,} x {self.gallery.dimension}"


def _filled(people: int, book: CodeBook, spread: Spread, told: Told) -> _Sides:
    gallery, plain = Gallery(book.dimension, PACK, book=book), PlainIndex(book.dimension)
    before, some = resident_bytes(), np.empty((0, book.dimension), np.float32)
    for begin, block in _people(people, spread):
        gallery.add_all((_person(begin + n), [Embedding(vector, PACK)]) for n, vector in enumerate(block))
        some = np.concatenate([some, block]) if len(some) < 10_000 else some
        told(f"enrol {people:,} x {book.dimension}", begin / people)
    grown = resident_bytes() - before - some.nbytes
    for _, block in _people(people, spread):
        plain.append(block)
    return _Sides(people, spread, gallery, plain, some, grown)


def _people(people: int, spread: Spread) -> Iterator[tuple[int, Floats]]:
    rng = np.random.default_rng(5)
    for begin in range(0, people, AT_ONCE):
        yield begin, population.drawn(spread, min(AT_ONCE, people - begin), rng)


def _person(number: int) -> PersonId:
    return PersonId(f"{number:08d}")


def _figures(side: _Sides, probes: int, watch: Stopwatch, told: Told) -> Iterator[Figure]:
    rng = np.random.default_rng(13)
    mated = population.seen_again(side.some[: probes // 2], side.spread, rng)
    strangers = population.drawn(side.spread, len(mated), rng)
    timed_on = np.concatenate([mated[:TURNS:2], strangers[:TURNS:2]])
    asked = [Embedding(probe, PACK) for probe in timed_on]
    mine, theirs = race(
        lambda turn: side.gallery.search(asked[turn % len(asked)], CANDIDATES),
        lambda turn: side.plain.nearest(timed_on[turn % len(asked), np.newaxis], CANDIDATES),
        TURNS,
        watch,
        run=10,  # an IndexFlatIP of 200 MB sweeps all caches
    )
    faster = (
        Goal(Bound.AT_LEAST, 20, of_ratio=True) if (side.people, side.gallery.dimension) == (100_000, 512) else None
    )
    yield Figure(f"{side.name}: search, CPU", mine.cpu_ms, "ms", theirs.cpu_ms, faster)
    yield Figure(f"{side.name}: search, wall", mine.wall_ms, "ms", theirs.wall_ms)
    same = _compare(side, mated, strangers, told)
    yield Figure(f"{side.name}: equal decisions", same.decisions, "share", goal=Goal(Bound.AT_LEAST, 0.9995))
    yield Figure(f"{side.name}: equal best two, to four digits", same.best_two, "share")
    yield from _changes(side, watch)
    what = f"{side.name}: growth of the process"  # true of the first gallery; a later one may use freed memory again
    yield Figure(what, side.resident / 1e6, "MB", 4e-6 * side.people * side.gallery.dimension)


@dataclass(frozen=True, slots=True)
class _Same:
    decisions: float
    best_two: float


def _compare(side: _Sides, mated: Floats, strangers: Floats, told: Told) -> _Same:
    """Both sides' answers, with the threshold that a share `FPIR` of the strangers passes in the plain search."""
    probes = np.concatenate([strangers, mated])
    scores, rows = np.empty((len(probes), 2), np.float32), np.empty((len(probes), 2), np.int64)
    for begin in range(0, len(probes), 100):
        part = slice(begin, begin + 100)
        scores[part], rows[part] = side.plain.nearest(probes[part], 2)
        told(f"compare {side.name}", begin / len(probes) / 2)
    threshold = float(np.quantile(scores[: len(strangers), 0], 1 - FPIR))
    decisions = best_two = 0
    for number, probe in enumerate(probes):
        found = side.gallery.search(Embedding(probe, PACK), CANDIDATES)
        exact = [Candidate(_person(int(r)), float(s)) for r, s in zip(rows[number], scores[number], strict=True)]
        decisions += _decided(found, threshold) == _decided(exact, threshold)
        near = all(abs(a.score - b.score) < DIGITS for a, b in zip(found, exact, strict=False))
        best_two += near and found[0].person == exact[0].person
        if number % 100 == 0:
            told(f"compare {side.name}", 0.5 + number / len(probes) / 2)
    return _Same(decisions / len(probes), best_two / len(probes))


def _decided(found: Sequence[Candidate], threshold: float) -> PersonId | None:
    """Who is accepted, by threshold and margin."""
    best, second = found[:2]
    return best.person if best.score >= threshold and best.score - second.score >= MARGIN else None


def _changes(side: _Sides, watch: Stopwatch) -> Iterator[Figure]:
    """Removes people and enrols them again. Raises RuntimeError if one is still found, or found no more."""
    chosen = np.random.default_rng(17).choice(min(len(side.some), side.people), CHANGES, replace=False)
    again = [Embedding(side.some[number], PACK) for number in chosen]
    who = [_person(int(number)) for number in chosen]
    removed = timed(lambda turn: side.gallery.remove(who[turn]), CHANGES, watch)
    if any(side.gallery.search(face, 1)[0].person == person for face, person in zip(again, who, strict=True)):
        raise RuntimeError("a removed person is found")
    added = timed(lambda turn: side.gallery.add(who[turn], [again[turn]]), CHANGES, watch)
    if any(side.gallery.search(face, 1)[0].person != person for face, person in zip(again, who, strict=True)):
        raise RuntimeError("an added person is not found")
    yield from removal(side.name, removed)
    yield Figure(f"{side.name}: add, slowest of {CHANGES}, CPU", added.worst_cpu_ms, "ms")


def removal(name: str, spent: Spent) -> Iterator[Figure]:
    """How long removals took. The goal is on the slowest by CPU time: wall time holds what others do on the machine."""
    yield Figure(f"{name}: remove, slowest, CPU", spent.worst_cpu_ms, "ms", goal=Goal(Bound.AT_MOST, 1.0))
    yield Figure(f"{name}: remove, median, wall", spent.wall_ms, "ms")


def resident_bytes() -> int:
    """Memory of this process that no file stands behind."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))
