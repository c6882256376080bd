"""The records of an invented desk with fixed keys, in an encrypted database or in a readable twin of it."""

from pathlib import Path

from sqlcipher3 import dbapi2

from appliance.records.desk import DeskRecords
from appliance.records.schema import RECORDS_MIGRATIONS
from appliance.records.vault import Vault
from sync.database import Database, open_database

DATABASE_KEY = bytes(range(32))
TEMPLATE_KEY = bytes(range(100, 132))
PSEUDONYM_KEY = bytes(range(200, 232))
DEVICE = "desk-1"


def open_records(path: Path, template_key: bytes = TEMPLATE_KEY, device: str = DEVICE) -> DeskRecords:
    """Open, or create, the desk's records."""
    db = open_database(path, DATABASE_KEY, [RECORDS_MIGRATIONS], create=True)
    try:
        return DeskRecords.over(db, Vault(template_key, device), PSEUDONYM_KEY)
    except BaseException:
        db.close()
        raise


def open_readable_records(path: Path) -> DeskRecords:
    """The same tables and settings without page encryption, so that a test can search the files for bytes."""
    connection = dbapi2.connect(str(path), isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    db = Database(connection, execute_plugins=False)
    RECORDS_MIGRATIONS.apply(db)
    return DeskRecords.over(db, Vault(TEMPLATE_KEY, DEVICE), PSEUDONYM_KEY)
