"""What the page about a device says: each part, how it is, what was found, whether somebody has to do something.

Values only: what is checked is `health`'s, the words in three languages are `texts`'.
"""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a check came out, best first."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Part(StrEnum):
    """What is checked, in the order in which it is shown."""

    CAMERA = "camera"
    WINDOW = "window"
    VOICE = "voice"
    PACK = "pack"
    RECORDS = "records"
    LEDGER = "ledger"
    BACKLOG = "backlog"
    LOG = "log"
    CLOCK = "clock"
    DISK = "disk"
    KEY = "key"
    KEYS = "keys"
    CERTIFICATES = "certificates"
    TEMPLATES = "templates"
    SETTINGS = "settings"
    VERSIONS = "versions"


class Finding(StrEnum):
    """What was found. What is not OK has a remedy of the same name."""

    FINE = "fine"
    ATTENTION = "attention"
    """Something that only IT can judge."""
    BROKEN = "broken"
    """A known failure, by its code."""
    CAMERA_READY = "camera_ready"
    CAMERA_NONE = "camera_none"
    CAMERA_REFUSED = "camera_refused"
    CAMERA_UNLISTED = "camera_unlisted"
    WINDOW_LACKS = "window_lacks"
    VOICE_SILENT = "voice_silent"
    VOICE_LACKS = "voice_lacks"
    PACK_READY = "pack_ready"
    LEDGER_WHOLE = "ledger_whole"
    LEDGER_WAITS = "ledger_waits"
    BACKLOG_NONE = "backlog_none"
    BACKLOG_WAITS = "backlog_waits"
    BACKLOG_OLD = "backlog_old"
    BACKLOG_PARKED = "backlog_parked"
    CLOCK_TRUSTED = "clock_trusted"
    CLOCK_SUSPECT = "clock_suspect"
    DISK_FREE = "disk_free"
    DISK_LOW = "disk_low"
    KEY_READY = "key_ready"
    KEY_SOFTWARE = "key_software"
    VERSIONS_ARE = "versions_are"


@dataclass(frozen=True, slots=True)
class Fact:
    """A finding and its figures. values: by the name of their place in the text; seconds under the name `age`."""

    finding: Finding
    values: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One line of the page."""

    part: Part
    health: Health
    fact: Fact


@dataclass(frozen=True, slots=True)
class DevicePage:
    """Everything about one device at one moment. at: RFC 3339. lines: in the order of `Part`."""

    device: str
    at: str
    lines: tuple[DeviceLine, ...]

    @property
    def health(self) -> Health:
        """The worst of all."""
        order = list(Health)
        return max((line.health for line in self.lines), key=order.index, default=Health.OK)
