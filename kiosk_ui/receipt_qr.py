"""The code of a receipt as an image: the one place that imports segno.

What the code says is `sync.receipt_text`'s. A phone needs size first, and correction where there is room for it
(decision 25 has the figures).
"""

from typing import Final

import segno
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from sync.errors import EnvelopeInvalid
from sync.receipt_text import PREFIX, write_receipt

QUIET: Final = 4
"""Modules of white around a code (ISO/IEC 18004)."""

LEAST_PIXELS: Final = 3
"""Of a module; where the higher correction has fewer, the lower one is taken, which has fewer modules."""


def code_text(token: str) -> str:
    """What the code of a signed event holds; empty without one, or where it would be too long to be read."""
    try:
        return write_receipt(token) if token else ""
    except EnvelopeInvalid:
        return ""


def code_modules(text: str, side: float) -> QImage:
    """The code for a square of this many pixels: one pixel a module, quiet zone included, black on white.

    Null for an empty text. Raises ValueError for a text that no code holds.
    """
    if not text:
        return QImage()
    code = _modules(text, "m")  # about 15 % may be spoilt
    return code if side // code.width() >= LEAST_PIXELS else _modules(text, "l")  # about 7 %


def paint_code(painter: QPainter, text: str, left: float, top: float, side: float) -> None:
    """Paint a code into the middle of a square, with whole device pixels for each module; nothing for an empty text.

    Raises ValueError for a text that no code holds.
    """
    modules = code_modules(text, side)
    if modules.isNull():
        return
    module = max(int(side // modules.width()), 1)
    size = module * modules.width()
    inset = (side - size) // 2
    scaled = modules.scaled(size, size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.FastTransformation)
    painter.drawImage(round(left + inset), round(top + inset), scaled)


def _modules(text: str, correction: str) -> QImage:
    number = text.removeprefix(PREFIX)
    # A number in a segment of its own takes 3.3 bits a digit, not 5.5. segno takes segments; its types do not say so.
    parts = (PREFIX, number) if number != text and number.isdecimal() else (text,)
    rows = segno.make(parts, error=correction, micro=False).matrix  # type: ignore[arg-type]
    side = len(rows) + 2 * QUIET
    image = QImage(side, side, QImage.Format.Format_Grayscale8)
    image.fill(Qt.GlobalColor.white)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                image.setPixel(x + QUIET, y + QUIET, 0)
    return image
