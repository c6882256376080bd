"""Rotates the keys of a desk again and again, each time killed at a random instant; prints what was found after each.

A process of its own: it forks, which a process with threads must not. Arguments: home, fund's home, key, kills, seed.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from appliance.key_rotation import rotate_database_key, rotate_template_key
from sync.database import check_pages
from sync.fund.home import FundHome
from sync.home import Home
from sync.key_source import KeyName, open_keys
from sync.recovery_document import open_recovery
from sync.sealing import SealedBox
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk

ROTATIONS: dict[str, tuple[KeyName, Callable[..., int]]] = {
    "template": (KeyName.TEMPLATE, rotate_template_key),
    "database": (KeyName.DATABASE, rotate_database_key),
}


def rotate(home: Home, rotation: Callable[..., int], kill_after_s: float | None) -> bool:
    """Rotate in a process of its own; True when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            rotation(home, ManualClock(), lambda _: None)
            os._exit(0)
        finally:
            os._exit(1)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def look(home: Home, box: SealedBox, name: KeyName) -> tuple[bool, bytes]:
    """Everything of the desk opens, the fund's copy has the key in use: whether another is pending, and that key."""
    desk = WorkingDesk(home, ManualClock())
    desk.check_everything()
    check_pages(desk.db)
    desk.close()
    keys = open_keys(home)
    pending = keys.pending(name)
    copy = open_recovery(home.recovery.read_bytes(), box)
    known = {KeyName.TEMPLATE: copy.template, KeyName.DATABASE: copy.database}[name]
    assert keys.load(name) in known, "the fund's copy lacks the key in use"
    return pending is not None, keys.load(name)


def main(home: Home, fund: FundHome, which: str, kills: int, seed: int) -> None:
    """Measure one whole rotation, then kill so many within that time."""
    name, rotation = ROTATIONS[which]
    box, chance = SealedBox.load(fund.sealing_key), random.Random(seed)
    began = time.monotonic()
    assert rotate(home, rotation, None)
    whole_s = time.monotonic() - began
    used = {look(home, box, name)[1]}
    ends, pending, killed = 0, 0, 0
    while killed < kills and ends < 5 * kills:
        ended = rotate(home, rotation, chance.uniform(0.0, whole_s))
        whole_s *= 0.9 if ended else 1.02  # the first one was measured while the machine did other things too
        left, key = look(home, box, name)
        used.add(key)
        ends, pending, killed = ends + ended, pending + left, killed + (not ended)
    assert rotate(home, rotation, None)
    left, key = look(home, box, name)
    used.add(key)
    sys.stdout.write(json.dumps({"ends": ends, "pending": pending, "killed": killed, "left": left, "keys": len(used)}))


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])), FundHome(Path(sys.argv[2])), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
