"""Receives signed packs: judges what an update server or a USB stick holds, and fetches what is new of it.

The judge is python-tuf's client, as published, with three things it lacks: a floor for time, a memory of the newest
metadata that outlives its cache, and files that are here already are not fetched again. How bytes come in belongs to
`update_door`, putting a pack into use to `slots`. Nothing here touches the pack in use; no failure stops a check-in.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from models.document import MAX_DOCUMENT_BYTES
from models.errors import (
    PackDamaged,
    SlotsUnusable,
    UpdateExpired,
    UpdateNoRoom,
    UpdateRefused,
    UpdateUnreachable,
    UpdateUnwanted,
)
from models.manifest import MANIFEST_NAME, Manifest, PackFile
from models.manifest_document import parse_manifest
from models.releases import (
    MAX_ASSIGNMENT,
    MAX_SETTINGS,
    SIGNED_AT,
    Assignment,
    Kind,
    Ring,
    Seen,
    Wanted,
    assignment_path,
    file_path,
    manifest_path,
    newer,
    parse_assignment,
    parse_time,
    settings_path,
)
from models.settings_file import SETTINGS_NAME, held_settings
from models.store import read_pack
from models.update_door import Door

MARGIN: Final = 64 << 20
"""Bytes of the disk that an update leaves free: the database and the journal go on growing."""

_LIMITS: Final = UpdaterConfig(max_root_rotations=64, max_delegations=8, root_max_length=64_000)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole, verified pack, or settings, not in use yet. received: bytes that came for it, metadata included."""

    folder: Path
    wanted: Wanted
    received: int


class _Client(Updater):
    """python-tuf's client; `at`: the time it judges by."""

    def judge_by(self, at: datetime) -> None:
        self._trusted_set.reference_time = at

    @property
    def root(self) -> Root:
        return self._trusted_set.root

    @property
    def timestamp(self) -> Timestamp:
        return self._trusted_set.timestamp

    @property
    def targets(self) -> Targets:
        return self._trusted_set.targets


@dataclass(frozen=True, slots=True)
class News:
    """What the publishers want this desk to run. seen: to be remembered, and given the next time."""

    assignment: Assignment
    seen: Seen
    _client: _Client
    _door: Door

    def fetch(
        self,
        folder: Path,
        have: Mapping[str, Path],
        unwanted: Callable[[Wanted], str | None],
        free: Callable[[Path], int] = _free,
    ) -> Fetched | None:
        """Bring the wanted pack into a folder below this one, whole and verified; None: nothing is wanted.

        have: files that are on this machine, by SHA-256; they are copied. unwanted: why a release may not be used.
        Raises UpdateRefused, UpdateUnreachable, UpdateUnwanted, UpdateNoRoom, SlotsUnusable.
        """
        wanted = self.assignment.wanted
        if wanted is None:
            return None
        reason = self.assignment.barred(Kind.PACK, wanted) or unwanted(wanted)
        if reason is not None:
            raise UpdateUnwanted(f"release {wanted.release} is not used here: {reason}")
        with _failures():
            place = _emptied(folder, wanted.digest)
            manifest = self._manifest(place, wanted)
            known = {file.name for file in manifest.files} | {MANIFEST_NAME}
            for path in place.iterdir():
                if path.name not in known:
                    path.unlink()
            infos = [(file, self._info(file)) for file in manifest.files]
            missing = [
                pair for pair in infos if self._client.find_cached_target(pair[1], str(place / pair[0].name)) is None
            ]
            need = sum(file.size for file, _ in missing) + sum(file.size for file in manifest.files)
            if free(folder) < need + MARGIN:
                raise UpdateNoRoom(f"release {wanted.release} needs {need + MARGIN} bytes, {free(folder)} are free")
            for file, info in missing:
                self._bring(info, place / file.name, have.get(file.sha256))
            if read_pack(place).digest != wanted.digest:
                raise UpdateRefused("the pack is another one than was assigned")
        return Fetched(place, wanted, self._door.received)

    def fetch_settings(self, folder: Path, unwanted: Callable[[Wanted], str | None]) -> Fetched | None:
        """Bring the wanted settings into a folder below this one, verified; None: none wanted. Raises as `fetch`."""
        wanted = self.assignment.settings
        if wanted is None:
            return None
        reason = self.assignment.barred(Kind.SETTINGS, wanted) or unwanted(wanted)
        if reason is not None:
            raise UpdateUnwanted(f"settings {wanted.release} are not used here: {reason}")
        with _failures():
            info = self._target(settings_path(wanted.release))
            if info.hashes.get("sha256") != wanted.digest or info.length > MAX_SETTINGS:
                raise UpdateRefused(f"settings {wanted.release} are not those the ring was assigned")
            place = _emptied(folder, wanted.digest)
            self._client.download_target(info, str(place / SETTINGS_NAME))
            if held_settings(place).digest != wanted.digest:
                raise UpdateRefused("the settings are others than were assigned")
        return Fetched(place, wanted, self._door.received)

    def _manifest(self, place: Path, wanted: Wanted) -> Manifest:
        info = self._target(manifest_path(wanted.release))
        if info.hashes.get("sha256") != wanted.digest or info.length > MAX_DOCUMENT_BYTES:
            raise UpdateRefused(f"release {wanted.release} is not the pack its ring was assigned")
        path = self._client.download_target(info, str(place / MANIFEST_NAME))
        return parse_manifest(Path(path).read_bytes())

    def _info(self, file: PackFile) -> TargetFile:
        info = self._target(file_path(file.sha256))
        if info.length != file.size or info.hashes.get("sha256") != file.sha256:
            raise UpdateRefused(f"{file.name} is signed with another size or hash than the manifest's")
        return info

    def _target(self, path: str) -> TargetFile:
        info = self._client.get_targetinfo(path)
        if info is None:
            raise UpdateRefused(f"{path} is not signed by those who may release packs")
        return info

    def _bring(self, info: TargetFile, where: Path, here: Path | None) -> None:
        if here is not None:
            with contextlib.suppress(OSError):  # then it is fetched
                shutil.copyfile(here, where)
            if self._client.find_cached_target(info, str(where)) is not None:
                return
        self._client.download_target(info, str(where))


