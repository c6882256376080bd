"""What the desk tells the fund about itself: its packs, its keys, and whose records it took over.

The base of all events, and what they may carry, is `events`'.
"""

from dataclasses import dataclass
from typing import ClassVar

from appliance.core.events import Event


@dataclass(frozen=True, slots=True)
class PackRetired(Event):
    """All templates of a pack were erased.

    people: who had some. stranded: who has no template left and must enrol again. staff: as people, of the staff.
    """

    KIND: ClassVar[str] = "pack_retired"

    pack: str
    templates: int
    people: int
    stranded: int
    staff: int
    policy: str
    software: str


@dataclass(frozen=True, slots=True)
class PackGivenUp:
    """A pack that failed here, or was withdrawn, and is never used again. fault: why."""

    pack: str
    release: int
    fault: str


@dataclass(frozen=True, slots=True)
class SettingsGivenUp:
    """Settings from afar that failed here, were refused or withdrawn, and are never used again. settings: digest."""

    settings: str
    release: int
    fault: str


@dataclass(frozen=True, slots=True)
class SettingsInUse:
    """The settings from afar that hold. settings: digest, None with release for the desk's own file alone."""

    settings: str | None
    release: int | None
    trial: bool
    floor: int
    given_up: tuple[SettingsGivenUp, ...]


@dataclass(frozen=True, slots=True)
class PackBeside:
    """A new pack that is watched beside the one in use and decides nothing yet."""

    pack: str
    release: int


@dataclass(frozen=True, slots=True)
class PackInUse(Event):
    """What a desk that follows publishers runs from now on, whenever that changes: its signed word to the fund.

    pack: digest. release: None for the pack it was delivered with. trial: it has yet to prove itself. ring: whose
    assignments the desk follows. floor: the oldest release it would use. given_up: the latest of them. configuration:
    digest of what can be set from afar, as it is in force; the policy among it is named by its id in `policy`.
    beside: a new pack that is watched before its trial; None: none is.
    """

    KIND: ClassVar[str] = "pack_in_use"

    pack: str
    release: int | None
    trial: bool
    ring: str
    floor: int
    given_up: tuple[PackGivenUp, ...]
    settings: SettingsInUse
    configuration: str
    policy: str
    software: str
    beside: PackBeside | None = None


@dataclass(frozen=True, slots=True)
class Restored(Event):
    """The records of another desk were taken over from a back-up.

    device: the other desk. head: number of the last event in the back-up. people, staff: who came along. erased: who
    was in the back-up and had been erased since, and so did not.
    """

    KIND: ClassVar[str] = "restored"

    device: str
    head: int
    people: int
    staff: int
    erased: int
    software: str


@dataclass(frozen=True, slots=True)
class KeyRotated(Event):
    """A key of this desk was replaced. key: template or database. check: tells the new key from others, and no more."""

    KIND: ClassVar[str] = "key_rotated"

    key: str
    check: str
    software: str
