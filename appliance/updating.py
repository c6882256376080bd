"""A desk's way to new packs and settings: which publishers it follows, one look at what they want, the slots filled.

It runs apart from the process that sees faces, which takes the slots over while nobody is there (`packs_in_use`,
`settings_in_use`). What is trusted is decided by `models.updates`.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.core.errors import ConfigInvalid
from appliance.managed import check
from models.errors import PackDamaged, SlotsDamaged, SlotsUnusable, UpdateGoingOn, UpdateUnreachable, UpdateUnwanted
from models.releases import Followed, Seen, Wanted, parse_followed, parse_seen, write_followed, write_seen
from models.settings_file import read_settings, settings_slots
from models.slot_state import Fault
from models.slots import Slots, make_shared
from models.update_door import Door, FolderDoor, Report, ServerDoor, require_tls
from models.updates import News, Updates, check_root, files_of
from sync.durable import replace_file
from sync.errors import DatabaseUnreachable
from sync.exclusive import exclusive
from sync.home import Home

DEADLINE_S = 3600.0
"""For one update from a server: 300 MB at 0.7 Mbit/s. What came until then is kept for the next time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kind. wanted: what the publishers want; None: nothing. installed: it was put into a slot now.

    refused: why it is not used here; None: it is, or waits until the other kind has proven itself.
    """

    wanted: Wanted | None = None
    installed: bool = False
    waits: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """How an update ended. received: bytes that came, for both."""

    pack: Outcome
    settings: Outcome
    received: int


class UpdateFolder:
    """Everything about updates below a desk's home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.root / "updates"
        self.slots = Slots(self._folder / "slots")
        self.settings = settings_slots(self._folder / "settings")

    def follow(self, followed: Followed, root: bytes, authorities: bytes | None) -> None:
        """Follow publishers from now on. root: their root metadata, handed over in person.

        authorities: PEM of the only certificate authorities of their server; None: the machine's. Of other publishers
        than before nothing is remembered, and of the same what is damaged is begun anew. Raises SlotsUnusable,
        and UpdateRefused, UpdateUnreachable for what nobody can follow.
        """
        check_root(root)
        if followed.url:
            require_tls(followed.url)
        for slots in (self.slots, self.settings):
            slots.begin_anew()
        if self._kept("root.json") != root or not self._remembers():
            self._forget("seen.json")
            shutil.rmtree(self._folder / "cache", ignore_errors=True)
        self._keep("root.json", root)
        if authorities is None:
            self._forget("ca.pem")
        else:
            self._keep("ca.pem", authorities)
        self._keep(
            "follow.json", write_followed(followed), mode=0o640
        )  # the kiosk's user says in its report which ring

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
        """What this desk accepted last. Raises SlotsUnusable, SlotsDamaged."""
        data = self._kept("seen.json")
        try:
            return None if data is None else parse_seen(data)
        except PackDamaged as error:
            raise SlotsDamaged(f"what was seen last is damaged: {error}") from error

    def _remembers(self) -> bool:
        try:
            return self.seen() is not None
        except SlotsDamaged:
            return False

    def server(self, followed: Followed, monotonic: Callable[[], float], report: Report) -> ServerDoor:
        """The door to the publishers' server. Raises UpdateUnreachable."""
        if not followed.url:
            raise UpdateUnreachable("this desk follows no server: its packs come on a stick (--from FOLDER)")
        ca = self._folder / "ca.pem"
        partial = self._folder / "partial"
        return ServerDoor(followed.url, partial, monotonic, DEADLINE_S, ca if ca.exists() else None, report)

    def update(
        self,
        door: Door,
        followed: Followed,
        now: datetime,
        floor: datetime | None,
        delivered: Sequence[Path],
        *,
        at_once: bool = False,
    ) -> Updated:
        """Look at what the publishers want, and put new settings and a new pack into their slots.

        One of them at a time is on trial, or nobody could tell which of them made visits end worse; a pack that is only
        watched keeps no settings waiting. floor: a time that has certainly passed. delivered: packs whose files need
        not be fetched. at_once: a new pack goes on trial without being watched first. Raises UpdateGoingOn, and the
        failures of `models.updates` and `models.slots`.
        """
        with self._alone():
            root = self._kept("root.json")
            if root is None:
                raise SlotsUnusable("root.json is missing: follow the publishers again")
            news = Updates(self._folder / "cache", root, followed.ring).look(door, now, floor, self.seen())
            self._keep("seen.json", write_seen(news.seen))
            withdrawn = news.assignment.withdrawn
            self.slots.obey(news.assignment.floor, withdrawn)
            self.settings.obey(news.assignment.settings_floor, withdrawn)
            settings = self._update_settings(news)
            pack = self._update_pack(news, delivered, at_once=at_once)
            return Updated(pack, settings, door.received)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other update of this desk goes on: two would write into one half of a file. Raises UpdateGoingOn."""
        try:
            make_shared(self._folder)
        except OSError as error:
            raise SlotsUnusable(f"{self._folder.name} cannot be made: {error.strerror}") from error
        try:
            with exclusive(self._folder / "update.lock", UpdateGoingOn("another update of this desk is going on")):
                yield
        except DatabaseUnreachable as error:  # of the lock: nothing else here is a database
            raise SlotsUnusable(str(error)) from error

    def _update_settings(self, news: News) -> Outcome:
        wanted, state = news.assignment.settings, self.settings.state()
        if wanted is None or state.pack(state.in_use) == wanted:
            return Outcome(wanted)
        incoming = self._folder / "incoming_settings"
        try:
            fetched = news.fetch_settings(incoming, self.settings.unwanted)
            if fetched is None:
                return Outcome()
            try:
                check(read_settings(fetched.folder))
            except ConfigInvalid as error:
                self.settings.give_up(wanted, Fault.INVALID)
                raise UpdateUnwanted(f"settings {wanted.release} are invalid: {error}") from error
            if self.slots.state().on_trial is not None:  # last: a pack that was watched may go on trial at any moment
                return Outcome(wanted, waits=True)
            self.settings.install(fetched.folder, wanted)
        except UpdateUnwanted as failure:  # the pack has its turn all the same
            return Outcome(wanted, refused=str(failure))
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        return Outcome(wanted, installed=True)

    def _update_pack(self, news: News, delivered: Sequence[Path], *, at_once: bool) -> Outcome:
        wanted, state = news.assignment.wanted, self.slots.state()
        if wanted is None or wanted in (state.pack(state.in_use), state.waiting):
            return Outcome(wanted)
        if self.settings.state().trying is not None:
            return Outcome(wanted, waits=True)
        incoming = self._folder / "incoming"
        try:
            fetched = news.fetch(incoming, files_of([*self.slots.paths(), *delivered]), self.slots.unwanted)
            if fetched is None:
                return Outcome()
            self.slots.install(fetched.folder, wanted, waits=not at_once)
        except UpdateUnwanted as failure:
            return Outcome(wanted, refused=str(failure))
        for done in (incoming, self._folder / "partial"):  # also halves of files that no release wants any more
            shutil.rmtree(done, ignore_errors=True)
        return Outcome(wanted, installed=True)

    def _kept(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SlotsUnusable(f"{name} cannot be read: {error.strerror}") from error

    def _forget(self, name: str) -> None:
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise SlotsUnusable(f"{name} cannot be removed: {error.strerror}") from error

    def _keep(self, name: str, data: bytes, mode: int | None = None) -> None:
        try:
            make_shared(self._folder)
            replace_file(self._folder / name, data, mode)
        except OSError as error:
            raise SlotsUnusable(f"{name} cannot be written: {error.strerror}") from error


def stick(folder: Path) -> FolderDoor:
    """The door to a USB stick. Raises UpdateUnreachable."""
    return FolderDoor(folder)
