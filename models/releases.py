"""The words of a model repository: kinds of releases, rings, target paths, what desks shall run, what one saw last.

How they are signed and laid out as files belongs to `repository`; how a desk obeys them to `updates`.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from models import document
from models.document import Json
from models.errors import PackDamaged, UpdateRefused

_FORMAT: Final = 1
_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_HIGHEST: Final = (1 << 53) - 1
"""The largest whole number that every reader of JSON keeps exactly."""

SIGNED_AT: Final = "x-keldim-signed"
"""A field of our own in `timestamp.json`: when it was signed. No desk's clock may be earlier."""

MAX_ASSIGNMENT: Final = 64 * 1024
"""Bytes of an assignment: some hundred withdrawn packs."""


MAX_SETTINGS: Final = 64 * 1024
"""Bytes of a file of settings, as of a desk's own."""


class Kind(StrEnum):
    """What is released; each kind has numbers of its own."""

    PACK = "pack"
    SETTINGS = "settings"
    """Policy and what else of a desk's settings its IT may set from afar."""


class Ring(StrEnum):
    """Which desks get a pack, in the order in which it is promoted."""

    CANARY = "canary"
    EARLY = "early"
    ALL = "all"

    @property
    def before(self) -> "Ring | None":
        """The ring that must have had a pack first."""
        order = list(Ring)
        place = order.index(self)
        return order[place - 1] if place else None


def manifest_path(release: int) -> str:
    """The target that names a release's files: the manifest of its pack."""
    return f"releases/{release}/manifest.json"


def settings_path(release: int) -> str:
    """The target that is a release of settings: one file."""
    return f"settings/{release}/settings.toml"


def release_path(kind: Kind, release: int) -> str:
    """The target whose digest a release is known by."""
    return manifest_path(release) if kind is Kind.PACK else settings_path(release)


_PATHS: Final = {
    Kind.PACK: re.compile(r"releases/([1-9][0-9]{0,8})/manifest\.json"),
    Kind.SETTINGS: re.compile(r"settings/([1-9][0-9]{0,8})/settings\.toml"),
}


def release_of(path: str, kind: Kind = Kind.PACK) -> int | None:
    """The number of the release of this kind that is at this target path."""
    found = _PATHS[kind].fullmatch(path)
    return int(found[1]) if found else None


def file_path(sha256: str) -> str:
    """The target of one file: equal files of two releases are one target."""
    return f"files/{sha256}"


