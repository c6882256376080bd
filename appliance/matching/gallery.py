"""The templates one desk searches, in memory: an exact FAISS inner-product gallery; the only door to faiss.

What a score means, and against whom a probe is compared, is the matcher's and the core's; where templates
rest is `appliance.records`'.

The rows are the gallery's own array, searched in place by FAISS's flat inner-product kernel, instead of an
`IndexFlatIP`: same kernel and same time (one thread, 128-d: 0.18 ms for 10,000 templates, 3.6 ms for 100,000),
but removing a person moves at most their own number of rows (about 10 µs at any size, where `IndexIDMap2` shifts
everything: 10 ms at 100,000) and the freed rows are overwritten at once.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import faiss
import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import PackMismatch
from appliance.core.types import Candidate, Embedding, PackDigest, PersonId

NORM_TOLERANCE = 1e-3
"""Allowed |norm - 1|: float32 rounding is below 1e-6, half precision in a template store below 1e-3."""

BATCH = 1024
"""People checked at once by `add_all`: one numpy call for a thousand is 5 times faster than one for each."""

INITIAL_CAPACITY = 262_144
"""Rows reserved at first: more than a desk enrols (150,000 people), for growing copies everything and takes 0.2 s at
100,000 x 128. Memory that was never written is address space only, not RAM."""


class Gallery:
    """Unit-length templates of one pack, several per person; exact search by cosine similarity.

    Owned by one thread: no method may run at the same time as another. Adding and removing need no rebuild
    and are visible to the next search.
    """

    __slots__ = ("_dimension", "_matrix", "_most", "_owner", "_pack", "_rows")

    def __init__(self, dimension: int, pack: PackDigest, capacity: int = INITIAL_CAPACITY) -> None:
        """Create an empty gallery. Raises ValueError for a dimension or capacity below 1."""
        if dimension < 1 or capacity < 1:
            raise ValueError(f"dimension {dimension} or capacity {capacity} below 1")
        self._dimension = dimension
        self._pack = pack
        self._matrix: NDArray[np.float32] = np.empty((capacity, dimension), dtype=np.float32)
        self._owner: list[PersonId] = []  # row -> person
        self._rows: dict[PersonId, list[int]] = {}  # person -> rows
        self._most = 1  # templates of the person who has, or ever had, most of them

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._dimension

    @property
    def pack(self) -> PackDigest:
        """The only pack whose embeddings this gallery takes."""
        return self._pack

    @property
    def people(self) -> int:
        """How many people have at least one template here."""
        return len(self._rows)

    def __len__(self) -> int:
        """How many templates are held."""
        return len(self._owner)

    def __contains__(self, person: PersonId) -> bool:
        return person in self._rows

    def count(self, people: Iterable[PersonId]) -> int:
        """How many templates these people have here."""
        return sum(len(self._rows.get(person, ())) for person in people)

    def __repr__(self) -> str:
        return f"<Gallery {self.people} people, {len(self)} templates, {self._dimension}-d>"

    def add(self, person: PersonId, embeddings: Sequence[Embedding]) -> None:
        """Add templates of a person, who may have some already.

        Nothing is changed when one of them does not fit: raises PackMismatch for another pack's embedding, ValueError
        for none at all, a wrong shape, or a vector that is not finite and of unit length.
        """
        self._append(person, self._block(embeddings))

    def add_all(self, people: Iterable[tuple[PersonId, Sequence[Embedding]]]) -> int:
        """Add many people, as at start-up; returns how many templates were added.

        Raises as `add` does; those before the one that does not fit, up to `BATCH` people, may then be missing as well.
        """
        before = len(self)
        stream = iter(people)
        while batch := tuple(islice(stream, BATCH)):
            if not all(embeddings for _, embeddings in batch):
                raise ValueError("no embedding given")
            block = self._block([embedding for _, embeddings in batch for embedding in embeddings])
            end = 0
            for person, embeddings in batch:
                start, end = end, end + len(embeddings)
                self._append(person, block[start:end])
        return len(self) - before

    def replace(self, person: PersonId, embeddings: Sequence[Embedding]) -> None:
        """Put these templates in the place of all the person had. Raises as `add` does, then nothing is changed."""
        block = self._block(embeddings)
        self.remove(person)
        self._append(person, block)

    def remove(self, person: PersonId) -> int:
        """Take all templates of a person out and overwrite them; returns how many there were (0: not enrolled)."""
        rows = self._rows.pop(person, [])
        for row in sorted(rows, reverse=True):  # from the end, so that the last row is never one still to go
            self._fill_with_last(row)
        return len(rows)

    def search(self, probe: Embedding, limit: int) -> tuple[Candidate, ...]:
        """The `limit` people most similar to the probe, best first, each with the best of their templates.

        People with equal scores come in the order of their ids; which of them is left out at `limit` is not defined.
        Raises as `add` does; ValueError for a limit below 1.
        """
        query = self._block((probe,))
        return self._best(query, self._matrix[: len(self)], self._owner, limit)

    def search_among(self, probe: Embedding, people: frozenset[PersonId], limit: int) -> tuple[Candidate, ...]:
        """As `search`, over the templates of these people only; those who have none are passed over."""
        query = self._block((probe,))
        rows = [row for person in people for row in self._rows.get(person, ())]
        return self._best(query, self._matrix[rows], [self._owner[row] for row in rows], limit)

    def _best(
        self, query: NDArray[np.float32], matrix: NDArray[np.float32], owner: Sequence[PersonId], limit: int
    ) -> tuple[Candidate, ...]:
        if limit < 1:
            raise ValueError(f"a search for {limit} people")
        if len(matrix) == 0:
            return ()
        # Nobody has more than `_most` templates, so this many rows hold at least `limit` people.
        count = min(len(matrix), limit * self._most)
        faiss.omp_set_num_threads(1)  # kept per calling thread; a second thread's barrier costs ms on a busy desk
        scores, rows = faiss.knn(query, matrix, count, metric=faiss.METRIC_INNER_PRODUCT)
        best: dict[PersonId, float] = {}
        for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
            best.setdefault(owner[row], score)  # rows come best first
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Candidate(person, score) for person, score in ranked[:limit])

    def _block(self, embeddings: Sequence[Embedding]) -> NDArray[np.float32]:
        """The vectors as float32 (n, d), checked."""
        if not embeddings:
            raise ValueError("no embedding given")
        for embedding in embeddings:
            if embedding.pack != self._pack:
                raise PackMismatch(f"an embedding of pack {embedding.pack[:12]} in a gallery of {self._pack[:12]}")
            if embedding.vector.shape != (self._dimension,):
                raise ValueError(f"a vector of shape {embedding.vector.shape} in a {self._dimension}-d gallery")
        block = np.array([embedding.vector for embedding in embeddings], dtype=np.float32)
        deviation = np.abs(np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64)) - 1.0)
        if not bool((deviation <= NORM_TOLERANCE).all()):  # NaN and infinity fail this too
            raise ValueError("a vector is not finite and of unit length")
        return block

    def _append(self, person: PersonId, block: NDArray[np.float32]) -> None:
        first, end = len(self), len(self) + len(block)
        if end > len(self._matrix):
            self._grow(end)
        self._matrix[first:end] = block
        self._owner.extend([person] * len(block))
        rows = self._rows.setdefault(person, [])
        rows.extend(range(first, end))
        self._most = max(self._most, len(rows))

    def _grow(self, needed: int) -> None:
        larger = np.empty((max(needed, 2 * len(self._matrix)), self._dimension), dtype=np.float32)
        larger[: len(self)] = self._matrix[: len(self)]
        self._matrix[: len(self)] = 0.0  # no copy of a template stays behind in freed memory
        self._matrix = larger

    def _fill_with_last(self, row: int) -> None:
        """Close the hole at `row` with the last row; the order of rows means nothing."""
        last = len(self) - 1
        mover = self._owner.pop()
        if row != last:
            self._matrix[row] = self._matrix[last]
            self._owner[row] = mover
            theirs = self._rows[mover]
            theirs[theirs.index(last)] = row
        self._matrix[last] = 0.0
