"""Twenty desks and a server: a bad pack stops at the canary, a good one reaches everybody, at kilobytes a desk."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root

from appliance.updating import Outcome, Updated, UpdateFolder
from models import publish
from models.errors import ModelFailure, SlotsDamaged, SlotsUnusable, UpdateGoingOn, UpdateRefused, UpdateUnreachable
from models.releases import Followed, Ring, Wanted
from models.slot_state import Bad, Fault
from models.store import read_pack
from sync.clock import SystemClock
from sync.fund.home import FundHome
from sync.home import Home
from tests.fakes.documents import make_fund_home
from tests.fakes.file_server import Served, file_server
from tests.fakes.publishers import NOW, Publishers, key, make_pack

ROOT = Path(__file__).parents[2]
DESKS = 20
RINGS = [Ring.CANARY] * 2 + [Ring.EARLY] * 4 + [Ring.ALL] * (DESKS - 6)
WEIGHTS = 300_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> FundHome:
    """A certificate authority, and a server's certificate for 127.0.0.1."""
    return make_fund_home(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def publishers(tmp_path: Path) -> Publishers:
    """A repository whose first release every ring runs."""
    made = Publishers(tmp_path / "repository")
    made.release(make_pack(tmp_path / "pack-1", b"# good\n", WEIGHTS), *Ring)
    return made


@pytest.fixture
def served(authority: FundHome, publishers: Publishers) -> Iterator[Served]:
    """The repository on a web server."""
    with file_server(authority.server, publishers.public) as server:
        yield server


class Desk:
    """A desk of the fleet; a pack whose card says bad fails its examination."""

    def __init__(self, root: Path, ring: Ring, publishers: Publishers, served: Served, authority: FundHome) -> None:
        self.folder, self.delivered = UpdateFolder(Home(root)), publishers.folder.with_name("pack-1")
        followed = Followed(ring, served.url)
        self.folder.follow(followed, publishers.first_root, authority.ca_certificate.read_bytes())
        assert self.folder.followed() == followed
        self.followed = followed

    def update(self) -> Updated:
        """What the timer does, and the start after it."""
        with self.folder.server(self.followed, SystemClock().monotonic, lambda _: None) as door:
            done = self.folder.update(door, self.followed, NOW, None, [self.delivered])
        self.start()
        return done

    def start(self) -> Wanted | None:
        """What it runs in the end."""
        slots = self.folder.slots
        if (waiting := slots.waiting()) is not None:
            slots.promote(waiting[1])  # it was watched for long enough
        while (chosen := slots.begin()) is not None:
            if b"bad" not in read_pack(chosen.path).files["card.md"]:
                slots.mark_good(chosen.pack)
                return chosen.pack
            slots.give_up(chosen.pack, Fault.SELF_TEST)
        return None

    @property
    def release(self) -> int:
        """The number of what it runs."""
        pack = self.start()
        return 0 if pack is None else pack.release


def test_a_bad_pack_stops_at_the_canary_and_a_good_one_reaches_everybody(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Nobody outside the ring ever asks for the bad one; with most files unchanged a desk fetches kilobytes."""
    desks = [Desk(tmp_path / f"desk-{i}", ring, publishers, served, authority) for i, ring in enumerate(RINGS)]
    for desk in desks:
        desk.update()
    assert [desk.release for desk in desks] == [1] * DESKS

    bad = publishers.release(make_pack(tmp_path / "pack-2", b"# bad\n", WEIGHTS), Ring.CANARY)
    served.asked.clear()
    fetched = [desk.update() for desk in desks]
    assert [done.pack.installed for done in fetched] == [True] * 2 + [False] * (DESKS - 2)
    assert [desk.release for desk in desks] == [1] * DESKS
    assert sum(f"{bad.digest}.manifest.json" in path for path in served.asked) == 2
    assert [one.fault for one in desks[0].folder.slots.state().bad] == [Fault.SELF_TEST]
    publish.withdraw(publishers.repository, bad.number, NOW, instead=1)

    good = publishers.release(make_pack(tmp_path / "pack-3", b"# better\n", WEIGHTS), Ring.CANARY)
    for reached in (2, 6, DESKS):
        received = [desk.update().received for desk in desks[: reached + 2]]
        assert [desk.release for desk in desks] == [good.number] * reached + [1] * (DESKS - reached)
        assert max(received) < 60_000
        if reached < DESKS:
            publish.promote(publishers.repository, good.number, NOW)
            publishers.stamp()


def test_a_withdrawn_pack_is_left_at_the_next_update(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Also where it had proven itself; the desk goes back by itself."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    desk.update()
    publishers.release(make_pack(tmp_path / "pack-2", b"# good too\n"), Ring.ALL)
    desk.update()
    assert desk.release == 2
    publish.withdraw(publishers.repository, 2, NOW)
    publishers.stamp()
    done = desk.update()
    assert done.pack == Outcome()
    assert desk.release == 1


def test_settings_and_a_pack_are_tried_one_after_the_other(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Or nobody could tell which of them made visits end worse; what is invalid is listed and keeps no pack away."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    settings = publishers.settings(b"[policy]\nfmr = 1e-5\n", Ring.ALL)
    done = desk.update()
    assert (done.settings.installed, done.pack.waits) == (True, True)
    assert done.received < 40_000
    wanted = Wanted(settings.number, settings.digest)
    desk.folder.settings.mark_good(wanted)
    done = desk.update()
    assert (done.settings, done.pack.installed) == (Outcome(wanted), True)

    bad = publishers.settings(b"[policy]\nfmr = 0.5\n", Ring.ALL)
    publishers.release(make_pack(tmp_path / "pack-2", b"# better\n", WEIGHTS), Ring.ALL)
    done = desk.update()
    assert "fmr" in str(done.settings.refused)
    assert done.pack.installed
    assert "failed here" in str(desk.update().settings.refused), "it is not even fetched again"
    state = desk.folder.settings.state()
    assert state.bad == (Bad(Wanted(bad.number, bad.digest), Fault.INVALID),)
    assert state.pack(state.good) == wanted


def test_settings_wait_for_a_pack_on_trial(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """The other way round; a pack that is only watched keeps none waiting, though it may be for days."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)

    def received() -> Updated:
        with desk.folder.server(desk.followed, SystemClock().monotonic, lambda _: None) as door:
            return desk.folder.update(door, desk.followed, NOW, None, [desk.delivered])

    assert received().pack.installed
    first = publishers.settings(b"[policy]\nfmr = 1e-5\n", Ring.ALL)
    assert received().settings.installed
    slots, pack = desk.folder.slots, desk.folder.slots.waiting()
    assert pack is not None
    desk.folder.settings.mark_good(Wanted(first.number, first.digest))
    slots.promote(pack[1])
    publishers.settings(b"[policy]\nfmr = 1e-6\n", Ring.ALL)
    assert received().settings.waits
    slots.mark_good(pack[1])
    assert received().settings.installed


def test_what_broke_off_of_a_release_that_is_not_wanted_any_more_does_not_fill_the_disk(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Halves of files are kept for the next try, and go once a pack is whole."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    served.cut = 100_000
    publishers.release(make_pack(tmp_path / "pack-2", b"# 2\n", 2 * WEIGHTS), Ring.ALL)
    with pytest.raises(UpdateUnreachable):
        desk.update()
    served.cut = None
    halves = list((tmp_path / "desk" / "updates" / "partial").iterdir())
    assert len(halves) == 1
    publishers.release(make_pack(tmp_path / "pack-3", b"# 3\n"), Ring.ALL)
    assert desk.update().pack.installed
    assert not halves[0].exists()


def test_two_updates_at_once_do_not_write_into_the_same_files(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """The timer's while somebody types the command; the second one says so, the first one is whole."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    refused = list[ModelFailure]()

    def meanwhile(_: int) -> None:
        """While the first one's bytes come."""
        if not refused:
            with pytest.raises(UpdateGoingOn) as failure:
                desk.update()
            refused.append(failure.value)

    with desk.folder.server(desk.followed, SystemClock().monotonic, meanwhile) as door:
        assert desk.folder.update(door, desk.followed, NOW, None, []).pack.installed
    assert refused
    assert desk.release == 1
    lock = tmp_path / "desk" / "updates" / "update.lock"
    lock.unlink()
    lock.mkdir()  # as one that another user made: not to be opened
    with pytest.raises(SlotsUnusable, match=r"update\.lock"):
        desk.update()


def test_what_a_desk_remembers_is_strict(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """A damaged memory is no empty one: that would let an old repository in."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    desk.update()
    assert desk.folder.seen() is not None
    (tmp_path / "desk" / "updates" / "seen.json").write_text("{")
    with pytest.raises(SlotsUnusable):
        desk.update()
    (tmp_path / "desk" / "updates" / "root.json").unlink()
    with pytest.raises(SlotsUnusable, match=r"root\.json"):
        desk.update()
    with pytest.raises(UpdateUnreachable, match="no server"):
        desk.folder.server(Followed(Ring.ALL), SystemClock().monotonic, lambda _: None)


def test_a_repository_that_was_founded_anew_is_followed_from_its_root_on(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Two root keys were lost: its first release has a number above all of the old one, other keys are as they were."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    for number in (2, 3):
        publishers.release(make_pack(tmp_path / f"pack-{number}", b"# %d\n" % number), Ring.ALL)
        desk.update()
    assert (desk.release, desk.folder.slots.state().floor) == (3, 2)
    anew = replace(publishers, folder=tmp_path / "anew", root=[key(), key(), key()])
    release = publish.add_release(anew.repository, make_pack(tmp_path / "pack-4", b"# 4\n"), NOW, at_least=4)
    publish.assign(anew.repository, Ring.ALL, release.number, NOW)
    anew.stamp()
    served.folder = anew.public
    with pytest.raises(UpdateRefused):
        desk.update()
    desk.folder.follow(desk.followed, anew.first_root, authority.ca_certificate.read_bytes())
    assert desk.update().pack.installed
    assert desk.release == 4


def test_who_follows_the_same_publishers_in_another_ring_forgets_nothing(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome
) -> None:
    """Or moving a desk to another ring would let an old repository in. A certificate that is not given is not kept."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    desk.update()
    seen = desk.folder.seen()
    desk.folder.follow(Followed(Ring.CANARY, served.url), publishers.first_root, None)
    assert desk.folder.seen() == seen
    with pytest.raises(UpdateUnreachable):
        desk.update()


@pytest.mark.parametrize("mistake", ["targets", "unsigned", "noise", "http"])
def test_a_mistake_in_whom_to_follow_is_told_at_once_and_changes_nothing(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome, mistake: str
) -> None:
    """Another file of the repository, a root that nobody signed, an address without TLS: not at the next update."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    desk.update()
    metadata = publishers.public / "metadata"
    unsigned = Metadata[Root].from_bytes(publishers.first_root)
    unsigned.signatures.clear()
    files = {"targets": (metadata / "1.targets.json").read_bytes(), "unsigned": unsigned.to_bytes(), "noise": b"root"}
    url = served.url.replace("https", "http") if mistake == "http" else served.url
    before = {path: path.read_bytes() for path in (tmp_path / "desk").rglob("*") if path.is_file()}
    with pytest.raises((UpdateRefused, UpdateUnreachable)):
        desk.folder.follow(Followed(Ring.ALL, url), files.get(mistake, publishers.first_root), None)
    assert {path: path.read_bytes() for path in (tmp_path / "desk").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["slots/state.json", "settings/state.json", "seen.json"])
def test_what_a_desk_remembers_and_is_damaged_is_begun_anew_by_following_again(
    tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome, name: str
) -> None:
    """By hand, as its remedy says; nothing forgets a floor by itself."""
    desk = Desk(tmp_path / "desk", Ring.ALL, publishers, served, authority)
    publishers.settings(b"[policy]\nfmr = 1e-5\n", Ring.ALL)
    desk.update()
    (tmp_path / "desk" / "updates" / name).write_text("{")
    with pytest.raises(SlotsDamaged, match="damaged") as failure:
        desk.update()
    assert "models follow" in failure.value.remedy
    desk.folder.follow(desk.followed, publishers.first_root, authority.ca_certificate.read_bytes())
    desk.update()


def test_what_one_user_fetched_by_hand_the_other_tries_counts_and_gives_up() -> None:
    """The delivery's user has the usual umask when somebody types for it; the kiosk's user shares a group with it."""
    assert os.geteuid() == 0, "only root can become two users: run the tests as root"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        command = [sys.executable, "-m", "tests.appliance_root.update_users", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "followed": "installed",
        "started": "ring canary, trial True, tries 1",
        "given up": "1 crashed",
    }
