"""One window over one desk: makes the parts, connects their threads, runs until the window is closed.

A composition root. Where the desk is and which camera it has was chosen on the command line.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickWindow

import kiosk_ui.environment  # noqa: F401 - before Qt
from appliance.composition import OpenDesk
from appliance.core.snapshot import Intent
from appliance.core.types import Frame
from appliance.texts import Language
from kiosk_ui.aids import Aids, Sound
from kiosk_ui.camera_view import CameraView
from kiosk_ui.dates import clock_text
from kiosk_ui.desk import Ended
from kiosk_ui.kiosk import Kiosk, Shown
from kiosk_ui.mailbox import Mailbox
from kiosk_ui.screen import Surroundings
from kiosk_ui.told_to_end import end_when_told
from kiosk_ui.window import load_window, prepare_types
from sync.clock import Clock

_MM_PER_INCH = 25.4
_SPARSE, _DENSE = 2.5, 6.0
"""Pixels of a millimetre on screens of 32 to 10 inches; what a screen says of itself may be nonsense."""

_BUG = 1
"""Exit code of a program that its supervisor shall start again."""


@dataclass(frozen=True, slots=True)
class Placing:
    """Where the window goes. fullscreen: as a kiosk's. screen: number of the monitor, from 0."""

    fullscreen: bool = False
    screen: int = 0
    width: int = 1280
    height: int = 800


class Worker(Protocol):
    """What happens behind the window, on a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> bool:
        """End soon; tells whether it has ended."""

    def submit(self, intent: Intent) -> None:
        """What somebody said on the screen."""


Preview = Callable[[Frame], None]


@dataclass(frozen=True, slots=True)
class _About:
    clinic: str
    language: Language


class Program:
    """The window, the bridge and the desk's thread; lives on the main thread."""

    def __init__(
        self,
        clock: Clock,
        language: Language | None,
        placing: Placing,
        alive: Callable[[], None] = lambda: None,
        sound: Sound | None = None,
    ) -> None:
        """language: of the idle screen; None: the desk's own, once it is open. alive: called each second."""
        self._app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
        prepare_types()
        self._clock, self._alive = clock, alive
        self._around = Surroundings(voice=sound is not None and sound.heard)
        self._code = 0
        self._worker: Worker | None = None
        self._chosen = language
        self.kiosk = Kiosk(language or Language.KAZAKH, self._send)
        self._engine = QQmlApplicationEngine()
        self.window = load_window(self._engine, "Patient.qml", kiosk=self.kiosk)
        self.kiosk.set_density(place_window(self.window, placing))
        view = self.window.findChild(QObject, "view")
        assert isinstance(view, CameraView)  # noqa: S101 - named so in Patient.qml
        self.kiosk.look_through(view)
        self._aids = Aids(self.kiosk, sound)
        self._printers: Mailbox[bool] = Mailbox(self._printing)
        self._snapshots: Mailbox[Shown] = Mailbox(self._show)
        self._frames: Mailbox[Frame] = Mailbox(self.kiosk.show_frame)
        self._endings: Mailbox[Ended] = Mailbox(self._over)
        self._desks: Mailbox[_About] = Mailbox(self._about)
        self._minute = QTimer(interval=1000)
        self._minute.timeout.connect(self._tick)

    def preview(self, frame: Frame) -> None:
        """Show a frame; from any thread."""
        self._frames.put(frame)
        self._aids.frame(frame)

    def publish(self, shown: Shown) -> None:
        """Show a snapshot; from any thread."""
        self._snapshots.put(shown)

    def ended(self, how: Ended) -> None:
        """The worker is over, and so is the program; from any thread."""
        self._endings.put(how)

    def tell(self, desk: OpenDesk) -> None:
        """Which desk this is; from the desk's thread."""
        self._desks.put(_About(desk.settings.device.clinic, desk.config.desk.language))

    def run(self, worker: "Worker") -> int:
        """Run until the window is closed or the worker is over; gives the exit code."""
        self._worker = worker
        end_when_told(self._app)
        self._tick()
        self._minute.start()
        worker.start()
        try:
            self._app.exec()
        finally:
            self._minute.stop()
            stopped = worker.stop()
            self.close()
        return self._code if stopped else _BUG

    def quit(self) -> None:
        """End `run`; on the window's thread."""
        self._app.quit()

    def close(self) -> None:
        """Take the window down before what it shows."""
        self._minute.stop()
        self._aids.close()
        # the last ones would come to a view that is gone, and be spoken
        for box in (self._frames, self._snapshots, self._printers, self._endings, self._desks):
            box.close()
        del self.window
        self._engine.deleteLater()
        self._app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self._app.processEvents()

    def _send(self, intent: Intent) -> None:
        if self._worker is not None:
            self._worker.submit(intent)

    def _show(self, shown: Shown) -> None:
        if shown.offline != self._around.offline:
            self._around = replace(self._around, offline=shown.offline)
            self.kiosk.surround(self._around)
        self.kiosk.show(shown)
        self._aids.show(shown, self._around.clinic, self._clock.monotonic())

    def _printing(self, found: bool) -> None:
        self._around = replace(self._around, printer=found)
        self.kiosk.surround(self._around)

    def _about(self, desk: "_About") -> None:
        self._around = replace(self._around, clinic=desk.clinic)
        self.kiosk.surround(self._around)
        if self._chosen is None:
            self.kiosk.set_default(desk.language)

    def _tick(self) -> None:
        """Also lets Python see signals, which wait while Qt waits."""
        self._alive()
        self._aids.tick(self._clock.monotonic())
        self._aids.printer.watch(self._clock.monotonic(), self._printers.put)
        now = clock_text(self._clock.moment().wall, self.kiosk.language)
        self._around = replace(self._around, clock=now)
        self.kiosk.surround(self._around)

    def _over(self, ended: Ended) -> None:
        self._code = 0 if ended.bug is None else _BUG
        self._app.quit()


def place_window(window: QQuickWindow, placing: Placing) -> float:
    """Show a window where it belongs; gives the pixels of a millimetre there."""
    screens = QGuiApplication.screens()
    window.setScreen(screens[min(placing.screen, len(screens) - 1)])
    window.setPosition(window.screen().geometry().topLeft())
    window.resize(placing.width, placing.height)
    if placing.fullscreen:
        window.showFullScreen()
    else:
        window.show()
    return min(max(window.screen().physicalDotsPerInch() / _MM_PER_INCH, _SPARSE), _DENSE)