class Updates:
    """The way of one desk to its updates. folder: for the metadata's cache; may be lost without harm."""

    def __init__(self, folder: Path, root: bytes, ring: Ring) -> None:
        """root: the root metadata the desk was given, never one that came over the network."""
        self._cache = folder
        self._root = root
        self._ring = ring

    def look(self, door: Door, now: datetime, floor: datetime | None, seen: Seen | None) -> News:
        """Judge what is there. floor: a time that has certainly passed, such as the last one the fund signed; UTC.

        seen: what the desk accepted last. Raises UpdateExpired, UpdateRefused, UpdateUnreachable, SlotsUnusable.
        """
        with _failures():
            client = self._refreshed(door, max(now, floor or now), seen)
            found = _seen(client)
            if seen is not None:
                _not_older(found, seen)
            info = client.get_targetinfo(assignment_path(self._ring))
            assigned = Assignment()
            if info is not None:
                if info.length > MAX_ASSIGNMENT:
                    raise UpdateRefused("the ring's assignment is too long")
                path = client.download_target(info, str(self._cache / "assignment.json"))
                assigned = parse_assignment(Path(path).read_bytes())
        return News(assigned, found if seen is None else newer(seen, found), client, door)

    def _refreshed(self, door: Door, now: datetime, seen: Seen | None) -> _Client:
        client = self._client(door, now if seen is None else max(now, seen.at))
        try:
            client.refresh()
        except ExpiredMetadataError:
            # Whoever stole the online keys can sign a time far ahead; it counts until the root replaces these keys.
            if seen is None or _keys(client.root) == seen.keys or client.root.version <= seen.root:
                raise
            client = self._client(door, now)
            client.refresh()
        return client

    def _client(self, door: Door, at: datetime) -> _Client:
        self._cache.mkdir(parents=True, exist_ok=True)
        metadata, targets = f"{door.base}metadata/", f"{door.base}targets/"
        client = _Client(str(self._cache), metadata, None, targets, door.fetcher, _LIMITS, bootstrap=self._root)
        client.judge_by(at)
        return client


def _seen(client: _Client) -> Seen:
    """What was just accepted. Its time ends with the targets' life: those keys are offline, a thief lacks them."""
    told = client.timestamp.unrecognized_fields.get(SIGNED_AT)
    signed = parse_time(told) if isinstance(told, str) else None
    at = datetime.min.replace(tzinfo=UTC) if signed is None else min(signed, client.targets.expires)
    return Seen(client.root.version, client.timestamp.version, _keys(client.root), at)


def _keys(root: Root) -> tuple[str, ...]:
    return tuple(sorted(root.roles[Timestamp.type].keyids))


def _not_older(found: Seen, seen: Seen) -> None:
    if found.root < seen.root:
        raise UpdateRefused(f"its root is version {found.root}, and this desk has seen {seen.root}")
    if found.keys == seen.keys and found.timestamp < seen.timestamp:
        raise UpdateRefused(f"its timestamp is version {found.timestamp}, and this desk has seen {seen.timestamp}")


def check_root(data: bytes) -> None:
    """Raises UpdateRefused for what is no root metadata, or not signed by its own keys."""
    with _failures():
        metadata = Metadata[Root].from_bytes(data)
        if metadata.signed.type != Root.type:
            raise UpdateRefused(f"what was given as the publishers' root is their {metadata.signed.type}")
        metadata.signed.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)


def files_of(packs: Iterable[Path]) -> dict[str, Path]:
    """The files of packs on this machine, by SHA-256 as their manifests say; whoever copies one verifies it."""
    found: dict[str, Path] = {}
    for pack in packs:
        with contextlib.suppress(PackDamaged, OSError):  # nothing to copy from it
            manifest = parse_manifest((pack / MANIFEST_NAME).read_bytes())
            found |= {file.sha256: pack / file.name for file in manifest.files}
    return found


def _emptied(folder: Path, digest: str) -> Path:
    """The folder of this pack; what was begun of another one is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / digest
    for path in folder.iterdir():
        if path != place and path.is_dir():
            shutil.rmtree(path)
    place.mkdir(exist_ok=True)
    return place


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn the library's failures into ours."""
    try:
        yield
    except ExpiredMetadataError as error:
        raise UpdateExpired(f"signatures have run out: {error}") from error
    except DownloadLengthMismatchError as error:
        raise UpdateRefused(f"there is more or other data than was signed: {error}") from error
    except DownloadError as error:
        raise UpdateUnreachable(str(error)) from error
    except (RepositoryError, PackDamaged) as error:
        raise UpdateRefused(str(error) or type(error).__name__) from error
    except OSError as error:
        raise SlotsUnusable(f"what came cannot be kept: {error.strerror}") from error
