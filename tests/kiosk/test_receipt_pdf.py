"""A receipt on paper: all that the patient needs, nothing personal, a code that reads back, text that can be found."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from appliance.barcodes import CodeKind, read_codes
from appliance.paper_texts import Paper, paper_text
from appliance.texts import Language
from kiosk_ui.paper_pdf import DPI, WIDTH_MM, paint_sheet, sheet_height
from kiosk_ui.receipt_pdf import PaperReceipt, paper_receipt, receipt_pdf, receipt_sheet
from kiosk_ui.receipt_qr import code_text
from kiosk_ui.samples import STATES, ULTRASOUND
from sync.signing import FileSigner
from tests.fakes.pdf_reader import pdf_text
from tests.fakes.receipts import Visits

AT = datetime(2026, 11, 26, 10, 31, 7, tzinfo=timezone(timedelta(hours=5)))
CLINIC = "№ 5 қалалық емхана"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the code of a visit holds."""
    return code_text(Visits(FileSigner.create(tmp_path_factory.mktemp("key") / "device.pem")).checked_in(AT))


def bare(text: str) -> str:
    """Without white space."""
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("language", Language)
def test_the_text_of_the_paper_can_be_found(painted: None, code: str, language: Language) -> None:
    """Every letter and sign, Kazakh ones too, maps back: a screen reader and a search see what is printed."""
    del painted
    shown = replace(STATES["receipt"], training=True)
    text = pdf_text(receipt_pdf(paper_receipt(shown, code, CLINIC, language), language))
    assert "\ufffd" not in text
    wanted = (CLINIC, ULTRASOUND.name(language.value), "11:30", "10:31", "214", "0F3A9B2C", "desk-almaty-clinic5-01")
    for part in (*wanted, paper_text(Paper.CHECK, language), paper_text(Paper.TRAINING, language)):
        assert bare(part) in text, part


def test_nobody_is_named(painted: None, code: str) -> None:
    """Not even as the screen does it: paper is left lying about. The PDF has the width of the roll."""
    del painted
    shown = replace(STATES["receipt"], greeting="Айгүл Ә.", child="Ерасыл Т.")
    document = receipt_pdf(paper_receipt(shown, code, CLINIC, Language.KAZAKH), Language.KAZAKH)
    text = pdf_text(document)
    assert "Айгүл" not in text
    assert "Ерасыл" not in text
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", document)
    assert box
    assert abs(float(box[1]) / 72 * 25.4 - WIDTH_MM) < 0.5
    assert 100 < float(box[2]) / 72 * 25.4 < 200
    assert b"/DCTDecode" not in document


@pytest.mark.parametrize("language", Language)
def test_the_code_is_read_from_the_paper(painted: None, code: str, language: Language) -> None:
    """Drawn as a thermal printer prints it, and the words leave it alone: nothing runs over the edge or into it."""
    del painted
    receipt = paper_receipt(STATES["receipt"], code, CLINIC, language)
    grey = drawn(receipt, language)
    assert read_codes(grey, frozenset({CodeKind.QR})) == (code,)
    edge = round(3 * DPI / 25.4)
    for strip in (grey[:edge], grey[-edge:], grey[:, :edge], grey[:, -edge:]):
        assert (strip == 255).all()


def drawn(receipt: PaperReceipt, language: Language) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The paper as grey dots."""
    wide, high = round(WIDTH_MM * DPI / 25.4), sheet_height(receipt_sheet(receipt, language))
    image = QImage(wide, high, QImage.Format.Format_Grayscale8)
    image.fill(255)
    painter = QPainter(image)
    paint_sheet(painter, receipt_sheet(receipt, language))
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(high, image.bytesPerLine())[:, :wide].copy()


def test_a_visit_that_is_not_signed_yet_says_so(painted: None) -> None:
    """No code, no time that nobody signed; the paper is shorter."""
    del painted
    shown = replace(STATES["receipt"], unsigned=True, offers=())
    receipt = paper_receipt(shown, "", CLINIC, Language.ENGLISH)
    text = pdf_text(receipt_pdf(receipt, Language.ENGLISH))
    assert bare(paper_text(Paper.UNSIGNED, Language.ENGLISH)) in text
    assert bare("Confirmed:") not in text
    assert sheet_height(receipt_sheet(receipt, Language.ENGLISH)) < 60 * DPI / 25.4
    assert repr(receipt).count("0F3A") == 0
