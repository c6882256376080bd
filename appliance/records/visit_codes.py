"""The codes by which a patient proves who they are without a face, and how often wrong ones were tried.

The clinic's system gives a code with a planned service and tells it to the patient, by SMS or on a slip; here only its
keyed hash is kept, until its day is over. What a right code leads to is the use case's.

Six digits are guessed in a million tries and a hash of them in a second: what protects them is the key, which is not in
the database, and the count of wrong tries for each patient and day, which outlives the process.
"""

import hmac
from datetime import date

from appliance.records.vault import code_hash
from sync.database import Database, known

MOST_WRONG = 3
"""So many wrong codes lock a patient's codes for the day; reception helps then. Whoever knows a patient's IIN can do
that to them, and no more."""


class VisitCodes:
    """The tables `visit_code` and `wrong_code`. Changes happen inside the caller's transaction. patient: pseudonym."""

    __slots__ = ("_db", "_key")

    def __init__(self, db: Database, pseudonym_key: bytes) -> None:
        self._db = db
        self._key = pseudonym_key

    def keep(self, service: str, patient: str, day: date, code: str) -> None:
        """Keep the code of a planned service, in place of an earlier one."""
        self._db.execute(
            "INSERT OR REPLACE INTO visit_code (service_id, patient, day, code_hash) VALUES (?, ?, ?, ?)",
            (service, patient, day.isoformat(), code_hash(code, patient, day, self._key)),
        )

    def knows(self, service: str, patient: str, day: date, code: str) -> bool:
        """Whether this is the code that is kept for a service."""
        with known():
            row = self._db.execute("SELECT code_hash FROM visit_code WHERE service_id = ?", (service,)).fetchone()
        return row is not None and hmac.compare_digest(row[0], code_hash(code, patient, day, self._key))

    def fits(self, patient: str, day: date, code: str) -> bool:
        """Whether a code was given to a patient for one of the services of a day.

        As much work for a patient who is unknown, or has no code, and for a code that is wrong from its first digit.
        """
        given = code_hash(code, patient, day, self._key)
        with known():
            rows = self._db.execute(
                "SELECT code_hash FROM visit_code WHERE patient = ? AND day = ?", (patient, day.isoformat())
            ).fetchall()
        fitting = [
            hmac.compare_digest(given, row[0]) for row in rows
        ]  # all of them: the first says nothing by its place
        return any(fitting)

    def wrong(self, patient: str, day: date) -> None:
        """Count a wrong code."""
        self._db.execute(
            "INSERT INTO wrong_code (patient, day, tries) VALUES (?, ?, 1)"
            " ON CONFLICT (patient, day) DO UPDATE SET tries = tries + 1",
            (patient, day.isoformat()),
        )

    def locked(self, patient: str, day: date) -> bool:
        """Whether no code helps this patient any more on this day."""
        with known():
            row = self._db.execute(
                "SELECT tries FROM wrong_code WHERE patient = ? AND day = ?", (patient, day.isoformat())
            ).fetchone()
        return row is not None and int(row[0]) >= MOST_WRONG

    def forget_before(self, day: date) -> None:
        """Drop the codes and counts of days that are over."""
        for table in ("visit_code", "wrong_code"):
            self._db.execute(f"DELETE FROM {table} WHERE day < ?", (day.isoformat(),))  # noqa: S608 - own names
