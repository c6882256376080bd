"""Publishing: two of three, ring by ring, and nothing half signed reaches a web server."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from models import publish
from models.errors import RepositoryUnusable, SignaturesMissing, UpdateRefused
from models.manifest_document import write_manifest
from models.publish import Parties
from models.releases import Assignment, Ring, Seen, Wanted, parse_assignment, parse_seen, write_assignment, write_seen
from models.repository import Repository
from models.store import read_pack
from tests.fakes.publishers import NOW, Publishers, key, make_pack, public
from tests.models.manifests import manifest_of, write_pack, zoo_models


@pytest.fixture
def publishers(tmp_path: Path) -> Publishers:
    """An empty repository, signed."""
    return Publishers(tmp_path / "repository")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_needs_two_of_three(publishers: Publishers, tmp_path: Path) -> None:
    """One signature publishes nothing; the status says for whom it waits."""
    publish.add_release(publishers.repository, make_pack(tmp_path / "pack"), NOW)
    metadata = publishers.public / "metadata"
    before = _files(metadata)
    assert publishers.repository.sign(publishers.targets[2]) == ("targets",)
    publishers.repository.sign(publishers.targets[2])
    with pytest.raises(SignaturesMissing, match="targets lacks 1"):
        publishers.repository.stamp([publishers.online], NOW)
    assert _files(metadata) == before
    (waiting,) = publish.state(publishers.repository).waiting
    assert (waiting.role, waiting.have, waiting.missing) == ("targets", 1, 1)
    publishers.repository.sign(publishers.targets[0])
    assert publishers.repository.stamp([publishers.online], NOW) == ("targets", "snapshot", "timestamp")


def test_a_foreign_key_signs_nothing(publishers: Publishers, tmp_path: Path) -> None:
    """And a root key no release."""
    publish.add_release(publishers.repository, make_pack(tmp_path / "pack"), NOW)
    assert publishers.repository.sign(key()) == ()
    assert publishers.repository.sign(publishers.root[0]) == ()


def test_a_stamp_by_another_online_key_is_refused(publishers: Publishers) -> None:
    """Before anything is written."""
    with pytest.raises(SignaturesMissing, match="another key"):
        publishers.repository.stamp([key()], NOW)


def test_a_daily_stamp_renews_the_snapshot_in_time(publishers: Publishers) -> None:
    """Nothing else is signed anew, and versions grow by one."""
    repository = publishers.repository
    done = [repository.stamp([publishers.online], NOW + timedelta(days=day)) for day in range(1, 10)]
    assert [("snapshot" in roles) for roles in done] == [False] * 6 + [True] + [False] * 2
    stamp = repository.published("timestamp")
    assert stamp is not None
    assert stamp.version == 10


@pytest.mark.parametrize("days", [-1, 300])
def test_a_machine_whose_clock_is_wrong_stamps_nothing(publishers: Publishers, days: int) -> None:
    """Desks keep the latest time they saw signed: a stamp from next year would keep them from updates until then."""
    before = _files(publishers.public)
    for put_out in (publishers.repository.stamp, publishers.repository.renew):
        with pytest.raises(RepositoryUnusable, match="clock"):
            put_out([publishers.online], NOW + timedelta(days=days))
    assert _files(publishers.public) == before


def test_the_days_are_stamped_while_a_release_is_signed_elsewhere(publishers: Publishers, tmp_path: Path) -> None:
    """Else desks would stop updating after three days; what is carried back is what was staged and its contents."""
    repository, elsewhere = publishers.repository, tmp_path / "stick"
    publish.add_release(repository, make_pack(tmp_path / "pack"), NOW)
    shutil.copytree(publishers.folder, elsewhere)
    for day in range(1, 10):
        with pytest.raises(SignaturesMissing):
            repository.stamp([publishers.online], NOW + timedelta(days=day))
        done = repository.renew([publishers.online], NOW + timedelta(days=day))
        assert set(done) <= {"snapshot", "timestamp"}
    assert [one.role for one in repository.waiting()] == ["targets"]
    away = Repository(elsewhere)
    publish.assign(away, Ring.CANARY, 1, NOW)
    for signer in (*publishers.targets[:2], publishers.rings[Ring.CANARY]):
        away.sign(signer)
    for name in ("staged", "public/targets"):
        shutil.copytree(elsewhere / name, publishers.folder / name, dirs_exist_ok=True)
    now = NOW + timedelta(days=10)
    assert repository.stamp([publishers.online], now) == ("targets", "canary", "snapshot", "timestamp")
    stamp = repository.published("timestamp")
    assert stamp is not None
    assert stamp.version == 11


def test_what_was_staged_before_another_was_published_is_not_published(publishers: Publishers, tmp_path: Path) -> None:
    """A stick that comes back late: the same version with other contents would divide the desks."""
    repository, elsewhere = publishers.repository, tmp_path / "stick"
    shutil.copytree(publishers.folder, elsewhere)
    late = Publishers(elsewhere, NOW, publishers.root, publishers.targets, publishers.online, publishers.rings)
    publish.add_release(late.repository, make_pack(tmp_path / "late", b"# late\n"), NOW)
    for signer in publishers.targets[:2]:
        late.repository.sign(signer)
    publishers.release(make_pack(tmp_path / "pack"), Ring.CANARY)
    before = _files(publishers.public / "metadata")
    shutil.copytree(elsewhere / "staged", publishers.folder / "staged", dirs_exist_ok=True)
    assert repository.waiting() == ()
    repository.stamp([publishers.online], NOW)
    after = _files(publishers.public / "metadata")
    assert {name for name in after if after[name] != before.get(name)} == {"timestamp.json"}
    assert [one.name for one in publish.state(repository).releases] == ["example"]


def test_what_waits_can_be_dropped(publishers: Publishers, tmp_path: Path) -> None:
    """A pack published by mistake does not keep a withdrawal back."""
    publish.add_release(publishers.repository, make_pack(tmp_path / "pack"), NOW)
    publishers.repository.drop("targets")
    assert publishers.repository.waiting() == ()
    assert publishers.repository.stamp([publishers.online], NOW) == ("timestamp",)
    with pytest.raises(RepositoryUnusable, match="nothing of root waits"):
        publishers.repository.drop("root")


def test_promotion_goes_ring_by_ring(publishers: Publishers, tmp_path: Path) -> None:
    """Canary, early, all; no ring is left out, and there is none after the last."""
    release = publishers.release(make_pack(tmp_path / "pack"))
    with pytest.raises(RepositoryUnusable, match="canary first"):
        publish.promote(publishers.repository, release.number, NOW)
    publish.assign(publishers.repository, Ring.CANARY, release.number, NOW)
    assert [publish.promote(publishers.repository, 1, NOW) for _ in range(2)] == [Ring.EARLY, Ring.ALL]
    with pytest.raises(RepositoryUnusable, match="every ring"):
        publish.promote(publishers.repository, release.number, NOW)
    (shown,) = publish.state(publishers.repository).releases
    assert shown.rings == tuple(Ring)


def test_a_withdrawn_release_is_replaced_and_never_assigned_again(publishers: Publishers, tmp_path: Path) -> None:
    """In every ring, whichever ran it."""
    repository = publishers.repository
    publishers.release(make_pack(tmp_path / "pack-1"), *Ring)
    bad = publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"), Ring.CANARY, Ring.EARLY)
    assert publish.withdraw(repository, bad.number, NOW, instead=1) == (Ring.CANARY, Ring.EARLY)
    assigned = publish.state(repository).assignments
    assert {one.withdrawn for one in assigned.values()} == {(bad.digest,)}
    assert {one.wanted.release for one in assigned.values() if one.wanted} == {1}
    with pytest.raises(RepositoryUnusable, match="withdrawn"):
        publish.assign(repository, Ring.ALL, bad.number, NOW)
    publish.withdraw(repository, 1, NOW)
    assert all(one.wanted is None for one in publish.state(repository).assignments.values())


def test_the_floor_of_a_ring_never_sinks(publishers: Publishers, tmp_path: Path) -> None:
    """An older release cannot be assigned past it."""
    publishers.release(make_pack(tmp_path / "pack-1"))
    publishers.release(make_pack(tmp_path / "pack-2", b"# other\n"))
    publish.assign(publishers.repository, Ring.ALL, 2, NOW, floor=2)
    assert publish.assign(publishers.repository, Ring.ALL, 2, NOW, floor=1).floor == 2
    with pytest.raises(RepositoryUnusable, match="below the floor"):
        publish.assign(publishers.repository, Ring.ALL, 1, NOW)


def test_a_pack_is_published_once_and_only_calibrated(publishers: Publishers, tmp_path: Path) -> None:
    """Two numbers for one pack, or a pack no desk opens, are mistakes."""
    publishers.release(make_pack(tmp_path / "pack"))
    with pytest.raises(RepositoryUnusable, match="published already"):
        publish.add_release(publishers.repository, tmp_path / "pack", NOW)
    bare = tmp_path / "bare"
    write_pack(bare, zoo_models())
    files = {name: data for name, data in read_pack(bare).files.items() if name != "calibration.json"}
    manifest = replace(manifest_of(zoo_models(), files), calibration=None)
    (bare / "calibration.json").unlink()
    (bare / "manifest.json").write_bytes(write_manifest(manifest))
    with pytest.raises(RepositoryUnusable, match="no calibration"):
        publish.add_release(publishers.repository, bare, NOW)


def test_what_does_not_exist_is_named(publishers: Publishers) -> None:
    """A release number mistyped."""
    for asked in (
        lambda: publish.assign(publishers.repository, Ring.ALL, 7, NOW),
        lambda: publish.withdraw(publishers.repository, 7, NOW),
    ):
        with pytest.raises(RepositoryUnusable, match="no release 7"):
            asked()


def test_a_ring_key_can_be_changed(publishers: Publishers) -> None:
    """By the targets keys; the old one then signs nothing."""
    old, new = publishers.rings[Ring.CANARY], key()
    roles = publish.change_key(publishers.repository, "canary", public(old), public(new), NOW)
    assert roles == ("targets", "canary")
    assert publishers.repository.sign(old) == ()
    publishers.rings[Ring.CANARY] = new
    publishers.stamp()
    with pytest.raises(RepositoryUnusable, match="cannot be changed"):
        publish.change_key(publishers.repository, "canary", public(old), public(new), NOW)


def test_a_founding_with_too_few_keys_is_refused(tmp_path: Path) -> None:
    """Three of each, no key in both duties, one for every ring."""
    keys = [public(key()) for _ in range(7)]
    rings = dict.fromkeys(Ring, keys[6])
    good = Parties(keys[:3], keys[3:6], keys[6], rings)
    for parties in (
        replace(good, root=keys[:2]),
        replace(good, targets=[keys[3], keys[3], keys[4]]),
        replace(good, targets=keys[2:5]),
        replace(good, rings={Ring.ALL: keys[6]}),
    ):
        with pytest.raises(RepositoryUnusable):
            publish.found(Repository(tmp_path / "repository"), parties, NOW)
    publish.found(Repository(tmp_path / "repository"), good, NOW)
    with pytest.raises(RepositoryUnusable, match="already"):
        publish.found(Repository(tmp_path / "repository"), good, NOW)


def test_a_folder_that_is_no_repository_is_named(tmp_path: Path) -> None:
    """Not a stack trace."""
    with pytest.raises(RepositoryUnusable, match="no model repository"):
        publish.state(Repository(tmp_path))
    (tmp_path / "staged").mkdir()
    (tmp_path / "staged" / "canary.json").write_bytes(b"{")
    with pytest.raises(RepositoryUnusable, match="damaged"):
        publish.state(Repository(tmp_path))


@pytest.mark.parametrize(
    "assignment",
    [Assignment(), Assignment(Wanted(3, "ab" * 32), 2, ("cd" * 32,))],
    ids=["nothing", "release"],
)
def test_an_assignment_is_read_as_it_was_written(assignment: Assignment) -> None:
    """Strictly."""
    assert parse_assignment(write_assignment(assignment)) == assignment


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", write_assignment(Assignment(withdrawn=("short",))), write_assignment(Assignment())[:-3]]
)
def test_what_is_no_assignment_is_refused(data: bytes) -> None:
    """Also one that withdraws what is no digest."""
    with pytest.raises(UpdateRefused):
        parse_assignment(data)


def test_what_a_desk_saw_is_read_as_it_was_written(publishers: Publishers) -> None:
    """Versions, keys and time."""
    seen = Seen(2, 7, (publishers.online.public_key.keyid,), NOW)
    assert parse_seen(write_seen(seen)) == seen
