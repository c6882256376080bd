"""Consents and their withdrawals, as they were given: append-only, and kept after a person is erased.

That templates are kept only with a consent, and what a withdrawal sets off, is the use case's.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from appliance.core.types import PersonId
from appliance.records.stamp import written
from appliance.records.tables import PATIENTS, Tables
from sync.database import Database, known

ConsentId = NewType("ConsentId", str)
"""Random name of one consent; events mention it."""


class GivenBy(StrEnum):
    """Who gave a consent."""

    PATIENT = "patient"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Consent:
    """version: of the text that was read. language: kk, ru or en. given_at, withdrawn_at: RFC 3339."""

    consent: ConsentId
    person: PersonId
    version: str
    language: str
    given_by: GivenBy
    given_at: str
    withdrawn_at: str | None


class Consents:
    """The tables `consent` and `consent_withdrawal` of one register. Changes happen inside the caller's transaction."""

    __slots__ = ("_db", "_tables")

    def __init__(self, db: Database, tables: Tables = PATIENTS) -> None:
        self._db = db
        self._tables = tables

    def give(self, person: PersonId, version: str, language: str, given_by: GivenBy, at: datetime) -> ConsentId:
        """Record a consent of a person who exists already."""
        consent = ConsentId(secrets.token_hex(16))
        self._db.execute(
            self._tables.sql(
                "INSERT INTO {}consent (consent_id, person_id, version, language, given_by, given_at)"
                " VALUES (?, ?, ?, ?, ?, ?)"
            ),
            (consent, person, version, language, given_by, written(at)),
        )
        return consent

    def withdraw(self, person: PersonId, at: datetime) -> tuple[ConsentId, ...]:
        """Withdraw every consent of a person that still stands; gives those, oldest first."""
        standing = tuple(each.consent for each in self.of(person) if each.withdrawn_at is None)
        sql = self._tables.sql("INSERT INTO {}consent_withdrawal (consent_id, withdrawn_at) VALUES (?, ?)")
        for consent in standing:
            self._db.execute(sql, (consent, written(at)))
        return standing

    def standing(self, person: PersonId) -> Consent | None:
        """The newest consent that was not withdrawn."""
        return next((each for each in reversed(self.of(person)) if each.withdrawn_at is None), None)

    def of(self, person: PersonId) -> tuple[Consent, ...]:
        """All consents of a person, oldest first."""
        with known():
            rows = self._db.execute(
                self._tables.sql(
                    "SELECT consent_id, person_id, version, language, given_by, given_at, withdrawn_at"
                    " FROM {}consent LEFT JOIN {}consent_withdrawal USING (consent_id) WHERE person_id = ?"
                    " ORDER BY number"
                ),
                (person,),
            ).fetchall()
        return tuple(
            Consent(ConsentId(consent), PersonId(owner), version, language, GivenBy(given_by), given_at, withdrawn_at)
            for consent, owner, version, language, given_by, given_at, withdrawn_at in rows
        )
