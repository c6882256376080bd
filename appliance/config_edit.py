"""Puts a setting into the desk's settings file, and leaves every other line of it as it was.

What the settings mean is `config`'s; whether a pack may be used is checked before.
"""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance.config import parse
from appliance.core.errors import ConfigInvalid
from sync.durable import replace_file

_TABLE = re.compile(r"\s*\[")
_VALUE = r"""("[^"\\]*"|'[^']*'|\[[^\[\]]*\])"""


def write_packs(file: Path, name: str, previous: tuple[str, ...]) -> None:
    """Name the desk's pack and the previous ones in its settings file, whole or not at all. Raises ConfigInvalid."""
    _write(file, lambda content: with_packs(content, name, previous))


def write_language(file: Path, language: str) -> None:
    """Set the first language of the desk's screen in its settings file, whole or not at all. Raises ConfigInvalid."""
    _write(file, lambda content: with_settings(content, "desk", {"language": language}))


def with_packs(content: bytes, name: str, previous: tuple[str, ...]) -> bytes:
    """The settings with these packs. Raises as `with_settings`."""
    return with_settings(content, "pack", {"name": name, "previous": list(previous) or None})


def with_settings(content: bytes, table: str, settings: Mapping[str, str | list[str] | None]) -> bytes:
    """The settings file with these settings of one table; comments, order and line ends of everything else stay.

    None: the setting is taken away. The new text is read again and compared: whatever the old one looks like, nothing
    else is changed. Raises ConfigInvalid where that cannot be had (a section written as an inline table, say).
    """
    parse(content)
    lines = content.decode().splitlines(keepends=True)
    heading = re.compile(rf"\s*\[\s*{table}\s*\]\s*(#.*)?$")
    start = next((place for place, line in enumerate(lines) if heading.match(line)), None)
    end_of_line = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if start is None:
        lines += [end_of_line, f"[{table}]{end_of_line}"]
        start = len(lines) - 1
    stop = next((n for n in range(start + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
    section = lines[start + 1 : stop]
    for key, value in settings.items():
        section = _set(section, key, value, end_of_line)
    changed = "".join([*lines[: start + 1], *section, *lines[stop:]]).encode()
    _compare(content, changed, table, settings)
    return changed


def _set(section: list[str], key: str, value: str | list[str] | None, end_of_line: str) -> list[str]:
    """The section with the key at this value: in its old place, else as its first line; without it for None."""
    pattern, written = re.compile(rf"(\s*{key}\s*=\s*){_VALUE}(.*)$", re.DOTALL), json.dumps(value)
    for place, line in enumerate(section):
        found = pattern.match(line)
        if found:
            new = [] if value is None else [f"{found[1]}{written}{found[3]}"]
            return [*section[:place], *new, *section[place + 1 :]]
    return section if value is None else [f"{key} = {written}{end_of_line}", *section]


def _write(file: Path, change: Callable[[bytes], bytes]) -> None:
    try:
        replace_file(file, change(file.read_bytes()))
    except OSError as error:
        raise ConfigInvalid(f"{file.name} cannot be written: {error.strerror}") from error


def _compare(before: bytes, after: bytes, table: str, settings: Mapping[str, str | list[str] | None]) -> None:
    expected = tomllib.loads(before.decode())
    kept = {key: value for key, value in expected.get(table, {}).items() if key not in settings}
    expected[table] = kept | {key: value for key, value in settings.items() if value is not None}
    try:
        same = tomllib.loads(after.decode()) == expected
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ConfigInvalid(f"[{table}] is not written line by line; set {' and '.join(settings)} by hand")
    parse(after)
