"""Who waits for reception, called from the patient's screen: one row per call.

That somebody is called is the station's matter; how a receptionist sees the calls and answers them is theirs. A call
is no event: nothing was decided, and whatever was tried before it has an event of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.core.types import Sensitive
from appliance.records.stamp import written
from sync.database import Database, known

PATIENCE = timedelta(minutes=15)
"""A call that nobody answered for so long is over: the patient has gone, or was helped without a word to the desk."""

_NEWEST = 500
"""Calls among which those that wait are looked for: more than can be made within the patience, one every two seconds.
Many are never answered at the screen, and the reception asks every two seconds: it must not read those of years."""


@dataclass(frozen=True, slots=True, repr=False)
class HelpCall(Sensitive):
    """patient: pseudonym of whom the desk recognised, or who said so; None for a stranger. called_at: RFC 3339.

    claimed: nothing but the patient's own word says who it is.
    """

    number: int
    patient: str | None
    claimed: bool
    called_at: str


class HelpCalls:
    """The table `help_call`. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, patient: str | None, at: datetime, *, claimed: bool = False) -> int:
        """Keep a call; the place among those who wait, from 1. Who calls again keeps their place."""
        waiting = self.waiting(at)
        places = [place for place, call in enumerate(waiting, 1) if patient is not None and call.patient == patient]
        if places:
            return places[0]
        self._db.execute(
            "INSERT INTO help_call (patient, claimed, called_at) VALUES (?, ?, ?)", (patient, claimed, written(at))
        )
        return len(waiting) + 1

    def waiting(self, at: datetime) -> tuple[HelpCall, ...]:
        """Calls of the last quarter of an hour that nobody answered, in order."""
        with known():
            rows = self._db.execute(
                "SELECT number, patient, claimed, called_at FROM help_call WHERE answered_at IS NULL"
                " AND number > (SELECT max(number) FROM help_call) - ? ORDER BY number",
                (_NEWEST,),
            ).fetchall()
        calls = (HelpCall(number, patient, bool(claimed), called) for number, patient, claimed, called in rows)
        return tuple(call for call in calls if abs(at - datetime.fromisoformat(call.called_at)) <= PATIENCE)

    def answer(self, number: int, at: datetime) -> None:
        """Somebody takes care of a call; one that was answered stays so."""
        self._db.execute(
            "UPDATE help_call SET answered_at = ? WHERE number = ? AND answered_at IS NULL", (written(at), number)
        )
