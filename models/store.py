"""Installed packs on disk: reading one whole and verified, listing, and putting a new one in place.

The bytes that were hashed are the bytes that are handed on, so a file cannot change between check and use.
Running a model, and the golden self-test, belong to `appliance.face.pack`; making packs to `recipes`.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.calibration import Calibration, parse_calibration
from models.document import MAX_DOCUMENT_BYTES
from models.errors import PackDamaged, PackUnknown, PackUnwritable
from models.manifest import MANIFEST_NAME, Manifest, PackFile, Task, pack_digest
from models.manifest_document import parse_manifest

Check = Callable[[Path], object]
"""Called with a finished pack before it replaces anything; raises to refuse it."""


@dataclass(frozen=True, slots=True)
class PackContents:
    """A verified pack in memory. files: bytes by name, of every file the manifest lists.

    calibration None: the pack has none yet.
    """

    digest: str
    manifest: Manifest
    calibration: Calibration | None
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """One row of the list of packs. fault: why it cannot be used, and then nothing else is known of it."""

    name: str
    path: Path
    digest: str | None
    manifest: Manifest | None
    fault: str | None


def read_pack(folder: Path) -> PackContents:
    """Read a pack and verify size and hash of every file. Raises PackDamaged naming the file."""
    data = _read(folder / MANIFEST_NAME, MAX_DOCUMENT_BYTES)
    manifest = parse_manifest(data)
    _refuse_strangers(folder, manifest)
    files = {file.name: _verified(folder, file) for file in manifest.files}
    return PackContents(pack_digest(data), manifest, _calibration(manifest, files), files)


def _calibration(manifest: Manifest, files: Mapping[str, bytes]) -> Calibration | None:
    """It names detector and embedder, and none but the pack's models."""
    if manifest.calibration is None:
        return None
    calibration = parse_calibration(files[manifest.calibration])
    named, have = dict(calibration.models), manifest.model_digests()
    unnamed = (have.keys() & {Task.DETECT, Task.EMBED}) - named.keys()
    if unnamed or any(have.get(name) != digest for name, digest in named.items()):
        raise PackDamaged(f"{manifest.calibration}: was measured with other models than the pack's")
    return calibration


def _read(path: Path, limit: int) -> bytes:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise PackDamaged(f"{path.name}: not a plain file")
        if status.st_size > limit:
            raise PackDamaged(f"{path.name}: {status.st_size} bytes instead of at most {limit}")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise PackDamaged(f"{path.name}: missing in {path.parent}") from error
    except OSError as error:
        raise PackDamaged(f"{path.name}: cannot be read ({error.strerror})") from error


def _verified(folder: Path, file: PackFile) -> bytes:
    data = _read(folder / file.name, file.size)
    if len(data) != file.size:
        raise PackDamaged(f"{file.name}: truncated, {len(data)} of {file.size} bytes")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise PackDamaged(f"{file.name}: altered, its SHA-256 is not the manifest's")
    return data


def _refuse_strangers(folder: Path, manifest: Manifest) -> None:
    known = {MANIFEST_NAME} | {file.name for file in manifest.files}
    strangers = sorted({path.name for path in folder.iterdir()} - known)
    if strangers:
        raise PackDamaged(f"{strangers[0]}: not in the manifest")


class PackStore:
    """The packs under one folder, each in a sub-folder of its name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a pack of this name lives. Raises PackUnknown when nothing is there."""
        for path in self._folders():
            if path.name == name:
                return path
        raise PackUnknown(f"there is no pack {name!r} in {self.root}")

    def has(self, name: str) -> bool:
        """Whether a pack of this name lies here, whole or not."""
        return any(path.name == name for path in self._folders())

    def installed(self) -> tuple[InstalledPack, ...]:
        """Every pack, verified file by file, in order of name; damaged ones with their fault."""
        return tuple(self._row(path) for path in self._folders())

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return sorted(path for path in self.root.iterdir() if path.is_dir() and not path.name.startswith("."))

    @staticmethod
    def _row(path: Path) -> InstalledPack:
        try:
            contents = read_pack(path)
        except PackDamaged as fault:
            return InstalledPack(path.name, path, None, None, str(fault))
        return InstalledPack(path.name, path, contents.digest, contents.manifest, None)


@contextmanager
def staged(out: Path, check: Check) -> Iterator[Path]:
    """Give an empty folder beside `out`; what the block wrote there is checked and then takes the place of `out`.

    When the block or `check` raises, `out` stays as it was and the staging folder is removed. A crash between the two
    renames at the end leaves the old pack beside it as `.NAME.old`; building again cures that. Raises PackUnwritable.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            yield staging
            staging.chmod(0o755)
            for path in staging.iterdir():
                _flush(path)
            _flush(staging)
            check(staging)
            _replace(staging, out)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise PackUnwritable(f"pack {out.name} cannot be written: {error.strerror}") from error


def _replace(staging: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    staging.rename(out)
    _flush(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
