"""The copy of a desk's keys for the fund, kept in the desk's home and taken along by every back-up.

What is in it and who opens it is `recovery_document`'s. It is written when a desk is made and at every rotation.
"""

from sync.durable import replace_file
from sync.errors import DiskFailing
from sync.home import Home
from sync.key_source import KeyName, KeySource
from sync.recovery_document import DeskKeys, seal_recovery
from sync.signing import PublicJwk


def desk_keys(device: str, keys: KeySource) -> DeskKeys:
    """Those in use, and those a rotation is putting into use. Raises KeyUnusable."""
    found = {}
    for name in (KeyName.DATABASE, KeyName.TEMPLATE):
        following = keys.pending(name)
        found[name] = (keys.load(name), *(() if following is None else (following,)))
    return DeskKeys(device, found[KeyName.DATABASE], found[KeyName.TEMPLATE])


def write_recovery(home: Home, device: str, keys: KeySource, fund: PublicJwk | None) -> bool:
    """Seal the desk's keys, as they are now, to the fund; False where the fund has no sealing key.

    Raises KeyUnusable, DiskFailing.
    """
    if fund is None:
        return False
    try:
        replace_file(home.recovery, seal_recovery(desk_keys(device, keys), fund))
    except OSError as error:
        raise DiskFailing(f"{home.recovery.name} cannot be written: {error.strerror}") from error
    return True
