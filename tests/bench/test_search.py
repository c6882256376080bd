"""The search benchmarks on a small gallery: their figures are there, and their own checks pass."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from appliance.bench import nation, population, search
from appliance.bench.report import Report
from models.codebook_training import train
from models.errors import PackDamaged
from sync.clock import SystemClock


def _value(report: Report, what: str) -> float:
    return next(figure.value for figure in report.figures if what in figure.what)


def test_people_have_the_spread_of_real_ones() -> None:
    """512-d: impostors as in 171 dimensions, pictures of a person alike; or inside a code book's axes."""
    spread, rng = population.spread(512), np.random.default_rng(0)
    faces = population.drawn(spread, 400, rng)
    again = population.seen_again(faces, spread, rng)
    between = (faces @ faces.T)[np.triu_indices(400, 1)]
    assert float(between.std()) == pytest.approx(0.076, abs=0.004)
    assert float((faces * again).sum(axis=1).mean()) == pytest.approx(population.MATED, abs=0.02)
    assert np.linalg.norm(again, axis=1) == pytest.approx(np.ones(400), abs=1e-5)
    book = train(population.drawn(population.spread(32), 700, rng), parts=8)
    inside = population.drawn(population.spread(32, book), 10, rng)
    assert np.linalg.norm(inside @ book.matrix().T, axis=1) == pytest.approx(np.ones(10), abs=0.03)


def test_search_compares_both_sides() -> None:
    """10,500 people, beyond the crossover: every decision equal, removal and memory told."""
    told: list[float] = []
    report = search.measure([10_500], [128], None, 60, SystemClock(), lambda _, part: told.append(part))
    assert _value(report, "equal decisions") == 1.0
    assert _value(report, "equal best two") == 1.0
    assert _value(report, "remove, slowest") > 0
    assert np.isfinite(_value(report, "growth of the process"))
    assert report.figures[0].ratio is not None
    assert max(told) <= 1


def test_a_nation_is_searched_from_a_file(tmp_path: Path) -> None:
    """Codes in memory, rows in a mapped file that is gone afterwards; the exact best are found."""
    report = nation.measure(9000, 128, None, tmp_path, SystemClock(), lambda *_: None)
    assert _value(report, "exact best two") == 1.0
    assert 0 < _value(report, "memory") < 10
    assert list(tmp_path.iterdir()) == []


def test_the_pack_s_own_code_book_is_read(pack_path: Path) -> None:
    """The builtin pack has one for its 128 dimensions, with codes of 39 bytes."""
    book = search.code_book(pack_path)
    assert (book.dimension, book.code_bytes) == (128, 39)


def test_memory_is_what_the_process_holds() -> None:
    """It grows with what is written."""
    before = search.resident_bytes()
    # An allocator could give pages again that the process holds anyway.
    held = mmap.mmap(-1, 1 << 25, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(0, len(held), mmap.PAGESIZE):
        held[page] = 1
    assert search.resident_bytes() - before > len(held) // 2


def test_a_pack_without_a_code_book_is_told(tmp_path: Path) -> None:
    """Nothing is searched with nothing."""
    with pytest.raises(PackDamaged):
        search.code_book(tmp_path)
