"""Sealed templates at rest: kept per person and pack, opened for the gallery and for the record of a match.

How similar two templates are is judged by `matching`; erasing them is `people`'s.

A template is sealed as float32, 4 bytes a number: a 128-d one takes 512 bytes, 150,000 of them 100 MB of disk. Half
precision would save half of that and move cosine similarities by up to 1e-4, so that a recorded score could not
be computed again from what was enrolled.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

import numpy as np

from appliance.core.errors import TemplateDamaged
from appliance.core.types import Embedding, PackDigest, PersonId, Sensitive
from appliance.records.data_keys import DataKeys
from appliance.records.pack_forms import ALIKE
from appliance.records.stamp import written
from appliance.records.tables import PATIENTS, Tables
from appliance.records.vault import DataKey, Vault, template_hash
from sync.database import Database, known

_STORED = np.dtype("<f4")  # little-endian on every machine: the hash is over these bytes
_PAGE = 1024  # rows fetched at once while loading


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Template(Sensitive):
    """One opened template. name: the keyed hash under which events mention it."""

    name: str
    embedding: Embedding


class Templates:
    """The table `template` of one register. Changes happen inside the caller's transaction."""

    __slots__ = ("_db", "_keys", "_tables", "_vault")

    def __init__(self, db: Database, vault: Vault, keys: DataKeys, tables: Tables = PATIENTS) -> None:
        self._db = db
        self._tables = tables
        self._vault = vault
        self._keys = keys

    def add(self, person: PersonId, embeddings: Sequence[Embedding], at: datetime) -> tuple[str, ...]:
        """Seal and keep templates of an enrolled person; gives their names, in order. An equal one is kept once.

        Raises PersonUnknown, TemplateDamaged; ValueError when there is none.
        """
        if not embeddings:
            raise ValueError("no embedding to keep")
        key = self._keys.of(person)
        return tuple(self._add(key, embedding, written(at)) for embedding in embeddings)

    def load(
        self,
        pack: PackDigest,
        damaged: Callable[[TemplateDamaged], None] | None = None,
        passed_over: Callable[[PersonId], bool] | None = None,
    ) -> Iterator[tuple[PersonId, tuple[Embedding, ...]]]:
        """Open everybody's templates of a pack or of one of its form, as `Gallery.add_all` takes them.

        Read in the order they were written, so that the disk is read once from end to end; a person whose templates
        were added at different times comes more than once. damaged: told of a template that does not open, which is
        then left out; without it TemplateDamaged is raised. passed_over: whose templates stay closed.
        """
        wrapped = self._keys.all_wrapped()
        for person, rows in groupby(self._rows(pack), key=itemgetter(0)):
            if passed_over is not None and passed_over(person):
                continue
            if person not in wrapped:  # another process enrolled somebody in between
                wrapped = self._keys.all_wrapped()
            if person not in wrapped:  # or erased somebody
                continue
            opened = tuple(self._opened(person, wrapped[person], pack, (row[1:] for row in rows), damaged))
            if opened:
                yield person, opened

    def of(self, person: PersonId, pack: PackDigest) -> tuple[Template, ...]:
        """One person's templates of a pack or one of its form, oldest first. Raises PersonUnknown, TemplateDamaged."""
        key = self._keys.of(person)
        with known():
            rows = self._db.execute(
                self._tables.sql(
                    "SELECT pack, sealed, template_hash FROM {}template"  # noqa: S608 - a condition of our own
                    f" WHERE person_id = ? AND {ALIKE} ORDER BY template_id"
                ),
                (person, pack, pack),
            ).fetchall()
        return tuple(self._checked(key, pack, PackDigest(made_by), sealed, name) for made_by, sealed, name in rows)

    def best(self, person: PersonId, probe: Embedding) -> Template | None:
        """The person's template most similar to a probe, opened afresh from the disk; None without one of its pack.

        For the event of a match: it names what was really enrolled, not what the gallery holds in memory.
        Raises PersonUnknown, TemplateDamaged.
        """
        theirs = self.of(person, probe.pack)
        return max(theirs, key=lambda each: float(each.embedding.vector @ probe.vector), default=None)

    def held(self) -> dict[PersonId, dict[PackDigest, int]]:
        """How many templates of each pack everybody has, without opening any."""
        counts: dict[PersonId, dict[PackDigest, int]] = {}
        with known():
            sql = self._tables.sql("SELECT person_id, pack, count(*) FROM {}template GROUP BY person_id, pack")
            rows = self._db.execute(sql)
            for person, pack, count in rows.fetchall():
                counts.setdefault(person, {})[pack] = count
        return counts

    def count(self, person: PersonId) -> int:
        """How many templates a person has, of whatever pack."""
        with known():
            sql = self._tables.sql("SELECT count(*) FROM {}template WHERE person_id = ?")
            return int(self._db.execute(sql, (person,)).fetchone()[0])

    def state(self) -> int:
        """Grows whenever templates were added or erased, by whatever process; a fraction of a millisecond."""
        with known():
            sql = self._tables.sql("SELECT coalesce(max(number), 0) FROM {}template_change")
            return int(self._db.execute(sql).fetchone()[0])

    def changed(self, since: int) -> frozenset[PersonId]:
        """Whose templates were added or erased after that `state`."""
        with known():
            rows = self._db.execute(
                self._tables.sql("SELECT DISTINCT person_id FROM {}template_change WHERE number > ?"), (since,)
            ).fetchall()
        return frozenset(PersonId(row[0]) for row in rows)

    def days(self, pack: PackDigest) -> tuple[tuple[date, int], ...]:
        """On which days how many people got their first template of a pack, by the clinic's clock."""
        sql = self._tables.sql(
            "SELECT day, count(*) FROM (SELECT min(substr(created_at, 1, 10)) AS day FROM {}template"  # noqa: S608 - ours
            f" WHERE {ALIKE} GROUP BY person_id) GROUP BY day ORDER BY day"
        )
        with known():
            return tuple(
                (date.fromisoformat(day), count) for day, count in self._db.execute(sql, (pack, pack)).fetchall()
            )

    def retire(self, pack: PackDigest) -> int:
        """Delete all templates of a pack; returns how many there were. Then `people.sweep` after the commit."""
        sql = self._tables.sql("DELETE FROM {}template WHERE pack = ?")
        return int(self._db.execute(sql, (pack,)).rowcount)

    def delete(self, person: PersonId) -> int:
        """Delete all templates of a person; returns how many there were."""
        sql = self._tables.sql("DELETE FROM {}template WHERE person_id = ?")
        return int(self._db.execute(sql, (person,)).rowcount)

    def _add(self, key: DataKey, embedding: Embedding, at: str) -> str:
        plain = embedding.vector.astype(_STORED).tobytes()
        name = _name(key, embedding.pack, plain)
        sealed = self._vault.seal(key, self._tables.face, embedding.pack, plain)
        self._db.execute(
            self._tables.sql(
                "INSERT INTO {}template (person_id, kind, pack, sealed, template_hash, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (template_hash) DO NOTHING"
            ),
            (key.person, self._tables.face, embedding.pack, sealed, name, at),
        )
        return name

    def _checked(self, key: DataKey, pack: PackDigest, made_by: PackDigest, sealed: bytes, name: str) -> Template:
        plain = self._vault.open(key, self._tables.face, made_by, sealed)
        if _name(key, made_by, plain) != name:
            raise TemplateDamaged(f"a template of person {key.person} is not the one that was recorded")
        return Template(name, _embedding(plain, pack))

    def _opened(
        self,
        person: PersonId,
        wrapped: bytes,
        pack: PackDigest,
        blobs: Iterable[tuple[bytes, str]],
        damaged: Callable[[TemplateDamaged], None] | None,
    ) -> Iterator[Embedding]:
        key: DataKey | None = None
        for sealed, made_by in blobs:
            try:
                key = key or self._vault.unwrap(person, wrapped)
                plain = self._vault.open(key, self._tables.face, PackDigest(made_by), sealed)
            except TemplateDamaged as failure:
                if damaged is None:
                    raise
                damaged(failure)
            else:
                yield _embedding(plain, pack)

    def _rows(self, pack: PackDigest) -> Iterator[tuple[PersonId, bytes, str]]:
        with known():
            cursor = self._db.execute(
                self._tables.sql(
                    "SELECT person_id, sealed, pack FROM {}template NOT INDEXED"  # noqa: S608 - a condition of our own
                    f" WHERE {ALIKE} AND kind = ? ORDER BY template_id"
                ),
                (pack, pack, self._tables.face),
            )
            while page := cursor.fetchmany(_PAGE):
                yield from page


def _name(key: DataKey, pack: PackDigest, plain: bytes) -> str:
    return template_hash(key, pack.encode() + plain)


def _embedding(plain: bytes, pack: PackDigest) -> Embedding:
    return Embedding(np.frombuffer(plain, dtype=_STORED).astype(np.float32, copy=False), pack)
