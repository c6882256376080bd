"""Two slots for packs: a new one is tried beside the one in use, and the desk falls back by itself.

The order of every change is what a power cut is survived by: the entry of a slot is taken away before the slot is
written, written back after everything in it was read again, and a try is counted before the pack is first used. Copied
from boards and cars that are updated afar (RAUC, Mender, U-Boot's bootcount, SWUpdate). What follows from what is
`slot_state`'s; whether a pack is healthy is said by the caller; where it came from belongs to `updates`. The pack that
the desk was delivered with is in no slot.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from models.errors import NoHealthyPack, PackDamaged, SlotsDamaged, SlotsUnusable, UpdateNoRoom, UpdateUnwanted
from models.releases import Wanted
from models.slot_state import MAX_TRIES, STATE_NAME, Fault, Slot, State, parse_state, write_state
from models.store import read_pack

MARGIN: Final = 64 << 20
"""Bytes of the disk that stay free: the database and the journal go on growing."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The pack to open now. trial: it has yet to prove itself. earlier: the other slot's pack, whole and not bad."""

    path: Path
    pack: Wanted
    trial: bool
    earlier: Path | None


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Held:
    """What a folder holds, verified. size: bytes."""

    digest: str
    size: int


def held_pack(folder: Path) -> Held:
    """The pack in a folder. Raises PackDamaged."""
    contents = read_pack(folder)
    return Held(contents.digest, sum(file.size for file in contents.manifest.files))


