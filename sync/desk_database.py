"""Opens a desk's database with the keys of its key source, also when a rotation of the key was cut off.

What is in it belongs to `ledger`, `outbox` and the desk's records; how it is opened is `database`'s.
"""

import contextlib
from collections.abc import Sequence

from sync.database import Database, Migrations, open_database
from sync.errors import DatabaseKeyWrong
from sync.home import Home
from sync.key_source import KeyName, KeySource


def open_desk_database(
    home: Home, keys: KeySource, migrations: Sequence[Migrations], *, alone: bool = False
) -> Database:
    """Open it with the key in use, or with the next one when that is what the file has. Raises as `open_database`."""
    try:
        return open_database(home.database, keys.load(KeyName.DATABASE), migrations, alone=alone)
    except DatabaseKeyWrong:
        following = keys.pending(KeyName.DATABASE)
        if following is None:
            raise
        return open_database(home.database, following, migrations, alone=alone)


def database_key(home: Home, keys: KeySource) -> bytes:
    """The key that the file has now: the one in use, or the next one. Raises as `open_database`."""
    following = keys.pending(KeyName.DATABASE)
    if following is not None:
        with contextlib.suppress(DatabaseKeyWrong):
            open_database(home.database, following, ()).close()
            return following
    return keys.load(KeyName.DATABASE)
