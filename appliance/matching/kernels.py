"""The only door to faiss: the 4-bit scan over codes, and the plain index that benchmarks compare with.

What is done with a shortlist is decided in `scan`.
"""

from typing import Protocol, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from appliance.matching.index import Floats, Rows
from models.codebook import CodeBook

Bytes = NDArray[np.uint8]

FIRST_CAPACITY = 4096
"""Codes: 0.3 MB."""


class PlainIndex:
    """faiss's `IndexFlatIP`, as anybody would use it: what benchmarks compare the gallery with."""

    __slots__ = ("_index",)

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexFlatIP(dimension)

    def append(self, block: Floats) -> None:
        """Add rows (n, d)."""
        self._index.add(block)

    def nearest(self, queries: Floats, count: int) -> tuple[Floats, Rows]:
        """Scores and rows (n, count) of the greatest inner products for queries (n, d), greatest first."""
        faiss.omp_set_num_threads(1)
        scores, rows = self._index.search(queries, count)
        return scores, rows


class _Packer(Protocol):
    """faiss's `CodePacker`: writes one code into the interleaved blocks uint8 (n, block_size), and reads one."""

    nvec: int
    code_size: int
    block_size: int

    def pack_1(self, code: Bytes, offset: int, blocks: Bytes) -> None: ...
    def unpack_1(self, blocks: Bytes, offset: int) -> Bytes: ...


class _Table(Protocol):
    """faiss's aligned memory."""

    def resize(self, size: int) -> None: ...
    def get(self) -> object: ...


class _FastScan(Protocol):
    """What is used of `IndexPQFastScan`, some of which faiss's own stub leaves out."""

    ntotal: int
    ntotal2: int
    codes: _Table

    def get_CodePacker(self) -> _Packer: ...  # noqa: N802 - the name is faiss's
    def add(self, block: Floats) -> None: ...
    def search(self, queries: Floats, count: int) -> tuple[Floats, Rows]: ...


class Codes:
    """Codes of vectors, 4 bits a part, scanned whole and in registers (André, Kermarrec, Le Scouarnec, VLDB 2015).

    faiss keeps codes interleaved in blocks of 32 and cannot take one out without moving all that follow (16 ms
    at 100,000, measured); here the last code takes the place of the one that goes, written with faiss's own packer.
    """

    __slots__ = ("_blocks", "_index", "_none", "_packer")

    def __init__(self, book: CodeBook, capacity: int = FIRST_CAPACITY) -> None:
        """capacity: codes room is made for at first."""
        parts, _, length = book.centroids.shape
        index = faiss.IndexPQFastScan(parts * length, parts, 4, faiss.METRIC_INNER_PRODUCT)
        faiss.copy_array_to_vector(book.centroids.ravel(), index.pq.centroids)
        index.is_trained = True
        self._index = cast("_FastScan", index)
        self._packer = self._index.get_CodePacker()
        self._none = np.zeros(self._packer.code_size, dtype=np.uint8)
        self._reserve(capacity)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def append(self, block: Floats) -> None:
        """Encode projected vectors (n, k) and add them as the last ones."""
        faiss.omp_set_num_threads(1)
        if len(self) + len(block) > self._packer.nvec * len(self._blocks):
            self._grow(len(self) + len(block))
        self._index.add(block)

    def remove(self, row: int) -> None:
        """The last code takes the place of this one; where it was is overwritten."""
        last = len(self) - 1
        if row != last:
            self._put(self._packer.unpack_1(*self._place(last)), row)
        self._put(self._none, last)  # adding ORs into what is there
        self._count(last)

    def nearest(self, query: Floats, count: int) -> tuple[Floats, Rows]:
        """Approximate scores and rows of the `count` <= len greatest, greatest first, for a projected query (k,).

        Row -1 at the end stands for rows at the bottom of the scale, which faiss does not name.
        """
        faiss.omp_set_num_threads(1)
        scores, rows = self._index.search(query[np.newaxis], count)
        return scores[0], rows[0]

    def _put(self, code: Bytes, row: int) -> None:
        block, offset = self._place(row)
        self._packer.pack_1(code, offset, block)

    def _place(self, row: int) -> tuple[Bytes, int]:
        """The block with this row, alone (faiss's wrapper takes no larger offset than its bytes), and where in it."""
        block, offset = divmod(row, self._packer.nvec)
        return self._blocks[block : block + 1], offset

    def wipe(self) -> None:
        """Overwrite every code."""
        self._blocks[:] = 0
        self._count(0)

    def _grow(self, needed: int) -> None:
        """Move to twice the room by hand: what faiss would leave behind in freed memory are codes of faces."""
        codes, count = self._blocks.copy(), len(self)
        self.wipe()
        self._reserve(max(needed, 2 * self._packer.nvec * len(codes)))
        self._blocks[: len(codes)] = codes
        codes[:] = 0
        self._count(count)

    def _reserve(self, capacity: int) -> None:
        size = -(-capacity // self._packer.nvec) * self._packer.block_size
        self._index.codes.resize(size)
        self._blocks = faiss.rev_swig_ptr(self._index.codes.get(), size).reshape(-1, self._packer.block_size)
        self._blocks[:] = 0

    def _count(self, rows: int) -> None:
        self._index.ntotal = rows
        self._index.ntotal2 = -(-rows // self._packer.nvec) * self._packer.nvec
