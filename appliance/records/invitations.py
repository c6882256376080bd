"""Reception asks that whoever stands at the patient's screen may try again: one row per wish, taken up once.

It names nobody: who stands there is found out by the desk itself. That it was asked is an event of the use case.
"""

from datetime import datetime, timedelta

from appliance.records.stamp import written
from sync.database import Database, known

VALID = timedelta(seconds=30)
"""A wish that was not taken up for so long is over: the next who comes is somebody else."""


class Invitations:
    """The table `invitation`. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, at: datetime) -> None:
        """Keep the wish."""
        self._db.execute("INSERT INTO invitation (invited_at) VALUES (?)", (written(at),))

    def waiting(self, at: datetime) -> bool:
        """Whether a wish of the last half minute was not taken up; one small query."""
        with known():
            row = self._db.execute(
                "SELECT invited_at FROM invitation WHERE taken_at IS NULL ORDER BY number DESC LIMIT 1"
            ).fetchone()
        return row is not None and abs(at - datetime.fromisoformat(row[0])) <= VALID

    def take(self, at: datetime) -> None:
        """All of them are taken up, old ones too."""
        self._db.execute("UPDATE invitation SET taken_at = ? WHERE taken_at IS NULL", (written(at),))
