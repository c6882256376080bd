"""Pairs of enrolled people whom a face alone does not tell apart: twins, siblings, chance; by random ids only.

Who is flagged, and what a flag means for a visit, is the use case's and the core's. A pair ends with
either person: the table refers to their data keys.
"""

from datetime import datetime

from appliance.core.types import PersonId
from appliance.records.stamp import written
from sync.database import Database, known


class LookAlikes:
    """The table `look_alike`, one row for a pair. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def flag(self, one: PersonId, other: PersonId, at: datetime) -> bool:
        """Flag a pair of enrolled people; False when it was flagged already. Raises ValueError for one person."""
        first, second = _ordered(one, other)
        return bool(
            self._db.execute(
                "INSERT INTO look_alike (person_id, other_id, flagged_at) VALUES (?, ?, ?)"
                " ON CONFLICT (person_id, other_id) DO NOTHING",
                (first, second, written(at)),
            ).rowcount
        )

    def clear(self, one: PersonId, other: PersonId) -> bool:
        """Take a flag back; False when there was none. Raises ValueError for one person."""
        pair = _ordered(one, other)
        return bool(self._db.execute("DELETE FROM look_alike WHERE person_id = ? AND other_id = ?", pair).rowcount)

    def of(self, person: PersonId) -> frozenset[PersonId]:
        """With whom a person is flagged, whichever of the two was named first."""
        with known():
            rows = self._db.execute(
                "SELECT other_id FROM look_alike WHERE person_id = ?"
                " UNION SELECT person_id FROM look_alike WHERE other_id = ?",
                (person, person),
            ).fetchall()
        return frozenset(PersonId(row[0]) for row in rows)


def _ordered(one: PersonId, other: PersonId) -> tuple[PersonId, PersonId]:
    if one == other:
        raise ValueError("nobody is their own look-alike")
    return (one, other) if one < other else (other, one)
