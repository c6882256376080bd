"""What can be seen of a desk's keys without opening one: where they lie, what seals them, what was left behind.

What follows from it for the operator is said by `doctor` and `keldim keys status`.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from sync.home import Home
from sync.key_source import NEXT, KeyName, KeyOrigin, read_key_settings
from sync.sealed_keys import Seal, sealed_with


@dataclass(frozen=True, slots=True)
class KeyReport:
    """How the keys lie.

    seals: of every sealed key that could be read; None is a seal of a kind unknown here. plain, sealed: files that are
    there, as paths in the home. hidden: there are folders of sealed keys that whoever asks may not look into, as no
    service may. open_to_others: plain ones that other users may read. pending: keys a cut-off rotation left. recovery:
    the copy for the fund is there.
    """

    origin: KeyOrigin
    seals: frozenset[Seal | None]
    plain: tuple[str, ...]
    sealed: tuple[str, ...]
    hidden: bool
    open_to_others: tuple[str, ...]
    pending: tuple[str, ...]
    recovery: bool

    @property
    def by_tpm(self) -> bool:
        """Whether every sealed key needs this machine's TPM."""
        return bool(self.seals) and self.seals <= {Seal.TPM2, Seal.HOST_AND_TPM2}

    @property
    def surplus(self) -> tuple[str, ...]:
        """Plain keys of a desk that is set to sealed ones: as good as no seal at all."""
        return self.plain if self.origin is KeyOrigin.CREDENTIAL and (self.sealed or self.hidden) else ()


def inspect_keys(home: Home) -> KeyReport:
    """Look at the files of a desk's keys. Raises SettingsInvalid."""
    names = {*KeyName, *(name + NEXT for name in KeyName)}
    plain = _files(home.keys, names)
    sealed, hidden = _sealed(home.sealed, names)
    return KeyReport(
        origin=read_key_settings(home).source,
        seals=frozenset(sealed_with(path.read_bytes()) for path in sealed if _readable(path)),
        plain=tuple(str(path.relative_to(home.root)) for path in plain),
        sealed=tuple(str(path.relative_to(home.root)) for path in sealed),
        hidden=hidden,
        open_to_others=tuple(path.name for path in plain if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)),
        pending=tuple(sorted({path.name for path in (*plain, *sealed) if path.name.endswith(NEXT)})),
        recovery=home.recovery.exists(),
    )


def _sealed(root: Path, names: set[str]) -> tuple[list[Path], bool]:
    """Sealed keys that can be seen, and whether there may be others: a service cannot look into the folders."""
    if not root.is_dir():
        return [], False
    found: list[Path] = []
    try:
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            found += _files(folder, names)
    except PermissionError:
        return found, True
    return found, False


def _files(folder: Path, names: set[str]) -> list[Path]:
    return sorted(folder / name for name in names if (folder / name).exists())


def _readable(path: Path) -> bool:
    return os.access(path, os.R_OK)
