"""What publishers do with a model repository: found it, add a release, assign rings, promote, withdraw, change keys.

Everything here only stages; signatures and what desks get belong to `repository`, keys to `publishing_keys`. A release
is a whole pack with a number of its own: its manifest is one target, each of its files another, named by content, so
that a release that changes a threshold adds kilobytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from securesystemslib.signer import SSlibKey
from tuf.api.metadata import DelegatedRole, Delegations, Root, Snapshot, TargetFile, Targets, Timestamp

from models.errors import RepositoryUnusable
from models.manifest import MANIFEST_NAME
from models.manifest_document import parse_manifest
from models.releases import (
    MAX_SETTINGS,
    Assignment,
    Kind,
    Ring,
    Wanted,
    assignment_path,
    file_path,
    manifest_path,
    parse_assignment,
    release_of,
    release_path,
    settings_path,
    write_assignment,
)
from models.repository import Repository, Waiting
from models.store import read_pack

OFFLINE_THRESHOLD: Final = 2
"""Of the root's and of the targets' keys: one lost or stolen key neither stops nor forges a release."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Whose keys a repository trusts. root, targets: three each, offline. online: signs snapshots and timestamps."""

    root: Sequence[SSlibKey]
    targets: Sequence[SSlibKey]
    online: SSlibKey
    rings: Mapping[Ring, SSlibKey]


@dataclass(frozen=True, slots=True)
class Release:
    """A published pack, or settings: these have no name and no version. rings: whose desks shall run it."""

    number: int
    name: str
    version: str
    digest: str
    rings: tuple[Ring, ...]
    withdrawn: bool
    kind: Kind = Kind.PACK


@dataclass(frozen=True, slots=True)
class RoleState:
    """What desks get of a role. expires: UTC."""

    role: str
    version: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class State:
    """All of a repository in a few lines."""

    releases: tuple[Release, ...]
    roles: tuple[RoleState, ...]
    waiting: tuple[Waiting, ...]
    assignments: Mapping[Ring, Assignment]


def found(repository: Repository, parties: Parties, now: datetime) -> None:
    """Make a repository whose first metadata waits for the signatures of everybody. Raises RepositoryUnusable."""
    for name, keys in (("root", parties.root), ("targets", parties.targets)):
        if len({key.keyid for key in keys}) <= OFFLINE_THRESHOLD:
            raise RepositoryUnusable(f"{name} needs three different keys: two sign, and one may be lost")
    if {key.keyid for key in parties.root} & {key.keyid for key in parties.targets}:
        raise RepositoryUnusable("a root key is no targets key: who changes keys and who releases packs are two duties")
    if set(parties.rings) != set(Ring):
        raise RepositoryUnusable("every ring needs a key")
    repository.make()
    root = Root(consistent_snapshot=True)
    for role, keys in ((Root.type, parties.root), (Targets.type, parties.targets)):
        for key in keys:
            root.add_key(key, role)
        root.roles[role].threshold = OFFLINE_THRESHOLD
    for role in (Snapshot.type, Timestamp.type):
        root.add_key(parties.online, role)
    targets = Targets(delegations=Delegations({}, {ring: _delegated(ring) for ring in Ring}))
    for ring in Ring:
        targets.add_key(parties.rings[ring], ring)
    repository.stage(Root.type, root, now)
    repository.stage(Targets.type, targets, now)
    for ring in Ring:
        _assign(repository, ring, Assignment(), now)


def _delegated(ring: Ring) -> DelegatedRole:
    """A ring's key says what its desks run, and nothing else: packs are in no path of it."""
    return DelegatedRole(ring, [], threshold=1, terminating=True, paths=[f"rings/{ring}/*"])


