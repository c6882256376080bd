"""Shows the code of a receipt on the patient's screen; drawing it is left to `receipt_qr`."""

from PySide6.QtCore import Property, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem

from kiosk_ui.receipt_qr import paint_code


class CodeView(QQuickPaintedItem):
    """A square with the code of `text`; nothing while that is empty."""

    changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._text = ""

    def _get_text(self) -> str:
        return self._text

    def _set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.changed.emit()
            self.update()

    text = Property(str, _get_text, _set_text, notify=changed)

    def paint(self, painter: QPainter) -> None:
        """Called by Qt."""
        painter.fillRect(QRectF(0, 0, self.width(), self.height()), Qt.GlobalColor.white)
        paint_code(painter, self._text, 0, 0, min(self.width(), self.height()))
