"""Puts another model pack into the desk's settings file, and leaves every other line of it as it was.

What the settings mean is `config`'s; whether a pack may be used is checked before.
"""

import json
import re
import tomllib
from pathlib import Path

from appliance.config import parse
from appliance.core.errors import ConfigInvalid
from sync.durable import replace_file

_SECTION = re.compile(r"\s*\[\s*pack\s*\]\s*(#.*)?$")
_TABLE = re.compile(r"\s*\[")
_NAME = re.compile(r"""(\s*name\s*=\s*)("[^"\\]*"|'[^']*')(.*)$""", re.DOTALL)
_PREVIOUS = re.compile(r"(\s*previous\s*=\s*)(\[[^\[\]]*\])(.*)$", re.DOTALL)


def write_packs(file: Path, name: str, previous: tuple[str, ...]) -> None:
    """Name the desk's pack and the previous ones in its settings file, whole or not at all. Raises ConfigInvalid."""
    try:
        replace_file(file, with_packs(file.read_bytes(), name, previous))
    except OSError as error:
        raise ConfigInvalid(f"{file.name} cannot be written: {error.strerror}") from error


def with_packs(content: bytes, name: str, previous: tuple[str, ...]) -> bytes:
    """The settings with these packs; comments, order and line ends of everything else stay.

    The new text is read again and compared: whatever the old one looks like, nothing else is changed. Raises
    ConfigInvalid where that cannot be had (a section written as an inline table, say).
    """
    parse(content)
    lines = content.decode().splitlines(keepends=True)
    start = next((place for place, line in enumerate(lines) if _SECTION.match(line)), None)
    end_of_line = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if start is None:
        lines += [end_of_line, f"[pack]{end_of_line}"]
        start = len(lines) - 1
    stop = next((n for n in range(start + 1, len(lines)) if _TABLE.match(lines[n])), len(lines))
    section = _set(lines[start + 1 : stop], _NAME, "name", json.dumps(name), end_of_line)
    section = _set(section, _PREVIOUS, "previous", json.dumps(list(previous)), end_of_line, keep=bool(previous))
    changed = "".join([*lines[: start + 1], *section, *lines[stop:]]).encode()
    _compare(content, changed, name, previous)
    return changed


def _set(
    section: list[str], pattern: re.Pattern[str], key: str, value: str, end_of_line: str, *, keep: bool = True
) -> list[str]:
    """The section with the key at this value: in its old place, else as its first line; without it unless `keep`."""
    for place, line in enumerate(section):
        found = pattern.match(line)
        if found:
            new = [f"{found[1]}{value}{found[3]}"] if keep else []
            return [*section[:place], *new, *section[place + 1 :]]
    return [f"{key} = {value}{end_of_line}", *section] if keep else section


def _compare(before: bytes, after: bytes, name: str, previous: tuple[str, ...]) -> None:
    expected = tomllib.loads(before.decode())
    pack = {key: value for key, value in expected.get("pack", {}).items() if key != "previous"}
    expected["pack"] = {**pack, "name": name} | ({"previous": list(previous)} if previous else {})
    try:
        same = tomllib.loads(after.decode()) == expected
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ConfigInvalid("the section [pack] is not written line by line; set name and previous by hand")
    parse(after)
