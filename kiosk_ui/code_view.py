"""Paints the code of a receipt: whole pixels for every module, so that a phone reads it from the screen.

What the code holds is the receipt's matter.
"""

import segno
from PySide6.QtCore import Property, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem

_QUIET = 4
"""Modules of white around a code (ISO/IEC 18004)."""


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
        if not self._text:
            return
        rows = [bytes(row) for row in segno.make(self._text, error="m", micro=False).matrix]
        module = max(int(min(self.width(), self.height()) // (len(rows) + 2 * _QUIET)), 1)
        left = (self.width() - module * len(rows)) // 2
        top = (self.height() - module * len(rows)) // 2
        for y, row in enumerate(rows):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(QRectF(left + x * module, top + y * module, module, module), Qt.GlobalColor.black)
