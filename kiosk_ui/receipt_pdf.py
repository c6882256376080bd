"""What a receipt says on paper: which lines, how large, and the code below.

It comes from the screen and from the signed event in the code; drawing is `paper_pdf`'s, printing `receipt_print`'s.
Paper stays in trays and bins: neither name nor IIN is on it.
"""

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtGui import QFont

from appliance.core.snapshot import Snapshot
from appliance.core.types import Sensitive
from appliance.paper_texts import Paper, paper_text
from appliance.texts import Label, Language, screen_text, state_text
from kiosk_ui.dates import clock_text
from kiosk_ui.paper_pdf import Line, Sheet, sheet_pdf
from sync.envelope import read_event
from sync.receipt_text import read_receipt


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
    """The paper as a document; as `sheet_pdf`."""
    return sheet_pdf(receipt_sheet(receipt, language))


def receipt_sheet(receipt: PaperReceipt, language: Language) -> Sheet:
    """The lines in a language, and the code."""
    plain, strong, bold = QFont.Weight.Normal, QFont.Weight.DemiBold, QFont.Weight.Bold
    at = receipt.confirmed_at
    confirmed = paper_text(Paper.CONFIRMED_AT, language, time=clock_text(at, language)) if at else ""
    starts = paper_text(Paper.STARTS_AT, language, time=receipt.starts) if receipt.starts else ""
    lines = [
        Line(paper_text(Paper.TRAINING, language) if receipt.training else "", 5.0, bold),
        Line(receipt.clinic, 3.4, strong),
        Line(receipt.headline, 4.6, bold),
        Line(receipt.service, 3.8, strong),
        Line(starts, 3.4, plain),
        Line(screen_text(Label.GO_TO, language, room=receipt.room) if receipt.room else "", 3.8, strong),
        Line(confirmed, 3.0, plain),
        Line(paper_text(Paper.NUMBER, language, number=receipt.number) if receipt.number else "", 3.0, plain),
        Line(receipt.device, 3.0, plain),
        Line(paper_text(Paper.CHECK if receipt.code else Paper.UNSIGNED, language), 2.6, plain),
    ]
    return Sheet(paper_text(Paper.NUMBER, language, number=receipt.number), lines, receipt.code)
