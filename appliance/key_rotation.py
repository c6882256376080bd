"""Use cases: a new template key, a new database key. The desk opens at every instant, whatever is cut off when.

Where keys are kept is `sync.key_source`'s; the services are stopped meanwhile, which the database itself makes sure of:
it is opened alone, and that fails while anybody else has it open.

The order is the same for both: the next key is made and kept beside the one in use; both go to the fund, sealed; the
change itself is one transaction; the next key must have opened everything; only then it takes the other's place. A run
that was cut off is finished by the next one, with the key it had made.
"""

import contextlib
import hmac
import secrets
from collections.abc import Callable, Iterator

from appliance.checkin import append
from appliance.composition import DESK_MIGRATIONS, OpenDesk, open_desk, open_vault
from appliance.core.machine_events import KeyRotated
from appliance.records.data_keys import is_bound, open_all, rewrap
from appliance.records.vault import Vault
from sync.clock import Clock
from sync.database import check_pages, immediate, known, open_database, rekey
from sync.desk_database import open_desk_database
from sync.envelope import parse_event
from sync.errors import DatabaseBusy, DatabaseKeyWrong
from sync.home import Home, load_settings
from sync.key_errors import RotationUnfinished
from sync.key_source import KeyName, KeyStore, open_key_store
from sync.keyfile import KEY_BYTES
from sync.recovery import write_recovery

_LABEL = b"keldim rotated key v1"
_CHECK_DIGITS = 16

Tell = Callable[[str], None]
"""Is told each step, for a person who waits."""


def rotate_template_key(home: Home, clock: Clock, tell: Tell) -> int:
    """Wrap everybody's data key under a new template key; returns how many there are.

    Raises RotationUnfinished (a service runs), TemplateDamaged (nothing was changed), and as `open_desk`.
    """
    keys = open_key_store(home)
    with _alone(), open_desk(home, clock, alone=True) as desk:
        device, db = desk.settings.device.device, desk.records.db
        key = _next_key(home, keys, KeyName.TEMPLATE)
        old, new = open_vault(db, keys, device), Vault(key, device)
        tell("wrapping every data key under the new template key")
        with immediate(db):
            if not is_bound(db, new):  # else a run that was cut off had come this far, and had signed it
                rewrap(db, old, new)
                append(desk.ledger, KeyRotated("template", _check(key), desk.software), clock.moment())
        count = open_all(db, new)
        tell(f"the new key has opened {count} data keys")
        _finish(home, keys, KeyName.TEMPLATE)
    return count


def rotate_database_key(home: Home, clock: Clock, tell: Tell) -> int:
    """Encrypt the database anew under a new key; returns its size in bytes.

    Raises RotationUnfinished (a service runs), DiskFull (nothing was changed), DatabaseDamaged (both keys stay), and as
    `open_desk`.
    """
    keys = open_key_store(home)
    with _alone():
        open_desk_database(home, keys, DESK_MIGRATIONS, alone=True).close()  # where a service runs, nothing is begun
        key = _next_key(home, keys, KeyName.DATABASE)
        if not _opens(home, key):
            with contextlib.closing(open_desk_database(home, keys, DESK_MIGRATIONS, alone=True)) as db:
                tell(f"encrypting {home.database.stat().st_size >> 10} KiB anew")
                rekey(db, home.database, key)
        with open_desk(home, clock, alone=True) as desk:
            tell("reading every page with the new key")
            check_pages(desk.records.db)
            _sign_once(desk, KeyRotated("database", _check(key), desk.software))
            _finish(home, keys, KeyName.DATABASE)
    return home.database.stat().st_size


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    try:
        yield
    except DatabaseBusy as error:
        raise RotationUnfinished("another process has the desk open") from error


def _next_key(home: Home, keys: KeyStore, name: KeyName) -> bytes:
    """The key a cut-off run had made, or a new one; kept, and known to the fund's copy, before anything uses it."""
    key = keys.pending(name)
    if key is None:
        key = secrets.token_bytes(KEY_BYTES)
        keys.stage(name, key)
    _copy_to_fund(home, keys)
    return key


def _finish(home: Home, keys: KeyStore, name: KeyName) -> None:
    keys.promote(name)
    _copy_to_fund(home, keys)


def _copy_to_fund(home: Home, keys: KeyStore) -> None:
    settings = load_settings(home)
    write_recovery(home, settings.device.device, keys, settings.fund.sealing)


def _opens(home: Home, key: bytes) -> bool:
    try:
        open_database(home.database, key, DESK_MIGRATIONS, alone=True).close()
    except DatabaseKeyWrong:
        return False
    return True


def _sign_once(desk: OpenDesk, event: KeyRotated) -> None:
    """The file cannot be encrypted anew and signed for in one transaction, so a second run looks first."""
    db = desk.records.db
    with immediate(db):
        with known():
            rows = db.execute("SELECT token FROM event WHERE kind = ?", (event.KIND,)).fetchall()
        if all(parse_event(row[0]).event.data.get("check") != event.check for row in rows):
            append(desk.ledger, event, desk.clock.moment())


def _check(key: bytes) -> str:
    return hmac.digest(key, _LABEL, "sha256").hex()[:_CHECK_DIGITS]
