"""The only door to systemd: tells it that the kiosk is ready, and again and again that it lives.

When it lives is judged by `core.pulse`; what becomes of one that does not is the unit's (`WatchdogSec=`). The protocol
is sd_notify(3): one datagram to the Unix socket in $NOTIFY_SOCKET. No other kind of socket is ever made here.
"""

import logging
import socket
import zlib
from collections.abc import Mapping

from appliance.core.errors import CameraFrozen, CameraUnavailable
from appliance.core.ports import FrameSource
from appliance.core.pulse import Missing, PulseLimits, Sight, missing
from appliance.core.types import Frame, Instant
from sync.clock import Clock

_LOG = logging.getLogger(__name__)

_SAMPLE = 8
"""Every so many pixels, both ways: a sensor's noise changes some of them in each picture, whatever is before it."""


class Supervisor:
    """Datagrams to one notification socket."""

    def __init__(self, address: str) -> None:
        """address: a path, or @NAME for an abstract socket."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._heard = True

    def tell(self, *assignments: str) -> bool:
        """Send assignments such as READY=1 together. False, told in the log once, where nobody takes them."""
        try:
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            if self._heard:
                _LOG.warning("the supervisor's socket does not take messages: %s", type(error).__name__)
            self._heard = False
            return False
        self._heard = True
        return True

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


def supervisor_of(environment: Mapping[str, str]) -> Supervisor | None:
    """The supervisor that started this process; None where nobody waits for word.

    $WATCHDOG_PID is not looked at: in a kiosk session it is the compositor's, and the unit has NotifyAccess=all.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    return Supervisor(address) if address[:1] in ("/", "@") and len(address) > 1 else None


def mark_of(frame: Frame) -> int:
    """A checksum of a picture's samples; equal pictures have equal ones."""
    return zlib.crc32(frame.pixels[::_SAMPLE, ::_SAMPLE].tobytes())


class Watchdog:
    """Pings while the kiosk lives. `saw` and `failed` are the station's thread's, `ping` the window's timer's."""

    def __init__(self, supervisor: Supervisor | None, limits: PulseLimits | None = None) -> None:
        """supervisor: None where nobody waits for word; all else is the same then."""
        self._supervisor = supervisor
        self._limits = limits or PulseLimits()
        self._sight: Sight | None = None
        self._ready = False
        self._missing: Missing | None = None

    def saw(self, frame: Frame) -> None:
        """The station took a picture."""
        self._sight = (self._sight or Sight(frame.at)).seen(mark_of(frame), frame.at)

    def failed(self, at: Instant) -> None:
        """There is none, and the screen says why: the camera gave none, or the desk did not open."""
        self._sight = (self._sight or Sight(at)).failed(at)

    def ping(self, window: Instant, now: Instant) -> bool:
        """Tell the supervisor, if the kiosk lives; gives whether it does. window: when the window's timer ran last.

        Before the first picture, or the first failure that the screen tells, the kiosk is not ready and nothing is
        told: how long that may last is the unit's (`TimeoutStartSec=`).
        """
        if self._sight is None:
            return True
        lacking = missing(self._sight, window, now, self._limits)
        if lacking is not self._missing:
            _LOG.warning("watchdog: %s", f"no sign of life of the {lacking}" if lacking else "alive again")
        self._missing = lacking
        if lacking is None:
            self._tell("WATCHDOG=1") if self._ready else self._tell("READY=1", "WATCHDOG=1")
            self._ready = True
        return lacking is None

    def stopping(self) -> None:
        """The kiosk ends because it was told to."""
        self._tell("STOPPING=1")

    def _tell(self, *assignments: str) -> None:
        if self._supervisor is not None:
            self._supervisor.tell(*assignments)


class Watched:
    """A frame source whose pictures, as the station takes them, are the watchdog's first sign of life."""

    def __init__(self, source: FrameSource, watchdog: Watchdog, clock: Clock) -> None:
        self._source, self._watchdog, self._clock = source, watchdog, clock

    @property
    def name(self) -> str:
        """The name of the source behind."""
        return self._source.name

    def read(self) -> Frame | None:
        """The next frame. Raises as the source behind."""
        try:
            frame = self._source.read()
        except (CameraUnavailable, CameraFrozen):
            self._watchdog.failed(Instant(self._clock.monotonic()))
            raise
        if frame is not None:
            self._watchdog.saw(frame)
        return frame

    def close(self) -> None:
        """Close the source behind."""
        self._source.close()
