"""Events that wait for the device's key: kept whole and unsigned, in the order in which they will be signed.

When they are made and signed is left to `ledger`. A draft is the payload of its event with the number it will take and
no past; what it follows is known when it is signed. Somebody with the database's key could change it until then: the
event says that it was signed late, and when.
"""

from dataclasses import dataclass
from datetime import datetime

from sync.database import Database, known
from sync.envelope import Event, Moment, TimeTrust, event_payload, read_payload
from sync.errors import EnvelopeInvalid, LedgerBroken


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that counts as recorded and is not signed yet. seq: the number it will take."""

    seq: int
    event_id: str
    kind: str
    wall: datetime
    trust: TimeTrust


class Drafts:
    """The table `draft`. Everything that writes happens inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def waiting(self) -> int:
        """How many are not signed."""
        count: int = self._db.execute("SELECT count(*) FROM draft WHERE seq IS NULL").fetchone()[0]
        return count

    def keep(self, event: Event) -> Draft:
        """Keep an event that is not signed, behind the others."""
        self._db.execute(
            "INSERT INTO draft (event_id, promised, payload) VALUES (?, ?, ?)",
            (event.event_id, event.seq, event_payload(event).decode("utf-8")),
        )
        return Draft(event.seq, event.event_id, event.kind, event.moment.wall, event.moment.trust)

    def first(self) -> Event | None:
        """The next one to be signed. Raises LedgerBroken when it is altered."""
        return self._read("ASC")

    def last_moment(self) -> Moment | None:
        """When the newest one happened. Raises LedgerBroken when it is altered."""
        event = self._read("DESC")
        return None if event is None else event.moment

    def all(self) -> tuple[Event, ...]:
        """All that wait, oldest first. Raises LedgerBroken when one is altered."""
        rows = self._db.execute("SELECT id, event_id, payload FROM draft WHERE seq IS NULL ORDER BY id").fetchall()
        return tuple(_event(*row) for row in rows)

    def signed(self, event_id: str, seq: int) -> None:
        """The event of this id is in the chain."""
        self._db.execute("UPDATE draft SET seq = ? WHERE event_id = ? AND seq IS NULL", (seq, event_id))

    def _read(self, order: str) -> Event | None:
        row = self._db.execute(
            f"SELECT id, event_id, payload FROM draft WHERE seq IS NULL ORDER BY id {order} LIMIT 1"  # noqa: S608 - own
        ).fetchone()
        return None if row is None else _event(*row)


def _event(number: int, event_id: str, payload: str) -> Event:
    try:
        event = read_payload(payload.encode("utf-8"))
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"draft {number} is altered: {error}") from error
    if event.event_id != event_id:
        raise LedgerBroken(f"draft {number} is altered: it is another event's")
    return event


def drafts_waiting(db: Database) -> int:
    """How many events wait for the device's key. Raises as `database.known`."""
    with known():
        return Drafts(db).waiting()
