"""Cameras without hardware: a device that follows a list, and a paced HTTP-MJPEG server that stands in for a webcam."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from appliance.capture.camera_device import CaptureSettings, Device
from appliance.core.errors import CameraUnavailable
from appliance.opencv import cv2

Pixels = NDArray[np.uint8]


def picture(number: int, level: int = 120) -> Pixels:
    """A small grey picture that carries its number; read it with `number_of`."""
    pixels = np.full((48, 64, 3), level, np.uint8)
    pixels[:8, :8] = number % 256
    pixels[:8, 8:16] = number // 256
    return pixels


def number_of(pixels: Pixels) -> int:
    """The number `picture` wrote."""
    return int(pixels[4, 4, 0]) + 256 * int(pixels[4, 12, 0])


class ListedDevice:
    """A device that gives the listed frames, one each `interval` seconds of real time.

    None in the list is a failed read, as is every read after its end.
    """

    def __init__(self, frames: Iterable[Pixels | None], interval: float = 0.001) -> None:
        self._frames: Iterator[Pixels | None] = iter(frames)
        self._interval = interval
        self.released = 0

    def read(self) -> tuple[bool, Pixels | None]:
        """The next listed frame."""
        assert not self.released, "a released device is not read"
        time.sleep(self._interval)
        pixels = next(self._frames, None)
        return pixels is not None, pixels

    def release(self) -> None:
        """Count releases."""
        self.released += 1


class Bench:
    """An `OpenDevice` that hands out the given devices in turn (None: opening fails); remembers when it was asked."""

    def __init__(self, *devices: Device | None) -> None:
        self._devices = list(devices)
        self.opened_at: list[float] = []

    def open(self, address: int | str, settings: CaptureSettings) -> Device:
        """The next device."""
        assert settings.width > 0
        self.opened_at.append(time.monotonic())
        device = self._devices.pop(0) if self._devices else None
        if device is None:
            raise CameraUnavailable(f"no camera {address}")
        return device


class MjpegCamera:
    """A webcam over HTTP on 127.0.0.1: what `draw(n)` gives for frame n, as JPEG, `fps` times a second in real time.

    A context manager. Frames pass whether somebody reads them or not. `unplug` cuts the connections, refuses new ones.
    """

    def __init__(self, draw: Callable[[int], Pixels], fps: float = 30.0) -> None:
        self._draw, self._interval = draw, 1.0 / fps
        self._unplugged = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *args: object) -> None:
                del args  # requests are not logged in tests

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="mjpeg", daemon=True)
        self._born = time.monotonic()

    @property
    def url(self) -> str:
        """Where the stream is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream.mjpg"

    def now(self) -> int:
        """The number of the frame before the lens at this moment."""
        return int((time.monotonic() - self._born) / self._interval)

    def unplug(self) -> None:
        """Pull the cable."""
        self._unplugged.set()

    def plug_in(self) -> None:
        """Put the cable back."""
        self._unplugged.clear()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        if self._unplugged.is_set():
            request.send_error(503)
            return
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        last = -1
        try:
            while not self._unplugged.is_set():
                number = self.now()
                if number > last:
                    last = number
                    jpeg = cv2.imencode(".jpg", self._draw(number))[1].tobytes()
                    request.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
                    request.wfile.write(f"Content-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n")
                time.sleep(self._interval / 8)
        except OSError:  # the reader went away
            return

    def __enter__(self) -> "MjpegCamera":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unplugged.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
