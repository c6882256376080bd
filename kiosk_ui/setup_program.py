"""The window of a first run over a desk's home: makes the parts and runs until it is closed.

A composition root. A desk that was not made yet (`keldim device init`) is a known failure before the window opens.
"""

import sys

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine

import kiosk_ui.environment  # noqa: F401 - before Qt
from appliance.cli.output import EXIT_NO
from appliance.cli.place import Place
from appliance.cli.setup_dialogue import Dialogue, Source
from appliance.core.setup_steps import SetupStep
from appliance.desk_setup import DeskSetup
from kiosk_ui.camera_view import CameraView
from kiosk_ui.program import Placing, place_window
from kiosk_ui.setup_wizard import SetupWizard
from kiosk_ui.told_to_end import end_when_told
from kiosk_ui.window import load_window, prepare_types
from sync.clock import Clock


def run_setup(where: Place, clock: Clock, source: Source, step: SetupStep | None, placing: Placing) -> int:
    """Run until the window is closed; 0 where the desk is ready then. step: begin with this one, or with none."""
    setup = DeskSetup(where.home, clock)
    language = setup.first_language
    app = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    prepare_types()
    wizard = SetupWizard(
        lambda host, only: Dialogue(where, setup, source, host).go(only), lambda: setup.progress, language
    )
    engine = QQmlApplicationEngine()
    window = load_window(engine, "Setup.qml", wizard=wizard)
    view = window.findChild(QObject, "view")
    assert isinstance(view, CameraView)  # noqa: S101 - named so in Setup.qml
    wizard.look_through(view)
    place_window(window, placing)
    end_when_told(app)
    timer = QTimer(interval=500)  # lets Python see signals, which wait while Qt waits
    timer.timeout.connect(lambda: None)
    timer.start()
    if step is not None:
        wizard.take(step.value)
    try:
        app.exec()
    finally:
        timer.stop()
        wizard.close()
        del window
        engine.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return 0 if setup.progress.following is None else EXIT_NO
