"""The page about the device: what the doctor found, as lines that a screen shows in its own language.

Each check is `health`'s, each word `texts`'. A check without a line of its own here would be a bug, not a gap.
"""

import platform
from pathlib import Path

from appliance.capture.camera_identity import SystemTree
from appliance.composition import software_version
from appliance.core.device import DeviceLine, DevicePage, Fact, Finding, Health, Part
from appliance.health import examine
from sync.clock import Clock
from sync.errors import SettingsInvalid
from sync.home import Home, load_settings

PARTS = {
    "camera": Part.CAMERA,
    "window": Part.WINDOW,
    "voice": Part.VOICE,
    "model pack": Part.PACK,
    "records": Part.RECORDS,
    "ledger": Part.LEDGER,
    "delivery": Part.BACKLOG,
    "log": Part.LOG,
    "clock": Part.CLOCK,
    "disk": Part.DISK,
    "device key": Part.KEY,
    "keys at rest": Part.KEYS,
    "certificates": Part.CERTIFICATES,
    "templates": Part.TEMPLATES,
    "configuration": Part.SETTINGS,
}
"""Which check is shown as which part."""


def device_page(home: Home, packs: Path, clock: Clock, tree: SystemTree | None = None) -> DevicePage:
    """Examine the device now: seconds, because the chain is verified and the pack tests itself.

    Opens the desk anew, so any thread may ask. tree: where the system describes its devices.
    """
    lines = [DeviceLine(PARTS[check.name], check.health, check.fact) for check in examine(home, packs, clock, tree)]
    versions = (("software", software_version().rpartition(" ")[2]), ("python", platform.python_version()))
    lines.append(DeviceLine(Part.VERSIONS, Health.OK, Fact(Finding.VERSIONS_ARE, versions)))
    order = list(Part)
    return DevicePage(
        device=_device(home),
        at=clock.moment().wall.isoformat(),
        lines=tuple(sorted(lines, key=lambda line: order.index(line.part))),
    )


def _device(home: Home) -> str:
    """The registered name; empty where there is none yet, which the lines tell."""
    try:
        return load_settings(home).device.device
    except SettingsInvalid:
        return ""