def add_release(repository: Repository, pack: Path, now: datetime, at_least: int = 1) -> Release:
    """Put a pack into the repository and let its listing wait for the targets keys. It is in no ring yet.

    at_least: its number; in a repository founded anew above all of the old one, for desks do not go below their floor.
    Raises PackDamaged, and RepositoryUnusable for a pack that no desk could open, or that is there already.
    """
    contents = read_pack(pack)
    if contents.calibration is None:
        raise RepositoryUnusable(f"pack {contents.manifest.name} has no calibration: no desk opens it")
    targets = repository.targets()
    number = max(at_least, _next_number(targets, Kind.PACK, contents.digest))
    manifest = (pack / MANIFEST_NAME).read_bytes()
    added = {file_path(file.sha256): contents.files[file.name] for file in contents.manifest.files}
    for path, data in {**added, manifest_path(number): manifest}.items():
        target = TargetFile.from_data(path, data, ["sha256"])
        repository.put(path, data)
        targets.targets[path] = target
    if targets.targets[manifest_path(number)].hashes["sha256"] != contents.digest:
        raise RepositoryUnusable(f"pack {contents.manifest.name} changed while it was read")
    repository.stage(Targets.type, targets, now)
    return Release(number, contents.manifest.name, contents.manifest.version, contents.digest, (), withdrawn=False)


def add_settings(repository: Repository, data: bytes, now: datetime, at_least: int = 1) -> Release:
    """Put settings into the repository as `add_release` does a pack; whether desks accept them is the caller's.

    Raises RepositoryUnusable for what is there already, or too long.
    """
    if len(data) > MAX_SETTINGS:
        raise RepositoryUnusable(f"settings have at most {MAX_SETTINGS} bytes")
    targets = repository.targets()
    target = TargetFile.from_data("settings", data, ["sha256"])
    digest = target.hashes["sha256"]
    number = max(at_least, _next_number(targets, Kind.SETTINGS, digest))
    target.path = settings_path(number)
    repository.put(target.path, data)
    targets.targets[target.path] = target
    repository.stage(Targets.type, targets, now)
    return Release(number, "", "", digest, (), withdrawn=False, kind=Kind.SETTINGS)


def _next_number(targets: Targets, kind: Kind, digest: str) -> int:
    numbers = {file.hashes["sha256"]: release_of(path, kind) or 0 for path, file in targets.targets.items()}
    if numbers.get(digest):
        raise RepositoryUnusable(f"{kind} {digest[:12]} is published already")
    return max(numbers.values(), default=0) + 1


def assignment(repository: Repository, ring: Ring) -> Assignment:
    """What a ring's desks shall run, staged or published."""
    target = repository.targets(ring).targets.get(assignment_path(ring))
    if target is None:
        return Assignment()
    return parse_assignment(repository.content(target.path, target.hashes["sha256"]))


def assign(
    repository: Repository,
    ring: Ring,
    release: int,
    now: datetime,
    floor: int | None = None,
    kind: Kind = Kind.PACK,
) -> Assignment:
    """Let a ring's desks run a release. floor: from now on none of its kind below it is used; it never sinks.

    Whether the ring before has it is not asked (`require_before`). Raises RepositoryUnusable: no such release,
    withdrawn, below the floor.
    """
    before = assignment(repository, ring)
    digest, lowest = _digest(repository, release, kind), max(before.floor_of(kind), floor or 0)
    if digest in before.withdrawn:
        raise RepositoryUnusable(f"release {release} was withdrawn")
    if release < lowest:
        raise RepositoryUnusable(f"release {release} is below the floor of ring {ring}, {lowest}")
    new = before.wanting(kind, Wanted(release, digest), lowest)
    _assign(repository, ring, new, now)
    return new


def require_before(repository: Repository, ring: Ring, release: int, kind: Kind = Kind.PACK) -> None:
    """Raises RepositoryUnusable for a release that is new to a ring while the ring before it does not run it."""
    runs = assignment(repository, ring).of(kind)
    new = runs is None or runs.release < release
    if new and ring.before is not None and not _runs(assignment(repository, ring.before), release, kind):
        raise RepositoryUnusable(f"release {release} is not in ring {ring.before} yet: put it there, then promote it")


def _digest(repository: Repository, release: int, kind: Kind) -> str:
    target = repository.targets().targets.get(release_path(kind, release))
    if target is None:
        raise RepositoryUnusable(f"there is no release {release}" + (" of settings" * (kind is Kind.SETTINGS)))
    return target.hashes["sha256"]


