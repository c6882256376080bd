"""Open-set identification: rates by construction of the threshold, chance level, and ranks as a matcher gives them."""

import numpy as np
import pytest

from appliance.evaluation.comparisons import Ints, Scores
from appliance.evaluation.identification import Identification, Setting, identify
from tests.evaluation.people import vectors


def _identified(spread: float, setting: Setting, people: int = 200, looks: int = 3) -> Identification | None:
    table, person = vectors(people, looks, spread)

    def fuse(rows: Ints) -> Scores:
        mean = table[rows].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    return identify(table, person, fuse, setting, draws=3)


def _found(spread: float, setting: Setting, people: int = 200, looks: int = 3) -> Identification:
    found = _identified(spread, setting, people, looks)
    assert found is not None
    return found


def test_people_who_are_told_apart_are_all_found() -> None:
    """At every rate of strangers that the searches support: 100 of them support 3 %, not 1 %."""
    found = _found(0.05, Setting(1, 1, 100))
    assert found.first.errors == 0
    assert (found.setting.gallery, found.mated, found.non_mated) == (100, 100, 100)
    assert [row.fpir for row in found.rows if row.fnir is not None] == [0.1, 0.03]
    assert all(row.fnir.errors == 0 for row in found.rows if row.fnir is not None)


def test_people_who_look_all_alike_are_found_by_chance() -> None:
    """Vectors without a person in them: one in a hundred."""
    found = _found(1000.0, Setting(1, 1, 100))
    assert found.ranks[0] == pytest.approx(0.01, abs=0.02)
    assert found.ranks[9] == pytest.approx(0.1, abs=0.06)
    assert list(found.ranks) == sorted(found.ranks)


def test_more_looks_and_more_frames_lose_fewer() -> None:
    """Three templates and three fused frames against one and one."""
    one, three = _found(1.0, Setting(1, 1, 100), looks=6), _found(1.0, Setting(3, 3, 100), looks=6)
    assert one.rows[1].fnir is not None
    assert three.rows[1].fnir is not None
    assert three.rows[1].fnir.value < one.rows[1].fnir.value


def test_a_larger_gallery_loses_more() -> None:
    """More people to be confused with, at the same rate of strangers."""
    small, large = _found(1.2, Setting(1, 1, 30)), _found(1.2, Setting(1, 1, 160))
    assert small.first.value < large.first.value


def test_people_with_one_picture_fill_the_gallery() -> None:
    """Nobody is searched for who has no second picture; half of the others stay strangers."""
    table, person = vectors(150, 2, 0.1)
    keep = np.flatnonzero((person < 50) | (np.arange(300) % 2 == 0))
    found = identify(table[keep], person[keep], lambda rows: table[keep][rows[0]], Setting(1, 1, 100), draws=2)
    assert found is not None
    assert (found.setting.gallery, found.mated, found.non_mated) == (100, 50, 50)


def test_too_few_people_give_no_answer() -> None:
    """Nobody to search for, nobody left to be a stranger, or a gallery that cannot be filled."""
    assert _identified(0.1, Setting(1, 1, 100), looks=1) is None
    assert _identified(0.1, Setting(1, 1, 0), people=20) is None
    assert _identified(0.1, Setting(1, 1, 1000)) is None
