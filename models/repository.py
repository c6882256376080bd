"""A TUF repository as a folder of files: what waits for signatures, and what any web server or USB stick may serve.

`public/` is what desks get: consistent snapshots, nothing in it ever changes but `timestamp.json`, which is written
last. `staged/` holds what waits for the signatures of keys that never come together. What is put into a role belongs to
`publish`. `tuf.repository` is declared unstable by its authors, so this stands on `tuf.api` alone.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from models.errors import RepositoryUnusable, SignaturesMissing
from models.releases import SIGNED_AT, Ring, parse_time, write_time

LIFETIME: Final = {Root.type: 400, Targets.type: 200, Snapshot.type: 14, Timestamp.type: 3}
"""Days until a signature runs out. A timestamp's is how long a desk can be kept from knowing of something newer (a
freeze); 1 to 3 days are usual. The offline ones leave a month beyond a yearly and a half-yearly ceremony."""

_RING_DAYS: Final = 100
_RENEWAL: Final = timedelta(days=7)
"""What is left of a snapshot's life when it is signed anew."""

Offline = Root | Targets
_RINGS: Final = tuple(str(ring) for ring in Ring)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A staged role. have: how many signatures of its keys it has. missing: how many more it needs."""

    role: str
    version: int
    have: int
    missing: int


class Repository:
    """One repository. Not for two writers at a time. Every method raises RepositoryUnusable for what it cannot read."""

    def __init__(self, folder: Path) -> None:
        self.public = folder / "public"
        self.staged = folder / "staged"
        self._metadata = self.public / "metadata"

    def make(self) -> None:
        """Make the folders of a new repository."""
        if self.public.exists() or self.staged.exists():
            raise RepositoryUnusable("there is something in this folder already")
        try:
            for folder in (self._metadata, self.public / "targets", self.staged):
                folder.mkdir(parents=True)
        except OSError as error:
            raise RepositoryUnusable(f"the repository cannot be made: {error.strerror}") from error

    def root(self) -> Root:
        """The newest root, staged or published."""
        return _root(self._newest(Root.type))

    def targets(self, role: str = Targets.type) -> Targets:
        """The newest metadata of the packs or of a ring, staged or published."""
        return _targets(self._newest(role))

    def published(self, role: str) -> "_Signed | None":
        """What desks get of a role now."""
        path = self._published(role)
        return None if path is None else _load(path).signed

    def stage(self, role: str, signed: Offline, now: datetime) -> None:
        """Let the next version of a role wait for its signatures; what waited before is dropped with those it had."""
        signed.version = self._version(role) + 1
        signed.expires = _until(now, LIFETIME.get(role, _RING_DAYS))
        metadata: _Any = Metadata[Root](signed) if isinstance(signed, Root) else Metadata[Targets](signed)
        _write(self.staged / f"{role}.json", _bytes(metadata))

    def put(self, path: str, data: bytes) -> None:
        """Put the content of a target where a consistent snapshot has it: under its hash."""
        folder, _, name = path.rpartition("/")
        where = self.public / "targets" / folder / f"{hashlib.sha256(data).hexdigest()}.{name}"
        if not where.exists() or where.stat().st_size != len(data):
            _write(where, data)

    def content(self, path: str, sha256: str) -> bytes:
        """The content of a target."""
        folder, _, name = path.rpartition("/")
        return _read(self.public / "targets" / folder / f"{sha256}.{name}")

    def waiting(self) -> tuple[Waiting, ...]:
        """What waits for signatures, in the order in which it is published."""
        found = []
        for role in (Root.type, Targets.type, *Ring):
            metadata = self._staged(role)
            if metadata is not None:
                found.append(self._judged(role, metadata))
        return tuple(found)

    def drop(self, role: str) -> None:
        """Let what waits of a role not be published."""
        if self._staged(role) is None:
            raise RepositoryUnusable(f"nothing of {role} waits")
        (self.staged / f"{role}.json").unlink()

    def sign(self, signer: Signer) -> tuple[str, ...]:
        """Sign everything staged that this key may sign; gives the roles. Raises what the signer raises."""
        signed = []
        for waiting in self.waiting():
            path = self.staged / f"{waiting.role}.json"
            metadata = _load(path)
            if signer.public_key.keyid in self._keys(waiting.role):
                metadata.sign(signer, append=True)
                _write(path, _bytes(metadata))
                signed.append(waiting.role)
        return tuple(signed)

    def stamp(self, signers: Sequence[Signer], now: datetime) -> tuple[str, ...]:
        """Publish what is staged, then a snapshot where one is due, and a timestamp; gives the roles that changed.

        Raises SignaturesMissing, and then nothing is published.
        """
        waiting = self.waiting()
        lacking = [f"{one.role} lacks {one.missing}" for one in waiting if one.missing]
        if lacking:
            raise SignaturesMissing(f"signatures are missing: {', '.join(lacking)}")
        root = self.root()
        online = _online(root, signers)
        self._require_clock((root, self.targets()), now)
        for one in waiting:
            data = _read(self.staged / f"{one.role}.json")
            _write(self._metadata / f"{one.version}.{one.role}.json", data)
        changed = [one.role for one in waiting]
        changed += self._snapshot(root, online, now)
        self._timestamp(root, online, now)
        for path in self.staged.glob("*.json"):
            path.unlink()
        return (*changed, Timestamp.type)

    def renew(self, signers: Sequence[Signer], now: datetime) -> tuple[str, ...]:
        """Sign what is published for another while; what is staged goes on waiting. Gives the roles that changed.

        Raises SignaturesMissing.
        """
        root = self.published(Root.type)
        if not isinstance(root, Root):
            raise RepositoryUnusable("nothing is published yet")
        online = _online(root, signers)
        self._require_clock((root, self.published(Targets.type)), now)
        changed = self._snapshot(root, online, now)
        self._timestamp(root, online, now)
        return (*changed, Timestamp.type)

    def _require_clock(self, offline: "Sequence[_Signed | None]", now: datetime) -> None:
        """A stamp of a clock that is behind is refused by desks; one that is ahead they remember."""
        last = self.published(Timestamp.type)
        told = None if last is None else last.unrecognized_fields.get(SIGNED_AT)
        before = parse_time(told) if isinstance(told, str) else None
        if before is not None and now < before:
            raise RepositoryUnusable(f"the clock of this machine is before the last stamp, {write_time(before)}")
        for signed in offline:
            if signed is not None and signed.expires <= now:
                raise RepositoryUnusable(f"by this machine's clock {signed.type} has run out: set it, or sign anew")

    def _snapshot(self, root: Root, online: dict[str, Signer], now: datetime) -> list[str]:
        meta = {f"{role}.json": MetaFile(self._version(role)) for role in (Targets.type, *Ring)}
        path = self._published(Snapshot.type)
        version = self._version(Snapshot.type)
        if path is not None:
            metadata = _load(path)
            last = metadata.signed
            same = isinstance(last, Snapshot) and last.meta == meta and last.expires - now > _RENEWAL
            if same and root.get_verification_result(Snapshot.type, metadata.signed_bytes, metadata.signatures):
                return []
        new = Metadata(Snapshot(version + 1, expires=_until(now, LIFETIME[Snapshot.type]), meta=meta))
        _sign_all(new, root.roles[Snapshot.type].keyids, online)
        _write(self._metadata / f"{version + 1}.snapshot.json", _bytes(new))
        return [Snapshot.type]

    def _timestamp(self, root: Root, online: dict[str, Signer], now: datetime) -> None:
        before = self.published(Timestamp.type)
        snapshot = MetaFile(self._version(Snapshot.type))
        expires = _until(now, LIFETIME[Timestamp.type])
        new = Metadata(
            Timestamp(
                1 if before is None else before.version + 1,
                expires=expires,
                snapshot_meta=snapshot,
                unrecognized_fields={SIGNED_AT: write_time(now)},
            )
        )
        _sign_all(new, root.roles[Timestamp.type].keyids, online)
        _write(self._metadata / "timestamp.json", _bytes(new))

    def _keys(self, role: str) -> set[str]:
        """Whose signatures count for what is staged: of a new root also the last one's keys."""
        if role in _RINGS:
            delegations = self.targets().delegations
            delegated = None if delegations is None or delegations.roles is None else delegations.roles.get(role)
            return set() if delegated is None else set(delegated.keyids)
        keys = set(self.root().roles[role].keyids)
        last = self.published(role) if role == Root.type else None
        return keys | set(last.roles[Root.type].keyids) if isinstance(last, Root) else keys

    def _judged(self, role: str, metadata: "_Any") -> Waiting:
        payload, version = metadata.signed_bytes, metadata.signed.version
        if role == Root.type:
            last = self.published(Root.type)
            before = last if isinstance(last, Root) and last.version < version else None
            judged = _root(metadata).get_root_verification_result(before, payload, metadata.signatures)
            return Waiting(role, version, len(judged.signed), max(judged.first.missing, judged.second.missing))
        delegator = self.targets() if role in _RINGS else self.root()
        result = delegator.get_verification_result(role, payload, metadata.signatures)
        return Waiting(role, version, len(result.signed), result.missing)

    def _newest(self, role: str) -> "_Any":
        staged = self._staged(role)
        if staged is not None:
            return staged
        path = self._published(role)
        if path is None:
            raise RepositoryUnusable(f"this folder is no model repository: it has no {role}")
        return _load(path)

    def _staged(self, role: str) -> "_Any | None":
        """What waits of a role; None: nothing, or what came back after another of its version was published."""
        path = self.staged / f"{role}.json"
        metadata = _load(path) if path.exists() else None
        return metadata if metadata is not None and metadata.signed.version > self._version(role) else None

    def _published(self, role: str) -> Path | None:
        if role == Timestamp.type:
            path = self._metadata / "timestamp.json"
            return path if path.exists() else None
        version = self._version(role)
        return self._metadata / f"{version}.{role}.json" if version else None

    def _version(self, role: str) -> int:
        """Of the newest published metadata of a role; 0: there is none."""
        name = re.compile(rf"([1-9][0-9]{{0,9}})\.{role}\.json")
        found = (name.fullmatch(path.name) for path in self._metadata.glob(f"*.{role}.json"))
        return max((int(match[1]) for match in found if match), default=0)


