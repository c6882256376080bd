"""Seals the key files of a desk to its machine, and takes that back; cut off anywhere, the desk still opens.

How a key is sealed is `sealed_keys`'s, which source the desk reads `key_source`'s. The settings are changed between the
two: first the new form is whole, durable and read back, then the settings name it, then the old form goes.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from sync.durable import replace_file, sync_directory
from sync.errors import DiskFailing, KeyUnusable, SettingsInvalid
from sync.home import Home
from sync.key_errors import RotationUnfinished, SealUnusable
from sync.key_report import inspect_keys
from sync.key_source import GIVEN, FileKeys, KeyName, KeyOrigin, KeyOriginSettings, SealedKeys, read_key_settings
from sync.keyfile import load_key
from sync.sealed_keys import Seal

_SECTION: Final = re.compile(r"(?m)^\s*\[\s*keys\s*\][^\n]*\n(?:(?!\s*\[)[^\n]*(?:\n|\Z))*")

Step = Callable[[str], None]
"""Is told each step when it is durable."""


def seal_keys(home: Home, seal: Seal, pcrs: str, tell: Step) -> None:
    """Seal every key for every service that gets it, then destroy the plain files. Repeated, it goes on.

    Raises SealUnusable (nothing has changed for the desk), RotationUnfinished, KeyUnusable, DiskFailing.
    """
    settings = replace(read_key_settings(home), source=KeyOrigin.CREDENTIAL, seal=seal, pcrs=pcrs)
    already = read_key_settings(home).source is KeyOrigin.CREDENTIAL
    if inspect_keys(home).pending:
        raise RotationUnfinished("a rotation was cut off; finish it first")
    sealed = SealedKeys(home, settings)
    if not already:
        _make_folders(home)
        for role, names in GIVEN.items():
            for name in names:
                sealed.seal(home.sealed / role / name, load_key(home.keys / name))
                tell(f"sealed {name} for {role}")
    for name in KeyName:
        plain = home.keys / name
        if plain.exists() and sealed.load(name) != load_key(plain):
            raise SealUnusable(f"the sealed {name} is another key than the plain one; nothing was removed")
    _set(home, settings)
    for name in KeyName:
        _remove(home.keys / name)
    tell("plain key files removed")


def unseal_keys(home: Home, tell: Step) -> None:
    """Put the keys back as files of mode 0600, then remove the sealed ones. Repeated, it goes on.

    Raises SealUnusable, RotationUnfinished, KeyUnusable, DiskFailing.
    """
    settings = read_key_settings(home)
    if inspect_keys(home).pending:
        raise RotationUnfinished("a rotation was cut off; finish it first")
    if settings.source is KeyOrigin.CREDENTIAL:
        sealed, plain = SealedKeys(home, settings), FileKeys(home)
        for name in KeyName:
            if not (home.keys / name).exists():
                plain.stage(name, sealed.load(name))
                plain.promote(name)
            if plain.load(name) != sealed.load(name):
                raise KeyUnusable(f"{name} is another key than the sealed one; nothing was removed")
            tell(f"{name} is a file again")
        _set(home, replace(settings, source=KeyOrigin.FILE))
    for role, names in GIVEN.items():
        for name in names:
            _remove(home.sealed / role / name)
    tell("sealed keys removed")


def _make_folders(home: Home) -> None:
    try:
        for role in GIVEN:
            (home.sealed / role).mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(home.sealed)
        sync_directory(home.root)
    except OSError as error:
        raise DiskFailing(f"{home.sealed.name} cannot be made: {error.strerror}") from error


def _set(home: Home, settings: KeyOriginSettings) -> None:
    """Write [keys]; every other line stays as it was."""
    section = f'[keys]\nsource = "{settings.source}"\nseal = "{settings.seal}"\n'
    section += f'pcrs = "{settings.pcrs}"\n' if settings.pcrs else ""
    try:
        before = home.config.read_text(encoding="utf-8")
        kept = _SECTION.sub("", before)
        after = kept.rstrip("\n") + "\n\n" + section
        if _others(before) != _others(after):
            raise SettingsInvalid("[keys] of keldim.toml is written in a way that cannot be changed by a program")
        if after != before:
            replace_file(home.config, after.encode("utf-8"))
    except OSError as error:
        raise DiskFailing(f"{home.config.name} cannot be written: {error.strerror}") from error
    if read_key_settings(home) != settings:
        raise AssertionError("[keys] must read back as it was meant")


def _others(text: str) -> dict[str, object] | None:
    try:
        return {name: value for name, value in tomllib.loads(text).items() if name != "keys"}
    except tomllib.TOMLDecodeError:  # of the new text: the section was not where it is looked for
        return None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        if path.parent.exists():
            sync_directory(path.parent)
    except OSError as error:
        raise DiskFailing(f"{path.name} cannot be removed: {error.strerror}") from error
