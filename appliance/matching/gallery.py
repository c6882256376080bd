"""The people one desk can find, in memory: whose template lies in which row, several per person.

How rows are searched is `flat`'s and `scan`'s. What a score means, and against whom a probe is compared, is the
matcher's and the core's; where templates rest is `appliance.records`'.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

import numpy as np

from appliance.core.errors import PackMismatch
from appliance.core.types import Candidate, Embedding, PackDigest, PersonId
from appliance.matching.flat import FlatIndex
from appliance.matching.index import Floats, Index, Rows
from models.codebook import CodeBook

NORM_TOLERANCE: Final = 1e-3
"""Allowed |norm - 1|: float32 rounding is below 1e-6, half precision in a template store below 1e-3."""

BATCH: Final = 1024
"""People checked at once by `add_all`: one numpy call for a thousand is 5 times faster than one for each."""

INITIAL_CAPACITY: Final = 262_144
"""Rows reserved at first: more than a desk enrols (150,000 people), for growing copies everything and takes 0.2 s at
100,000 x 128. Memory that was never written is address space only, not RAM."""

CROSSOVER: Final = 10_000
"""Templates from which a gallery with a code book scans codes. Scanning is quicker from 3,000 (512-d) or 8,000 (128-d)
on; a flat search of 10,000 still takes but half a millisecond, and owes nothing to a code book."""


class Gallery:
    """Unit-length templates of one pack, several per person; search by cosine similarity, best template of each person.

    Owned by one thread: no method may run at the same time as another. Adding and removing need no rebuild and are
    visible to the next search.
    """

    __slots__ = ("_book", "_crossover", "_dimension", "_index", "_owner", "_pack", "_rows")

    def __init__(
        self,
        dimension: int,
        pack: PackDigest,
        capacity: int = INITIAL_CAPACITY,
        *,
        book: CodeBook | None = None,
        crossover: int = CROSSOVER,
    ) -> None:
        """Create an empty gallery; without a code book it searches flat at any size.

        Raises ValueError for a dimension or capacity below 1, or a code book for another dimension.
        """
        if dimension < 1 or capacity < 1:
            raise ValueError(f"dimension {dimension} or capacity {capacity} below 1")
        if book is not None and book.dimension != dimension:
            raise ValueError(f"a code book for {book.dimension} dimensions in a {dimension}-d gallery")
        self._dimension = dimension
        self._pack = pack
        self._book = book
        self._crossover = crossover
        self._index: Index = FlatIndex(dimension, capacity)
        self._owner: list[PersonId] = []  # row -> person
        # Tuples: not 150,000 lists for the garbage collector to visit.
        self._rows: dict[PersonId, tuple[int, ...]] = {}

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
        self._append([(person, len(embeddings))], self._block(embeddings))

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
            self._append([(person, len(embeddings)) for person, embeddings in batch], block)
        return len(self) - before

    def replace(self, person: PersonId, embeddings: Sequence[Embedding]) -> None:
        """Put these templates in the place of all the person had. Raises as `add` does, then nothing is changed."""
        block = self._block(embeddings)
        self.remove(person)
        self._append([(person, len(block))], block)

    def remove(self, person: PersonId) -> int:
        """Take all templates of a person out and overwrite them; returns how many there were (0: not enrolled)."""
        rows = self._rows.pop(person, ())
        for row in sorted(rows, reverse=True):  # from the end, so that the last row is never one still to go
            self._fill_with_last(row)
        return len(rows)

    def clear(self) -> None:
        """Overwrite everybody's templates and let go of their memory."""
        self._index.wipe()
        self._index = FlatIndex(self._dimension, 1)
        self._owner, self._rows = [], {}

    def search(self, probe: Embedding, limit: int, *, exhaustive: bool = False) -> tuple[Candidate, ...]:
        """The `limit` people most similar to the probe, best first, each with the best of their templates.

        The first two, on whom a decision rests, are those of a full comparison; in a large gallery those behind them
        may rarely be others that are nearly as similar.
        People with equal scores come in the order of their ids; which of them is left out at `limit` is not defined.
        exhaustive: compare every template at full length, for answers that may take a tenth of a second.
        Raises as `add` does; ValueError for a limit below 1.
        """
        query = self._query(probe, limit)
        if not self._rows:
            return ()
        wanted, each = min(limit, self.people), -(-len(self) // self.people)
        # So many rows hold the people wanted, and the first of them the best two, unless somebody has more than most.
        count, sure = limit + each - 1, min(limit, 2) + each - 1
        while True:
            count, sure = min(count, len(self)), min(sure, len(self))
            if exhaustive:
                scores, rows = self._index.nearest_of_all(query, count)
            else:
                scores, rows = self._index.nearest(query, count, sure)
            best = self._best(scores, rows)
            first = {self._owner[row] for row in rows[:sure].tolist()}
            if len(best) >= wanted and len(first) >= min(wanted, 2):
                return best[:limit]
            count, sure = 4 * count, 4 * sure

    def search_among(self, probe: Embedding, people: frozenset[PersonId], limit: int) -> tuple[Candidate, ...]:
        """As `search`, over the templates of these people only; those who have none are passed over."""
        query = self._query(probe, limit)
        rows = np.array([row for person in people for row in self._rows.get(person, ())], dtype=np.int64)
        return self._best(self._index.scores(query, rows), rows)[:limit]

    def _query(self, probe: Embedding, limit: int) -> Floats:
        if limit < 1:
            raise ValueError(f"a search for {limit} people")
        return np.asarray(self._block((probe,))[0])

    def _best(self, scores: Floats, rows: Rows) -> tuple[Candidate, ...]:
        """Each person of these rows once, with their best score; best first."""
        best: dict[PersonId, float] = {}
        for score, row in zip(scores.tolist(), rows.tolist(), strict=True):
            person = self._owner[row]
            best[person] = max(score, best.get(person, score))
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Candidate(person, score) for person, score in ranked)

    def _block(self, embeddings: Sequence[Embedding]) -> Floats:
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

    def _append(self, people: Sequence[tuple[PersonId, int]], block: Floats) -> None:
        """Add rows; people: whose they are, in order, with how many."""
        end = len(self)
        self._index.append(block)
        for person, count in people:
            start, end = end, end + count
            self._owner.extend([person] * count)
            self._rows[person] = (*self._rows.get(person, ()), *range(start, end))
        if self._book is not None and len(self) > self._crossover and isinstance(self._index, FlatIndex):
            self._index = _scanned(self._index, self._book)

    def _fill_with_last(self, row: int) -> None:
        """Close the hole at `row` with the last row; the order of rows means nothing."""
        self._index.remove(row)
        mover, last = self._owner.pop(), len(self._owner)
        if row != last:
            self._owner[row] = mover
            self._rows[mover] = tuple(row if theirs == last else theirs for theirs in self._rows[mover])


def _scanned(flat: FlatIndex, book: CodeBook) -> Index:
    """The same rows, searched by their codes; the flat ones are overwritten. It stays so when people leave again."""
    from appliance.matching.scan import ScanIndex  # noqa: PLC0415 - faiss loads for a tenth of a second: few desks need it

    scan = ScanIndex(book)
    scan.append(flat.rows())
    flat.wipe()
    return scan
