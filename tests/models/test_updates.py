"""What a desk accepts from an update server or a stick: every known attack, against a real server."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from models import publish
from models.errors import (
    ModelFailure,
    RepositoryUnusable,
    UpdateExpired,
    UpdateNoRoom,
    UpdateRefused,
    UpdateUnreachable,
    UpdateUnwanted,
)
from models.releases import (
    Assignment,
    Kind,
    Ring,
    Seen,
    Wanted,
    assignment_path,
    manifest_path,
    settings_path,
    write_assignment,
)
from models.settings_file import read_settings, settings_digest
from models.store import read_pack
from models.update_door import FolderDoor, ServerDoor
from models.updates import Fetched, News, Updates, files_of
from sync.clock import SystemClock
from sync.fund.home import FundHome
from tests.fakes.documents import make_fund_home
from tests.fakes.file_server import Served, file_server
from tests.fakes.publishers import NOW, Publishers, key, make_pack, public

LATER = timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> FundHome:
    """A certificate authority, and a server's certificate for 127.0.0.1."""
    return make_fund_home(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def publishers(tmp_path: Path) -> Publishers:
    """A repository whose first release every ring runs."""
    made = Publishers(tmp_path / "repository")
    made.release(make_pack(tmp_path / "pack-1"), *Ring)
    return made


@pytest.fixture
def served(authority: FundHome, publishers: Publishers) -> Iterator[Served]:
    """The repository on a web server."""
    with file_server(authority.server, publishers.public) as server:
        yield server


@dataclass
class Desk:
    """A desk that updates from a server. seen: what it remembers, apart from its cache."""

    home: Path
    root: bytes
    server: Served
    authorities: Path
    seen: Seen | None = None
    ring: Ring = Ring.ALL
    deadline_s: float = 20.0

    def door(self) -> ServerDoor:
        """A way to the server."""
        partial = self.home / "partial"
        return ServerDoor(self.server.url, partial, SystemClock().monotonic, self.deadline_s, self.authorities)

    def look(self, now: datetime = NOW, floor: datetime | None = None) -> News:
        """Ask the server."""
        with self.door() as door:
            news = Updates(self.home / "cache", self.root, self.ring).look(door, now, floor, self.seen)
        self.seen = news.seen
        return news

    def fetch(self, now: datetime = NOW, have: dict[str, Path] | None = None) -> Fetched:
        """Ask, and bring the pack."""
        with self.door() as door:
            news = Updates(self.home / "cache", self.root, self.ring).look(door, now, None, self.seen)
            self.seen = news.seen
            fetched = news.fetch(self.home / "incoming", have or {}, lambda _: None)
        assert fetched is not None
        return fetched

    def fetch_settings(self, now: datetime = NOW) -> bytes:
        """Ask, and bring the settings."""
        with self.door() as door:
            news = Updates(self.home / "cache", self.root, self.ring).look(door, now, None, self.seen)
            self.seen = news.seen
            fetched = news.fetch_settings(self.home / "settings", lambda _: None)
        assert fetched is not None
        return read_settings(fetched.folder)

    def lose_cache(self) -> None:
        """A new disk, or somebody tidied up."""
        shutil.rmtree(self.home / "cache")


@pytest.fixture
def desk(tmp_path: Path, publishers: Publishers, served: Served, authority: FundHome) -> Desk:
    """A desk that was delivered with the repository's first root."""
    return Desk(tmp_path / "desk", publishers.first_root, served, authority.ca_certificate)


def _copied(publishers: Publishers, name: str) -> Path:
    """What an attacker kept, or alters."""
    target = publishers.folder.with_name(name)
    shutil.copytree(publishers.public, target)
    return target


def _newest(folder: Path, role: str) -> Path:
    return max((folder / "metadata").glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".", maxsplit=1)[0]))


def _online_lies(folder: Path, online: CryptoSigner, versions: dict[str, int], timestamp: int | None = None) -> None:
    """What whoever stole the online key can do: a snapshot and a timestamp of their own."""
    snapshot = Metadata[Snapshot].from_file(str(_newest(folder, "snapshot")))
    snapshot.signed.version += 1
    for name, version in versions.items():
        snapshot.signed.meta[name].version = version
    snapshot.sign(online)
    snapshot.to_file(str(folder / "metadata" / f"{snapshot.signed.version}.snapshot.json"))
    stamp = Metadata[Timestamp].from_file(str(folder / "metadata" / "timestamp.json"))
    stamp.signed.version = timestamp or stamp.signed.version + 1
    stamp.signed.snapshot_meta.version = snapshot.signed.version
    stamp.sign(online)
    stamp.to_file(str(folder / "metadata" / "timestamp.json"))


