"""Files packs are made from, read out of folders: each one, and each archive around it, verified by size and SHA-256.

How they get there belongs to `upstream`; what is made of them to `recipes`.
"""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import SourceUnusable

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Published:
    """A file as somebody published it. sha256: hex. size: bytes.

    address: https, or a package URL `pkg:pypi/NAME@VERSION`.

    modified: what was done to what lies at the address; then it is not to be had there as it is. None: nothing.
    """

    name: str
    sha256: str
    size: int
    address: str
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One file a pack is made from: a published file, or the one at `path` inside a published archive."""

    name: str
    sha256: str
    size: int
    published: Published
    path: str | None = None

    @property
    def address(self) -> str:
        """Where it comes from; inside an archive, behind `#`."""
        return self.published.address if self.path is None else f"{self.published.address}#{self.path}"


def read_sources(folders: Sequence[Path], sources: Sequence[Source]) -> dict[str, bytes]:
    """Read sources out of the first folder that has them, verified; bytes by name.

    Raises SourceUnusable naming the file or member that is missing, truncated or altered.
    """
    found: dict[str, bytes] = {}
    for published in dict.fromkeys(source.published for source in sources):
        path = locate(folders, published)
        verify(path, published)
        wanted = [source for source in sources if source.published == published]
        found |= {source.name: path.read_bytes() for source in wanted if source.path is None}
        found |= _unpacked(path, {source.path: source.name for source in wanted if source.path is not None})
    for source in sources:
        data = found[source.name]
        if len(data) != source.size or hashlib.sha256(data).hexdigest() != source.sha256:
            raise SourceUnusable(f"{source.name} in {source.published.name} is altered")
    return found


def locate(folders: Sequence[Path], published: Published) -> Path:
    """The file in the first folder that has one of its name. Raises SourceUnusable."""
    for folder in folders:
        if (folder / published.name).exists():
            return folder / published.name
    looked = ", ".join(str(folder) for folder in folders) or "any folder"
    raise SourceUnusable(f"{published.name} is missing in {looked}")


def verify(path: Path, published: Published) -> None:
    """Raises SourceUnusable unless size and SHA-256 of the file are the published ones."""
    try:
        size = path.stat().st_size
        if size != published.size:
            raise SourceUnusable(f"{path.name} is truncated or another file: {size} of {published.size} bytes")
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise SourceUnusable(f"{path.name} cannot be read: {error.strerror}") from error
    if digest.hexdigest() != published.sha256:
        raise SourceUnusable(f"{path.name} is altered: its SHA-256 is not the expected one")


_Reader = Callable[[Path, dict[str, str]], dict[str, bytes]]


def _unpacked(path: Path, members: dict[str, str]) -> dict[str, bytes]:
    """The members of an archive (path inside -> name), by name."""
    if not members:
        return {}
    reader: _Reader = _from_tar if path.name.endswith(".tar.gz") else _from_zip
    try:
        return reader(path, members)
    except KeyError as error:
        raise SourceUnusable(f"{path.name} lacks {error.args[0]}") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise SourceUnusable(f"{path.name} cannot be unpacked: {error}") from error


def _from_zip(path: Path, members: dict[str, str]) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(inside) for inside, name in members.items()}


def _from_tar(path: Path, members: dict[str, str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:  # one pass: seeking back would inflate 130 MB again
        for entry in archive:
            content = archive.extractfile(entry) if entry.name in members and entry.isfile() else None
            if content is not None:
                found[members[entry.name]] = content.read()
            if len(found) == len(members):
                return found
    raise KeyError(min(inside for inside, name in members.items() if name not in found))
