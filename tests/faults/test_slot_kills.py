"""Two hundred kills -9 in download, install, activation and roll-back, counted in each: always healthy, never back."""

import contextlib
import functools
import os
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from appliance.updating import UpdateFolder
from models import publish
from models.errors import ModelFailure
from models.releases import Followed, Kind, Ring, Wanted
from models.settings_file import held_settings, read_settings, settings_digest
from models.slot_state import Fault, State
from models.slots import Chosen, Held, Slots, held_pack
from models.store import read_pack
from sync.clock import SystemClock
from sync.home import Home
from tests.fakes.documents import make_fund_home
from tests.fakes.file_server import file_server
from tests.fakes.publishers import NOW, Publishers, make_pack


class Phase(Enum):
    """What an update is at; the value is told through a pipe."""

    DOWNLOAD = b"d"
    INSTALL = b"i"
    ACTIVATION = b"a"
    ROLL_BACK = b"r"


KILLS = {Phase.DOWNLOAD: 65, Phase.INSTALL: 65, Phase.ACTIVATION: 35, Phase.ROLL_BACK: 35}
"""At least, of each."""

Mark = Callable[[Phase], None]


class MarkedSlots(Slots):
    """Slots that tell what is done with them."""

    def __init__(self, folder: Path, read: Callable[[Path], Held], mark: Mark) -> None:
        super().__init__(folder, read=read)
        self._mark = mark

    def install(self, source: Path, pack: Wanted, *, waits: bool = False) -> None:
        """Tell, and install."""
        self._mark(Phase.INSTALL)
        super().install(source, pack, waits=waits)

    def begin(self, *, counted: bool = True) -> Chosen | None:
        """Tell, and choose."""
        self._mark(Phase.ACTIVATION)
        return super().begin(counted=counted)

    def give_up(self, pack: Wanted, fault: Fault) -> None:
        """Tell, and give up."""
        self._mark(Phase.ROLL_BACK)
        super().give_up(pack, fault)

    def obey(self, floor: int, withdrawn: tuple[str, ...]) -> None:
        """Tell, if something in use is struck, and obey."""
        if any(pack.digest in withdrawn for _, pack in self.state().packs):
            self._mark(Phase.ROLL_BACK)
        super().obey(floor, withdrawn)


class Errand:
    """What a desk does with updates, over and over."""

    def __init__(self, home: Path, publishers: Publishers, url: str, ca: bytes) -> None:
        self._told: Mark = lambda _: None
        self._folder = UpdateFolder(Home(home))
        self._followed = Followed(Ring.ALL, url)
        self._folder.follow(self._followed, publishers.first_root, ca)
        updates = home / "updates"
        self._folder.slots = self.slots = MarkedSlots(updates / "slots", held_pack, self._mark)
        self._folder.settings = self.settings = MarkedSlots(updates / "settings", held_settings, self._mark)

    def _mark(self, phase: Phase) -> None:
        self._told(phase)

    def run(self, told: Mark) -> None:
        """Settings, a start, a pack, a start. told: is called with what it is at."""
        self._told = told
        for _ in range(2):
            self._mark(Phase.DOWNLOAD)
            with self._folder.server(self._followed, SystemClock().monotonic, lambda _: None) as door:
                done = self._folder.update(door, self._followed, NOW, None, [], at_once=True)
            self.start()
            if not done.pack.waits:
                return

    def start(self) -> Wanted | None:
        """What the desk runs in the end: healthy, or delivered with it."""
        self.start_settings()
        while (chosen := self.slots.begin()) is not None:
            contents = read_pack(chosen.path)
            assert contents.digest == chosen.pack.digest
            if b"bad" in contents.files["card.md"]:
                assert chosen.trial, "a bad pack was proven"
                self.slots.give_up(chosen.pack, Fault.SELF_TEST)
                continue
            if chosen.trial:
                self.slots.mark_good(chosen.pack)
            return chosen.pack
        return None

    def start_settings(self) -> Wanted | None:
        """As `start`, of settings."""
        while (chosen := self.settings.begin()) is not None:
            data = read_settings(chosen.path)
            assert settings_digest(data) == chosen.pack.digest
            if b"bad" in data:
                assert chosen.trial, "bad settings were proven"
                self.settings.give_up(chosen.pack, Fault.SELF_TEST)
                continue
            if chosen.trial:
                self.settings.mark_good(chosen.pack)
            return chosen.pack
        return None


