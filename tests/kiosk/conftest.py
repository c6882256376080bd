"""One application without a screen, and the patient's window in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickItem, QQuickWindow

import kiosk_ui.environment  # noqa: F401 - before Qt
from appliance.core.snapshot import Intent
from appliance.texts import Language
from kiosk_ui.camera_view import CameraView
from kiosk_ui.kiosk import Kiosk
from kiosk_ui.window import load_window, prepare_types


@pytest.fixture(scope="session")
def qapp_cls() -> type[QGuiApplication]:
    """No widgets."""
    return QGuiApplication


@pytest.fixture(scope="session")
def painted(qapp: QGuiApplication) -> None:
    """Types and font are known."""
    del qapp
    prepare_types()


def items_of(window: QQuickWindow, kind: str = "") -> list[QQuickItem]:
    """All visible items, or those of a kind (Btn, Txt), in the order of the window."""
    found, waiting = [], [window.contentItem()]
    while waiting:
        item = waiting.pop(0)
        if item.isVisible():
            if kind in ("", item.property("kind")):
                found.append(item)
            waiting = item.childItems() + waiting
    return found


@dataclass
class Stand:
    """A window with everything behind it but a desk. sent: what its buttons said."""

    window: QQuickWindow
    kiosk: Kiosk
    sent: list[Intent]

    def items(self, kind: str) -> list[QQuickItem]:
        """All visible items of a kind (Btn, Txt), in the order of the window."""
        return items_of(self.window, kind)

    def item(self, name: str) -> QQuickItem:
        """A visible item by its objectName."""
        found = [item for item in items_of(self.window) if item.objectName() == name]
        assert found, f"{name} is not on the screen"
        return found[-1]


@pytest.fixture
def stand(painted: None) -> Iterator[Stand]:
    """The patient's window at 1280x800, in Kazakh."""
    del painted
    sent: list[Intent] = []
    kiosk, engine = Kiosk(Language.KAZAKH, sent.append, unread_s=0.0), QQmlApplicationEngine()
    window = load_window(engine, "Patient.qml", kiosk=kiosk)
    view = window.findChild(QObject, "view")
    assert isinstance(view, CameraView)
    kiosk.look_through(view)
    window.show()
    yield Stand(window, kiosk, sent)
    window.close()
    engine.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
