"""Use case: a new desk takes over the records of a dead one, from its back-up and what the fund handed over.

The new desk keeps its own device key, database key and template key, and its own chain from its first event: nothing of
the old desk is signed again. Whoever was erased stays erased: the back-up's own events, and the fund's, say who.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from appliance.checkin import append
from appliance.composition import DESK_MIGRATIONS, OpenDesk, open_vault
from appliance.core.machine_events import Restored
from appliance.records.adopt import Adopted, adopt, is_empty
from appliance.records.data_keys import is_bound
from appliance.records.vault import Vault
from sync.backup import read_backup, working_copy
from sync.database import Database, check_pages, immediate, open_database
from sync.envelope import parse_event
from sync.errors import DatabaseKeyWrong
from sync.key_errors import RecoveryInvalid, RestoreRefused
from sync.key_source import open_keys
from sync.recovery_document import DeskKeys, Handover

_ENROLLING = {"enrolled": "patient", "staff_enrolled": "operator"}
_ERASING = {"forgotten": "patient", "staff_forgotten": "operator"}


@dataclass(frozen=True, slots=True)
class _Story:
    """What signed events say: the number of each consent's enrolment, of each pseudonym's last erasure."""

    enrolled: dict[str, int]
    erased: dict[str, int]

    def gone(self, reference: str, consent: str) -> bool:
        """Whether somebody was erased after they gave this consent."""
        return self.erased.get(reference, 0) > self.enrolled.get(consent, 0)


def restore(desk: OpenDesk, folder: Path, handover: Handover) -> Adopted:
    """Take over the records of a back-up, whole or not at all, and sign that it was done.

    Raises BackupInvalid, RecoveryInvalid (another desk's keys), RestoreRefused (there are records), TemplateDamaged.
    """
    backup = read_backup(folder)
    device = desk.settings.device.device
    if backup.device != handover.keys.device or handover.following != device:
        raise RecoveryInvalid(f"the back-up is of {backup.device}, the keys are of {handover.keys.device}")
    with working_copy(backup, desk.home.root) as path, contextlib.closing(_opened(path, handover.keys)) as source:
        check_pages(source)
        old, new = _vault(source, handover.keys), open_vault(desk.records.db, open_keys(desk.home), device)
        story = _story(source, handover)
        with immediate(desk.records.db) as db:
            if not is_empty(db):
                raise RestoreRefused("this desk has records of its own")
            moment = desk.clock.moment()
            adopted = adopt(db, source, old, new, story.gone, moment.wall)
            event = Restored(
                backup.device, backup.head.seq, adopted.people, adopted.staff, adopted.erased, desk.software
            )
            append(desk.ledger, event, moment)
    return adopted


def _opened(path: Path, keys: DeskKeys) -> Database:
    for key in keys.database:
        with contextlib.suppress(DatabaseKeyWrong):
            return open_database(path, key, DESK_MIGRATIONS)
    raise RecoveryInvalid("the back-up is older than the keys: none of them opens its database")


def _vault(source: Database, keys: DeskKeys) -> Vault:
    for key in keys.template:
        vault = Vault(key, keys.device)
        if is_bound(source, vault):
            return vault
    raise RecoveryInvalid("the back-up is older than the keys: none of them opens its templates")


def _story(source: Database, handover: Handover) -> _Story:
    enrolled: dict[str, int] = {}
    erased = dict(handover.erased)
    for (token,) in source.execute("SELECT token FROM event ORDER BY seq").fetchall():
        event = parse_event(token).event
        if event.kind in _ENROLLING:
            enrolled[str(event.data.get("consent"))] = event.seq
        if event.kind in _ERASING:
            who = str(event.data.get(_ERASING[event.kind]))
            erased[who] = max(event.seq, erased.get(who, 0))
    return _Story(enrolled, erased)
