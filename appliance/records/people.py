"""The people of one register (patients, or staff): their sealed profiles, how they are found, how they are erased.

Their templates and data keys are kept by `templates` and `data_keys`; what an enrolment or an erasure consists of, and
that it is recorded in the same transaction, is the use case's.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from appliance.core.errors import PersonExists, PersonUnknown, TemplateDamaged
from appliance.core.iin import Iin
from appliance.core.types import PackDigest, PersonId, Sensitive
from appliance.records.data_keys import DataKeys
from appliance.records.profile import Profile
from appliance.records.stamp import written
from appliance.records.tables import PATIENTS, Tables
from appliance.records.templates import Templates
from appliance.records.vault import DataKey, Vault, pseudonym
from sync.database import Database, known


class PersonStatus(StrEnum):
    """What is left of a person at this desk."""

    ENROLLED = "enrolled"
    ERASED = "erased"
    DAMAGED = "damaged"
    """The profile does not open; enrol the patient again."""


@dataclass(frozen=True, slots=True, repr=False)
class PersonSummary(Sensitive):
    """One line of the operator's list. greeting, masked_iin: empty unless enrolled. packs: that have a template."""

    person: PersonId
    status: PersonStatus
    greeting: str
    masked_iin: str
    templates: int
    packs: tuple[PackDigest, ...]
    created_at: str
    erased_at: str | None


class People:
    """The table `person` of one register. `add` and `erase` happen inside the caller's transaction."""

    __slots__ = ("_db", "_keys", "_pseudonym_key", "_tables", "_templates", "_vault")

    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: DataKeys,
        templates: Templates,
        pseudonym_key: bytes,
        tables: Tables = PATIENTS,
    ) -> None:
        self._db = db
        self._vault = vault
        self._keys = keys
        self._templates = templates
        self._pseudonym_key = pseudonym_key
        self._tables = tables

    def pseudonym(self, iin: Iin) -> str:
        """How events name the owner of this IIN."""
        return pseudonym(iin, self._pseudonym_key)

    def add(self, profile: Profile, at: datetime) -> PersonId:
        """Keep a new person with a data key of their own. Raises PersonExists."""
        if self.find(profile.iin) is not None:
            raise PersonExists(f"somebody with IIN {profile.iin} is enrolled already")
        person = PersonId(secrets.token_hex(16))
        key, wrapped = self._vault.new_key(person)
        sealed = self._vault.seal(key, self._tables.profile, None, profile.packed())
        self._db.execute(
            self._tables.sql(
                "INSERT INTO {}person (person_id, iin_ref, sealed_profile, created_at) VALUES (?, ?, ?, ?)"
            ),
            (person, self.pseudonym(profile.iin), sealed, written(at)),
        )
        self._keys.keep(person, wrapped)
        return person

    def find(self, iin: Iin) -> PersonId | None:
        """The enrolled person with this IIN."""
        return self.named(self.pseudonym(iin))

    def named(self, reference: str) -> PersonId | None:
        """The enrolled person with this pseudonym."""
        sql = self._tables.sql("SELECT person_id FROM {}person WHERE iin_ref = ? AND erased_at IS NULL")
        with known():
            row = self._db.execute(sql, (reference,)).fetchone()
        return None if row is None else PersonId(row[0])

    def reference(self, person: PersonId) -> str:
        """The pseudonym of a person, erased or not, without opening anything. Raises PersonUnknown."""
        with known():
            sql = self._tables.sql("SELECT iin_ref FROM {}person WHERE person_id = ?")
            row = self._db.execute(sql, (person,)).fetchone()
        if row is None:
            raise PersonUnknown(f"no person {person} was ever enrolled at this desk")
        return str(row[0])

    def profile(self, person: PersonId) -> Profile:
        """Open a person's profile. Raises PersonUnknown (also after erasure), TemplateDamaged."""
        with known():
            sql = self._tables.sql("SELECT sealed_profile FROM {}person WHERE person_id = ?")
            row = self._db.execute(sql, (person,)).fetchone()
        if row is None or row[0] is None:
            raise PersonUnknown(f"no person {person} is enrolled at this desk")
        return self._open(self._keys.of(person), row[0])

    def summaries(self) -> Iterator[PersonSummary]:
        """Everybody ever enrolled, oldest first; a profile that does not open shows as damaged."""
        with known():
            rows = self._db.execute(
                self._tables.sql(
                    "SELECT person_id, sealed_profile, created_at, erased_at FROM {}person"
                    " ORDER BY created_at, person_id"
                )
            ).fetchall()
        held = self._templates.held()
        wrapped = self._keys.all_wrapped()  # after the people: whoever has no key now was erased in between
        for person, sealed, created_at, erased_at in rows:
            status, greeting, masked = self._shown(person, wrapped.get(person), sealed)
            packs = held.get(person, {})
            yield PersonSummary(
                person, status, greeting, masked, sum(packs.values()), tuple(packs), created_at, erased_at
            )

    def erase(self, person: PersonId, at: datetime) -> int:
        """Erase templates, data key and profile; returns how many templates there were. Raises PersonUnknown.

        Pseudonym and consents stay, as proof of what was erased. Once the transaction has been committed,
        `sweep` removes the last copies of the pages.
        """
        changed = self._db.execute(
            self._tables.sql(
                "UPDATE {}person SET sealed_profile = NULL, erased_at = ? WHERE person_id = ? AND erased_at IS NULL"
            ),
            (written(at), person),
        ).rowcount
        if changed != 1:
            raise PersonUnknown(f"no person {person} is enrolled at this desk")
        templates = self._templates.delete(person)
        self._keys.destroy(person)
        return templates

    def _shown(self, person: PersonId, wrapped: bytes | None, sealed: bytes | None) -> tuple[PersonStatus, str, str]:
        if sealed is None or wrapped is None:
            return PersonStatus.ERASED, "", ""
        try:
            profile = self._open(self._vault.unwrap(person, wrapped), sealed)
        except TemplateDamaged:
            return PersonStatus.DAMAGED, "", ""
        return PersonStatus.ENROLLED, profile.greeting, profile.iin.masked

    def _open(self, key: DataKey, sealed: bytes) -> Profile:
        return Profile.unpacked(self._vault.open(key, self._tables.profile, None, sealed))


def sweep(db: Database) -> bool:
    """Move all changes out of the write-ahead log and empty it, so that no old page keeps what was erased.

    Outside any transaction. False when another process was reading: call it again, at the next start at the latest.
    Raises as `sync.database.known`.
    """
    with known():
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
