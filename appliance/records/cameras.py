"""Which camera this desk worked with last: remembered beside the records, so that another one is noticed.

Whether a camera may be used, and the event of a change, are the use case's.
"""

from datetime import datetime

from appliance.records.stamp import written
from sync.database import Database, Migrations, known

CAMERA_MIGRATIONS = Migrations("cameras")


@CAMERA_MIGRATIONS(name="0001_camera_in_use")
def _first(db: Database) -> None:
    db.execute(
        """CREATE TABLE camera_in_use (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    fingerprint TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT"""
    )


class Cameras:
    """The table `camera_in_use`. `remember` happens inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def last(self) -> str | None:
        """Fingerprint of the camera in use; None where none ever was."""
        with known():
            row = self._db.execute("SELECT fingerprint FROM camera_in_use").fetchone()
        return None if row is None else str(row[0])

    def remember(self, fingerprint: str, at: datetime) -> None:
        """From now on this camera is in use."""
        self._db.execute("INSERT OR REPLACE INTO camera_in_use VALUES (1, ?, ?)", (fingerprint, written(at)))
