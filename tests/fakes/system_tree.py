"""A machine's /dev and /sys in a folder: cameras described as Linux describes them, with the same links."""

from pathlib import Path

from appliance.capture.camera_identity import SystemTree

PCI_HOST = "pci0000:00/0000:00:14.0"


class FakeSystem:
    """Builds the tree. Real layouts: `udevadm info -a /dev/video0` of a UVC webcam, v4l2loopback, vivid, dummy_hcd."""

    def __init__(self, root: Path) -> None:
        self.tree = SystemTree(root / "dev", root / "sys")
        for folder in (self.tree.dev, self.tree.sys / "class" / "video4linux", self.tree.sys / "devices"):
            folder.mkdir(parents=True)

    def usb(
        self,
        number: int,
        ids: str = "046d:0825",
        label: str = "HD Webcam C270",
        serial: str = "5F1B2A10",
        socket: str = "2",
        driver: str = "uvcvideo",
        controller: str = "xhci_hcd",
        index: int = 0,
    ) -> None:
        """A USB camera; controller dummy_hcd or vhci_hcd: one that only software plugs in."""
        wired = controller == "xhci_hcd"
        host = self._device(PCI_HOST if wired else f"platform/{controller}.0", "pci" if wired else "platform")
        self._driver(host, host.name.split(".")[0] if wired else "platform", controller)
        device = self._device(f"{host.relative_to(self.tree.sys / 'devices')}/usb1/1-{socket}", "usb")
        self._device(str(device.parent.relative_to(self.tree.sys / "devices")), "usb")
        vendor, product = ids.split(":")
        (device / "idVendor").write_text(vendor + "\n")
        (device / "idProduct").write_text(product + "\n")
        if serial:
            (device / "serial").write_text(serial + "\n")
        self._driver(device, "usb", "usb")
        interface = self._device(f"{device.relative_to(self.tree.sys / 'devices')}/1-{socket}:1.0", "usb")
        self._driver(interface, "usb", driver)
        (interface / "uevent").write_text(f"DRIVER={driver}\nPRODUCT={vendor.lstrip('0')}/{product.lstrip('0')}/12\n")
        self._node(number, interface, label, index)
        name = label.replace(" ", "_")
        self._link("by-id", f"usb-{name}_{serial}-video-index{index}", number)
        self._link("by-path", f"pci-0000:00:14.0-usb-0:{socket}:1.0-video-index{index}", number)

    def loopback(self, number: int, label: str = "OBS Virtual Camera") -> None:
        """A camera of the module v4l2loopback: a program's."""
        place = self.tree.sys / "devices" / "virtual"
        place.mkdir(parents=True, exist_ok=True)
        self._node(number, place, label, 0, device=False)

    def platform(self, number: int, driver: str = "vivid", label: str = "vivid-000-vid-cap") -> None:
        """A camera that hangs on nothing but a kernel module."""
        place = self._device(f"platform/{driver}.0", "platform")
        self._driver(place, "platform", driver)
        self._node(number, place, label, 0)

    def undescribed(self, number: int) -> None:
        """A device node without an entry in /sys."""
        (self.tree.dev / f"video{number}").touch()

    def unplug(self, number: int) -> None:
        """Node, entry and links are gone."""
        (self.tree.dev / f"video{number}").unlink()
        (self.tree.sys / "class" / "video4linux" / f"video{number}").unlink()
        for link in (self.tree.dev / "v4l").glob("*/*"):
            if not link.exists():
                link.unlink()

    def _device(self, path: str, subsystem: str) -> Path:
        place = self.tree.sys / "devices" / path
        place.mkdir(parents=True, exist_ok=True)
        bus = self.tree.sys / "bus" / subsystem
        bus.mkdir(parents=True, exist_ok=True)
        if not (place / "subsystem").exists():
            (place / "subsystem").symlink_to(bus)
        return place

    def _driver(self, device: Path, bus: str, name: str) -> None:
        place = self.tree.sys / "bus" / bus / "drivers" / name
        place.mkdir(parents=True, exist_ok=True)
        if not (device / "driver").exists():
            (device / "driver").symlink_to(place)

    def _node(self, number: int, parent: Path, label: str, index: int, *, device: bool = True) -> None:
        place = parent / "video4linux" / f"video{number}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "name").write_text(label + "\n")
        (place / "index").write_text(f"{index}\n")
        if device and not (place / "device").exists():
            (place / "device").symlink_to(parent)
        (self.tree.sys / "class" / "video4linux" / f"video{number}").symlink_to(place)
        (self.tree.dev / f"video{number}").touch()

    def _link(self, kind: str, name: str, number: int) -> None:
        folder = self.tree.dev / "v4l" / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(f"../../video{number}")
