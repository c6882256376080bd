"""How many services each operator confirmed by hand on a day, and what they wrote about it.

The confirmation itself is a visit (`services`) and its signed event; notes stay at the desk, and go when the patient is
erased.
"""

from datetime import date

from appliance.core.types import PersonId
from sync.database import Database, known


class ManualConfirmations:
    """The tables `manual_confirmation` and `reception_note`. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, event_id: str, operator: str, day: date) -> None:
        """Count a confirmation. operator: pseudonym. day: by the clinic's clock."""
        self._db.execute(
            "INSERT INTO manual_confirmation (event_id, operator, day) VALUES (?, ?, ?)",
            (event_id, operator, day.isoformat()),
        )

    def count(self, operator: str, day: date) -> int:
        """How many one operator has confirmed on a day."""
        return self.counts(day).get(operator, 0)

    def counts(self, day: date) -> dict[str, int]:
        """How many each operator has confirmed on a day, by pseudonym."""
        sql = "SELECT operator, count(*) FROM manual_confirmation WHERE day = ? GROUP BY operator"
        with known():
            return dict(self._db.execute(sql, (day.isoformat(),)).fetchall())

    def write(self, event_id: str, person: PersonId | None, note: str) -> None:
        """Keep a note about an event, 1 to 200 characters. person: about whom; None when not enrolled here."""
        self._db.execute(
            "INSERT INTO reception_note (event_id, person_id, note) VALUES (?, ?, ?)", (event_id, person, note)
        )

    def note(self, event_id: str) -> str:
        """What was written about an event; empty where nothing was, or where it was erased with the patient."""
        with known():
            row = self._db.execute("SELECT note FROM reception_note WHERE event_id = ?", (event_id,)).fetchone()
        return "" if row is None else str(row[0])