_Signed = Root | Targets | Snapshot | Timestamp
_Any = Metadata[Root] | Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp]


def _load(path: Path) -> _Any:
    try:
        loaded: _Any = Metadata.from_bytes(_read(path))
    except RepositoryError as error:
        raise RepositoryUnusable(f"{path.name} is damaged: {error}") from error
    return loaded


def _root(metadata: _Any) -> Root:
    if not isinstance(metadata.signed, Root):
        raise RepositoryUnusable("what is called root is none")
    return metadata.signed


def _targets(metadata: _Any) -> Targets:
    if not isinstance(metadata.signed, Targets):
        raise RepositoryUnusable("what should list targets does not")
    return metadata.signed


def _online(root: Root, signers: Sequence[Signer]) -> dict[str, Signer]:
    """The signers by key. Raises SignaturesMissing."""
    online = {signer.public_key.keyid: signer for signer in signers}
    for role in (Snapshot.type, Timestamp.type):
        if len(online.keys() & root.roles[role].keyids) < root.roles[role].threshold:
            raise SignaturesMissing(f"{role} is signed by another key than the ones given")
    return online


def _sign_all(metadata: _Any, keyids: Sequence[str], online: dict[str, Signer]) -> None:
    for keyid in keyids:
        if keyid in online:
            metadata.sign(online[keyid], append=True)


def _until(now: datetime, days: int) -> datetime:
    return now.replace(microsecond=0) + timedelta(days=days)


def _bytes(metadata: _Any) -> bytes:
    return metadata.to_bytes(JSONSerializer(compact=False))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RepositoryUnusable(f"{path.name} cannot be read: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    """Whole under its name or not at all; readable by a web server of any user."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise RepositoryUnusable(f"{path.name} cannot be written: {error.strerror}") from error