def test_a_release_arrives_whole_from_a_server(desk: Desk, tmp_path: Path) -> None:
    """The pack that was published, file by file, and where it stands is remembered."""
    fetched = desk.fetch()
    assert read_pack(fetched.folder).digest == read_pack(tmp_path / "pack-1").digest == fetched.wanted.digest
    assert fetched.wanted.release == 1
    assert desk.seen is not None
    assert desk.seen.root == 1
    assert desk.seen.at == NOW


def test_a_release_arrives_whole_from_a_stick(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """The same folder, copied, is judged by the same rules without a network."""
    stick = _copied(publishers, "stick")
    news = Updates(desk.home / "cache", desk.root, Ring.ALL).look(FolderDoor(stick), NOW, None, None)
    fetched = news.fetch(desk.home / "incoming", {}, lambda _: None)
    assert fetched is not None
    assert read_pack(fetched.folder).digest == read_pack(tmp_path / "pack-1").digest


def test_a_ring_gets_what_it_was_assigned(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """Canary runs the second release while all others stay with the first."""
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), Ring.CANARY)
    canary = replace(desk, ring=Ring.CANARY, home=tmp_path / "canary", seen=None)
    wanted = [one.look().assignment.wanted for one in (desk, canary)]
    assert [one.release for one in wanted if one is not None] == [1, 2]


def test_rollback_an_older_repository_is_refused(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """A replay of what was once valid, by a server that a thief runs."""
    old = _copied(publishers, "old")
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), *Ring)
    desk.look()
    desk.server.folder = old
    with pytest.raises(UpdateRefused, match="version"):
        desk.look()


def test_lost_cache_and_an_old_repository_are_refused(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """Deleting the cache does not make a desk forget; with the current repository it goes on."""
    old = _copied(publishers, "old")
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), *Ring)
    desk.look()
    desk.lose_cache()
    desk.server.folder = old
    with pytest.raises(UpdateRefused, match="this desk has seen"):
        desk.look()
    desk.lose_cache()
    desk.server.folder = publishers.public
    assert desk.look().assignment.wanted == Wanted(2, read_pack(tmp_path / "pack-2").digest)


def test_lost_cache_and_an_old_root_are_refused(desk: Desk, publishers: Publishers) -> None:
    """A repository from before a change of keys, whose online key may be stolen by now."""
    old = _copied(publishers, "old")
    new = key()
    publish.change_key(publishers.repository, "online", public(publishers.online), public(new), NOW)
    publishers.online = new
    publishers.stamp()
    desk.look()
    desk.lose_cache()
    desk.server.folder = old
    with pytest.raises(UpdateRefused, match="root is version 1"):
        desk.look()


def test_freeze_expired_signatures_are_refused(desk: Desk) -> None:
    """A server that keeps showing the same is found out after three days."""
    desk.look(NOW + timedelta(days=2))
    with pytest.raises(UpdateExpired):
        desk.look(NOW + timedelta(days=4))


def test_clock_set_back_does_not_revive_what_ran_out(desk: Desk, publishers: Publishers) -> None:
    """The fund signed a later time, so the desk's own clock counts for nothing below it."""
    long_ago, signed = NOW - timedelta(days=2000), NOW + timedelta(days=5)
    with pytest.raises(UpdateExpired):
        desk.look(long_ago, floor=signed)
    publishers.now = signed
    publishers.stamp()
    assert desk.look(long_ago, floor=signed).assignment.wanted is not None


def test_clock_set_back_below_the_last_metadata_is_no_help(desk: Desk, publishers: Publishers) -> None:
    """Without the fund, the time at which the last accepted timestamp was signed is the floor."""
    old = _copied(publishers, "old")
    publishers.now = NOW + timedelta(days=30)
    publishers.stamp()
    desk.look(NOW + timedelta(days=30))
    desk.lose_cache()
    assert desk.seen is not None
    desk.seen = replace(desk.seen, timestamp=1)  # even if the versions were forgotten
    desk.server.folder = old
    with pytest.raises(UpdateExpired):
        desk.look(NOW)


