"""Two sides timed turn by turn, with clocks moved by hand."""

import pytest

from appliance.bench.race import race, timed


class _Watch:
    """Wall time runs twice as fast as CPU time."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def monotonic(self) -> float:
        return self.wall

    def thread_cpu(self) -> float:
        return self.cpu

    def work(self, seconds: float) -> None:
        self.cpu += seconds
        self.wall += 2 * seconds


def test_each_side_is_timed_alone() -> None:
    """Medians of both clocks and the longest wall time, in milliseconds; the run before is not counted."""
    watch, order = _Watch(), list[str]()

    def ours(turn: int) -> None:
        order.append(f"ours {turn}")
        watch.work((0.001, 0.002, 0.009)[turn])

    def theirs(turn: int) -> None:
        order.append(f"theirs {turn}")
        watch.work(0.05)

    mine, other = race(ours, theirs, 3, watch)
    assert (mine.cpu_ms, mine.wall_ms, mine.worst_ms, mine.worst_cpu_ms) == pytest.approx((2, 4, 18, 9))
    assert (other.cpu_ms, other.wall_ms, other.worst_ms) == pytest.approx((50, 100, 100))
    assert order == ["ours 0", "theirs 0", "ours 0", "theirs 0", "theirs 1", "ours 1", "ours 2", "theirs 2"]


def test_sides_may_take_several_turns_in_a_row() -> None:
    """Where one turn of the other leaves nothing in the caches."""
    order = list[str]()
    race(lambda turn: order.append(f"a{turn}"), lambda turn: order.append(f"b{turn}"), 4, _Watch(), run=2)
    assert order == ["a0", "b0", "a0", "a1", "b0", "b1", "b2", "b3", "a2", "a3"]


def test_work_that_changes_things_is_run_once_a_turn() -> None:
    """No run before: what is removed cannot be removed twice."""
    watch, turns = _Watch(), list[int]()

    def work(turn: int) -> None:
        turns.append(turn)
        watch.work(0.001 * (turn + 1))

    assert timed(work, 3, watch).worst_ms == pytest.approx(6)
    assert turns == [0, 1, 2]
