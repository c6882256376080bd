"""Which model packs and which policies this fund lets decide about a visit: lists kept by an officer, read by gateways.

Without a list every one may. What becomes of an event that another one decided is `ingest`'s. The files are public
(`packs.json`, `policies.json`): digests of manifests and ids of policies, one a line of a JSON list.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from sync.durable import replace_file
from sync.envelope import Event
from sync.errors import SettingsInvalid


class Decider(StrEnum):
    """What decided about a visit, and how an event names it."""

    PACK = "pack"
    POLICY = "policy"

    @property
    def refusal(self) -> str:
        """Why an event was refused (PROTOCOL.md, section 4, row 9)."""
        return f"{self}_not_allowed"

    @property
    def file_name(self) -> str:
        """Of its list, in the fund's folder."""
        return {Decider.PACK: "packs.json", Decider.POLICY: "policies.json"}[self]

    @property
    def id_digits(self) -> int:
        """Hex digits by which one is known."""
        return {Decider.PACK: 64, Decider.POLICY: 16}[self]


_REPORTS: Final = frozenset({"pack_in_use", "pack_retired"})
"""What a desk says about itself decides about nobody; refused, the fund would not know what it should mend."""

_MOST: Final = 1000
"""Packs or policies of a country over decades; a longer file is no list of ours."""

List = frozenset[str] | None
"""Ids; None where nobody keeps a list, and every one may decide."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Both lists."""

    packs: List = None
    policies: List = None

    def objection(self, event: Event) -> str | None:
        """Why an event may not count; None: it may."""
        if event.kind in _REPORTS:
            return None
        for decider, listed in ((Decider.PACK, self.packs), (Decider.POLICY, self.policies)):
            if listed is not None and not listed.issuperset(named(event, decider)):
                return decider.refusal
        return None


def named(event: Event, decider: Decider) -> tuple[str, ...]:
    """Those an event says decided: its circumstances' (a visit), or its own (an enrolment, new templates)."""
    about = event.data.get("circumstances")
    found = [about.get(decider) if isinstance(about, dict) else None, event.data.get(decider)]
    return tuple(one for one in found if isinstance(one, str))


@dataclass(slots=True)
class AllowedLists:
    """The files in a fund's folder, read again when they have changed; for one gateway."""

    folder: Path
    _seen: dict[Decider, tuple[tuple[int, int], List]] = field(default_factory=dict)

    def now(self) -> Allowed:
        """What holds for the next batch. Raises SettingsInvalid for a file that is no list: then nothing is judged."""
        return Allowed(self._list(Decider.PACK), self._list(Decider.POLICY))

    def _list(self, decider: Decider) -> List:
        file = self.folder / decider.file_name
        try:
            found = file.stat()
        except FileNotFoundError:
            return None
        mark = (found.st_mtime_ns, found.st_ino)
        seen = self._seen.get(decider)
        if seen is None or seen[0] != mark:
            seen = self._seen[decider] = (mark, read_list(self.folder, decider))
        return seen[1]


def read_list(folder: Path, decider: Decider) -> List:
    """A list in a fund's folder; without a file, every one. Raises SettingsInvalid."""
    file = folder / decider.file_name
    try:
        listed = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{file.name} cannot be read as a list") from error
    if not isinstance(listed, list) or len(listed) > _MOST or not all(_is_id(one, decider) for one in listed):
        raise SettingsInvalid(f"{file.name} is no list of what names a {decider}")
    return frozenset(listed)


def write_list(folder: Path, decider: Decider, listed: List) -> None:
    """Keep a list, or none. Raises SettingsInvalid for what is no id, OSError."""
    file = folder / decider.file_name
    if listed is None:
        file.unlink(missing_ok=True)
        return
    if not all(_is_id(one, decider) for one in listed):
        raise SettingsInvalid(f"a {decider} is named by {decider.id_digits} hex digits: {_WHERE[decider]}")
    replace_file(file, (json.dumps(sorted(listed), indent=0) + "\n").encode(), 0o644)  # the gateway is another user


_WHERE: Final[Mapping[Decider, str]] = {
    Decider.PACK: "keldim models show NAME",
    Decider.POLICY: "keldim models publish-settings prints it, keldim fleet status shows it",
}


def _is_id(value: object, decider: Decider) -> bool:
    return isinstance(value, str) and re.fullmatch(rf"[0-9a-f]{{{decider.id_digits}}}", value) is not None