def _spoilt(publishers: Publishers, content: Callable[[bytes], bytes]) -> Path:
    evil = _copied(publishers, "evil")
    for path in (evil / "targets" / "files").iterdir():
        path.write_bytes(content(path.read_bytes()))
    return evil


def test_wrong_hash_a_file_of_the_right_length_is_refused(desk: Desk, publishers: Publishers) -> None:
    """And nothing of it is kept: from an honest server the same fetch succeeds."""
    desk.server.folder = _spoilt(publishers, lambda data: b"E" * len(data))
    with pytest.raises(UpdateRefused):
        desk.fetch()
    desk.server.folder = publishers.public
    desk.fetch()


def test_endless_data_is_cut_at_the_signed_length(desk: Desk, publishers: Publishers) -> None:
    """A file that goes on and on fills no disk: no more than was signed and one part is read."""
    desk.server.folder = _spoilt(publishers, lambda data: data + b"E" * 5_000_000)
    with pytest.raises(UpdateRefused, match="more"):
        desk.fetch()
    assert sum(path.stat().st_size for path in desk.home.rglob("*") if path.is_file()) < 200_000


def test_endless_metadata_is_cut(desk: Desk, publishers: Publishers) -> None:
    """A timestamp of twenty megabytes."""
    evil = _copied(publishers, "evil")
    (evil / "metadata" / "timestamp.json").write_bytes(b" " * 20_000_000)
    desk.server.folder = evil
    with pytest.raises(UpdateRefused):
        desk.look()


def test_a_dripping_server_is_left_at_the_deadline(desk: Desk) -> None:
    """A byte every now and then keeps every time-out of a socket quiet; the total deadline does not care."""
    desk.server.drip = 0.05
    desk.deadline_s = 1.0
    started = SystemClock().monotonic()
    with pytest.raises(UpdateUnreachable, match="in time"):
        desk.fetch()
    assert SystemClock().monotonic() - started < 15


def test_mix_and_match_old_targets_under_a_new_name(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """Parts of two states, each signed, do not make a third."""
    before = _newest(publishers.public, "targets").read_bytes()
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), *Ring)
    mixed = _copied(publishers, "mixed")
    _newest(mixed, "targets").write_bytes(before)
    desk.server.folder = mixed
    with pytest.raises(UpdateRefused, match="targets"):
        desk.look()


def test_one_stolen_targets_key_with_the_online_key_releases_nothing(desk: Desk, publishers: Publishers) -> None:
    """Two of three sign a release; one thief with everything else of the server has one."""
    evil = _copied(publishers, "evil")
    targets = Metadata[Targets].from_file(str(_newest(evil, "targets")))
    targets.signed.version += 1
    path = manifest_path(9)
    targets.signed.targets[path] = TargetFile.from_data(path, b"evil", ["sha256"])
    targets.sign(publishers.targets[0])
    targets.to_file(str(evil / "metadata" / f"{targets.signed.version}.targets.json"))
    _online_lies(evil, publishers.online, {"targets.json": targets.signed.version})
    desk.server.folder = evil
    with pytest.raises(UpdateRefused, match="1/2"):
        desk.look()


def _ring_lies(folder: Path, publishers: Publishers, ring: Ring, paths: dict[str, bytes]) -> None:
    metadata = Metadata[Targets].from_file(str(_newest(folder, ring)))
    metadata.signed.version += 1
    for path, data in paths.items():
        target = TargetFile.from_data(path, data, ["sha256"])
        metadata.signed.targets[path] = target
        where = folder / "targets" / target.get_prefixed_paths()[0]
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(data)
    metadata.sign(publishers.rings[ring])
    metadata.to_file(str(folder / "metadata" / f"{metadata.signed.version}.{ring}.json"))
    _online_lies(folder, publishers.online, {f"{ring}.json": metadata.signed.version})


