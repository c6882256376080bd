"""Frame sources as a command names them: a webcam, a video, a folder of pictures."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from appliance.admission import demand
from appliance.capture.camera import Camera
from appliance.capture.camera_device import CaptureSettings
from appliance.capture.camera_identity import SameCamera, identify
from appliance.capture.replay import ImageFolder, Paced, VideoFile
from appliance.cli.output import EXIT_USAGE, warn
from appliance.config import Camera as CameraConfig
from appliance.core.camera import CameraIdentity
from appliance.core.ports import FrameSource
from appliance.core.types import Frame, Instant
from sync.clock import Clock


class From:
    """A source without its first seconds. The frames keep their own times."""

    def __init__(self, source: FrameSource, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self._first: Instant | None = None

    @property
    def name(self) -> str:
        """The name of the source behind."""
        return self._source.name

    def read(self) -> Frame | None:
        """The next frame after the skipped seconds."""
        while (frame := self._source.read()) is not None:
            self._first = frame.at if self._first is None else self._first
            if frame.at - self._first >= self._seconds:
                return frame
        return None

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()


class Begun:
    """A camera that has given its first frame: one that is not there is told at once, one that fails later comes back.

    Without it a desk started on a wrong camera would wait for it for ever.
    """

    def __init__(self, source: FrameSource) -> None:
        """Wait for the first frame. Raises CameraUnavailable, CameraFrozen."""
        self._source = source
        self._first = source.read()

    @property
    def name(self) -> str:
        """The name of the source behind."""
        return self._source.name

    def read(self) -> Frame | None:
        """The first frame, then the next ones. Raises CameraUnavailable, CameraFrozen."""
        first, self._first = self._first, None
        return first or self._source.read()

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()


class Shown:
    """A recording whose frames are shown as they are read."""

    def __init__(self, source: FrameSource, preview: Callable[[Frame], None]) -> None:
        """preview: gets each frame before the reader does."""
        self._source, self._preview = source, preview

    @property
    def name(self) -> str:
        """The name of the source behind."""
        return self._source.name

    def read(self) -> Frame | None:
        """The next frame."""
        frame = self._source.read()
        if frame is not None:
            self._preview(frame)
        return frame

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()


def chosen(camera: str | None, video: Path | None, images: Path | None) -> None:
    """Exactly one source must be named; ends the command with a usage error otherwise."""
    if sum(value is not None for value in (camera, video, images)) != 1:
        warn("Name one source: --camera 0, --video FILE or --images DIR.")
        raise SystemExit(EXIT_USAGE)


def _camera(
    named: str,
    settings: CameraConfig,
    clock: Clock,
    admit: Callable[[CameraIdentity], None] | None,
    preview: Callable[[Frame], None] | None,
) -> Camera:
    """A camera that may serve, opened; only recordings need no admission. Raises CameraUnavailable, CameraRefused."""
    address = int(named) if named.isdigit() else named
    identity = identify(address)
    if admit is None:
        demand(identity, settings.allowed, settings.streams)
    else:
        admit(identity)
    wanted = CaptureSettings(settings.width, settings.height, settings.rate)
    return Camera(address, clock, wanted, open_with=SameCamera(identity).open, preview=preview)


@contextlib.contextmanager
def opened(
    camera: str | None,
    video: Path | None,
    images: Path | None,
    settings: CameraConfig,
    clock: Clock,
    skip: float = 0.0,
    admit: Callable[[CameraIdentity], None] | None = None,
    preview: Callable[[Frame], None] | None = None,
) -> Iterator[FrameSource]:
    """The named source, closed afterwards. camera: number, /dev/videoN or URL. skip: seconds left out at the start.

    admit: lets a camera in and records what is to be recorded; without it the settings decide and nothing is. preview:
    gets every frame to be shown, a camera's on a thread of its own; must not block.
    Raises CameraUnavailable, CameraRefused, CameraFrozen, ImageUnreadable.
    """
    chosen(camera, video, images)
    start = Instant(clock.monotonic())
    source: FrameSource
    if camera is not None:
        source = _camera(camera, settings, clock, admit, preview)
    elif video is not None:
        source = VideoFile(video, start)
    else:
        source = ImageFolder(images or Path(), start=start)
    if preview is not None and camera is None:
        source = Shown(Paced(source, clock), preview)
    with contextlib.closing(source):
        begun = source if camera is None else Begun(source)
        yield From(begun, skip) if skip else begun