class Slots:
    """The two slots below one folder. Several processes may use them; each change is one of the whole."""

    def __init__(
        self, folder: Path, free: Callable[[Path], int] = _free, read: Callable[[Path], Held] = held_pack
    ) -> None:
        """read: verifies what a slot holds; raises PackDamaged."""
        self._folder = folder
        self._free = free
        self._read = read

    def state(self) -> State:
        """What is known. Raises SlotsUnusable when it cannot be read, SlotsDamaged when it is none."""
        try:
            data = (self._folder / STATE_NAME).read_bytes()
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise SlotsUnusable(f"the state of the slots cannot be read: {error.strerror}") from error
        try:
            return parse_state(data)
        except PackDamaged as error:
            raise SlotsDamaged(f"the state of the slots is damaged: {error}") from error

    def begin_anew(self) -> None:
        """Forget what is known where it is damaged: somebody said by hand whom to follow. Raises SlotsUnusable."""
        try:
            self.state()
        except SlotsDamaged:
            try:
                (self._folder / STATE_NAME).unlink(missing_ok=True)
            except OSError as error:
                raise SlotsUnusable(f"the state of the slots cannot be removed: {error.strerror}") from error

    def unwanted(self, pack: Wanted) -> str | None:
        """Why a release may not be installed; None: it may."""
        state = self.state()
        if state.is_bad(pack.digest):
            return "it failed here before, or was withdrawn"
        return f"the oldest that may be used is {state.floor}" if pack.release < state.floor else None

    def holds(self, pack: Wanted) -> bool:
        """Whether a slot has this release."""
        return any(have == pack for _, have in self.state().packs)

    def paths(self) -> tuple[Path, ...]:
        """The folders of the packs in the slots."""
        return tuple(self._folder / slot for slot, _ in self.state().packs)

    def install(self, source: Path, pack: Wanted, *, waits: bool = False) -> None:
        """Copy a pack into the slot that is not proven; it is tried from the next start on.

        waits: it is watched beside the one in use first, until `promote`.
        Raises UpdateUnwanted, UpdateNoRoom, SlotsUnusable, PackDamaged when it is not whole before or after.
        """
        with self._change() as state:
            reason = self.unwanted(pack)
            if reason is not None:
                raise UpdateUnwanted(f"release {pack.release} is not installed: {reason}")
            held = self._read(source)
            if held.digest != pack.digest:
                raise PackDamaged(f"{source.name} is another pack than release {pack.release}")
            slot = Slot.B if state.good is Slot.A else Slot.A
            target = self._folder / slot
            need, room = held.size + MARGIN, self._free(self._folder) + _size(target)
            if room < need:  # before anything is removed: the older pack is the way back
                raise UpdateNoRoom(f"release {pack.release} needs {need} bytes, {room} are free or would be")
            self._save(state.without(slot))
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            for path in sorted(source.iterdir()):
                _copy(path, target / path.name)
            _sync(target)
            _sync(self._folder)
            if self._read(target).digest != pack.digest:
                raise PackDamaged(f"release {pack.release} is another pack than before it was copied")
            self._save(state.installed(slot, pack, waits=waits))

    def begin(self, *, counted: bool = True) -> Chosen | None:
        """Choose the pack to open, at every start; None: the one the desk was delivered with.

        A pack on trial is counted before it is used; one that was started too often is given up. counted: whether this
        is a start of the desk, not of a command beside it. Raises NoHealthyPack.
        """
        state = self.state()
        if state == State():
            return None
        try:
            with self._change() as before:
                state = self._sound(before)
                if state.trying is not None and counted and not state.waits:
                    state = replace(state, tries=state.tries + 1)
                if state != before:
                    self._save(state)
        except SlotsUnusable:  # a full disk: what cannot be counted is not tried, and the proven pack needs no writing
            state = state if state.trying is None else state.without(state.trying)
        return self._chosen(state)

    def _chosen(self, state: State) -> Chosen | None:
        slot, pack = state.in_use, state.pack(state.in_use)
        if slot is None or pack is None:
            if state.floor > 0:
                raise NoHealthyPack(f"no slot holds a pack, and the delivered one is older than {state.floor}")
            return None
        other = None if state.pack(slot.other) is None or state.waits else self._folder / slot.other
        return Chosen(self._folder / slot, pack, trial=slot is state.trying, earlier=other)

    def peek(self) -> Path | None:
        """Where the pack lies that the next start is about to open, without counting a try; None: the delivered one."""
        slot = self.state().in_use
        return None if slot is None else self._folder / slot

    def waiting(self) -> tuple[Path, Wanted] | None:
        """The pack that is to be watched beside the one in use, and where it lies. Raises SlotsUnusable."""
        state = self.state()
        pack, slot = state.waiting, state.trying
        return None if pack is None or slot is None else (self._folder / slot, pack)

    def promote(self, pack: Wanted) -> None:
        """The pack that waits goes on trial; does nothing when another one waits by now."""
        self._then(lambda state: state.promoted(pack))

    def mark_good(self, pack: Wanted) -> None:
        """The pack on trial has proven itself; does nothing when another one is on trial by now."""
        self._then(lambda state: state.marked_good(pack))

    def give_up(self, pack: Wanted, fault: Fault) -> None:
        """Never use a pack here again, on trial or proven; the next start takes the other one."""
        self._then(lambda state: state.given_up(pack, fault))

    def set_aside(self, pack: Wanted) -> None:
        """Do not use a pack now, for a reason that is not its own; it may come back."""
        self._then(lambda state: state.given_up(pack, None))

    def survived(self, pack: Wanted) -> None:
        """The pack on trial has run for a while: its starts are counted anew, or quiet days would use them up."""
        self._then(lambda state: state.survived(pack))

    def obey(self, floor: int, withdrawn: tuple[str, ...]) -> None:
        """Follow the publishers: raise the floor, strike withdrawn packs."""
        self._then(lambda state: state.obeyed(floor, withdrawn))

    def _then(self, change: Callable[[State], State]) -> None:
        with self._change() as before:
            after = change(before)
            if after != before:
                self._save(after)

    def _sound(self, state: State) -> State:
        """The same, without packs that are damaged or were started too often."""
        for slot, pack in state.packs:
            if self._damaged(slot, pack):
                state = state.given_up(pack, None)  # the disk's fault: the pack may be fetched again
        waiting = state.waiting
        if waiting is not None and state.good is None and state.floor > 0:
            state = state.promoted(waiting)  # nothing is in use that it could be watched beside
        tried = state.pack(state.trying)
        return state if tried is None or state.tries < MAX_TRIES else state.given_up(tried, Fault.CRASHED)

    def _damaged(self, slot: Slot, pack: Wanted) -> bool:
        try:
            return self._read(self._folder / slot).digest != pack.digest
        except PackDamaged:
            return True

    def _save(self, state: State) -> None:
        handle, name = tempfile.mkstemp(prefix=".state-", dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o660)  # the kiosk's user and the sync's share a group
            file.write(write_state(state))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self._folder / STATE_NAME)
        _sync(self._folder)

    @contextmanager
    def _change(self) -> Iterator[State]:
        """The state, while nobody else changes it."""
        try:
            make_shared(self._folder)
            with os.fdopen(os.open(self._folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o660), "wb") as lock:
                with suppress(PermissionError):  # the other user made it, and said so already
                    os.fchmod(lock.fileno(), 0o660)
                fcntl.flock(lock, fcntl.LOCK_EX)
                for rest in self._folder.glob(".state-*"):
                    rest.unlink()  # of a change that was cut off
                yield self.state()
        except OSError as error:
            raise SlotsUnusable(f"the slots cannot be written: {error.strerror}") from error


def make_shared(folder: Path) -> None:
    """Make a folder that is shared as the one above is, whatever the umask: people help services by hand."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(folder.parent.stat().st_mode & 0o2777)


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; 0 without it."""
    return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0


def _copy(source: Path, target: Path) -> None:
    """A copy of its own, not a link: one bad sector must not take both slots."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