def test_confined_delegation_a_ring_key_signs_no_pack(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """Whoever holds a ring's key and the online key can assign only what two targets keys released."""
    evil = _copied(publishers, "evil")
    manifest = (make_pack(tmp_path / "evil-pack", b"# evil\n") / "manifest.json").read_bytes()
    digest = read_pack(tmp_path / "evil-pack").digest
    lie = write_assignment(Assignment(Wanted(9, digest)))
    _ring_lies(evil, publishers, Ring.CANARY, {assignment_path(Ring.CANARY): lie, manifest_path(9): manifest})
    desk.server.folder = evil
    desk.ring = Ring.CANARY
    with pytest.raises(UpdateRefused, match="not signed by those who may release"):
        desk.fetch()


def test_confined_delegation_a_ring_key_speaks_for_no_other_ring(desk: Desk, publishers: Publishers) -> None:
    """Canary's key cannot withdraw a pack from everybody."""
    evil = _copied(publishers, "evil")
    lie = write_assignment(Assignment(None, 99, ("ab" * 32,)))
    _ring_lies(evil, publishers, Ring.CANARY, {assignment_path(Ring.ALL): lie})
    desk.server.folder = evil
    assert desk.look().assignment.floor == 0


def test_root_rotation_is_followed_and_the_old_keys_are_dead(desk: Desk, publishers: Publishers) -> None:
    """One root key and one targets key are replaced; the two that were revoked sign nothing more."""
    desk.look()
    lost = publishers.root[0]
    for role, keys in (("root", publishers.root), ("targets", publishers.targets)):
        new = key()
        publish.change_key(publishers.repository, role, public(keys[0]), public(new), NOW)
        for signer in publishers.root:
            publishers.repository.sign(signer)
        keys[0] = new
        publishers.stamp()
    news = desk.look()
    assert news.seen.root == 3
    evil = _copied(publishers, "evil")
    root = Metadata[Root].from_file(str(_newest(evil, "root")))
    root.signed.version += 1
    for signer in (lost, publishers.root[1]):
        root.sign(signer, append=signer is not lost)
    root.to_file(str(evil / "metadata" / f"{root.signed.version}.root.json"))
    desk.server.folder = evil
    with pytest.raises(UpdateRefused, match="root was signed by 1/2"):
        desk.look()


def test_fast_forward_is_recovered_from_by_a_new_online_key(desk: Desk, publishers: Publishers) -> None:
    """A thief signs version 2^31: honest timestamps are refused until the root names another online key."""
    evil = _copied(publishers, "evil")
    _online_lies(evil, publishers.online, {}, timestamp=2**31)
    desk.server.folder = evil
    desk.look()
    desk.server.folder = publishers.public
    with pytest.raises(UpdateRefused):
        desk.look()
    new = key()
    publish.change_key(publishers.repository, "online", public(publishers.online), public(new), NOW)
    publishers.online = new
    publishers.stamp()
    assert desk.look().seen.timestamp < 2**31


def test_a_stolen_online_key_cannot_set_the_clock_for_good(desk: Desk, publishers: Publishers) -> None:
    """A timestamp "signed" in 2090 ages everything, until the root names another online key."""
    evil = _copied(publishers, "evil")
    path = evil / "metadata" / "timestamp.json"
    stamp = Metadata[Timestamp].from_file(str(path))
    stamp.signed.version += 1
    stamp.signed.unrecognized_fields["x-keldim-signed"] = "2090-01-01T00:00:00Z"
    stamp.signed.expires = datetime(2091, 1, 1, tzinfo=UTC)
    stamp.sign(publishers.online)
    stamp.to_file(str(path))
    desk.server.folder = evil
    desk.look()
    desk.server.folder = publishers.public
    publishers.stamp()
    publishers.stamp()
    with pytest.raises(UpdateExpired):
        desk.look()
    new = key()
    publish.change_key(publishers.repository, "online", public(publishers.online), public(new), NOW)
    publishers.online = new
    publishers.stamp()
    assert desk.look().seen.at == NOW


def _look_at(stick: Path, desk: Desk) -> Fetched | None:
    news = Updates(desk.home / "cache", desk.root, Ring.ALL).look(FolderDoor(stick), NOW, None, desk.seen)
    return news.fetch(desk.home / "incoming", {}, lambda _: None)


def _older_stick(stick: Path, publishers: Publishers, tmp_path: Path) -> None:
    del stick
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), *Ring)


def _altered_file(stick: Path, publishers: Publishers, tmp_path: Path) -> None:
    del publishers, tmp_path
    path = next((stick / "targets" / "files").iterdir())
    path.write_bytes(b"E" * path.stat().st_size)


