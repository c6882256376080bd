"""A webcam without hardware: a process that gives MJPEG over HTTP at an even pace, with a clock in each picture.

`python -m appliance.bench.virtual_camera` prints its address and serves until its standard input ends, so it never
outlives who started it. The pictures are a scripted scene, drawn before; only clock and JPEG are made per frame, as a
webcam does it in hardware. Reading them is the desk's own camera's business.
"""

import argparse
import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.bench.clock_strip import stamp
from appliance.capture.scene import Scene
from appliance.capture.scene_script import Enter, LivePerson, Script
from appliance.core.types import Instant
from appliance.demo.cast import PATIENTS, photograph
from appliance.face.pack import open_pack
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from sync.clock import SystemClock

Pixels = NDArray[np.uint8]

QUALITY = 85
"""JPEG quality: a 1280 x 720 picture of the scene has about 90 kB, a webcam's 60 to 220 kB."""
_DRAWN = 10
"""Different pictures, shown in turn."""
SETTLED_S = 3.0
"""When the person in the scene has stepped up and stands still."""


def pictures(width: int, height: int, pack: Path | None) -> list[Pixels]:
    """What the camera shows in turn: a person who stands before it, found with this pack; None: an empty room."""
    actions: tuple[Enter, ...] = ()
    if pack is not None:
        portrait = photograph(PATIENTS[0].picture, FacePipeline(open_pack(pack))).portrait
        actions = (Enter(0.0, LivePerson(portrait)),)
    scene = Scene(Script(actions, seconds=SETTLED_S + 60.0), start=Instant(0.0), fps=15.0, width=width, height=height)
    frames = (frame for frame in iter(scene.read, None) if frame.at >= SETTLED_S)
    return [frame.pixels for frame in islice(frames, _DRAWN)]


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_GET(self) -> None:
        """Stream until the reader goes away."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(OSError):  # the reader went away
            for jpeg in self.server.paced():
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *args: object) -> None:
        """Requests are not logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, shown: Sequence[Pixels], fps: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._shown, self._interval, self._clock = shown, 1.0 / fps, SystemClock()

    def paced(self) -> Iterator[bytes]:
        """JPEGs at an even pace; a frame whose time is past when the reader was slow is left out, as a camera does."""
        begin = self._clock.monotonic()
        for number in count():
            wait = begin + number * self._interval - self._clock.monotonic()
            if wait < -self._interval:
                continue
            self._clock.sleep(max(wait, 0.0))
            picture = self._shown[number % len(self._shown)].copy()
            stamp(picture, int(self._clock.monotonic() * 1e6))
            yield cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


@contextlib.contextmanager
def running(width: int, height: int, fps: float, pack: Path | None) -> Iterator[str]:
    """The address of a virtual camera in a process of its own, as a context. pack: as in `pictures`."""
    command = [sys.executable, "-m", __name__, str(width), str(height), str(fps)]
    command += [] if pack is None else ["--person", str(pack)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until standard input ends."""
    words = argparse.ArgumentParser(prog="virtual_camera", description="MJPEG over HTTP with a clock in the picture")
    words.add_argument("width", type=int)
    words.add_argument("height", type=int)
    words.add_argument("fps", type=float)
    words.add_argument("--person", type=Path, default=None, metavar="PACK", help="show a person, found with a pack")
    given = words.parse_args()
    server = _Server(pictures(given.width, given.height, given.person), given.fps)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/stream.mjpg\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
