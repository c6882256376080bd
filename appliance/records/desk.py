"""All records of one desk over one open database, tied to its keys.

Each table is owned by its module; the transaction is opened by the use case.
"""

from dataclasses import dataclass

from appliance.records.consents import Consents
from appliance.records.data_keys import DataKeys, bind
from appliance.records.people import People
from appliance.records.services import Services
from appliance.records.templates import Templates
from appliance.records.vault import Vault
from sync.database import Database


@dataclass(frozen=True, slots=True)
class DeskRecords:
    """The doors to the tables; used by the thread that opened the database."""

    db: Database
    people: People
    templates: Templates
    consents: Consents
    services: Services

    @classmethod
    def over(cls, db: Database, vault: Vault, pseudonym_key: bytes) -> "DeskRecords":
        """Put the records over a database opened with RECORDS_MIGRATIONS. Raises KeyUnusable, SettingsInvalid."""
        bind(db, vault)
        keys = DataKeys(db, vault)
        templates = Templates(db, vault, keys)
        return cls(
            db=db,
            people=People(db, vault, keys, templates, pseudonym_key),
            templates=templates,
            consents=Consents(db),
            services=Services(db, pseudonym_key),
        )