def _altered_metadata(stick: Path, publishers: Publishers, tmp_path: Path) -> None:
    del publishers, tmp_path
    path = _newest(stick, "targets")
    value = json.loads(path.read_bytes())
    value["signed"]["targets"] = {}
    path.write_text(json.dumps(value))


def _pipe(stick: Path, publishers: Publishers, tmp_path: Path) -> None:
    del publishers, tmp_path
    path = next((stick / "targets" / "files").iterdir())
    path.unlink()
    os.mkfifo(path)


def _link(stick: Path, publishers: Publishers, tmp_path: Path) -> None:
    del publishers, tmp_path
    path = next((stick / "targets" / "files").iterdir())
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [_older_stick, _altered_file, _altered_metadata, _pipe, _link])
def test_usb_tampering_is_refused(
    desk: Desk, publishers: Publishers, tmp_path: Path, spoil: Callable[[Path, Publishers, Path], None]
) -> None:
    """An old stick, an altered file, altered metadata, a pipe that would hold us, a link that leads elsewhere."""
    stick = _copied(publishers, "stick")
    spoil(stick, publishers, tmp_path)
    desk.look()
    desk.lose_cache()
    with pytest.raises((UpdateRefused, UpdateUnreachable)):
        _look_at(stick, desk)


def test_a_stick_without_a_repository_is_named(tmp_path: Path) -> None:
    """And nothing else is read from it."""
    with pytest.raises(UpdateUnreachable, match="no model repository"):
        FolderDoor(tmp_path)


def test_a_stick_that_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    """As one is that another user mounted, or whose sectors are gone; here by a name that no disk has."""
    with pytest.raises(UpdateUnreachable, match="cannot be read"):
        FolderDoor(tmp_path / ("x" * 300))


@pytest.mark.parametrize("untold", [False, True])
def test_a_download_that_broke_off_is_continued(
    desk: Desk, publishers: Publishers, tmp_path: Path, untold: bool
) -> None:
    """The second try asks for the rest only, also where nobody says how much is to come."""
    publishers.release(make_pack(tmp_path / "pack-2", weights=512_000), *Ring)
    desk.server.cut, desk.server.untold = 300_000, untold
    with pytest.raises(UpdateUnreachable):
        desk.fetch()
    desk.server.cut = None
    fetched = desk.fetch()
    assert desk.server.ranges == ["bytes=300000-"]
    assert fetched.received < 250_000
    assert read_pack(fetched.folder).digest == read_pack(tmp_path / "pack-2").digest


def test_a_release_that_changes_a_threshold_costs_kilobytes(desk: Desk, publishers: Publishers, tmp_path: Path) -> None:
    """Files that are here already are copied, whatever release they came with."""
    first = publishers.release(make_pack(tmp_path / "pack-2", weights=5_000_000), *Ring)
    heavy = desk.fetch()
    publishers.release(make_pack(tmp_path / "pack-3", b"# new threshold\n", weights=5_000_000), *Ring)
    kept = shutil.copytree(heavy.folder, tmp_path / "slot")
    light = desk.fetch(have=files_of([kept, tmp_path / "nothing"]))
    assert light.wanted.release == first.number + 1
    assert heavy.received > 5_000_000
    assert light.received < 40_000
    assert read_pack(light.folder).files["card.md"] == b"# new threshold\n"


def test_a_local_file_that_is_damaged_is_fetched_instead(desk: Desk, tmp_path: Path) -> None:
    """What a manifest on this disk says of a file is believed only after its hash was counted."""
    have = files_of([tmp_path / "pack-1"])
    for path in (tmp_path / "pack-1").iterdir():
        path.write_bytes(b"E" * path.stat().st_size)
    fetched = desk.fetch(have=have)
    assert read_pack(fetched.folder).digest == fetched.wanted.digest


