"""Rows in single precision, compared one by one: exact, without a code book, and quick while they are few.

The rows are our own array, multiplied by numpy, instead of faiss's `IndexFlatIP`: the same time, but removing a row
moves one row (where `IndexIDMap2` shifts everything: 10 ms at 100,000) and overwrites it at once, and a desk with few
people starts without loading faiss.
"""

import numpy as np

from appliance.matching.index import Floats, Rows


class FlatIndex:
    """Implements `Index`, exhaustive always."""

    __slots__ = ("_count", "_matrix")

    def __init__(self, dimension: int, capacity: int) -> None:
        """capacity: rows reserved at first. Memory that was never written is address space only, not RAM."""
        self._matrix: Floats = np.empty((capacity, dimension), dtype=np.float32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, block: Floats) -> None:
        """Add rows, in twice the room where there is none left."""
        end = self._count + len(block)
        if end > len(self._matrix):
            larger = np.empty((max(end, 2 * len(self._matrix)), self._matrix.shape[1]), dtype=np.float32)
            larger[: self._count] = self.rows()
            self.wipe()  # no copy of a template stays behind in freed memory
            self._matrix = larger
        self._matrix[self._count : end] = block
        self._count = end

    def remove(self, row: int) -> None:
        """The last row takes the place of this one."""
        self._count -= 1
        self._matrix[row] = self._matrix[self._count]
        self._matrix[self._count] = 0.0

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """With these rows."""
        return np.asarray(np.einsum("ij,j->i", self._matrix[rows], query))

    def nearest(self, query: Floats, count: int, sure: int) -> tuple[Floats, Rows]:  # noqa: ARG002 - all are sure
        """Every row is compared."""
        return self.nearest_of_all(query, count)

    def nearest_of_all(self, query: Floats, count: int) -> tuple[Floats, Rows]:
        """Every row is compared; the greatest are compared again as `scores` does, so that equal rows stay equal."""
        found = self.rows() @ query
        rows = np.argpartition(found, len(found) - count)[len(found) - count :]
        scores = self.scores(query, rows)
        order = np.argsort(-scores, kind="stable")
        return scores[order], rows[order]

    def rows(self) -> Floats:
        """The vectors (n, d), as they lie; a view that changes with the index."""
        return self._matrix[: self._count]

    def wipe(self) -> None:
        """Overwrite every row."""
        self.rows()[:] = 0.0