@contextlib.contextmanager
def _serving(certificate: Path, folder: Path) -> Iterator[str]:
    """A real https server in a process of its own: a fork of a process with threads may hang. Gives its address."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with file_server(certificate, folder) as served:
                os.write(writing, served.url.encode())
                signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    try:
        yield os.read(reading, 100).decode()
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _tell(pipe: int, phase: Phase) -> None:
    os.write(pipe, phase.value)


def _killed(errand: Errand, target: Phase, after_s: float) -> Phase | None:
    """Run the errand in a process of its own and kill it this long after it came to the phase.

    Gives the phase that it was killed in; None: it had ended.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            errand.run(functools.partial(_tell, writing))
        except ModelFailure:
            os._exit(3)
        finally:
            os._exit(0)
    os.close(writing)
    said = b""
    while not said.endswith(target.value) and (told := os.read(reading, 1)):
        said += told
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    ended = not os.WIFSIGNALED(os.waitpid(child, 0)[1])
    while select.select([reading], [], [], 0)[0] and (told := os.read(reading, 100)):
        said += told
    os.close(reading)
    return None if ended else Phase(said[-1:])


def _settled(state: State, digest: str) -> bool:
    """Whether the desk has done with a release: proven or given up."""
    good = state.pack(state.good)
    return state.is_bad(digest) or (good is not None and good.digest == digest)


class Releases:
    """What the publishers put out: packs and settings, good and bad ones, and withdrawals of proven ones."""

    def __init__(self, publishers: Publishers, folder: Path) -> None:
        self._publishers, self._repository, self._folder = publishers, publishers.repository, folder
        self._turns = 0
        self.number = 0
        self.digests: dict[int, str] = {}
        self.bad: set[int] = set()
        self.withdrawn: set[int] = set()

    def further(self, *, good: bool) -> None:
        """The next step. not good: what leads to a roll-back, in turn a bad release and a withdrawal."""
        self._turns += not good
        if good or self._turns % 2 or self.number in self.bad | self.withdrawn:
            self._release(b"good" if good else b"bad")
        else:
            self.withdrawn.add(self.number)
            for kind in Kind:
                publish.withdraw(self._repository, self.number, NOW, kind=kind)
            self._publishers.stamp()

    def _release(self, word: bytes) -> None:
        self.number += 1
        if word == b"bad":
            self.bad.add(self.number)
        publish.add_settings(self._repository, b'[policy]\nname = "%s-%d"\n' % (word, self.number), NOW)
        pack = make_pack(self._folder / f"pack-{self.number}", b"# %s %d\n" % (word, self.number), weights=200_000)
        self.digests[self.number] = publish.add_release(self._repository, pack, NOW).digest
        for kind in Kind:
            publish.assign(self._repository, Ring.ALL, self.number, NOW, kind=kind)
        self._publishers.stamp()


def test_two_hundred_kills_leave_a_healthy_pack_and_healthy_settings(tmp_path: Path) -> None:
    """Never below the floor, never back but from what was withdrawn, never a bad one twice; the bad ones are listed."""
    publishers, authority = Publishers(tmp_path / "repository"), make_fund_home(tmp_path / "authority")
    releases, chance = Releases(publishers, tmp_path), random.Random(7)
    kills, best = Counter[Phase](), {"pack": 0, "settings": 0}
    limits = dict.fromkeys(Phase, 0.02)
    with _serving(authority.server, publishers.public) as url:
        errand = Errand(tmp_path / "desk", publishers, url, authority.ca_certificate.read_bytes())
        while any(kills[phase] < KILLS[phase] for phase in Phase):
            target = min(Phase, key=lambda phase: kills[phase] / KILLS[phase])
            if releases.number == 0 or _settled(errand.slots.state(), releases.digests[releases.number]):
                releases.further(good=target is not Phase.ROLL_BACK)
            phase = _killed(errand, target, chance.uniform(0.0, limits[target]))
            limits[target] *= 1.05 if phase is target else 0.8  # most kills fall within the phase, some behind it
            if phase is not None:
                kills[phase] += 1
            runs = {"pack": (errand.start(), errand.slots), "settings": (errand.start_settings(), errand.settings)}
            for kind, (chosen, slots) in runs.items():
                state, number = slots.state(), 0 if chosen is None else chosen.release
                assert chosen is None or chosen.release >= state.floor
                assert chosen is None or not state.is_bad(chosen.digest)
                assert number >= best[kind] or best[kind] in releases.withdrawn, "an older one than before"
                best[kind] = number
        errand.run(lambda _: None)
    assert kills.total() >= 200
    assert min(best.values()) >= 3, "the desk got somewhere in the meantime"
    for slots in (errand.slots, errand.settings):
        bad = {(one.pack.release, one.fault) for one in slots.state().bad}
        assert {number for number, fault in bad if fault is Fault.SELF_TEST} == releases.bad
        assert {number for number, fault in bad if fault is Fault.WITHDRAWN} <= releases.withdrawn
        assert len(bad) > len(releases.bad), "proven ones were withdrawn, too"
