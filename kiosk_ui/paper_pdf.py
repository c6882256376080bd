"""What is printed for a patient: lines of text and perhaps a code on 80 mm of paper, drawn into memory.

What the lines say is the receipt's or the proof's; printing is left to `receipt_print`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter

from appliance.core.types import Sensitive
from kiosk_ui.receipt_qr import paint_code

WIDTH_MM: Final = 80.0
"""Of the paper; a thermal printer prints 72 of them."""

MARGIN_MM: Final = 4.0
CODE_MM: Final = 66.0
"""Of the code with its quiet zone: modules of five dots or 0.63 mm, read from a photo at arm's length."""

DPI: Final = 203
"""The head of a thermal printer has 8 dots a millimetre; modules of whole dots come out sharp."""

_MM: Final = DPI / 25.4
_GAP_MM: Final = 1.6
_LONGEST_MM: Final = 400.0

_PLAIN_GLYPHS: Final = ("calt", "case", "ccmp", "liga")
"""Features of Inter that put signs in place of ":" and "(" that no reader of the PDF finds again."""


@dataclass(frozen=True, slots=True, repr=False)
class Line(Sensitive):
    """One line, or as many as it takes. millimetres: height of its letters."""

    text: str
    millimetres: float
    weight: QFont.Weight = QFont.Weight.Normal


@dataclass(frozen=True, slots=True, repr=False)
class Sheet(Sensitive):
    """title: of the document. lines: from top to bottom, empty ones left out. code: text of a code below, or empty."""

    title: str
    lines: Sequence[Line]
    code: str = ""


@dataclass(frozen=True, slots=True)
class _Placed:
    text: str
    font: QFont
    box: QRectF


def sheet_pdf(sheet: Sheet) -> bytes:
    """The paper as a PDF/A-1b document with text that can be searched and read aloud. Needs the font of the window."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPdfVersion(QPagedPaintDevice.PdfVersion.PdfVersion_A1b)
    writer.setResolution(DPI)
    writer.setTitle(sheet.title)
    writer.setCreator("Keldim")
    length = min(sheet_height(sheet) / _MM, _LONGEST_MM)
    writer.setPageSize(QPageSize(QSizeF(WIDTH_MM, length), QPageSize.Unit.Millimeter))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Millimeter)
    painter = QPainter(writer)
    try:
        paint_sheet(painter, sheet)
    finally:
        painter.end()
    return bytes(buffer.data().data())


def paint_sheet(painter: QPainter, sheet: Sheet) -> None:
    """Draw the paper from its top left corner on, in dots of `DPI`."""
    placed, height = _set(sheet)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # as JPEG the edges of the code would blur
    for line in placed:
        painter.setFont(line.font)
        painter.drawText(line.box, int(Qt.TextFlag.TextWordWrap), line.text)
    side = int(CODE_MM * _MM)
    paint_code(painter, sheet.code, (WIDTH_MM * _MM - side) / 2, height - side - MARGIN_MM * _MM, side)


def sheet_height(sheet: Sheet) -> int:
    """Dots of `DPI` from the top to the end of the paper."""
    return round(_set(sheet)[1])


def _set(sheet: Sheet) -> tuple[list[_Placed], float]:
    """Where each line goes, and where the paper ends."""
    placed: list[_Placed] = []
    top, width = MARGIN_MM * _MM, (WIDTH_MM - 2 * MARGIN_MM) * _MM
    for line in sheet.lines:
        if line.text:
            font = _font(line.millimetres, line.weight)
            room = QFontMetricsF(font).boundingRect(
                QRectF(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), line.text
            )
            placed.append(_Placed(line.text, font, QRectF(MARGIN_MM * _MM, top, width, room.height())))
            top += room.height() + _GAP_MM * _MM
    code = CODE_MM * _MM if sheet.code else 0.0
    return placed, top + code + MARGIN_MM * _MM


def _font(millimetres: float, weight: QFont.Weight) -> QFont:
    font = QFont("Inter")
    for feature in _PLAIN_GLYPHS:
        font.setFeature(QFont.Tag(feature), 0)
    font.setPixelSize(round(millimetres * _MM))
    font.setWeight(weight)
    return font