def test_no_room_is_told_before_anything_is_fetched(desk: Desk) -> None:
    """The database on the same disk goes on growing."""
    with desk.door() as door:
        news = Updates(desk.home / "cache", desk.root, Ring.ALL).look(door, NOW, None, None)
        with pytest.raises(UpdateNoRoom):
            news.fetch(desk.home / "incoming", {}, lambda _: None, free=lambda _: 1000)
    assert not any("/targets/files/" in path for path in desk.server.asked)


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        (Assignment(Wanted(1, ""), 2), "below the floor"),
        (Assignment(Wanted(1, ""), 0, ("*",)), "withdrawn"),
    ],
    ids=["floor", "withdrawn"],
)
def test_what_is_withdrawn_or_below_the_floor_is_not_fetched(
    desk: Desk, publishers: Publishers, assignment: Assignment, reason: str
) -> None:
    """Even a ring's own key cannot have it both ways."""
    evil = _copied(publishers, "evil")
    digest = read_pack(publishers.folder.with_name("pack-1")).digest
    lie = replace(assignment, wanted=Wanted(1, digest), withdrawn=tuple(digest for _ in assignment.withdrawn))
    _ring_lies(evil, publishers, Ring.ALL, {assignment_path(Ring.ALL): write_assignment(lie)})
    desk.server.folder = evil
    with pytest.raises(UpdateUnwanted, match=reason):
        desk.fetch()


def test_what_failed_here_before_is_not_fetched(desk: Desk) -> None:
    """The desk's own list is asked."""
    with desk.door() as door:
        news = Updates(desk.home / "cache", desk.root, Ring.ALL).look(door, NOW, None, None)
        with pytest.raises(UpdateUnwanted, match="it crashed"):
            news.fetch(desk.home / "incoming", {}, lambda _: "it crashed")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://127.0.0.1/"])
def test_an_address_without_tls_is_refused(tmp_path: Path, url: str) -> None:
    """What a clinic runs is nobody else's business."""
    with pytest.raises(UpdateUnreachable, match="https"):
        ServerDoor(url, tmp_path, SystemClock().monotonic, 1.0)


def test_another_authority_is_not_trusted(desk: Desk, tmp_path: Path) -> None:
    """The server's certificate is checked against the pinned authority only."""
    desk.authorities = make_fund_home(tmp_path).ca_certificate
    with pytest.raises(UpdateUnreachable, match="SSLError"):
        desk.look()


def test_a_server_that_is_gone_is_a_known_failure(desk: Desk) -> None:
    """The desk goes on with its pack."""
    desk.server.url = "https://127.0.0.1:9"
    with pytest.raises(ModelFailure) as failure:
        desk.look()
    assert isinstance(failure.value, UpdateUnreachable)


STRICT, LOOSE = b"[policy]\nfmr = 1e-5\n", b"[policy]\nfmr = 0.1\n"


def test_settings_arrive_as_they_were_signed_by_server_and_by_stick(desk: Desk, publishers: Publishers) -> None:
    """A few kilobytes in all; the ring's pack stays what it was."""
    published = publishers.settings(STRICT, *Ring)
    assert desk.fetch_settings() == STRICT
    news = Updates(desk.home / "cache", desk.root, Ring.ALL).look(FolderDoor(publishers.public), NOW, None, desk.seen)
    fetched = news.fetch_settings(desk.home / "settings", lambda _: None)
    assert fetched is not None
    assert fetched.wanted == Wanted(1, published.digest) == Wanted(1, settings_digest(STRICT))
    assert fetched.received < 40_000
    assert news.assignment.wanted is not None


def test_settings_of_another_ring_do_not_arrive(desk: Desk, publishers: Publishers) -> None:
    """Canary tries a policy while all others keep theirs; promoted and withdrawn apart from packs."""
    publishers.settings(STRICT, Ring.CANARY)
    assert desk.look().assignment.settings is None
    assert publish.promote(publishers.repository, 1, NOW, Kind.SETTINGS) is Ring.EARLY
    assert publish.withdraw(publishers.repository, 1, NOW, kind=Kind.SETTINGS) == (Ring.CANARY, Ring.EARLY)
    publishers.stamp()
    assert desk.look().assignment == Assignment(
        Wanted(1, read_pack(publishers.folder.with_name("pack-1")).digest), 0, (settings_digest(STRICT),)
    )
    desk.ring = Ring.CANARY
    assert desk.look().assignment.settings is None
    with pytest.raises(RepositoryUnusable, match="withdrawn"):
        publish.assign(publishers.repository, Ring.ALL, 1, NOW, kind=Kind.SETTINGS)