def promote(repository: Repository, release: int, now: datetime, kind: Kind = Kind.PACK) -> Ring:
    """Let the next ring run a release; gives the ring. Raises RepositoryUnusable when all have it, or none has."""
    reached = [ring for ring in Ring if _runs(assignment(repository, ring), release, kind)]
    if not reached:
        raise RepositoryUnusable(f"release {release} is in no ring yet: put it into canary first")
    following = [ring for ring in Ring if ring.before == reached[-1]]
    if not following:
        raise RepositoryUnusable(f"release {release} is in every ring")
    assign(repository, following[0], release, now, kind=kind)
    return following[0]


def _runs(assigned: Assignment, release: int, kind: Kind) -> bool:
    wanted = assigned.of(kind)
    return wanted is not None and wanted.release == release


def withdraw(
    repository: Repository, release: int, now: datetime, instead: int | None = None, kind: Kind = Kind.PACK
) -> tuple[Ring, ...]:
    """Let no desk use a release any more; gives the rings that ran it.

    instead: what these run from now on; None: each desk goes back to the pack it had before. Raises RepositoryUnusable.
    """
    digest = _digest(repository, release, kind)
    if instead == release:
        raise RepositoryUnusable("a release cannot replace itself")
    struck = []
    for ring in Ring:
        before = assignment(repository, ring)
        runs = _runs(before, release, kind)
        without = before.wanting(kind, None if runs else before.of(kind), before.floor_of(kind))
        _assign(repository, ring, replace(without, withdrawn=tuple(sorted({*before.withdrawn, digest}))), now)
        if runs:
            struck.append(ring)
            if instead is not None:
                assign(repository, ring, instead, now, kind=kind)
    return tuple(struck)


def _assign(repository: Repository, ring: Ring, assigned: Assignment, now: datetime) -> None:
    data, path = write_assignment(assigned), assignment_path(ring)
    repository.put(path, data)
    repository.stage(ring, Targets(targets={path: TargetFile.from_data(path, data, ["sha256"])}), now)


def change_key(repository: Repository, role: str, old: SSlibKey, new: SSlibKey, now: datetime) -> tuple[str, ...]:
    """Replace one key in every duty of `role` (`online`: snapshot and timestamp); gives the roles that wait now.

    A lost or stolen key; after a fast-forward with a stolen online key this is the way back. Raises RepositoryUnusable.
    """
    if role in list(Ring):
        targets = repository.targets()
        _replace(targets, role, old, new)
        repository.stage(Targets.type, targets, now)
        repository.stage(role, repository.targets(role), now)
        return (Targets.type, role)
    root = repository.root()
    roles = (Snapshot.type, Timestamp.type) if role == "online" else (role,)
    for each in roles:
        _replace(root, each, old, new)
    repository.stage(Root.type, root, now)
    if role != Targets.type:
        return (Root.type,)
    repository.stage(Targets.type, repository.targets(), now)
    return (Root.type, Targets.type)


def _replace(delegator: Root | Targets, role: str, old: SSlibKey, new: SSlibKey) -> None:
    try:
        delegator.revoke_key(old.keyid, role)
        delegator.add_key(new, role)
    except ValueError as error:
        raise RepositoryUnusable(f"the key cannot be changed: {error}") from error


def state(repository: Repository) -> State:
    """Releases, roles and what waits. Raises RepositoryUnusable."""
    assigned = {ring: assignment(repository, ring) for ring in Ring}
    releases = []
    for path, target in repository.targets().targets.items():
        for kind in Kind:
            number = release_of(path, kind)
            if number is not None:
                digest = target.hashes["sha256"]
                rings = tuple(ring for ring in Ring if _runs(assigned[ring], number, kind))
                gone = any(digest in each.withdrawn for each in assigned.values())
                named = _named(repository, path, digest) if kind is Kind.PACK else ("", "")
                releases.append(Release(number, *named, digest, rings, gone, kind))
    published = [(role, repository.published(role)) for role in (Root.type, Targets.type, *Ring, Snapshot.type)]
    published.append((Timestamp.type, repository.published(Timestamp.type)))
    roles = tuple(RoleState(role, signed.version, signed.expires) for role, signed in published if signed is not None)
    releases.sort(key=lambda one: (one.kind, one.number))
    return State(tuple(releases), roles, repository.waiting(), assigned)


def _named(repository: Repository, path: str, digest: str) -> tuple[str, str]:
    manifest = parse_manifest(repository.content(path, digest))
    return manifest.name, manifest.version
