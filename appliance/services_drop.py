"""A folder into which the clinic's system drops its lists of services: each file is taken once, then moved aside.

What a file must hold is `records.schedule`'s, keeping it the caller's. A file is taken when it has stood still between
two looks: whoever writes it may not be ready yet.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.core.errors import ServicesFileInvalid

KINDS = frozenset({".csv", ".json"})
DONE, REFUSED = "done", "refused"


@dataclass(frozen=True, slots=True)
class Taken:
    """One file. said: what came of it, without anything that stood in it."""

    name: str
    kept: bool
    said: str


class ServicesDrop:
    """One folder; used by one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[Path, tuple[int, int]] = {}

    def look(self, keep: Callable[[bytes], str]) -> Iterator[Taken]:
        """Take what is ready, oldest first. keep: keeps the services of a file and says what it did.

        A file that keep refuses with ServicesFileInvalid goes to `refused`, with the reasons beside it; whatever else
        keep raises leaves the file where it is, to be taken again. Raises OSError when the folder cannot be used.
        """
        now = dict(sorted(self._present(), key=lambda item: item[1][1]))
        ready = [file for file, mark in now.items() if self._sizes.get(file) == mark]
        self._sizes = now
        for file in ready:
            try:
                taken = Taken(file.name, True, keep(file.read_bytes()))
            except ServicesFileInvalid as refusal:
                taken = Taken(file.name, False, str(refusal))
            self._aside(file, taken)
            yield taken

    def _present(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for file in self._folder.iterdir():
            if file.suffix.lower() in KINDS and not file.name.startswith(".") and file.is_file():
                found = file.stat()
                yield file, (found.st_size, found.st_mtime_ns)

    def _aside(self, file: Path, taken: Taken) -> None:
        """Out of the way, under a name that nothing there has: a list of the same name may come every day."""
        place = self._folder / (DONE if taken.kept else REFUSED)
        place.mkdir(mode=0o700, exist_ok=True)
        target, number = place / file.name, 1
        while target.exists():
            number += 1
            target = place / f"{file.stem}-{number}{file.suffix}"
        file.rename(target)
        if not taken.kept:
            target.with_suffix(target.suffix + ".txt").write_text(taken.said + "\n", encoding="utf-8")
