"""Two users of one group work on one desk's database in turn, as the services do; run by root. Prints JSON.

One process that forks: the interpreter itself may lie where other users may not look.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sync.database import Database, immediate, open_database
from sync.errors import KeyUnusable, SyncFailure
from sync.home import Home
from sync.keyfile import load_key
from sync.schema import LEDGER_MIGRATIONS
from sync.sharing import share

KIOSK, SYNC, GROUP, STRANGER = 62_001, 62_002, 62_000, 62_003
KEY = bytes(range(32))
LEFT_OPEN: list[Database] = []


def as_user(uid: int, gid: int, work: Callable[[], str]) -> str:
    """What the work says, done as this user with the umask of the units."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "died"
        try:
            os.umask(0o007)
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            said = work()
        except (OSError, SyncFailure) as error:
            said = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def write(home: Home) -> str:
    """Open, write, and leave the log to the other one: no clean end."""
    db = open_database(home.database, KEY, [LEDGER_MIGRATIONS])
    LEFT_OPEN.append(db)
    with immediate(db):
        db.execute("UPDATE delivery SET batch_limit = batch_limit + 1")
    return str(db.execute("SELECT batch_limit FROM delivery").fetchone()[0])


def read_key(path: Path) -> str:
    """Whether a key can be read."""
    try:
        load_key(path)
    except KeyUnusable:
        return "refused"
    return "read"


def remove(path: Path) -> str:
    """As a process would that wants to put another file in its place."""
    path.unlink()
    return "removed"


def main(root: Path) -> None:
    """Work in turn."""
    home = Home(root)
    for folder in (home.keys, home.fund, home.log):
        folder.mkdir(parents=True)
    home.config.write_text("")
    for path in (home.template_key, home.tls):
        path.write_bytes(KEY)
    open_database(home.database, KEY, [LEDGER_MIGRATIONS], create=True).close()
    share(home, KIOSK, SYNC, GROUP)
    turns = [as_user(uid, GROUP, lambda: write(home)) for uid in (KIOSK, SYNC, KIOSK, SYNC, SYNC, KIOSK)]
    files = sorted(path for path in root.iterdir() if path.name.startswith("desk.db"))
    told = {
        "turns": turns,
        "stranger": as_user(STRANGER, STRANGER, lambda: write(home)),
        "modes": {path.name: f"{path.stat().st_mode & 0o777:o} {path.stat().st_gid}" for path in files},
        "kiosk reads template.key": as_user(KIOSK, GROUP, lambda: read_key(home.template_key)),
        "sync reads template.key": as_user(SYNC, GROUP, lambda: read_key(home.template_key)),
        "sync reads tls.pem": as_user(SYNC, GROUP, lambda: read_key(home.tls)),
        "kiosk reads tls.pem": as_user(KIOSK, GROUP, lambda: read_key(home.tls)),
        "sync removes template.key": as_user(SYNC, GROUP, lambda: remove(home.template_key)),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
