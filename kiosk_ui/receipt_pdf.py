"""A receipt on paper: 80 mm wide, as long as it has to be, drawn into memory and nowhere else.

What it says comes from the screen and from the signed event in its code; printing is left to `receipt_print`.
Paper stays in trays and bins: neither name nor IIN is on it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPagedPaintDevice, QPageLayout, QPageSize, QPainter, QPdfWriter

from appliance.core.snapshot import Snapshot
from appliance.core.types import Sensitive
from appliance.paper_texts import Paper, paper_text
from appliance.texts import Label, Language, screen_text, state_text
from kiosk_ui.dates import clock_text
from kiosk_ui.receipt_qr import paint_code
from sync.envelope import read_event
from sync.receipt_text import read_receipt

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
class PaperReceipt(Sensitive):
    """What is on the paper. code: text of the code, empty while the event is unsigned. confirmed_at: by that event.

    device: who signed, and the event's number there. service, room: empty where unknown. starts: HH:MM.
    """

    clinic: str
    headline: str
    service: str
    starts: str
    room: str
    number: str
    code: str
    confirmed_at: datetime | None
    device: str
    training: bool


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    font: QFont
    box: QRectF


def paper_receipt(shown: Snapshot, code: str, clinic: str, language: Language) -> PaperReceipt:
    """Put together what a receipt on the screen says. Raises EnvelopeInvalid for a code that is no receipt's."""
    offer = shown.offers[0] if shown.offers else None
    event = read_event(read_receipt(code)).event if code else None
    return PaperReceipt(
        clinic=clinic,
        headline=state_text(shown.state, language),
        service=offer.name(language.value) if offer else "",
        starts=offer.starts_at[11:16] if offer else "",
        room=offer.room if offer else "",
        number=shown.receipt.replace("-", "")[:8].upper(),
        code=code,
        confirmed_at=event.moment.wall if event else None,
        device=f"{event.device} · {event.seq}" if event else "",
        training=shown.training,
    )


def receipt_pdf(receipt: PaperReceipt, language: Language) -> bytes:
    """The paper as a PDF/A-1b document with text that can be searched and read aloud. Needs the font of the window."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPdfVersion(QPagedPaintDevice.PdfVersion.PdfVersion_A1b)
    writer.setResolution(DPI)
    writer.setTitle(paper_text(Paper.NUMBER, language, number=receipt.number))
    writer.setCreator("Keldim")
    length = min(receipt_height(receipt, language) / _MM, _LONGEST_MM)
    writer.setPageSize(QPageSize(QSizeF(WIDTH_MM, length), QPageSize.Unit.Millimeter))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Millimeter)
    painter = QPainter(writer)
    try:
        paint_receipt(painter, receipt, language)
    finally:
        painter.end()
    return bytes(buffer.data().data())


def paint_receipt(painter: QPainter, receipt: PaperReceipt, language: Language) -> None:
    """Draw the paper from its top left corner on, in dots of `DPI`."""
    lines, height = _set(receipt, language)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # as JPEG the edges of the code would blur
    for line in lines:
        painter.setFont(line.font)
        painter.drawText(line.box, int(Qt.TextFlag.TextWordWrap), line.text)
    side = int(CODE_MM * _MM)
    paint_code(painter, receipt.code, (WIDTH_MM * _MM - side) / 2, height - side - MARGIN_MM * _MM, side)


def receipt_height(receipt: PaperReceipt, language: Language) -> int:
    """Dots of `DPI` from the top to the end of the paper."""
    return round(_set(receipt, language)[1])


def _set(receipt: PaperReceipt, language: Language) -> tuple[list[_Line], float]:
    """Where each line goes, and where the paper ends."""
    lines: list[_Line] = []
    top, width = MARGIN_MM * _MM, (WIDTH_MM - 2 * MARGIN_MM) * _MM
    for text, millimetres, weight in _texts(receipt, language):
        font = _font(millimetres, weight)
        room = QFontMetricsF(font).boundingRect(QRectF(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), text)
        lines.append(_Line(text, font, QRectF(MARGIN_MM * _MM, top, width, room.height())))
        top += room.height() + _GAP_MM * _MM
    code = CODE_MM * _MM if receipt.code else 0.0
    return lines, top + code + MARGIN_MM * _MM


def _texts(receipt: PaperReceipt, language: Language) -> list[tuple[str, float, QFont.Weight]]:
    """Text, height of the letters in millimetres, weight; from top to bottom."""
    plain, strong, bold = QFont.Weight.Normal, QFont.Weight.DemiBold, QFont.Weight.Bold
    at = receipt.confirmed_at
    confirmed = paper_text(Paper.CONFIRMED_AT, language, time=clock_text(at, language)) if at else ""
    starts = paper_text(Paper.STARTS_AT, language, time=receipt.starts) if receipt.starts else ""
    found = [
        (paper_text(Paper.TRAINING, language) if receipt.training else "", 5.0, bold),
        (receipt.clinic, 3.4, strong),
        (receipt.headline, 4.6, bold),
        (receipt.service, 3.8, strong),
        (starts, 3.4, plain),
        (screen_text(Label.GO_TO, language, room=receipt.room) if receipt.room else "", 3.8, strong),
        (confirmed, 3.0, plain),
        (paper_text(Paper.NUMBER, language, number=receipt.number) if receipt.number else "", 3.0, plain),
        (receipt.device, 3.0, plain),
        (paper_text(Paper.CHECK if receipt.code else Paper.UNSIGNED, language), 2.6, plain),
    ]
    return [each for each in found if each[0]]


def _font(millimetres: float, weight: QFont.Weight) -> QFont:
    font = QFont("Inter")
    for feature in _PLAIN_GLYPHS:
        font.setFeature(QFont.Tag(feature), 0)
    font.setPixelSize(round(millimetres * _MM))
    font.setWeight(weight)
    return font
