"""A release of settings on the disk: one plain file in a folder of its own, known by its digest.

What may stand in it is `appliance.managed`'s; the two slots it is tried in are `slots`.
"""

import hashlib
import stat
from pathlib import Path
from typing import Final

from models.errors import PackDamaged
from models.releases import MAX_SETTINGS
from models.slots import Held, Slots

SETTINGS_NAME: Final = "settings.toml"


def read_settings(folder: Path) -> bytes:
    """The bytes of the settings in a folder. Raises PackDamaged."""
    path = folder / SETTINGS_NAME
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise PackDamaged(f"{SETTINGS_NAME}: not a plain file")
        with path.open("rb") as file:
            data = file.read(MAX_SETTINGS + 1)
    except OSError as error:
        raise PackDamaged(f"{SETTINGS_NAME}: cannot be read ({error.strerror})") from error
    if len(data) > MAX_SETTINGS:
        raise PackDamaged(f"{SETTINGS_NAME}: larger than {MAX_SETTINGS} bytes")
    return data


def settings_digest(data: bytes) -> str:
    """What a release of settings is known by: SHA-256, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def held_settings(folder: Path) -> Held:
    """The settings in a folder. Raises PackDamaged."""
    data = read_settings(folder)
    return Held(settings_digest(data), len(data))


def settings_slots(folder: Path) -> Slots:
    """The two slots for settings below a folder."""
    return Slots(folder, read=held_settings)
