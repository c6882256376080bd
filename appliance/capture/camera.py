"""Owns the live camera: its thread, the newest frame, reopening it when it fails.

How a device is reached is the matter of `camera_device`; when a picture counts as frozen or black that of
`camera_health`.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.capture.camera_device import CaptureSettings, Device, OpenDevice, open_device, source_name
from appliance.capture.camera_health import Fault, HealthLimits, PictureHealth
from appliance.core.errors import CameraFrozen, CameraUnavailable
from appliance.core.types import Frame, Instant

logger = logging.getLogger(__name__)

_LOST_IN_A_ROW = 5  # failed reads after which the device is opened anew; single ones are damaged frames
_FAULT_TEXT = {Fault.FROZEN: "the picture stands still", Fault.BLACK: "the picture is black"}


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """Deadlines in seconds.

    first_frame: what the first `read` waits (slow cameras settle their exposure first). frame: what later ones wait.
    stop: for the thread to end. backoff, backoff_cap: first and longest pause before opening again; each failure in a
    row doubles it. There is no jitter: nobody shares a camera.
    """

    first_frame: float = 6.0
    frame: float = 2.5
    stop: float = 5.0
    backoff: float = 0.25
    backoff_cap: float = 4.0


class CameraClock(Protocol):
    """What a camera needs of a clock."""

    def monotonic(self) -> float:
        """Seconds on the axis frames are stamped on."""


class Camera:
    """A FrameSource that always gives the newest frame, and none twice.

    The thread "camera" opens, reads and reopens the device. It alone owns: the device, `PictureHealth`, the pause.
    Under `_changed`, written by the thread: `_newest`, `_problem`, `_ended`. Owned by the reader: `_given`.
    Set once by `close`: `_stop`.
    """

    def __init__(
        self,
        address: int | str,
        clock: CameraClock,
        settings: CaptureSettings | None = None,
        limits: CameraLimits | None = None,
        health: HealthLimits | None = None,
        open_with: OpenDevice = open_device,
        preview: Callable[[Frame], None] | None = None,
    ) -> None:
        """Start the thread. address: number, /dev/videoN or URL. The camera is opened in the background.

        preview: gets every good frame on the camera's thread, also those that nobody reads; must not block.
        """
        self._address, self._clock, self._open = address, clock, open_with
        self._settings = settings or CaptureSettings()
        self._limits = limits or CameraLimits()
        self._health = health or HealthLimits()
        self._preview = preview
        self._name = source_name(address)
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._problem: CameraUnavailable | CameraFrozen | None = None
        self._ended = False
        self._given = -1
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """Stable name of the camera, without credentials of a URL."""
        return self._name

    def read(self) -> Frame | None:
        """Wait for a frame newer than the last one given; never None.

        Raises CameraFrozen for a picture that stands still or is black, CameraUnavailable when the camera cannot be
        opened or gives no frame within the deadline. May be called again: the camera is reopened meanwhile.
        """
        deadline = self._limits.first_frame if self._given < 0 else self._limits.frame
        with self._changed:
            self._changed.wait_for(self._has_news, timeout=deadline)
            if self._stop.is_set():
                raise CameraUnavailable("the camera is closed")
            problem, self._problem = self._problem, None
            if self._ended:
                raise RuntimeError("the camera's thread died of a bug, told above")
            if problem is not None:
                raise problem
            frame = self._newest
            if frame is None or frame.index <= self._given:
                raise CameraUnavailable(f"no frame within {deadline:g} seconds")
            self._given = frame.index
            return frame

    def close(self) -> None:
        """Stop the thread and release the device; harmless when called twice.

        A driver that does not return within the deadline is logged and left: its thread does not hold up the process.
        """
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=self._limits.stop)
        if self._thread.is_alive():
            logger.warning("camera %s: the driver did not return within %g s", self._name, self._limits.stop)

    def _has_news(self) -> bool:
        fresh = self._newest is not None and self._newest.index > self._given
        return fresh or self._problem is not None or self._ended or self._stop.is_set()

    def _run(self) -> None:
        """The thread. A bug that ends it is told by `read` too: it must end the process, not only the picture."""
        try:
            self._work()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _work(self) -> None:
        """Open, pump until it fails, pause, again."""
        pause, index = self._limits.backoff, 0
        health = PictureHealth(self._health)  # outlives the device: a hung camera may repeat its frame when reopened
        while not self._stop.is_set():
            before = index
            try:
                device = self._open(self._address, self._settings)
            except CameraUnavailable as failure:
                self._tell(failure)
            else:
                try:
                    index = self._pump(device, health, index)
                finally:
                    device.release()
            if index > before:
                pause = self._limits.backoff
            self._stop.wait(pause)
            pause = min(2 * pause, self._limits.backoff_cap)

    def _pump(self, device: Device, health: PictureHealth, index: int) -> int:
        """Take frames until told to stop, or until the device must be opened anew; the next frame's index."""
        lost = 0
        while not self._stop.is_set():
            good, pixels = device.read()
            at = self._clock.monotonic()
            if not good or pixels is None:
                lost += 1
                if lost >= _LOST_IN_A_ROW:
                    self._tell(CameraUnavailable("the camera stopped giving frames"))
                    return index
                continue
            lost = 0
            fault = health.watch(pixels, at)
            if fault is None:
                self._offer(pixels, at, index)
                index += 1
                continue
            self._tell(CameraFrozen(_FAULT_TEXT[fault]))
            if fault is Fault.FROZEN:  # opening it anew wakes a hung camera; a covered lens stays covered
                return index
        return index

    def _offer(self, pixels: NDArray[np.uint8], at: float, index: int) -> None:
        frame = Frame(pixels, Instant(at), self._name, index)
        with self._changed:
            self._newest, self._problem = frame, None
            self._changed.notify_all()
        if self._preview:
            self._preview(frame)

    def _tell(self, problem: CameraUnavailable | CameraFrozen) -> None:
        with self._changed:
            self._problem = problem
            self._changed.notify_all()
