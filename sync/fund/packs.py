"""Which model packs this fund lets decide about a visit: a list kept by an officer, read by every gateway.

Without a list every pack may. What becomes of an event that another pack decided is `ingest`'s. The file is public
(`packs.json`): digests of manifests, one a line of a JSON list.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from sync.durable import replace_file
from sync.envelope import Event
from sync.errors import SettingsInvalid

PACK_NOT_ALLOWED = "pack_not_allowed"
"""Why an event was refused (PROTOCOL.md, section 4, row 9)."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST = 1000
"""Packs of a country over decades; a longer file is no list of ours."""


@dataclass(frozen=True, slots=True)
class Packs:
    """digests: of the allowed packs; None where nobody keeps a list, and every pack may decide."""

    digests: frozenset[str] | None = None

    def allow(self, event: Event) -> bool:
        """Whether this event may count: it names no pack, or one that is allowed."""
        return self.digests is None or all(pack in self.digests for pack in packs_of(event))


def packs_of(event: Event) -> tuple[str, ...]:
    """The packs an event says decided: its circumstances' (a visit), or its own (an enrolment, new templates)."""
    about = event.data.get("circumstances")
    named = [about.get("pack") if isinstance(about, dict) else None, event.data.get("pack")]
    return tuple(pack for pack in named if isinstance(pack, str))


@dataclass(slots=True)
class PackList:
    """The file, read again when it has changed; for one gateway."""

    file: Path
    _seen: tuple[int, int] | None = None
    _packs: Packs = field(default_factory=Packs)

    def now(self) -> Packs:
        """What holds for the next batch. Raises SettingsInvalid for a file that is no list: then nothing is judged."""
        try:
            found = self.file.stat()
        except FileNotFoundError:
            self._seen, self._packs = None, Packs()
            return self._packs
        mark = (found.st_mtime_ns, found.st_ino)
        if mark != self._seen:
            self._packs = read_packs(self.file)
            self._seen = mark
        return self._packs


def read_packs(file: Path) -> Packs:
    """The list; without a file, every pack. Raises SettingsInvalid."""
    try:
        listed = json.loads(file.read_bytes())
    except FileNotFoundError:
        return Packs()
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{file.name} cannot be read as a list of packs") from error
    if not isinstance(listed, list) or len(listed) > _MOST or not all(map(_is_digest, listed)):
        raise SettingsInvalid(f"{file.name} is no list of packs' digests")
    return Packs(frozenset(listed))


def write_packs(file: Path, packs: Packs) -> None:
    """Keep a list, or none. Raises SettingsInvalid for what is no digest, OSError."""
    if packs.digests is None:
        file.unlink(missing_ok=True)
        return
    if not all(map(_is_digest, packs.digests)):
        raise SettingsInvalid("the digest of a pack has 64 hex digits: keldim models show NAME")
    replace_file(file, (json.dumps(sorted(packs.digests), indent=0) + "\n").encode())


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None
