"""What the system says of a camera, read from a tree laid out as Linux lays it out."""

from pathlib import Path

import numpy as np
import pytest

from appliance.capture.camera_device import CaptureSettings
from appliance.capture.camera_identity import SameCamera, identify, list_identities
from appliance.core.camera import Bus, CameraIdentity, Objection, objection
from appliance.core.errors import CameraRefused, CameraUnavailable
from tests.fakes.camera import Bench, ListedDevice
from tests.fakes.system_tree import FakeSystem


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    """A machine without cameras."""
    return FakeSystem(tmp_path)


def test_a_usb_camera_is_described_whole(system: FakeSystem) -> None:
    """Ids, specimen, driver, socket, controller and a path that stays."""
    system.usb(0)
    assert identify(0, system.tree) == CameraIdentity(
        node="video0",
        label="HD Webcam C270",
        driver="uvcvideo",
        bus=Bus.USB,
        vendor="046d",
        product="0825",
        serial="5F1B2A10",
        path="pci-0000:00:14.0-usb-0:2:1.0",
        link=str(system.tree.dev / "v4l" / "by-id" / "usb-HD_Webcam_C270_5F1B2A10-video-index0"),
        controller="xhci_hcd",
    )


def test_number_node_and_stable_link_mean_one_camera(system: FakeSystem) -> None:
    """However it is named on the command line."""
    system.usb(2)
    by_number = identify(2, system.tree)
    assert identify(str(system.tree.dev / "video2"), system.tree) == by_number
    assert identify(by_number.link, system.tree) == by_number


def test_a_camera_keeps_its_fingerprint_under_another_number(system: FakeSystem) -> None:
    """Unplugged, and plugged into the same socket when number 0 is taken."""
    system.usb(0)
    before = identify(0, system.tree).fingerprint
    system.unplug(0)
    system.usb(3)
    assert identify(3, system.tree).fingerprint == before


def test_programs_cameras_are_told_by_what_they_hang_on(system: FakeSystem) -> None:
    """Loopback, kernel test pattern, and USB devices that only software plugs in; a harmless name changes nothing."""
    system.loopback(0, "HD Webcam C270")
    system.platform(1)
    system.usb(2, controller="dummy_hcd")
    system.usb(3, controller="vhci_hcd", socket="4", serial="77")
    found = list_identities(system.tree)
    assert [camera.bus for camera in found] == [Bus.VIRTUAL, Bus.PLATFORM, Bus.USB, Bus.USB]
    assert [camera.controller for camera in found[2:]] == ["dummy_hcd", "vhci_hcd"]
    assert {objection(camera, (), ()) for camera in found} == {Objection.VIRTUAL}


def test_a_node_without_a_description_is_unknown(system: FakeSystem) -> None:
    """It is listed all the same, and refused."""
    system.undescribed(0)
    assert list_identities(system.tree) == (CameraIdentity("video0"),)
    assert objection(identify(0, system.tree), (), ()) is Objection.NOT_DESCRIBED


def test_cameras_are_listed_by_number_without_their_metadata_nodes(system: FakeSystem) -> None:
    """video10 comes after video2; the second node of one webcam gives no pictures."""
    system.usb(10, socket="3")
    system.usb(2, serial="77")
    system.usb(11, socket="3", index=1)
    (system.tree.dev / "videofoo").touch()
    assert [camera.node for camera in list_identities(system.tree)] == ["video2", "video10"]


def test_a_machine_without_cameras_lists_none(tmp_path: Path) -> None:
    """An empty tuple, no failure."""
    assert list_identities(FakeSystem(tmp_path).tree) == ()


def test_a_camera_without_a_serial_or_links_is_told_by_its_place(system: FakeSystem) -> None:
    """Where udev made no links the device tree names the socket; the driver stands in uevent too."""
    system.usb(0, serial="")
    for link in (system.tree.dev / "v4l").glob("*/*"):
        link.unlink()
    next((system.tree.sys / "devices").glob("**/1-2:1.0/driver")).unlink()
    found = identify(0, system.tree)
    assert (found.serial, found.link, found.path, found.driver) == ("", "", "1-2:1.0", "uvcvideo")


def test_what_is_not_there_is_unavailable(system: FakeSystem) -> None:
    """By number and by path."""
    for address in (7, "/dev/video-none"):
        with pytest.raises(CameraUnavailable, match="there is no video"):
            identify(address, system.tree)


def test_a_url_is_a_network_camera() -> None:
    """Known by its whole address; shown without it, because it may hold a password."""
    found = identify("http://user:secret@camera.example/stream")
    assert (found.bus, found.node, found.ids) == (Bus.NETWORK, "stream", "network")
    assert found.address == "http://user:secret@camera.example/stream"


def test_only_the_admitted_camera_is_opened_again(system: FakeSystem) -> None:
    """Another one plugged in while the desk runs is refused; the first one back in its socket is opened."""
    system.usb(0)
    bench = Bench(*(ListedDevice([np.zeros((8, 8, 3), np.uint8)]) for _ in range(3)))
    door = SameCamera(identify(0, system.tree), system.tree, bench.open)
    door.open(0, CaptureSettings())
    system.unplug(0)
    with pytest.raises(CameraUnavailable):
        door.open(0, CaptureSettings())
    system.loopback(0)
    with pytest.raises(CameraRefused, match="another camera"):
        door.open(0, CaptureSettings())
    system.unplug(0)
    system.usb(0)
    door.open(0, CaptureSettings())
    assert len(bench.opened_at) == 2
