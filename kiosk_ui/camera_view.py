"""Paints the camera's newest picture into the window, mirrored; the only place that turns frames into Qt's images.

What is processed is never mirrored. Which part is shown is `framing`'s.
"""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Property, QRectF, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem

from appliance.capture.preview import painted
from appliance.core.types import Frame
from kiosk_ui.framing import Framing, frame_face

_NOBODY = QColor("#0b1626")


class CameraView(QQuickPaintedItem):
    """The preview. `show_frame` and `clear` are called on the window's thread."""

    changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._pixels: NDArray[np.uint8] = np.empty((0, 0, 4), np.uint8)  # the image below looks into them
        self._image = QImage()
        self._framing: Framing | None = None
        self._mirror = True
        self.setOpaquePainting(True)

    def _get_mirror(self) -> bool:
        return self._mirror

    def _set_mirror(self, mirror: bool) -> None:
        self._mirror = mirror
        self.changed.emit()
        self.update()

    mirror = Property(bool, _get_mirror, _set_mirror, notify=changed)

    def show_frame(self, frame: Frame, framing: Framing) -> None:
        """Paint this frame next; the one before is overwritten."""
        pixels = self._pixels = painted(frame.pixels, self._pixels)
        self._image = QImage(pixels.data, frame.width, frame.height, pixels.strides[0], QImage.Format.Format_RGB32)
        self._framing = framing
        self.update()

    def clear(self) -> None:
        """Show nothing of the last frame any more."""
        self._image, self._pixels = QImage(), np.empty((0, 0, 4), np.uint8)
        self.update()

    @property
    def aspect(self) -> float:
        """Width over height of this item; 1.6 before it has a size."""
        return self.width() / self.height() if self.height() else 1.6

    def paint(self, painter: QPainter) -> None:
        """Called by Qt."""
        area = QRectF(0, 0, self.width(), self.height())
        if self._image.isNull():
            painter.fillRect(area, _NOBODY)
            return
        width, height = self._image.width(), self._image.height()
        part = self._framing or frame_face(None, width / height, self.aspect)
        source = QRectF(part.left * width, part.top * height, part.width * width, part.height * height)
        if self._mirror:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        painter.drawImage(area, self._image, source)
