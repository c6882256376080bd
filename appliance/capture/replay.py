"""Owns frames that do not come from a live camera: video files, folders of pictures, and pacing to a clock.

Live cameras belong to `camera`, drawn scenes to `scene`.
"""

import logging
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.capture.picture import MAX_PIXELS, read_image
from appliance.core.errors import CameraUnavailable, ImageUnreadable
from appliance.core.types import Frame, Instant
from appliance.opencv import cv2

logger = logging.getLogger(__name__)

_ORIGIN = Instant(0.0)
_PICTURES = frozenset({".jpg", ".jpeg", ".png"})
_SANE_FPS = (1.0, 240.0)
_DEFAULT_FPS = 25.0  # for files that do not say
_MISSING_SHARE = 0.98  # containers announce a frame or two too many; less than this is a truncated file
_MAX_LAG = 0.25  # seconds a paced frame may be late before it is skipped
_MAX_SKIPS = 30  # frames skipped at once: a source slower than real time still gives frames


class VideoFile:
    """A recording as a FrameSource: every frame in order, with media time start + index / fps.

    A damaged recording gives the frames it has, then ends and logs that; `truncated` tells it too.
    """

    def __init__(self, path: Path, start: Instant = _ORIGIN, name: str = "recording") -> None:
        """Raises CameraUnavailable for a missing file, ImageUnreadable for one without a single readable frame."""
        if not path.is_file():
            raise CameraUnavailable(f"{path.name}: no such recording")
        self._name, self._start = name, start
        self._index = 0
        self.truncated = False
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        try:
            self._next = self._first_frame(path)
        except ImageUnreadable:
            self.close()
            raise
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if _SANE_FPS[0] <= fps <= _SANE_FPS[1] else _DEFAULT_FPS
        self._announced = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))

    def _first_frame(self, path: Path) -> NDArray[np.uint8] | None:
        """Decode one frame, so that an empty or damaged file is known at once."""
        if not self._capture.isOpened():
            raise ImageUnreadable(f"{path.name}: not a readable video")
        width, height = (self._capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MAX_PIXELS:
            raise ImageUnreadable(f"{path.name}: {width:.0f} x {height:.0f} pixels are more than this desk decodes")
        first = self._decode()
        if first is None:
            raise ImageUnreadable(f"{path.name}: a video without a readable frame")
        return first

    def _decode(self) -> NDArray[np.uint8] | None:
        good, pixels = self._capture.read()
        return np.asarray(pixels, np.uint8) if good else None

    @property
    def name(self) -> str:
        """Stable name of the source."""
        return self._name

    def read(self) -> Frame | None:
        """The next frame; None after the last one."""
        pixels = self._next
        if pixels is None:
            return None
        frame = Frame(pixels, Instant(self._start + self._index / self.fps), self._name, self._index)
        self._index += 1
        self._next = self._decode()
        if self._next is None and self._index < self._announced * _MISSING_SHARE:
            self.truncated = True
            logger.warning("%s: ends after %d of %d frames", self._name, self._index, self._announced)
        return frame

    def close(self) -> None:
        """Release the file; harmless when called twice."""
        self._next = None
        self._capture.release()


class ImageFolder:
    """The JPEG and PNG pictures of a folder, in order of their names, as a FrameSource of so many frames a second."""

    def __init__(self, path: Path, fps: float = 15.0, start: Instant = _ORIGIN, name: str = "pictures") -> None:
        """Raises CameraUnavailable for a folder without pictures, ValueError for a rate that is not positive."""
        if fps <= 0:
            raise ValueError("frames per second must be positive")
        if not path.is_dir():
            raise CameraUnavailable(f"{path.name}: no such folder")
        self._files = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)
        if not self._files:
            raise CameraUnavailable(f"{path.name}: no JPEG or PNG picture in it")
        self._name, self._start, self.fps = name, start, fps
        self._index = 0

    @property
    def name(self) -> str:
        """Stable name of the source."""
        return self._name

    def read(self) -> Frame | None:
        """The next picture; None after the last. Raises ImageUnreadable for a damaged one; the next call goes on."""
        if self._index >= len(self._files):
            return None
        index, self._index = self._index, self._index + 1
        return Frame(read_image(self._files[index]), Instant(self._start + index / self.fps), self._name, index)

    def close(self) -> None:
        """End the sequence; harmless when called twice."""
        self._index = len(self._files)


class Frames(Protocol):
    """What pacing needs of a source; every `FrameSource` is one."""

    @property
    def name(self) -> str:
        """Stable name."""

    def read(self) -> Frame | None:
        """The next frame; None at the end."""

    def close(self) -> None:
        """Release it."""


class PacingClock(Protocol):
    """What pacing needs of a clock."""

    def monotonic(self) -> float:
        """Seconds on the axis the frames' times are on."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Paced:
    """Another source, given frame by frame when its time has come: a recording or a scene behaves like a camera.

    The source's start must lie on the clock's axis. Frames whose time is long past are skipped, as a camera drops them.
    """

    def __init__(self, source: Frames, clock: PacingClock) -> None:
        self._source, self._clock = source, clock

    @property
    def name(self) -> str:
        """The name of the source behind."""
        return self._source.name

    def read(self) -> Frame | None:
        """Wait for the next frame's time; None when the source has ended."""
        for _ in range(_MAX_SKIPS):
            frame = self._source.read()
            if frame is None:
                return None
            early = frame.at - self._clock.monotonic()
            if early > 0:
                self._clock.sleep(early)
            if early > -_MAX_LAG:
                return frame
        return frame

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()