def test_rollback_an_older_repository_brings_no_older_policy(desk: Desk, publishers: Publishers) -> None:
    """A loose policy of last year, signed and all, is no way back to it; not even with the cache gone."""
    publishers.settings(LOOSE, *Ring)
    old = _copied(publishers, "old")
    publishers.settings(STRICT, *Ring)
    assert desk.fetch_settings() == STRICT
    desk.server.folder = old
    for _ in range(2):
        with pytest.raises(UpdateRefused, match="version"):
            desk.fetch_settings()
        desk.lose_cache()


@pytest.mark.parametrize(
    "alter",
    [lambda data: data.replace(b"1e-5", b"1e-1"), lambda data: data + b"#" * 1_000_000],
    ids=["wrong hash", "endless data"],
)
def test_settings_other_than_signed_are_refused(
    desk: Desk, publishers: Publishers, alter: Callable[[bytes], bytes]
) -> None:
    """One digit of an error rate, or a file that does not end; nothing of it stays on the disk."""
    publishers.settings(STRICT, *Ring)
    evil = _copied(publishers, "evil")
    (file,) = (evil / "targets" / "settings" / "1").iterdir()
    file.write_bytes(alter(file.read_bytes()))
    desk.server.folder = evil
    with pytest.raises(UpdateRefused):
        desk.fetch_settings()
    assert not [path for path in (desk.home / "settings").rglob("*") if path.is_file()]
    desk.server.folder = publishers.public
    assert desk.fetch_settings() == STRICT


def test_confined_delegation_a_ring_key_signs_no_settings(desk: Desk, publishers: Publishers) -> None:
    """Whoever holds a ring's key and the online key can assign only settings that two targets keys released."""
    evil = _copied(publishers, "evil")
    lie = write_assignment(Assignment(settings=Wanted(9, settings_digest(LOOSE))))
    _ring_lies(evil, publishers, Ring.ALL, {assignment_path(Ring.ALL): lie, settings_path(9): LOOSE})
    desk.server.folder = evil
    with pytest.raises(UpdateRefused, match="not signed by those who may release"):
        desk.fetch_settings()


def test_settings_under_the_number_of_others_are_refused(desk: Desk, publishers: Publishers) -> None:
    """A ring's key can name a digest and a number only as they were released together."""
    publishers.settings(STRICT, *Ring)
    evil = _copied(publishers, "evil")
    lie = write_assignment(Assignment(settings=Wanted(1, settings_digest(LOOSE))))
    _ring_lies(evil, publishers, Ring.ALL, {assignment_path(Ring.ALL): lie})
    desk.server.folder = evil
    with pytest.raises(UpdateRefused, match="not those the ring was assigned"):
        desk.fetch_settings()


def test_one_stolen_targets_key_with_the_online_key_releases_no_settings(desk: Desk, publishers: Publishers) -> None:
    """A policy takes two of three, as a pack does."""
    evil = _copied(publishers, "evil")
    targets = Metadata[Targets].from_file(str(_newest(evil, "targets")))
    targets.signed.version += 1
    targets.signed.targets[settings_path(1)] = TargetFile.from_data(settings_path(1), LOOSE, ["sha256"])
    targets.sign(publishers.targets[0])
    targets.to_file(str(evil / "metadata" / f"{targets.signed.version}.targets.json"))
    _online_lies(evil, publishers.online, {"targets.json": targets.signed.version})
    desk.server.folder = evil
    with pytest.raises(UpdateRefused, match="1/2"):
        desk.fetch_settings()


@pytest.mark.parametrize("floor", [2, 0], ids=["below the floor", "withdrawn"])
def test_settings_that_are_withdrawn_or_below_the_floor_are_not_fetched(
    desk: Desk, publishers: Publishers, floor: int
) -> None:
    """Even a ring's own key cannot have it both ways."""
    publishers.settings(STRICT, *Ring)
    evil, digest = _copied(publishers, "evil"), settings_digest(STRICT)
    lie = Assignment(None, 0, () if floor else (digest,), Wanted(1, digest), floor)
    _ring_lies(evil, publishers, Ring.ALL, {assignment_path(Ring.ALL): write_assignment(lie)})
    desk.server.folder = evil
    with pytest.raises(UpdateUnwanted, match="below the floor" if floor else "withdrawn"):
        desk.fetch_settings()
