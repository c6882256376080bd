"""Judges whether a camera may serve this desk: what the system says of it, against the clinic's allow-list.

How a camera describes itself is read in `appliance.capture.camera_identity`; that a refusal is recorded is the use
case's. USB ids can be imitated by a device made for it: the list stops programs and mistakes, not an engineer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Bus(StrEnum):
    """What a camera hangs on."""

    USB = "usb"
    PCI = "pci"
    PLATFORM = "platform"
    VIRTUAL = "virtual"
    NETWORK = "network"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """What the operating system says of a camera.

    node: video0. label: what it calls itself, for people. driver: of the kernel. bus: what it hangs on. vendor,
    product: four lower-case hex digits, of a USB device. serial: as the device tells it. path: where it is plugged in
    (the by-path name without its tail, or the device's place in the tree). link: stable path to open it by, else "".
    controller: driver of the USB controller behind it. address: of a stream, as it is configured.
    """

    node: str
    label: str = ""
    driver: str = ""
    bus: Bus = Bus.UNKNOWN
    vendor: str = ""
    product: str = ""
    serial: str = ""
    path: str = ""
    link: str = ""
    controller: str = ""
    address: str = ""

    @property
    def ids(self) -> str:
        """vendor:product, or the bus where there is none; fit for an event."""
        return f"{self.vendor}:{self.product}" if self.vendor else self.bus.value

    @property
    def fingerprint(self) -> str:
        """What tells this camera from another one, whatever number it got today; the address of a stream."""
        parts = (self.bus.value, self.vendor, self.product, self.driver, self.serial, self.path, self.address)
        return "|".join(part.replace("|", "/") for part in parts)


class Objection(StrEnum):
    """Why a camera is refused."""

    VIRTUAL = "virtual"
    NOT_DESCRIBED = "not_described"
    GRABBER = "grabber"
    NOT_LISTED = "not_listed"


VIRTUAL_DRIVERS = frozenset({"v4l2loopback", "v4l2 loopback", "vivid", "vimc", "akvcam", "vicodec", "vim2m"})
"""Kernel modules that make a camera out of a program or out of nothing (Linux admin-guide/media)."""

SOFTWARE_CONTROLLERS = frozenset({"dummy_hcd", "vhci_hcd"})
"""USB controllers without wires: gadgets of the same machine, and USB over the network (Linux drivers/usb/usbip)."""

VIRTUAL_NAMES = re.compile(
    r"\b(obs|manycam|droidcam|iriun|epoccam|ivcam|xsplit|snap camera|webcamoid|akvcam|ndi|virtual|dummy|loopback)\b",
    re.IGNORECASE,
)
"""How programs name the cameras they make; a second sign only, for the name is theirs to choose."""

GRABBERS = frozenset({("534d", "2109"), ("345f", "2130"), ("345f", "2109"), ("0fd9", "0066")})
"""HDMI grabbers by USB id (MacroSilicon MS2109, MS2130; Elgato Cam Link 4K): they show what another computer plays."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One line of the allow-list; an empty part fits any camera."""

    vendor: str
    product: str
    driver: str = ""
    serial: str = ""
    path: str = ""

    @classmethod
    def parse(cls, line: str) -> "Allowed":
        """Read `046d:0825 driver=uvcvideo serial=5F1 path=pci-0000:00:14.0-usb-0:2`. Raises ValueError."""
        ids, *rest = line.split() or [""]
        found = re.fullmatch(r"([0-9a-fA-F]{4}):([0-9a-fA-F]{4})", ids)
        if found is None:
            raise ValueError(f"allow: {line!r} must begin with vendor:product, four hex digits each")
        parts = dict(part.partition("=")[::2] for part in rest)
        if len(parts) < len(rest) or not all(parts.values()) or not parts.keys() <= {"driver", "serial", "path"}:
            raise ValueError(f"allow: {line!r} may name driver=, serial= and path= once each, after vendor:product")
        return cls(found[1].lower(), found[2].lower(), **parts)

    def fits(self, camera: CameraIdentity) -> bool:
        """Whether this line means that camera."""
        wanted = (self.driver, self.serial, self.path)
        told = (camera.driver, camera.serial, camera.path)
        same = (self.vendor, self.product) == (camera.vendor, camera.product)
        return same and all(not want or want == have for want, have in zip(wanted, told, strict=True))


def line_for(camera: CameraIdentity) -> str:
    """The line of an allow-list that means this camera at any socket; empty for one that no line can mean."""
    return f"{camera.ids} driver={camera.driver}" if camera.vendor and camera.driver else ""


def objection(camera: CameraIdentity, allowed: Sequence[Allowed], streams: Sequence[str]) -> Objection | None:
    """Why this camera may not serve the desk; None when it may.

    A stream must be configured by its whole address. A camera that a program makes is refused whatever the list says.
    Without a list any other camera on USB or PCI will do, except a grabber; with one, only what it names.
    """
    if camera.bus is Bus.NETWORK:
        return None if camera.address in streams else Objection.NOT_LISTED
    if camera.bus is Bus.UNKNOWN:
        return Objection.NOT_DESCRIBED
    if _made_by_a_program(camera):
        return Objection.VIRTUAL
    if allowed:
        return None if any(line.fits(camera) for line in allowed) else Objection.NOT_LISTED
    return Objection.GRABBER if (camera.vendor, camera.product) in GRABBERS else None


def _made_by_a_program(camera: CameraIdentity) -> bool:
    return (
        camera.bus in (Bus.VIRTUAL, Bus.PLATFORM)
        or camera.driver.lower() in VIRTUAL_DRIVERS
        or camera.controller.lower() in SOFTWARE_CONTROLLERS
        or VIRTUAL_NAMES.search(camera.label) is not None
    )
