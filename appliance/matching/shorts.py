"""Rows in 16 bits a number, and their inner products in single precision.

Each row is scaled by its largest number, so that all 16 bits count. A cosine similarity moves by 2e-6 (standard
deviation) and 1.3e-5 at most. In half precision, the same memory, it was 3e-5 and 1.3e-4, which shows in the four
digits of an event (dlib's 128-d embeddings of 4,000 pictures; EdgeFace's 512-d: 1.3e-6 and 7e-6, against 9e-6 and
5e-5). Which rows are compared is the caller's.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from appliance.matching.index import Floats, Rows

BLOCK: Final = 262_144
"""Rows that are allocated together. Growing adds a block and copies nothing; memory not written yet takes no RAM."""

_LARGEST: Final = np.float32(32767)
_CHUNK: Final = 2048  # rows widened at once while all are compared: stays in the cache

Shorts = NDArray[np.int16]
Allocate = Callable[[tuple[int, int]], Shorts]


def in_memory(shape: tuple[int, int]) -> Shorts:
    """A block in RAM."""
    return np.empty(shape, dtype=np.int16)


class ShortRows:
    """A growing array of unit vectors (n, d)."""

    __slots__ = ("_allocate", "_blocks", "_count", "_dimension")

    def __init__(self, dimension: int, allocate: Allocate = in_memory) -> None:
        """allocate: gives the memory of a block."""
        self._dimension = dimension
        self._allocate = allocate
        self._blocks: list[tuple[Shorts, Floats]] = []  # numbers, and what one step is in each row
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, block: Floats) -> None:
        """Add rows (n, d), none of them all zero."""
        steps = np.abs(block).max(axis=1) / _LARGEST
        shorts = np.rint(block / steps[:, np.newaxis]).astype(np.int16)
        done = 0
        while done < len(block):
            at, offset = divmod(self._count, BLOCK)
            if at == len(self._blocks):
                self._blocks.append((self._allocate((BLOCK, self._dimension)), np.empty(BLOCK, dtype=np.float32)))
            some = min(len(block) - done, BLOCK - offset)
            numbers, scales = self._blocks[at]
            numbers[offset : offset + some] = shorts[done : done + some]
            scales[offset : offset + some] = steps[done : done + some]
            self._count += some
            done += some

    def remove(self, row: int) -> None:
        """The last row takes the place of this one and is overwritten where it was."""
        self._count -= 1
        (to, here), (last, there) = divmod(row, BLOCK), divmod(self._count, BLOCK)
        (numbers, scales), (last_numbers, last_scales) = self._blocks[to], self._blocks[last]
        numbers[here], scales[here] = last_numbers[there], last_scales[there]
        last_numbers[there], last_scales[there] = 0, 0

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """Inner products of a query (d,) with these rows."""
        if len(self._blocks) == 1:  # most desks; a quarter less time
            numbers, scales = self._blocks[0]
            return _products(numbers[rows], scales[rows], query)
        blocks, offsets = np.divmod(rows, BLOCK)
        found = np.empty(len(rows), dtype=np.float32)
        for at in np.unique(blocks).tolist():
            there = blocks == at
            numbers, scales = self._blocks[at]
            here = offsets[there]
            found[there] = _products(numbers[here], scales[here], query)
        return found

    def all_scores(self, query: Floats) -> Floats:
        """Inner products of a query (d,) with every row."""
        return np.concatenate([_products(numbers, scales, query) for numbers, scales in self._chunks()])

    def wipe(self) -> None:
        """Overwrite every row."""
        for numbers, _ in self._chunks():
            numbers[:] = 0
        self._count = 0

    def _chunks(self) -> Iterator[tuple[Shorts, Floats]]:
        for at, (numbers, scales) in enumerate(self._blocks):
            filled = min(self._count - at * BLOCK, BLOCK)
            for begin in range(0, filled, _CHUNK):
                end = min(begin + _CHUNK, filled)
                yield numbers[begin:end], scales[begin:end]


def _products(numbers: Shorts, scales: Floats, query: Floats) -> Floats:
    # Not a matrix product: BLAS adds the last rows up in another order, and equal templates would differ.
    return np.asarray(np.einsum("ij,j->i", numbers.astype(np.float32), query) * scales)
