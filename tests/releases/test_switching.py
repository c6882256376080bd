"""From one release to another and back: what is refused, what is counted, and what a kill leaves at any step."""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.releases.errors import (
    NothingToDo,
    NotWell,
    RecordsNewer,
    RecordsUnreadable,
    ReleaseDamaged,
    ReleaseGivenUp,
    ReleaseInUse,
    ReleaseMissing,
)
from appliance.releases.shelf import Shelf
from appliance.releases.state import LOOKS_WELL, MAX_LOOKS, MAX_TRIES, State, Version
from appliance.releases.switching import Switching
from tests.fakes.releases import FakeSystem, points_to, put_release

OLD, NEW = Version("0.1.0"), Version("0.2.0")
WINDOW, SYNC = "keldim-window", "keldim-sync"


@pytest.fixture
def system() -> FakeSystem:
    """All is well until told otherwise."""
    return FakeSystem()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A desk with two releases of the same records, of which the older is in use."""
    (tmp_path / "var/lib/keldim").mkdir(parents=True)
    for version in (OLD, NEW):
        put_release(tmp_path, version, "ledger/1", "records/1")
    found = Shelf(tmp_path)
    Switching(found, FakeSystem()).adopt(OLD)
    return found


@pytest.fixture
def switching(shelf: Shelf, system: FakeSystem) -> Switching:
    """The guard of that desk."""
    return Switching(shelf, system)


def test_an_installed_release_waits(switching: Switching) -> None:
    """The package of a new release asks to be adopted, and is not where one is in use."""
    assert switching.adopt(NEW).in_use == OLD
    assert points_to(switching.shelf) == OLD


def test_a_release_is_tried_then_kept(switching: Switching, system: FakeSystem) -> None:
    """Activation is a trial; confirmation makes it the proven one, with a way back that is one command."""
    assert switching.activate(NEW).trial == NEW
    assert (points_to(switching.shelf), system.restarts) == (NEW, [""])
    switching.confirm()
    assert switching.shelf.state() == State(proven=NEW, before=OLD)
    switching.roll_back()
    assert points_to(switching.shelf) == OLD


def test_a_trial_is_rolled_back_and_not_repeated_unasked(switching: Switching) -> None:
    """Who gave it up must say so to try it again."""
    switching.activate(NEW)
    switching.roll_back()
    assert points_to(switching.shelf) == OLD
    with pytest.raises(ReleaseGivenUp, match="by hand"):
        switching.activate(NEW)
    assert switching.activate(NEW, again=True).trial == NEW


def test_a_service_that_does_not_stay_up_ends_the_trial(switching: Switching, system: FakeSystem) -> None:
    """Its starts are counted before they happen; the next one is with the proven release, and the others are told."""
    switching.activate(NEW)
    for _ in range(MAX_TRIES):
        assert switching.starting(WINDOW).trial == NEW
        switching.stopped(WINDOW, well=False)
    state = switching.starting(WINDOW)
    assert (state.in_use, state.why_given_up(NEW)) == (OLD, f"{WINDOW} did not stay up in its starts")
    assert points_to(switching.shelf) == OLD
    assert system.restarts == ["", WINDOW]


def test_who_ends_unasked_has_ended_badly(switching: Switching, system: FakeSystem) -> None:
    """A window that crashes after its first picture is a success to systemd, for the compositor around it ends well."""
    switching.activate(NEW)
    system.asked = False
    for _ in range(MAX_TRIES):
        switching.starting(WINDOW)
        switching.stopped(WINDOW, well=True)
    assert switching.starting(WINDOW).in_use == OLD


def test_an_activation_that_was_cut_off_is_said_again(switching: Switching, system: FakeSystem) -> None:
    """Killed before the services were started anew: the second time they are, and nothing else changes."""
    switching.activate(NEW, restart=False)
    before = switching.starting(SYNC)
    assert switching.activate(NEW) == before
    assert system.restarts == [""]


def test_starts_count_for_each_service_and_only_while_they_end_badly(switching: Switching) -> None:
    """A desk that is switched off every evening is not broken; nor is delivery to blame for the window."""
    switching.activate(NEW)
    for _ in range(5 * MAX_TRIES):
        switching.starting(WINDOW)
        switching.stopped(WINDOW, well=True)
    for _ in range(MAX_TRIES):
        switching.starting(SYNC)
    assert switching.starting(WINDOW).trial == NEW
    assert switching.starting(SYNC).trial is None


def test_a_trial_that_stays_well_is_kept_by_itself(switching: Switching, system: FakeSystem) -> None:
    """Well in a row: one bad look begins anew."""
    switching.activate(NEW)
    for _ in range(LOOKS_WELL - 1):
        switching.watch()
    system.trouble_told = "keldim-window.service is failed"
    assert switching.watch().well == 0
    system.trouble_told = ""
    for _ in range(LOOKS_WELL):
        state = switching.watch()
    assert state == State(proven=NEW, before=OLD)


def test_a_trial_that_nobody_confirms_ends(switching: Switching, system: FakeSystem) -> None:
    """After a day of looks the desk goes back by itself."""
    switching.activate(NEW)
    system.trouble_told = "no service of the desk runs"
    switching.shelf.keep(replace(switching.shelf.state(), looks=MAX_LOOKS - 2))
    assert switching.watch().trial == NEW
    assert switching.watch().in_use == OLD
    assert points_to(switching.shelf) == OLD
    assert system.restarts == ["", ""]


def test_confirmation_asks_the_desk(switching: Switching, system: FakeSystem) -> None:
    """Unless a person has seen it work."""
    with pytest.raises(NothingToDo):
        switching.confirm()
    switching.activate(NEW)
    system.trouble_told = "keldim-sync.service is failed"
    with pytest.raises(NotWell, match="keldim-sync"):
        switching.confirm()
    assert switching.shelf.state().trial == NEW
    assert switching.confirm(seen_working=True).proven == NEW


def test_a_damaged_release_is_not_tried(switching: Switching, system: FakeSystem) -> None:
    """Nothing has changed then."""
    system.complaint_told = "files of keldim-0.2.0 are not what was packed"
    with pytest.raises(ReleaseDamaged, match="not what was packed"):
        switching.activate(NEW)
    assert switching.shelf.state() == State(proven=OLD)


def test_records_are_not_moved_on_by_a_trial(switching: Switching) -> None:
    """A release with another step of the format is used one way only, and then there is no way back to go wrong."""
    later = put_release(switching.shelf.root, "0.3.0", "ledger/1", "records/1", "records/2")
    with pytest.raises(RecordsUnreadable, match="records/2"):
        switching.activate(later)
    assert points_to(switching.shelf) == OLD
    assert switching.activate(later, one_way=True) == State(proven=later, before=OLD)
    with pytest.raises(RecordsNewer, match="records/2"):
        switching.roll_back()
    with pytest.raises(RecordsNewer, match="records/2"):
        switching.activate(OLD, one_way=True)
    assert points_to(switching.shelf) == later


def test_only_records_that_are_here_bind(switching: Switching) -> None:
    """A change of the fund's tables is no matter for a desk."""
    later = put_release(switching.shelf.root, "0.3.0", "ledger/1", "records/1", fund=("fund/2",))
    assert switching.activate(later).trial == later


