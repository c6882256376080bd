"""The delivery's user follows publishers by hand, the kiosk's user takes over what came; run by root. Prints JSON."""

import json
import os
import sys
from pathlib import Path

from appliance.packs_in_use import ring_of
from appliance.updating import UpdateFolder
from models.releases import Followed, Ring, Wanted
from models.slot_state import Fault
from models.store import read_pack
from sync.home import Home
from sync.sharing import share
from tests.fakes.publishers import Publishers, make_pack
from tests.sync.two_users import GROUP, KIOSK, SYNC, as_user


def follow(home: Home, root: bytes, pack: Path, wanted: Wanted) -> str:
    """As somebody does who types `sudo -u keldim-sync keldim models ...`: with the usual umask, not that of a unit."""
    os.umask(0o022)
    folder = UpdateFolder(home)
    folder.follow(Followed(Ring.CANARY), root, None)
    folder.slots.install(pack, wanted)
    return "installed"


def start(home: Home) -> str:
    """A start of the kiosk: what it reports as its ring, and whether the try was counted."""
    chosen = UpdateFolder(home).slots.begin()
    trial = chosen is not None and chosen.trial
    return f"ring {ring_of(home)}, trial {trial}, tries {UpdateFolder(home).slots.state().tries}"


def give_up(home: Home, wanted: Wanted) -> str:
    """As a kiosk does whose pack failed; gives what is listed. It also keeps its counts beside the slots."""
    slots = UpdateFolder(home).slots
    slots.give_up(wanted, Fault.CRASHED)
    (home.root / "updates" / "counts").touch()
    return ", ".join(f"{one.pack.release} {one.fault}" for one in slots.state().bad)


def main(root: Path) -> None:
    """Work in turn."""
    home, pack = Home(root / "desk"), make_pack(root / "pack")
    home.root.mkdir()
    for folder in (home.keys, home.fund, home.log):
        folder.mkdir()
    share(home, KIOSK, SYNC, GROUP)
    publishers = Publishers(root / "repository")
    wanted = Wanted(1, read_pack(pack).digest)
    told = {
        "followed": as_user(SYNC, GROUP, lambda: follow(home, publishers.first_root, pack, wanted)),
        "started": as_user(KIOSK, GROUP, lambda: start(home)),
        "given up": as_user(KIOSK, GROUP, lambda: give_up(home, wanted)),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
