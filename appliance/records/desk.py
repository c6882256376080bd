"""All records of one desk over one open database, tied to its keys.

Each table is owned by its module; the transaction is opened by the use case.
"""

from dataclasses import dataclass

from appliance.records.consents import Consents
from appliance.records.data_keys import DataKeys, bind
from appliance.records.guardians import Guardians
from appliance.records.help_calls import HelpCalls
from appliance.records.invitations import Invitations
from appliance.records.look_alikes import LookAlikes
from appliance.records.manual import ManualConfirmations
from appliance.records.operators import OperatorTable
from appliance.records.pack_forms import PackForms
from appliance.records.people import People
from appliance.records.services import Services
from appliance.records.tables import PATIENTS, STAFF, Tables
from appliance.records.templates import Templates
from appliance.records.vault import Vault
from appliance.records.visit_codes import VisitCodes
from sync.database import Database


@dataclass(frozen=True, slots=True)
class Register:
    """The people of one kind, their templates and their consents."""

    people: People
    templates: Templates
    consents: Consents


@dataclass(frozen=True, slots=True)
class DeskRecords:
    """The doors to the tables; used by the thread that opened the database. staff: apart from the patients."""

    db: Database
    people: People
    templates: Templates
    consents: Consents
    services: Services
    look_alikes: LookAlikes
    guardians: Guardians
    help_calls: HelpCalls
    invitations: Invitations
    visit_codes: VisitCodes
    staff: Register
    operators: OperatorTable
    manual: ManualConfirmations
    pack_forms: PackForms

    @classmethod
    def over(cls, db: Database, vault: Vault, pseudonym_key: bytes) -> "DeskRecords":
        """Put the records over a database opened with RECORDS_MIGRATIONS. Raises KeyUnusable, SettingsInvalid."""
        bind(db, vault)

        def register(tables: Tables) -> Register:
            keys = DataKeys(db, vault, tables)
            templates = Templates(db, vault, keys, tables)
            return Register(People(db, vault, keys, templates, pseudonym_key, tables), templates, Consents(db, tables))

        patients = register(PATIENTS)
        return cls(
            db=db,
            people=patients.people,
            templates=patients.templates,
            consents=patients.consents,
            services=Services(db, pseudonym_key),
            look_alikes=LookAlikes(db),
            guardians=Guardians(db),
            help_calls=HelpCalls(db),
            invitations=Invitations(db),
            visit_codes=VisitCodes(db, pseudonym_key),
            staff=register(STAFF),
            operators=OperatorTable(db),
            manual=ManualConfirmations(db),
            pack_forms=PackForms(db),
        )
