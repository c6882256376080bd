"""The power is cut three hundred times while packs are installed, tried and given up: a healthy pack each time."""

import random
import shutil
from pathlib import Path

from models.slots import Slots
from models.store import read_pack
from tests.fakes.publishers import make_pack
from tests.faults.namecut import Disk, Renamed, Synced, record

CUTS = 300
BAD = {3, 5}
RELEASES = 6


def _lay(names: dict[str, bytes | None], recorded: Path, folder: Path) -> None:
    """Put what the disk holds into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in sorted(names.items()):
        where = folder / Path(path).relative_to(recorded)
        if content is None:
            where.mkdir(exist_ok=True)
        elif where.parent.is_dir() and not where.is_dir():
            where.write_bytes(content)


def _started(slots: Slots) -> int:
    """The number of the release that a start finds; 0: the delivered pack."""
    chosen = slots.begin()
    if chosen is None:
        return 0
    contents = read_pack(chosen.path)
    assert contents.digest == chosen.pack.digest
    if b"bad" in contents.files["card.md"]:
        assert chosen.trial, "a bad pack counts as proven"
        slots.set_aside(chosen.pack)
        return _started(slots)
    return chosen.pack.release


def test_three_hundred_power_cuts_leave_a_healthy_pack(tmp_path: Path) -> None:
    """What was said to be proven is never lost for an older one, what was said to be bad is never forgotten."""
    packs = tmp_path / "packs"
    digests = {}
    for number in range(1, RELEASES + 1):
        card = b"# bad %d\n" if number in BAD else b"# good %d\n"
        digests[number] = read_pack(make_pack(packs / str(number), card % number)).digest
    recorded = tmp_path / "slots"
    steps = record(recorded, "tests.faults.slot_writer", str(recorded), str(packs))
    assert sum(isinstance(step, Renamed) for step in steps) >= 3 * RELEASES
    assert sum(isinstance(step, Synced) for step in steps) > 50
    disk, chance = Disk(steps), random.Random(11)
    seen = set()
    for _ in range(CUTS):
        names, said = disk.after(chance.randint(0, len(steps)), chance)
        _lay(names, recorded, tmp_path / "after")
        slots = Slots(tmp_path / "after")
        release = _started(slots)
        done = {int(line) for line in said}
        assert release >= max(done - BAD, default=0)
        assert release >= slots.state().floor
        assert all(slots.state().is_bad(digests[number]) for number in done & BAD)
        seen.add(release)
    assert seen == set(range(RELEASES + 1)) - BAD