def test_what_is_used_cannot_be_removed(switching: Switching) -> None:
    """Neither the release on trial nor the way back."""
    switching.activate(NEW)
    for version in (OLD, NEW):
        with pytest.raises(ReleaseInUse):
            switching.require_removable(version)
    switching.confirm()
    switching.require_removable(OLD)


def test_a_release_that_vanished_is_left(switching: Switching) -> None:
    """Somebody forced its removal: the proven one starts. What was never here is refused."""
    switching.activate(NEW)
    (switching.shelf.folder(NEW) / "release.json").unlink()
    assert switching.starting(WINDOW).in_use == OLD
    assert points_to(switching.shelf) == OLD
    with pytest.raises(ReleaseMissing):
        switching.activate(Version("0.9"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "proven": "../.."}'])
def test_a_damaged_state_keeps_the_link(switching: Switching, content: bytes) -> None:
    """The desk starts with what it had."""
    switching.activate(NEW)
    (switching.shelf.root / "var/lib/keldim-release/state.json").write_bytes(content)
    assert switching.starting(WINDOW) == State(proven=NEW)
    assert points_to(switching.shelf) == NEW


_COMMANDS: dict[str, Callable[[Switching], object]] = {
    "activate": lambda guard: guard.activate(NEW),
    "confirm": lambda guard: guard.confirm(),
    "roll back": lambda guard: guard.roll_back(),
    "start": lambda guard: guard.starting(WINDOW),
    "last start": lambda guard: guard.starting(SYNC),
    "stop": lambda guard: guard.stopped(WINDOW, well=True),
    "look": lambda guard: guard.watch(),
}
_CHANGES = {"open", "os.rename", "os.symlink", "os.remove", "os.chmod", "os.chown", "os.mkdir", "os.link"}


def _killed_before(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that dies before its step-th change of the disk; gives whether it did."""
    child = os.fork()
    if child == 0:
        left = step

        def strike(event: str, _: object) -> None:
            nonlocal left
            if event in _CHANGES:
                left -= 1
                if left < 0:
                    os._exit(9)

        sys.addaudithook(strike)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_kill_at_any_step_leaves_a_whole_link(switching: Switching, name: str) -> None:
    """Before and after each change of the disk; the next start follows the state, which is the old or the new one."""
    file = switching.shelf.root / "var/lib/keldim-release/state.json"
    if name != "activate":
        switching.activate(NEW)
        for _ in range(MAX_TRIES):
            switching.starting(SYNC)
        switching.starting(WINDOW)
    before, seen, step = file.read_bytes(), set(), 0
    while True:
        file.write_bytes(before)
        with switching.shelf.held():
            pass
        died = _killed_before(step, lambda: _COMMANDS[name](switching))
        assert points_to(switching.shelf) in {OLD, NEW}
        state = switching.shelf.state()
        seen.add(state)
        with switching.shelf.held():
            assert points_to(switching.shelf) == state.in_use
        assert sorted(path.name for path in switching.shelf.program.iterdir() if path.name[0] != ".") == [
            "current",
            "releases",
        ]
        if not died:
            break
        step += 1
    assert step >= 5, "a command changes the disk in several steps"
    assert 2 <= len(seen) <= 3, "a look is two changes; anything else one"


_STEPS = st.sampled_from(["activate", "confirm", "back", "window", "sync", "stop", "look well", "look ill", "damage"])


@given(steps=st.lists(_STEPS, max_size=40))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_a_release_is_there(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    """The link leads to a release, that is the state's, and one that was given up is not in use."""
    root, system = tmp_path_factory.mktemp("desk"), FakeSystem()
    for version in (OLD, NEW):
        put_release(root, version)
    guard = Switching(Shelf(root), system)
    guard.adopt(OLD)
    acts: dict[str, Callable[[], object]] = {
        "activate": lambda: guard.activate(NEW),
        "confirm": guard.confirm,
        "back": guard.roll_back,
        "window": lambda: guard.starting(WINDOW),
        "sync": lambda: guard.starting(SYNC),
        "stop": lambda: guard.stopped(WINDOW, well=True),
        "look well": guard.watch,
        "look ill": guard.watch,
        "damage": lambda: (root / "var/lib/keldim-release/state.json").write_bytes(b"?"),
    }
    for step in steps:
        system.trouble_told = "ill" if step == "look ill" else ""
        try:
            acts[step]()
        except (NothingToDo, ReleaseGivenUp):
            continue
        state = guard.shelf.state()
        assert points_to(guard.shelf) == state.in_use
        assert state.in_use is not None
        assert state.why_given_up(state.in_use) is None
        assert all(tries <= MAX_TRIES for _, tries in state.tries)
