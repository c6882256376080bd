"""Two hundred kills -9 while packs and settings are fetched, installed, tried, proven or given up: always healthy."""

import os
import random
import signal
import time
from pathlib import Path

from models.errors import ModelFailure
from models.releases import Ring, Seen, Wanted
from models.settings_file import read_settings, settings_digest, settings_slots
from models.slot_state import Fault, State
from models.slots import Slots
from models.store import read_pack
from models.update_door import FolderDoor
from models.updates import Updates, files_of
from tests.fakes.publishers import NOW, Publishers, make_pack

KILLS = 200
BAD_EVERY = 3
"""Each third release fails its self-test."""


class Errand:
    """What a desk does with updates, over and over."""

    def __init__(self, home: Path, publishers: Publishers) -> None:
        self._updates = Updates(home / "cache", publishers.first_root, Ring.ALL)
        self._door = FolderDoor(publishers.public)
        self._incoming, self._settings = home / "incoming", home / "incoming_settings"
        self.slots, self.settings = Slots(home / "slots"), settings_slots(home / "settings")

    def run(self, seen: Seen | None) -> None:
        """One update and one start."""
        news = self._updates.look(self._door, NOW, None, seen)
        policy, state = news.assignment.settings, self.settings.state()
        if policy is not None and state.pack(state.in_use) != policy and not state.is_bad(policy.digest):
            settings = news.fetch_settings(self._settings, self.settings.unwanted)
            assert settings is not None
            self.settings.install(settings.folder, policy)
        wanted, state = news.assignment.wanted, self.slots.state()
        if wanted is not None and state.pack(state.in_use) != wanted and not state.is_bad(wanted.digest):
            fetched = news.fetch(self._incoming, files_of(self.slots.paths()), self.slots.unwanted)
            assert fetched is not None
            self.slots.install(fetched.folder, wanted)
        self.start()

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


def _killed(errand: Errand, after_s: float) -> bool:
    """Run the errand in a process of its own and kill it; gives whether it was still at work."""
    child = os.fork()
    if child == 0:
        try:
            errand.run(None)
        except ModelFailure:
            os._exit(3)
        finally:
            os._exit(0)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _settled(state: State, digest: str) -> bool:
    """Whether the desk has done with a release: proven or given up."""
    good = state.pack(state.good)
    return state.is_bad(digest) or (good is not None and good.digest == digest)


def test_two_hundred_kills_leave_a_healthy_pack_and_healthy_settings(tmp_path: Path) -> None:
    """Never below the floor, never back, never a bad one twice; the bad ones are listed with their fault."""
    publishers = Publishers(tmp_path / "repository")
    errand, chance = Errand(tmp_path / "desk", publishers), random.Random(7)
    digests: dict[int, str] = {}
    released = kills = 0
    best, policy, limit = 0, 0, 0.1
    while kills < KILLS:
        state = errand.slots.state()
        if released == 0 or _settled(state, digests[released]):
            released += 1
            publishers.settings((b"# bad %d\n" if released % BAD_EVERY == 0 else b"# good %d\n") % released, Ring.ALL)
            card = b"# bad %d\n" if released % BAD_EVERY == 0 else b"# good %d\n"
            digests[released] = publishers.release(
                make_pack(tmp_path / f"pack-{released}", card % released, weights=200_000), Ring.ALL
            ).digest
        killed = _killed(errand, chance.uniform(0.0, limit))
        limit *= 1.02 if killed else 0.85  # most kills fall within an errand, and some errands end
        kills += killed
        pack = errand.start()
        now = errand.slots.state()
        assert pack is None or pack.release >= now.floor
        assert pack is None or not now.is_bad(pack.digest)
        assert (0 if pack is None else pack.release) >= best, "an older pack than before"
        best = 0 if pack is None else pack.release
        settings = errand.start_settings()
        assert (0 if settings is None else settings.release) >= max(policy, errand.settings.state().floor)
        policy = 0 if settings is None else settings.release
    errand.run(None)
    state = errand.slots.state()
    assert {one.pack.release % BAD_EVERY for one in errand.settings.state().bad} == {0}
    assert min(best, policy) >= 3, "the desk got somewhere in the meantime"
    assert {one.fault for one in state.bad} == {Fault.SELF_TEST}
    assert all(one.pack.release % BAD_EVERY == 0 for one in state.bad)
