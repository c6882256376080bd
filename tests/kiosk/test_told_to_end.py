"""A window's program that is told to end."""

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import signal
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtQuick import QQuickPaintedItem, QQuickWindow
import kiosk_ui.environment
from kiosk_ui.told_to_end import end_when_told

class Painted(QQuickPaintedItem):
    pictures = 0

    def paint(self, painter: QPainter) -> None:
        self.pictures += 1
        if self.pictures == 3:
            signal.raise_signal(signal.{number})
        painter.drawLine(0, 0, 9, 9)

app = QGuiApplication([])
window = QQuickWindow()
window.resize(320, 200)
item = Painted(window.contentItem())
item.setSize(window.size())
end_when_told(app)
window.show()
often = QTimer(interval=20)
often.timeout.connect(item.update)
often.start()
QTimer.singleShot(20_000, lambda: app.exit(5))
raise SystemExit(app.exec())
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_in_the_middle_of_a_painter_ends_the_program_in_order(number: str) -> None:
    """Quitting inside of the painter takes the window from under it: Qt crashes."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(number=number)], check=False, env=environment, timeout=60
    )
    assert done.returncode == 0
