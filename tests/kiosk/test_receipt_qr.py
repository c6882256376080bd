"""The code on the screen is the receipt: a reader gets it back, whatever the size, and a photo of it will do."""

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QGuiApplication, QImage, QPainter

from appliance.barcodes import CodeKind, read_codes
from appliance.opencv import cv2
from kiosk_ui.receipt_qr import code_modules, code_text, paint_code
from sync.receipt_text import PREFIX, read_receipt
from sync.signing import FileSigner
from tests.fakes.receipts import Visits

QR = frozenset({CodeKind.QR})
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A signed visit by face."""
    return Visits(FileSigner.create(tmp_path_factory.mktemp("key") / "device.pem")).checked_in(NOON)


def painted(text: str, side: int) -> NDArray[np.uint8]:
    """A square of the screen with the code, grey."""
    image = QImage(side, side, QImage.Format.Format_Grayscale8)
    image.fill(255)
    painter = QPainter(image)
    paint_code(painter, text, 0, 0, side)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(side, image.bytesPerLine())[:, :side].copy()


@pytest.mark.parametrize("side", [300, 330, 401, 708])
def test_the_code_is_read_back(qapp: QGuiApplication, token: str, side: int) -> None:
    """From the rendered pixels, at sizes of screens and paper, with at least three pixels for a module."""
    del qapp
    text = code_text(token)
    assert read_codes(painted(text, side), QR) == (text,)
    assert read_receipt(text).token == token
    assert side // code_modules(text, side).width() >= 3


def test_a_photo_of_the_code_is_read(qapp: QGuiApplication, token: str) -> None:
    """Turned by 10 degrees, seen 25 degrees from the side, blurred by a pixel, with less contrast and noise."""
    del qapp
    text, side, shot = code_text(token), 708, (900, 1200)
    a, t = np.deg2rad(10), np.deg2rad(25)
    corners = []
    for x, y in ((-250, -250), (250, -250), (250, 250), (-250, 250)):
        turned, down = x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)
        near = 1200 / (1200 + turned * np.sin(t))
        corners.append((600 + turned * np.cos(t) * near, 450 + down * near))
    flat = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    seen = cv2.getPerspectiveTransform(flat, np.array(corners, np.float32))
    photo = cv2.warpPerspective(painted(text, side), seen, shot[::-1], flags=cv2.INTER_AREA, borderValue=(200,))
    noise = np.random.default_rng(1).normal(0, 6, shot)
    dull = np.clip(cv2.GaussianBlur(photo, (0, 0), 1.0) * 0.7 + 30 + noise, 0, 255).astype(np.uint8)
    assert read_codes(dull, QR) == (text,)


def test_a_small_square_takes_the_lower_correction(qapp: QGuiApplication, token: str) -> None:
    """It has fewer modules, and so more pixels for each; where the higher one has three, it is kept."""
    del qapp
    text = code_text(token)
    low, high = code_modules(text, 300).width(), code_modules(text, 330).width()
    assert low < high
    assert (300 // low, 300 // high, 330 // high) == (3, 2, 3)


def test_without_a_receipt_there_is_no_code(qapp: QGuiApplication) -> None:
    """An event that waits for its key has no signature yet; what is no event is not shown as one."""
    del qapp
    assert (code_text(""), code_text("a.b.c")) == ("", "")
    assert code_modules("", 300).isNull()
    assert (painted("", 300) == 255).all()


def test_any_other_text_is_drawn_as_it_is(qapp: QGuiApplication) -> None:
    """Letters behind the prefix, or no prefix."""
    del qapp
    for text in (f"{PREFIX}abc", "hello", "12345"):
        assert read_codes(painted(text, 300), QR) == (text,)
