"""Loads the QML files into windows: types, font, one engine.

What a window shows comes from the object it is given; opening the desk behind it is `__main__`'s.
"""

from functools import cache
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine, qmlRegisterType
from PySide6.QtQuick import QQuickWindow

from kiosk_ui.camera_view import CameraView
from kiosk_ui.code_view import CodeView

_HERE = Path(__file__).parent


class WindowBroken(RuntimeError):
    """A QML file or the font does not load: a bug, or a damaged installation."""


@cache
def prepare_types() -> None:
    """Make the painted items known to QML and Inter the font; once per process, with an application."""
    qmlRegisterType(CameraView, "Keldim.Native", 1, 0, "CameraView")  # type: ignore[call-overload]
    qmlRegisterType(CodeView, "Keldim.Native", 1, 0, "CodeView")  # type: ignore[call-overload]
    for font in sorted((_HERE / "fonts").glob("*.otf")):
        if QFontDatabase.addApplicationFont(str(font)) < 0:
            raise WindowBroken(f"the font {font.name} does not load")
    QGuiApplication.setFont("Inter")


def load_window(engine: QQmlApplicationEngine, file: str, **given: QObject) -> QQuickWindow:
    """Open one QML file as a window, not shown yet; given: its required properties. Raises WindowBroken."""
    problems: list[str] = []
    engine.warnings.connect(lambda found: problems.extend(each.toString() for each in found))
    before = len(engine.rootObjects())
    engine.setInitialProperties(dict(given))
    engine.load(QUrl.fromLocalFile(str(_HERE / "qml" / file)))
    roots = engine.rootObjects()
    if problems or len(roots) == before or not isinstance(roots[-1], QQuickWindow):
        raise WindowBroken("; ".join(problems) or f"{file} is no window")
    return roots[-1]
