"""The reception's window over an open desk: makes the parts and runs until the window is closed.

A composition root, and a process of its own beside the patient's window: either may be closed, or crash, alone.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine

import kiosk_ui.environment  # noqa: F401 - before Qt
from appliance.composition import OpenDesk
from appliance.core.types import Frame
from appliance.device_page import device_page
from appliance.texts import Language
from kiosk_ui.camera_view import CameraView
from kiosk_ui.desk import Opening
from kiosk_ui.device import DeviceBoard
from kiosk_ui.enrol_page import EnrolPage
from kiosk_ui.enrolling import Enroller, Outcome, Stand
from kiosk_ui.mailbox import Mailbox
from kiosk_ui.program import Placing, place_window
from kiosk_ui.proof_paper import ProofPaper
from kiosk_ui.reception import Reception
from kiosk_ui.told_to_end import end_when_told
from kiosk_ui.window import load_window, prepare_types

REFRESH_MS = 2000
"""How soon the reception sees that somebody needs help: a query of milliseconds each time."""


Cameras = Callable[[Callable[[Frame], None]], Opening]
"""Makes the opening of the desk with the reception's own camera, given where its frames are shown."""


def run_reception(
    desk: OpenDesk, packs: Path, language: Language | None, placing: Placing, cameras: Cameras | None = None
) -> int:
    """Run until the window is closed; gives the exit code.

    language: None for the desk's own. cameras: for enrolments; None without a camera at the reception.
    """
    spoken = language or desk.config.desk.language
    app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    prepare_types()
    front = Reception(desk.front_desk(), spoken, desk.settings.device.clinic, camera=cameras is not None)
    board = DeviceBoard(lambda: device_page(desk.home, packs, desk.clock), spoken)
    page = EnrolPage(front.desk, spoken, _enroller(cameras) if cameras else None)
    for part in (board, page):
        front.spoken.connect(lambda chosen, part=part: part.speak(Language(chosen)))
    page.ownFaceTaken.connect(front.faceTaken)
    paper = ProofPaper(front, desk.settings.device.clinic, desk.home.root / "proofs")
    engine = QQmlApplicationEngine()
    window = load_window(engine, "Reception.qml", front=front, device=board, enrol=page)
    view = window.findChild(QObject, "enrolView")
    assert isinstance(view, CameraView)  # noqa: S101 - named so in EnrolPage.qml
    page.look_through(view)
    place_window(window, placing)
    end_when_told(app)
    timer = QTimer(interval=REFRESH_MS)  # also lets Python see signals, which wait while Qt waits
    timer.timeout.connect(front.refresh)
    timer.start()
    try:
        return int(app.exec())
    finally:
        timer.stop()
        page.close()
        front.signOut()
        board.close()
        del window, paper
        engine.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _enroller(cameras: Cameras) -> Callable[[EnrolPage], Enroller]:
    """What the enroller's thread says reaches the page through mailboxes."""

    def make(page: EnrolPage) -> Enroller:
        stands: Mailbox[Stand] = Mailbox(page.tell)
        endings: Mailbox[Outcome] = Mailbox(page.ended)
        frames: Mailbox[Frame] = Mailbox(page.show_frame)
        return Enroller(cameras(frames.put), stands.put, endings.put)

    return make
