"""Codes in place: after any additions and removals they are those of a fresh encoding."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from appliance.matching.kernels import FIRST_CAPACITY, Codes
from models.codebook_training import train

LENGTH = 8
DRAWN = np.random.default_rng(3).standard_normal((6000, LENGTH)).astype(np.float32)
BOOK = train(DRAWN[:800] / np.linalg.norm(DRAWN[:800], axis=1, keepdims=True), parts=4)


def _all(codes: Codes, query: NDArray[np.float32]) -> dict[int, float]:
    """Row -> score, of all rows but those at the bottom of the scale."""
    scores, rows = codes.nearest(query, len(codes))
    assert (np.diff(scores) <= 0).all()
    return {row: score for row, score in zip(rows.tolist(), scores.tolist(), strict=True) if row >= 0}


def _fresh(vectors: list[NDArray[np.float32]]) -> Codes:
    codes = Codes(BOOK)
    codes.append(np.stack(vectors))
    return codes


class _CodesAgainstAList(RuleBasedStateMachine):
    """Swapping with the last in faiss's interleaved blocks, as a list does it."""

    def __init__(self) -> None:
        super().__init__()
        self.codes = Codes(BOOK)
        self.model: list[NDArray[np.float32]] = []

    @rule(first=st.integers(0, 5000), count=st.integers(1, 70))
    def append(self, first: int, count: int) -> None:
        self.codes.append(DRAWN[first : first + count])
        self.model.extend(DRAWN[first : first + count])

    @precondition(lambda self: bool(self.model))
    @rule(data=st.data(), times=st.integers(1, 40))
    def remove(self, data: st.DataObject, times: int) -> None:
        for _ in range(min(times, len(self.model))):
            row = data.draw(st.integers(0, len(self.model) - 1))
            self.codes.remove(row)
            self.model[row] = self.model[-1]
            self.model.pop()

    @precondition(lambda self: bool(self.model))
    @rule(query=st.integers(0, 5999))
    def search(self, query: int) -> None:
        assert _all(self.codes, DRAWN[query]) == _all(_fresh(self.model), DRAWN[query])

    @invariant()
    def behind_the_last_there_is_nothing(self) -> None:
        assert len(self.codes) == len(self.model)
        capacity = len(self.codes._blocks) * self.codes._packer.nvec
        for row in range(len(self.model), min(capacity, len(self.model) + 64)):
            assert not self.codes._packer.unpack_1(*self.codes._place(row)).any()


TestCodesAgainstAList = _CodesAgainstAList.TestCase
TestCodesAgainstAList.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_growing_keeps_every_code() -> None:
    """Beyond the room made at first, one by one and many at once."""
    codes = Codes(BOOK)
    codes.append(DRAWN[: FIRST_CAPACITY - 1])
    codes.append(DRAWN[FIRST_CAPACITY - 1 : FIRST_CAPACITY])
    codes.append(DRAWN[FIRST_CAPACITY:])
    assert _all(codes, DRAWN[5]) == _all(_fresh(list(DRAWN)), DRAWN[5])


def test_codes_far_behind_are_removed_too() -> None:
    """Rows beyond those that faiss's own wrapper reaches at once (a block's bytes times 32)."""
    codes, model = _fresh(list(DRAWN)), list(DRAWN)
    for row in (5999, 5990, 2048, 17, 5000):
        codes.remove(row)
        model[row] = model[-1]
        model.pop()
    assert _all(codes, DRAWN[5]) == _all(_fresh(model), DRAWN[5])


def test_wiping_leaves_no_code() -> None:
    """Every byte is overwritten, and there are no rows."""
    codes = _fresh(list(DRAWN[:500]))
    codes.wipe()
    assert len(codes) == 0
    assert not codes._blocks.any()
