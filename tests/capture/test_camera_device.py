"""Reaching a camera: addresses and names."""

from pathlib import Path

import pytest

from appliance.capture.camera_device import CaptureSettings, open_device, source_name
from appliance.core.errors import CameraUnavailable


@pytest.mark.parametrize("address", ["/dev/video-none", "http://127.0.0.1:9/nothing"])
def test_what_is_not_there_is_unavailable(address: str) -> None:
    """Whatever OpenCV says or returns, the port's error comes out."""
    with pytest.raises(CameraUnavailable):
        open_device(address, CaptureSettings())


def test_a_number_without_a_device_is_unavailable() -> None:
    """Also by number."""
    with pytest.raises(CameraUnavailable):
        open_device(97, CaptureSettings())


def test_a_file_that_is_no_camera_is_unavailable(tmp_path: Path) -> None:
    """A path to something else is not taken for a camera."""
    path = tmp_path / "video0"
    path.write_bytes(b"not a device")
    with pytest.raises(CameraUnavailable):
        open_device(str(path), CaptureSettings())


def test_names_are_stable_and_hold_no_password() -> None:
    """The name goes into events and logs."""
    assert source_name(0) == "video0"
    assert source_name("/dev/video2") == "video2"
    assert source_name("http://user:secret@camera.example/stream") == "stream"
