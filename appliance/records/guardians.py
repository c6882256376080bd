"""Which enrolled adult speaks for which child at this desk; by random ids only.

Who may be a child, and what a guardian can do for one, is the use cases'. A link ends with either person: the table
refers to their data keys.
"""

from datetime import date, datetime

from appliance.core.types import PersonId
from appliance.records.stamp import written
from sync.database import Database, known


class Guardians:
    """The table `guardian`, one row for a guardian and a child. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def link(self, guardian: PersonId, child: PersonId, at: datetime) -> bool:
        """Keep that somebody speaks for a child; False when it was kept already."""
        return bool(
            self._db.execute(
                "INSERT INTO guardian (guardian_id, child_id, since) VALUES (?, ?, ?)"
                " ON CONFLICT (guardian_id, child_id) DO NOTHING",
                (guardian, child, written(at)),
            ).rowcount
        )

    def children(self, guardian: PersonId) -> tuple[PersonId, ...]:
        """For whom somebody speaks, in the order in which it was kept."""
        with known():
            rows = self._db.execute(
                "SELECT child_id FROM guardian WHERE guardian_id = ? ORDER BY since, child_id", (guardian,)
            ).fetchall()
        return tuple(PersonId(row[0]) for row in rows)

    def expected(self, day: date) -> frozenset[PersonId]:
        """The guardians of those who have a service on a day."""
        with known():
            rows = self._db.execute(
                "SELECT DISTINCT guardian_id FROM guardian JOIN person ON person_id = child_id"
                " JOIN planned_service USING (iin_ref) WHERE day = ?",
                (day.isoformat(),),
            ).fetchall()
        return frozenset(PersonId(row[0]) for row in rows)
