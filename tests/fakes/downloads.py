"""Downloaders that reach no network."""

from pathlib import Path


class NoDownloads:
    """Fails a test that would download something."""

    def fetch(self, url: str, target: Path, sha256: str, size: int) -> None:
        """Refuse."""
        del sha256, size
        raise AssertionError(f"{target.name} is not at hand, {url} was asked for")


class LocalDownloads:
    """Answers from bytes it was given, by address."""

    def __init__(self, known: dict[str, bytes]) -> None:
        self._known = known
        self.asked: list[str] = []

    def fetch(self, url: str, target: Path, sha256: str, size: int) -> None:
        """Write the bytes known under the address."""
        del sha256, size
        self.asked.append(url)
        target.write_bytes(self._known[url])
