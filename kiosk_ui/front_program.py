"""The reception's window over an open desk: makes the parts and runs until the window is closed.

A composition root, and a process of its own beside the patient's window: either may be closed, or crash, alone.
"""

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine

import kiosk_ui.environment  # noqa: F401 - before Qt
from appliance.composition import OpenDesk
from appliance.device_page import device_page
from appliance.texts import Language
from kiosk_ui.device import DeviceBoard
from kiosk_ui.program import Placing, place_window
from kiosk_ui.reception import Reception
from kiosk_ui.window import load_window, prepare_types

REFRESH_MS = 2000
"""How soon the reception sees that somebody needs help: a query of milliseconds each time."""


def run_reception(desk: OpenDesk, packs: Path, language: Language | None, placing: Placing) -> int:
    """Run until the window is closed; gives the exit code. language: None for the desk's own."""
    spoken = language or desk.config.desk.language
    app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    prepare_types()
    front = Reception(desk.front_desk(), spoken, desk.settings.device.clinic)
    board = DeviceBoard(lambda: device_page(desk.home, packs, desk.clock), spoken)
    front.spoken.connect(lambda chosen: board.speak(Language(chosen)))
    engine = QQmlApplicationEngine()
    window = load_window(engine, "Reception.qml", front=front, device=board)
    place_window(window, placing)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.quit())
    timer = QTimer(interval=REFRESH_MS)  # also lets Python see signals, which wait while Qt waits
    timer.timeout.connect(front.refresh)
    timer.start()
    try:
        return int(app.exec())
    finally:
        timer.stop()
        front.signOut()
        board.close()
        del window
        engine.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
