"""The wrapped data key of each person, patient or staff, and the check that this desk's template key is the right one.

How keys are made and wrapped is the vault's; what they seal belongs to `people` and `templates`.
"""

from appliance.core.errors import PersonUnknown
from appliance.core.types import PersonId
from appliance.records.tables import PATIENTS, STAFF, Tables
from appliance.records.vault import DataKey, Vault
from sync.database import Database, immediate, known
from sync.errors import KeyUnusable, SettingsInvalid


class DataKeys:
    """The table `data_key` of one register. Changes happen inside the caller's transaction."""

    __slots__ = ("_db", "_tables", "_vault")

    def __init__(self, db: Database, vault: Vault, tables: Tables = PATIENTS) -> None:
        self._db = db
        self._tables = tables
        self._vault = vault

    def keep(self, person: PersonId, wrapped: bytes) -> None:
        """Keep the wrapped data key of a person who has none."""
        self._db.execute(
            self._tables.sql("INSERT INTO {}data_key (person_id, wrapped) VALUES (?, ?)"), (person, wrapped)
        )

    def of(self, person: PersonId) -> DataKey:
        """The data key of an enrolled person. Raises PersonUnknown, TemplateDamaged."""
        with known():
            sql = self._tables.sql("SELECT wrapped FROM {}data_key WHERE person_id = ?")
            row = self._db.execute(sql, (person,)).fetchone()
        if row is None:
            raise PersonUnknown(f"no person {person} is enrolled at this desk")
        return self._vault.unwrap(person, row[0])

    def all_wrapped(self) -> dict[PersonId, bytes]:
        """Everybody's wrapped data key in one pass; ids are random, so looking up each would read a page for each."""
        with known():
            sql = self._tables.sql("SELECT person_id, wrapped FROM {}data_key NOT INDEXED")
            return dict(self._db.execute(sql).fetchall())

    def destroy(self, person: PersonId) -> None:
        """Delete the only copy of a person's data key; nothing sealed with it can be opened again."""
        self._db.execute(self._tables.sql("DELETE FROM {}data_key WHERE person_id = ?"), (person,))


def is_bound(db: Database, vault: Vault) -> bool:
    """Whether the database is tied to this vault's template key."""
    with known():
        row = db.execute("SELECT key_check FROM vault").fetchone()
    return row is not None and row[0] == vault.key_check


def bind(db: Database, vault: Vault) -> None:
    """Tie a new database to the vault, or make sure that it is tied to this one; once at start-up.

    Raises KeyUnusable for another template key, SettingsInvalid for another device id: otherwise every template
    would look damaged, and an operator might enrol everybody again.
    """
    with immediate(db):
        row = db.execute("SELECT device, key_check FROM vault").fetchone()
        if row is None:
            row = (vault.device, vault.key_check)
            db.execute("INSERT INTO vault (vault_id, device, key_check) VALUES (1, ?, ?)", row)
    if row[1] != vault.key_check:
        raise KeyUnusable("the template key is not the one this desk's templates were sealed with")
    if row[0] != vault.device:
        raise SettingsInvalid(f"the templates belong to device {row[0]}, the configuration names {vault.device}")


def rewrap(db: Database, old: Vault, new: Vault) -> int:
    """Wrap everybody's data key under another template key; returns how many. Inside an open transaction.

    What the data keys seal stays as it is. Each new wrapping is opened and compared before it counts. Raises
    TemplateDamaged, changing nothing: a key that opens under neither must not be hidden by a rotation.
    """
    count = 0
    for tables in (PATIENTS, STAFF):
        rows = db.execute(tables.sql("SELECT person_id, wrapped FROM {}data_key")).fetchall()
        for person, wrapped in rows:
            key = old.unwrap(PersonId(person), wrapped)
            again = new.wrap(key)
            if new.unwrap(key.person, again).secret != key.secret:
                raise AssertionError("a wrapped key must open to what it was")
            db.execute(tables.sql("UPDATE {}data_key SET wrapped = ? WHERE person_id = ?"), (again, person))
        count += len(rows)
    db.execute("UPDATE vault SET key_check = ?", (new.key_check,))
    return count


def open_all(db: Database, vault: Vault) -> int:
    """Open every data key there is; returns how many. Raises TemplateDamaged."""
    count = 0
    for tables in (PATIENTS, STAFF):
        with known():
            rows = db.execute(tables.sql("SELECT person_id, wrapped FROM {}data_key")).fetchall()
        for person, wrapped in rows:
            vault.unwrap(PersonId(person), wrapped)
        count += len(rows)
    return count
