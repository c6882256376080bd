"""Which camera may serve a desk: programs never, otherwise as the clinic's list says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.camera import Allowed, Bus, CameraIdentity, Objection, line_for, objection

WEBCAM = CameraIdentity(
    node="video0",
    label="HD Webcam C270",
    driver="uvcvideo",
    bus=Bus.USB,
    vendor="046d",
    product="0825",
    serial="5F1B2A10",
    path="pci-0000:00:14.0-usb-0:2:1.0",
    controller="xhci_hcd",
)
OTHER = replace(WEBCAM, product="085e", label="BRIO")
STREAM = CameraIdentity("stream", bus=Bus.NETWORK, address="http://127.0.0.1:8080/cam.mjpg")


def test_without_a_list_a_webcam_serves() -> None:
    """A desk works out of the box; that a list is better is the doctor's to say."""
    assert objection(WEBCAM, (), ()) is None
    assert objection(replace(WEBCAM, bus=Bus.PCI, vendor="", product=""), (), ()) is None


@pytest.mark.parametrize(
    "line",
    [
        "046d:0825",
        "046D:0825",
        "046d:0825 driver=uvcvideo",
        "046d:0825 serial=5F1B2A10 driver=uvcvideo",
        "046d:0825 path=pci-0000:00:14.0-usb-0:2:1.0",
    ],
)
def test_a_line_lets_in_the_camera_it_means(line: str) -> None:
    """By ids, and by whatever else it names."""
    assert objection(WEBCAM, (Allowed.parse(line),), ()) is None
    assert objection(OTHER, (Allowed.parse(line),), ()) is Objection.NOT_LISTED


@pytest.mark.parametrize("more", ["driver=gspca", "serial=other", "path=pci-0000:00:14.0-usb-0:3:1.0"])
def test_every_part_of_a_line_must_fit(more: str) -> None:
    """The same model at another socket, or another specimen of it, is another camera where the list says so."""
    assert objection(WEBCAM, (Allowed.parse(f"046d:0825 {more}"),), ()) is Objection.NOT_LISTED


@pytest.mark.parametrize(
    "camera",
    [
        CameraIdentity("video0", "Dummy video device (0x0000)", bus=Bus.VIRTUAL),
        CameraIdentity("video0", "FHD Camera", bus=Bus.VIRTUAL),
        CameraIdentity("video0", "vivid-000-vid-cap", "vivid", Bus.PLATFORM),
        replace(WEBCAM, driver="v4l2loopback"),
        replace(WEBCAM, controller="dummy_hcd"),
        replace(WEBCAM, controller="vhci_hcd"),
        *(replace(WEBCAM, label=name) for name in ("OBS Virtual Camera", "ManyCam Virtual Webcam", "DroidCam")),
    ],
)
def test_a_camera_that_a_program_makes_is_refused_whatever_the_list_says(camera: CameraIdentity) -> None:
    """Also one that calls itself a webcam and copies its ids."""
    assert objection(camera, (), ()) is Objection.VIRTUAL
    assert objection(camera, (Allowed.parse("046d:0825"),), ()) is Objection.VIRTUAL


@pytest.mark.parametrize("label", ["OBSBOT Tiny 2", "Integrated Camera", "Handiness", "Jobs cam"])
def test_a_name_that_only_resembles_is_no_sign(label: str) -> None:
    """Words, not letters."""
    assert objection(replace(WEBCAM, label=label), (), ()) is None


def test_an_hdmi_grabber_needs_a_line() -> None:
    """It is real hardware that shows what another computer plays."""
    grabber = replace(WEBCAM, vendor="534d", product="2109", label="USB Video")
    assert objection(grabber, (), ()) is Objection.GRABBER
    assert objection(grabber, (Allowed.parse("534d:2109"),), ()) is None


def test_what_the_system_does_not_describe_is_refused() -> None:
    """Unknown is not allowed."""
    assert objection(CameraIdentity("video0"), (), ()) is Objection.NOT_DESCRIBED


def test_a_stream_serves_by_its_whole_address_only() -> None:
    """Neither a prefix nor the list of USB cameras opens the network."""
    assert objection(STREAM, (), (STREAM.address,)) is None
    assert objection(STREAM, (), ()) is Objection.NOT_LISTED
    assert objection(STREAM, (Allowed.parse("046d:0825"),), (STREAM.address[:-1],)) is Objection.NOT_LISTED


@pytest.mark.parametrize(
    "line",
    [
        *("", "046d", "046d:08255", "HD Webcam", "046d:0825 uvcvideo", "046d:0825 driver=", "046d:0825 colour=black"),
        *("046d:0825 driver=a driver=b", "driver=uvcvideo 046d:0825"),
    ],
)
def test_a_line_that_means_nothing_is_told(line: str) -> None:
    """A list with a typing error must not become a wider list."""
    with pytest.raises(ValueError, match="allow: "):
        Allowed.parse(line)


HEX = st.text("0123456789abcdef", min_size=4, max_size=4)
WORD = st.text("abcdefgh_-", min_size=1, max_size=12)


@given(HEX, HEX, WORD)
def test_the_printed_line_lets_in_exactly_its_camera(vendor: str, product: str, driver: str) -> None:
    """What `keldim cameras` prints can be put into the list as it is."""
    camera = replace(WEBCAM, vendor=vendor, product=product, driver=driver)
    line = Allowed.parse(line_for(camera))
    assert line.fits(camera)
    assert not line.fits(replace(camera, driver=driver + "x"))


def test_no_line_can_mean_a_camera_without_ids() -> None:
    """Nothing is printed for it."""
    assert line_for(STREAM) == line_for(CameraIdentity("video0")) == ""


def test_the_fingerprint_forgets_the_number_and_knows_the_rest() -> None:
    """A number moves when a scanner is plugged in; ids, specimen, socket and address tell cameras apart."""
    assert replace(WEBCAM, node="video2").fingerprint == WEBCAM.fingerprint
    others = [OTHER, replace(WEBCAM, serial="x"), replace(WEBCAM, path="y"), replace(WEBCAM, driver="z"), STREAM]
    others.append(replace(STREAM, address="http://127.0.0.1:8081/cam.mjpg"))
    assert len({camera.fingerprint for camera in (WEBCAM, *others)}) == 1 + len(others)
