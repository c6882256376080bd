"""What a gallery needs of the rows it searches: rows come at the end, and go by the last one taking their place.

Whose row is whose is the gallery's.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


class Index(Protocol):
    """Unit vectors in rows 0 .. len - 1; every change is seen by the next search."""

    def __len__(self) -> int:
        """How many rows."""

    def append(self, block: Floats) -> None:
        """Add unit vectors (n, d) as the last rows."""

    def remove(self, row: int) -> None:
        """Put the last row in the place of this one and overwrite where it was; as quick at any size."""

    def scores(self, query: Floats, rows: Rows) -> Floats:
        """Inner products of a query (d,) with these rows. Equal vectors have equal scores, wherever they lie."""

    def nearest(self, query: Floats, count: int, sure: int) -> tuple[Floats, Rows]:
        """Scores and rows of the `count` greatest inner products, greatest first; count is 1 .. len.

        sure: so many of them have to be the true ones; those behind may be the best of a shortlist.
        """

    def nearest_of_all(self, query: Floats, count: int) -> tuple[Floats, Rows]:
        """As `nearest`, every row compared at full length, however long it takes."""

    def wipe(self) -> None:
        """Overwrite everything; the index is not used any more."""
