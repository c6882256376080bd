"""A desk's way to new packs: which publishers it follows, one look at what they want, and the pack put into a slot.

It runs apart from the process that sees faces, which opens the slot at its next start (`packs_in_use`). What is
trusted is decided by `models.updates`.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from models.errors import PackDamaged, SlotsUnusable, UpdateUnreachable
from models.releases import Followed, Seen, Wanted, parse_followed, parse_seen, write_followed, write_seen
from models.slots import Slots
from models.update_door import Door, FolderDoor, Report, ServerDoor
from models.updates import Updates, files_of
from sync.durable import replace_file
from sync.home import Home

DEADLINE_S = 3600.0
"""For one update from a server: 300 MB at 0.7 Mbit/s. What came until then is kept for the next time."""


@dataclass(frozen=True, slots=True)
class Updated:
    """How an update ended. wanted: what the publishers want; None: nothing. installed: it was put into a slot now.

    received: bytes that came.
    """

    wanted: Wanted | None
    installed: bool
    received: int


class UpdateFolder:
    """Everything about updates below a desk's home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.root / "updates"
        self.slots = Slots(self._folder / "slots")

    def follow(self, followed: Followed, root: bytes, authorities: bytes | None) -> None:
        """Follow publishers from now on. root: their root metadata, handed over in person. Raises SlotsUnusable."""
        self._keep("root.json", root)
        if authorities is not None:
            self._keep("ca.pem", authorities)
        (self._folder / "seen.json").unlink(missing_ok=True)
        self._keep("follow.json", write_followed(followed))

    def followed(self) -> Followed | None:
        """Whose packs this desk runs; None: nobody's, it keeps the delivered one. Raises SlotsUnusable."""
        data = self._kept("follow.json")
        if data is None:
            return None
        try:
            return parse_followed(data)
        except PackDamaged as error:
            raise SlotsUnusable(str(error)) from error

    def seen(self) -> Seen | None:
        """What this desk accepted last. Raises SlotsUnusable."""
        data = self._kept("seen.json")
        try:
            return None if data is None else parse_seen(data)
        except PackDamaged as error:
            raise SlotsUnusable(str(error)) from error

    def server(self, followed: Followed, monotonic: Callable[[], float], report: Report) -> ServerDoor:
        """The door to the publishers' server. Raises UpdateUnreachable."""
        if not followed.url:
            raise UpdateUnreachable("this desk follows no server: its packs come on a stick (--from FOLDER)")
        ca = self._folder / "ca.pem"
        partial = self._folder / "partial"
        return ServerDoor(followed.url, partial, monotonic, DEADLINE_S, ca if ca.exists() else None, report)

    def update(
        self, door: Door, followed: Followed, now: datetime, floor: datetime | None, delivered: Sequence[Path]
    ) -> Updated:
        """Look at what the publishers want, and put a new pack into a slot. floor: a time that has certainly passed.

        delivered: packs whose files need not be fetched. Raises the failures of `models.updates` and `models.slots`.
        """
        root = self._kept("root.json")
        if root is None:
            raise SlotsUnusable("root.json is missing: follow the publishers again")
        news = Updates(self._folder / "cache", root, followed.ring).look(door, now, floor, self.seen())
        self._keep("seen.json", write_seen(news.seen))
        self.slots.obey(news.assignment.floor, news.assignment.withdrawn)
        wanted, state = news.assignment.wanted, self.slots.state()
        if wanted is None or state.pack(state.in_use) == wanted:
            return Updated(wanted, installed=False, received=door.received)
        incoming = self._folder / "incoming"
        fetched = news.fetch(incoming, files_of([*self.slots.paths(), *delivered]), self.slots.unwanted)
        if fetched is None:
            return Updated(None, installed=False, received=door.received)
        self.slots.install(fetched.folder, wanted)
        shutil.rmtree(incoming, ignore_errors=True)
        return Updated(wanted, installed=True, received=fetched.received)

    def _kept(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SlotsUnusable(f"{name} cannot be read: {error.strerror}") from error

    def _keep(self, name: str, data: bytes) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._folder / name, data)
        except OSError as error:
            raise SlotsUnusable(f"{name} cannot be written: {error.strerror}") from error


def stick(folder: Path) -> FolderDoor:
    """The door to a USB stick. Raises UpdateUnreachable."""
    return FolderDoor(folder)