def assignment_path(ring: Ring) -> str:
    """The target that says what a ring's desks shall run."""
    return f"rings/{ring}/assignment.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release, and the digest of its pack."""

    release: int
    digest: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a ring's desks shall run. wanted None: nothing new; keep a pack that is not withdrawn.

    floor: no release below it may be used. withdrawn: digests of packs and settings that may not be used any more.
    settings, settings_floor: as wanted and floor, of settings.
    """

    wanted: Wanted | None = None
    floor: int = 0
    withdrawn: tuple[str, ...] = ()
    settings: Wanted | None = None
    settings_floor: int = 0

    def of(self, kind: Kind) -> Wanted | None:
        """The release of this kind that is wanted."""
        return self.wanted if kind is Kind.PACK else self.settings

    def floor_of(self, kind: Kind) -> int:
        """The oldest release of this kind that may be used."""
        return self.floor if kind is Kind.PACK else self.settings_floor

    def wanting(self, kind: Kind, wanted: Wanted | None, floor: int) -> "Assignment":
        """The same with another release of this kind."""
        if kind is Kind.PACK:
            return replace(self, wanted=wanted, floor=floor)
        return replace(self, settings=wanted, settings_floor=floor)

    def barred(self, kind: Kind, release: Wanted) -> str | None:
        """Why desks may not use a release; None: they may."""
        if release.digest in self.withdrawn:
            return "it was withdrawn"
        return "it is below the floor" if release.release < self.floor_of(kind) else None


def parse_assignment(data: bytes) -> Assignment:
    """Read an assignment. Raises UpdateRefused."""
    try:
        fields = document.read(data, "assignment")
        fields.whole("format", _FORMAT, _FORMAT)
        wanted = None
        if fields.has("release"):
            wanted = Wanted(fields.whole("release", 1, _HIGHEST), fields.sha256("digest"))
        found = Assignment(wanted, fields.whole("floor", 0, _HIGHEST), fields.slugs("withdrawn"))
        if fields.has("settings"):
            found = _with_settings(found, fields.object("settings"))
        fields.end()
    except PackDamaged as error:
        raise UpdateRefused(f"the ring's assignment is none: {error}") from error
    if not all(_HEX64.fullmatch(digest) for digest in found.withdrawn):
        raise UpdateRefused("the ring's assignment withdraws what is no digest of a pack")
    return found


def _with_settings(assigned: Assignment, fields: document.Fields) -> Assignment:
    wanted = None
    if fields.has("release"):
        wanted = Wanted(fields.whole("release", 1, _HIGHEST), fields.sha256("digest"))
    found = assigned.wanting(Kind.SETTINGS, wanted, fields.whole("floor", 0, _HIGHEST))
    fields.end()
    return found


def write_assignment(assignment: Assignment) -> bytes:
    """The bytes of an assignment."""
    value: dict[str, Json] = {"format": _FORMAT, **_wanted_json(assignment.wanted)}
    value |= {"floor": assignment.floor, "withdrawn": list(assignment.withdrawn)}
    if assignment.settings is not None or assignment.settings_floor:
        value["settings"] = {**_wanted_json(assignment.settings), "floor": assignment.settings_floor}
    return document.write(value)


def _wanted_json(wanted: Wanted | None) -> dict[str, Json]:
    return {} if wanted is None else {"release": wanted.release, "digest": wanted.digest}


@dataclass(frozen=True, slots=True)
class Followed:
    """Whose packs a desk runs. url: of their repository; empty: they come on sticks only."""

    ring: Ring
    url: str = ""


def parse_followed(data: bytes) -> Followed:
    """Read whose packs a desk runs. Raises PackDamaged."""
    fields = document.read(data, "follow.json")
    fields.whole("format", _FORMAT, _FORMAT)
    ring = Ring(fields.choice("ring", Ring))
    found = Followed(ring, fields.text("url") if fields.has("url") else "")
    fields.end()
    return found


def write_followed(followed: Followed) -> bytes:
    """The bytes of whose packs a desk runs."""
    value: dict[str, Json] = {"format": _FORMAT, "ring": str(followed.ring)}
    return document.write({**value, "url": followed.url} if followed.url else value)


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest metadata a desk has accepted: kept apart from the cache of the metadata, so that it outlives its loss.

    root, timestamp: versions. keys: the keys that timestamps are signed with. at: the latest time at which one was
    signed, as far as it can be believed; UTC.
    """

    root: int
    timestamp: int
    keys: tuple[str, ...]
    at: datetime


def parse_seen(data: bytes) -> Seen:
    """Read what a desk saw last. Raises PackDamaged."""
    fields = document.read(data, "seen")
    fields.whole("format", _FORMAT, _FORMAT)
    root, timestamp = fields.whole("root", 1, _HIGHEST), fields.whole("timestamp", 0, _HIGHEST)
    at = parse_time(fields.text("at"))
    if at is None:
        raise fields.fault("at", "is not a time")
    found = Seen(root, timestamp, fields.slugs("keys"), at)
    fields.end()
    return found


def write_seen(seen: Seen) -> bytes:
    """The bytes of what a desk saw last."""
    value: dict[str, Json] = {"format": _FORMAT, "root": seen.root, "timestamp": seen.timestamp}
    return document.write({**value, "at": write_time(seen.at), "keys": list(seen.keys)})


def newer(before: Seen, found: Seen) -> Seen:
    """What is remembered after `found` was accepted: time never runs back while the timestamp's keys stay."""
    return replace(found, at=max(before.at, found.at)) if before.keys == found.keys else found


def write_time(at: datetime) -> str:
    """UTC, whole seconds, as TUF writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime | None:
    """A time as `write_time` writes it."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
