"""Who may sign in at the reception: role, hash of the PIN, and the wrong PINs in a row.

Rows refer to the staff's data keys: whoever is forgotten as staff can sign in no more. What a wrong PIN leads to is
`core.shift`'s.
"""

from dataclasses import dataclass
from datetime import datetime

from appliance.core.errors import OperatorUnknown
from appliance.core.operators import Mark, Misses, Role
from appliance.core.types import PersonId, Sensitive
from appliance.records.stamp import written
from sync.database import Database, known


@dataclass(frozen=True, slots=True, repr=False)
class Operator(Sensitive):
    """One row. person: id in the register of staff. pin_hash: PHC string."""

    person: PersonId
    role: Role
    pin_hash: str
    misses: Misses


class OperatorTable:
    """The table `operator`. Changes happen inside the caller's transaction."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, person: PersonId, role: Role, pin_hash: str, at: datetime) -> None:
        """Give somebody of the staff a PIN and a role; wrong PINs before it are forgotten."""
        self._db.execute(
            "INSERT INTO operator (person_id, role, pin_hash, pin_set_at) VALUES (?, ?, ?, ?) ON CONFLICT (person_id)"
            " DO UPDATE SET role = excluded.role, pin_hash = excluded.pin_hash, pin_set_at = excluded.pin_set_at,"
            " misses = 0, missed_boot = NULL, missed_mono_ms = NULL",
            (person, role.value, pin_hash, written(at)),
        )

    def all(self) -> tuple[Operator, ...]:
        """Everybody who may sign in, in the order of their first PIN."""
        with known():
            rows = self._db.execute(f"{_SELECT} ORDER BY rowid").fetchall()
        return tuple(_operator(*row) for row in rows)

    def get(self, person: PersonId) -> Operator:
        """One of them. Raises OperatorUnknown."""
        with known():
            row = self._db.execute(f"{_SELECT} WHERE person_id = ?", (person,)).fetchone()
        if row is None:
            raise OperatorUnknown("nobody of this name may sign in here")
        return _operator(*row)

    def miss(self, person: PersonId, misses: Misses) -> None:
        """Keep the wrong PINs in a row."""
        last = misses.last
        self._db.execute(
            "UPDATE operator SET misses = ?, missed_boot = ?, missed_mono_ms = ? WHERE person_id = ?",
            (misses.count, last and last.boot_id, last and last.mono_ms, person),
        )


_SELECT = "SELECT person_id, role, pin_hash, misses, missed_boot, missed_mono_ms FROM operator"


def _operator(person: str, role: str, pin_hash: str, misses: int, boot: str | None, mono_ms: int | None) -> Operator:
    last = None if boot is None or mono_ms is None else Mark(boot, mono_ms)
    return Operator(PersonId(person), Role(role), pin_hash, Misses(misses, last))
