"""Installs, tries, proves and gives up packs, saying on stdout what is done: `python -m tests.faults.slot_writer`."""

import sys
from pathlib import Path

from models.releases import Wanted
from models.slot_state import Fault
from models.slots import Slots
from models.store import read_pack


def run(folder: Path, packs: Path) -> None:
    """Every pack in order of its number; one whose card says bad is given up."""
    slots = Slots(folder)
    for path in sorted(packs.iterdir()):
        contents = read_pack(path)
        pack = Wanted(int(path.name), contents.digest)
        slots.install(path, pack)
        slots.begin()
        if b"bad" in contents.files["card.md"]:
            slots.give_up(pack, Fault.SELF_TEST)
        else:
            slots.mark_good(pack)
        sys.stdout.write(f"{pack.release}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
