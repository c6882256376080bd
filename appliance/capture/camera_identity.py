"""Owns what Linux says of a camera: its USB ids, driver, place and stable name, read from /sys and /dev.

Whether such a camera may be used is `core.camera`'s. Windows has no such tree; nothing here was tried there.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from appliance.capture.camera_device import CaptureSettings, Device, OpenDevice, open_device, source_name
from appliance.core.camera import Bus, CameraIdentity
from appliance.core.errors import CameraRefused, CameraUnavailable

_TAIL = "-video-index"
_LEVELS = 24  # of a device tree between a camera and /sys/devices; hubs behind hubs have some ten


@dataclass(frozen=True, slots=True)
class SystemTree:
    """Where the system describes its devices: the folders /dev and /sys."""

    dev: Path = Path("/dev")
    sys: Path = Path("/sys")


_SYSTEM = SystemTree()


def identify(address: int | str, tree: SystemTree = _SYSTEM) -> CameraIdentity:
    """The camera at a number, a path (a link such as /dev/v4l/by-id/... too) or a URL.

    Raises CameraUnavailable when there is none. What the system does not describe has the bus "unknown".
    """
    if isinstance(address, str) and not address.startswith("/"):
        return CameraIdentity(source_name(address), bus=Bus.NETWORK, address=address)
    node = tree.dev / f"video{address}" if isinstance(address, int) else Path(address)
    if not node.exists():
        raise CameraUnavailable(f"there is no {node.name}")
    return _described(node.resolve().name, tree)


def list_identities(tree: SystemTree = _SYSTEM) -> tuple[CameraIdentity, ...]:
    """The cameras of this machine by number. A second node of one camera (its metadata) is left out."""
    numbered = sorted(int(p.name[5:]) for p in tree.dev.glob("video*") if p.name[5:].isdigit())
    return tuple(identify(n, tree) for n in numbered if _text(_class(f"video{n}", tree) / "index") in ("", "0"))


def _class(node: str, tree: SystemTree) -> Path:
    return tree.sys / "class" / "video4linux" / node


def _described(node: str, tree: SystemTree) -> CameraIdentity:
    entry = _class(node, tree)
    if not entry.is_dir():
        return CameraIdentity(node)
    place = entry.resolve()
    found = CameraIdentity(
        node=node,
        label=_text(entry / "name"),
        driver=_driver(entry / "device"),
        bus=_bus(place, tree),
        path=_by_path(node, tree) or place.parent.parent.name,
        link=next((str(link) for link in _links(node, tree)), ""),
    )
    return _with_usb(found, place, tree) if found.bus is Bus.USB else found


def _ancestors(place: Path, tree: SystemTree) -> list[Path]:
    """The devices above a camera, nearest first, without /sys/devices itself."""
    top = (tree.sys / "devices").resolve()
    return [parent for parent in place.parents[:_LEVELS] if parent != top and parent.is_relative_to(top)]


def _bus(place: Path, tree: SystemTree) -> Bus:
    """What the nearest device above says it hangs on; "virtual" for what hangs on nothing."""
    for above in _ancestors(place, tree):
        name = _subsystem(above)
        if name in ("usb", "pci", "platform"):
            return Bus(name)
    return Bus.VIRTUAL if "virtual" in place.parts else Bus.PLATFORM


def _with_usb(camera: CameraIdentity, place: Path, tree: SystemTree) -> CameraIdentity:
    """The ids of the USB device the camera is an interface of, and the driver of the controller above."""
    above = _ancestors(place, tree)
    device = next((p for p in above if (p / "idVendor").is_file()), place)
    controller = next((p for p in above if _subsystem(p) != "usb" and (p / "driver").exists()), place)
    return replace(
        camera,
        vendor=_text(device / "idVendor").lower(),
        product=_text(device / "idProduct").lower(),
        serial=_text(device / "serial"),
        controller=_driver(controller),
    )


def _subsystem(device: Path) -> str:
    return (device / "subsystem").resolve().name if (device / "subsystem").exists() else ""


def _driver(device: Path) -> str:
    """The driver's link, else what the device's uevent says."""
    link = device / "driver"
    if link.exists():
        return link.resolve().name
    lines = (line.partition("=") for line in _text(device / "uevent").splitlines())
    return next((value for key, _, value in lines if key == "DRIVER"), "")


def _links(node: str, tree: SystemTree) -> list[Path]:
    """Stable links to a node that udev made: by-id before by-path."""
    folders = (tree.dev / "v4l" / "by-id", tree.dev / "v4l" / "by-path")
    return [p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir()) if p.resolve().name == node]


def _by_path(node: str, tree: SystemTree) -> str:
    links = [link for link in _links(node, tree) if link.parent.name == "by-path"]
    return links[0].name.partition(_TAIL)[0] if links else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # a device pulled out just now, or one that does not say
        return ""


class SameCamera:
    """Opens one admitted camera only: what stands at its address must still be it, each time it is opened anew."""

    def __init__(
        self, admitted: CameraIdentity, tree: SystemTree = _SYSTEM, open_with: OpenDevice = open_device
    ) -> None:
        self._admitted, self._tree, self._open = admitted, tree, open_with

    def open(self, address: int | str, settings: CaptureSettings) -> Device:
        """Open it. Raises CameraRefused for another camera than the admitted one, CameraUnavailable."""
        if identify(address, self._tree).fingerprint != self._admitted.fingerprint:
            raise CameraRefused("another camera is plugged in than the one this desk began with")
        return self._open(address, settings)
