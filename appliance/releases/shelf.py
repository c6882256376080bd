"""The releases on the disk: which are there, the link to the one in use, and the state the link follows from.

The state is the truth and the link its consequence: whoever is killed between the two is put right by the next call.
What a switch asks for is left to `switching`.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.releases.errors import GuardUnable, ReleaseDamaged, ReleaseMissing
from appliance.releases.state import State, Version, is_version, read_state, write_state
from sync.durable import replace_file, sync_directory

_FORMATS: Final = {"desk": "var/lib/keldim", "fund": "var/lib/keldim-fund"}
"""Whose records a release names formats of, and where they are; what is not on this machine does not bind it."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """root: of the file system, `/` but for tests."""

    root: Path

    @property
    def program(self) -> Path:
        """Where the releases and the link are."""
        return self.root / "opt/keldim"

    @property
    def link(self) -> Path:
        """The release in use."""
        return self.program / "current"

    @property
    def _file(self) -> Path:
        return self.root / "var/lib/keldim-release/state.json"

    def folder(self, version: Version) -> Path:
        """A release's own folder. Raises ReleaseMissing when no whole one is there."""
        if not self._is_there(version):
            raise ReleaseMissing(f"release {version} is not on this machine")
        return self.program / "releases" / version

    def versions(self) -> tuple[Version, ...]:
        """The releases that are there."""
        folder = self.program / "releases"
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        return tuple(Version(name) for name in names if is_version(name) and self._is_there(Version(name)))

    def formats(self, version: Version) -> Mapping[str, frozenset[str]]:
        """The steps of the records' format that a release knows, of what is kept here.

        Raises ReleaseMissing, ReleaseDamaged.
        """
        file = self.folder(version) / "release.json"
        try:
            named: object = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ReleaseDamaged(f"release {version} does not say what it reads") from error
        kept: dict[str, frozenset[str]] = {}
        for side in (side for side, place in _FORMATS.items() if (self.root / place).is_dir()):
            steps = named.get("formats", {}).get(side) if isinstance(named, dict) else None
            if not isinstance(steps, list):
                raise ReleaseDamaged(f"release {version} does not say which records of the {side} it reads")
            kept[side] = frozenset(map(str, steps))
        return kept

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The state belongs to this process alone; the link is put right first. Raises GuardUnable."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            handle = os.open(self._file.parent / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise GuardUnable(f"the state of the releases cannot be held: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._follow(self.state())
            yield
        finally:
            os.close(handle)

    def state(self) -> State:
        """The state as it is; without a readable one, what the link points to is proven."""
        try:
            found = read_state(self._file.read_bytes())
        except FileNotFoundError:
            found = None
        except OSError as error:
            raise GuardUnable(f"the state of the releases cannot be read: {error.strerror}") from error
        return found if found is not None else State(proven=self._linked())

    def keep(self, state: State) -> None:
        """Write the state, then let the link follow. Inside `held`. Raises GuardUnable, ReleaseMissing."""
        if state.in_use is not None:
            self.folder(state.in_use)
        try:
            replace_file(self._file, write_state(state))
            self._file.chmod(0o644)
        except OSError as error:
            raise GuardUnable(f"the state of the releases cannot be written: {error.strerror}") from error
        self._follow(state)

    def _follow(self, state: State) -> None:
        """Point the link to what is in use, or what is still there of it; the old one stands until the new one does."""
        wanted = next((v for v in (state.trial, state.proven, state.before) if v and self._is_there(v)), None)
        if wanted is None or self._linked() == wanted:
            return
        fresh = self.program / ".current-new"
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(f"releases/{wanted}")
            fresh.replace(self.link)
            sync_directory(self.program)
        except OSError as error:
            raise GuardUnable(f"the link to the release cannot be changed: {error.strerror}") from error

    def _linked(self) -> Version | None:
        try:
            name = Path(self.link.readlink()).name
        except OSError:
            return None
        return Version(name) if is_version(name) and self._is_there(Version(name)) else None

    def _is_there(self, version: Version) -> bool:
        return (self.program / "releases" / version / "release.json").is_file()
