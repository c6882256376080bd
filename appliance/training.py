"""A desk to practise on: everybody and everything of the real one in a copy that ends with the process.

The copy has the same tables, rules and screens, so there is nothing to practise wrongly. Its chain is signed by a key
made for it, under a device name that no fund knows. The real desk is only read: no event, no visit, no camera, no call
of reception is written there. Whether a command practises is its own matter.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from appliance import config as configuration
from appliance.composition import DESK_MIGRATIONS, OpenDesk, open_desk, open_vault, software_version
from appliance.core.types import PersonId
from appliance.records.adopt import adopt
from appliance.records.desk import DeskRecords
from appliance.records.schedule import ScheduledService
from appliance.records.vault import Vault
from appliance.settings_in_use import in_force
from sync.clock import Clock
from sync.database import immediate, open_database
from sync.desk_database import open_desk_database
from sync.device_key import create_device_key
from sync.home import Home, KeySettings, load_settings
from sync.key_source import KeyName, open_keys
from sync.keyfile import KEY_BYTES
from sync.ledger import Ledger
from sync.opening import Opening

TRAINING_DEVICE = "training"

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it, with mode 0700
"""A file system in memory. Where it cannot be written the copy lies on the disk, encrypted as everywhere."""

_NAMES = (("kk", "Жаттығу қабылдауы"), ("ru", "Учебный приём"), ("en", "Practice visit"))


@contextlib.contextmanager
def open_for_visits(home: Home, clock: Clock, *, training: bool = False) -> Iterator[OpenDesk]:
    """The desk, or a copy to practise on where that is asked for, here or by [desk] training. Raises as `open_desk`."""
    wanted = training or configuration.load(home.config).desk.training
    with open_training(home, clock) if wanted else open_desk(home, clock) as desk:
        yield desk


@contextlib.contextmanager
def open_training(home: Home, clock: Clock) -> Iterator[OpenDesk]:
    """A copy of the desk as it is now; gone when this ends. Raises as `open_desk`, and TemplateDamaged.

    Its home is the real one: settings and packs are read there.
    Who has no service today gets one of practice, from now on, so that anybody enrolled can be the patient.
    """
    settings, keys = load_settings(home), open_keys(home)
    config, managed = in_force(home)
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="keldim-training-", dir=place) as folder:
        copy = Home(Path(folder))
        copy.keys.mkdir(mode=0o700)
        key, vault = secrets.token_bytes(KEY_BYTES), Vault(secrets.token_bytes(KEY_BYTES), TRAINING_DEVICE)
        with (
            contextlib.closing(open_database(copy.database, key, DESK_MIGRATIONS, create=True)) as db,
            contextlib.closing(create_device_key(copy, KeySettings())) as device_key,
        ):
            records = DeskRecords.over(db, vault, keys.load(KeyName.PSEUDONYM))
            with contextlib.closing(open_desk_database(home, keys, DESK_MIGRATIONS)) as real, immediate(db):
                old = open_vault(real, keys, settings.device.device)
                adopt(db, real, old, vault, lambda *_: False, clock.moment().wall)
            _plan(records, clock)
            yield OpenDesk(
                home=home,
                config=config,
                settings=replace(settings, device=replace(settings.device, device=TRAINING_DEVICE)),
                clock=clock,
                records=records,
                ledger=Ledger(db, device_key.signer, TRAINING_DEVICE),
                key=device_key,
                opening=Opening(),
                software=software_version(),
                training=True,
                managed=managed,
            )


def _plan(records: DeskRecords, clock: Clock) -> None:
    """A service of practice for everybody who has none left today."""
    now = clock.moment().wall
    lines = [
        ScheduledService(
            line=number,
            iin=records.people.profile(person).iin,
            code="TRAINING",
            names=_NAMES,
            room="1",
            provider="d-000",
            starts=now.replace(tzinfo=None, second=0, microsecond=0),
        )
        for number, person in enumerate(_without_service(records, clock), 1)
    ]
    with immediate(records.db):
        records.services.keep(lines, now)


def _without_service(records: DeskRecords, clock: Clock) -> Iterator[PersonId]:
    today = clock.moment().wall.date()
    for person in records.people.summaries():
        if person.greeting and all(service.event for service in records.services.of(person.person, today)):
            yield person.person
