"""Owns reaching a camera through OpenCV: opening it with the right settings.

Which camera it is belongs to `camera_identity`; keeping it alive, and noticing when it lies, to `camera` and
`camera_health`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.core.errors import CameraUnavailable
from appliance.opencv import cv2

_OPEN_TIMEOUT_MS = 3000  # of a network camera; a device on USB answers within a second or never
_READ_TIMEOUT_MS = 3000


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What is asked of the camera; it may give something else, frames are taken as they come."""

    width: int = 640
    height: int = 480
    fps: float = 30.0


class Device(Protocol):
    """An open camera."""

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        """Wait for the next frame: (True, BGR H x W x 3), or (False, None) when there is none."""

    def release(self) -> None:
        """Give the device back."""


OpenDevice = Callable[[int | str, CaptureSettings], Device]
"""Opens a camera by its number, device path or URL. Raises CameraUnavailable."""


class _OpenCvDevice:
    """A camera behind cv2.VideoCapture; the library's odd answers become "no frame"."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        try:
            good, pixels = self._capture.read()
        except cv2.error:  # a damaged JPEG from the camera: one frame is lost
            return False, None
        if not good or pixels.ndim != 3 or pixels.shape[2] != 3:
            return False, None
        return True, np.asarray(pixels, np.uint8)

    def release(self) -> None:
        self._capture.release()


def open_device(address: int | str, settings: CaptureSettings) -> Device:
    """Open a camera through OpenCV. Raises CameraUnavailable.

    A number or /dev/videoN is asked for MJPG before size and rate: uncompressed 30 frames a second do not fit USB 2
    above 640 x 480, and a driver fixes the format when the size is set. One buffer, so that frames are fresh.
    """
    local = isinstance(address, int) or address.startswith("/")
    try:
        capture = _open_local(address, settings) if local else _open_stream(str(address))
    except cv2.error as error:
        raise CameraUnavailable("the camera cannot be opened") from error
    if not capture.isOpened():
        capture.release()
        raise CameraUnavailable("the camera cannot be opened")
    return _OpenCvDevice(capture)


def _open_local(address: int | str, settings: CaptureSettings) -> cv2.VideoCapture:
    if isinstance(address, str) and not Path(address).exists():
        raise CameraUnavailable(f"there is no {address}")
    capture = cv2.VideoCapture(address, cv2.CAP_V4L2)
    if capture.isOpened():
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        capture.set(cv2.CAP_PROP_FPS, settings.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _open_stream(url: str) -> cv2.VideoCapture:
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)


def source_name(address: int | str) -> str:
    """A stable name for events and logs; of a URL only that it is one, because it may hold a password."""
    if isinstance(address, int):
        return f"video{address}"
    return Path(address).name if address.startswith("/") else "stream"
