"""A document before the camera gives its IIN, at most five times a second, and only when it is asked for."""

from dataclasses import dataclass

import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from appliance.core.iin import Iin
from appliance.core.session import State
from appliance.core.types import Frame, Instant
from appliance.opencv import cv2
from kiosk_ui.scanning import EVERY_S, Scanner
from tests.fakes.patients import make_iin

ONE, OTHER = make_iin(1), make_iin(2)


def code(text: str, kind: zxingcpp.BarcodeFormat) -> NDArray[np.uint8]:
    """A printed code with its quiet zone: modules of three pixels, bars 60 pixels high."""
    drawn = np.asarray(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=3), np.uint8)
    if drawn.shape[0] < 40:
        drawn = np.repeat(drawn[drawn.shape[0] // 2 :][:1], 60, axis=0)
    return np.pad(drawn, 30, constant_values=255)


def held(*codes: NDArray[np.uint8], at: float = 0.0, turn: float = 0.0) -> Frame:
    """A camera's picture: codes one below the other in a hand that is not quite straight, a little out of focus."""
    pixels = np.full((720, 1280), 110, np.uint8)
    top = 60
    for each in codes:
        high, wide = each.shape
        pixels[top : top + high, 300 : 300 + wide] = each
        top += high + 40
    spin = cv2.getRotationMatrix2D((640, 360), turn, 1.0)
    pixels = np.asarray(cv2.warpAffine(pixels, spin, (1280, 720), borderValue=(110,)), np.uint8)
    noise = np.random.default_rng(1).normal(0, 4, pixels.shape)
    seen = np.clip(cv2.GaussianBlur(pixels, (0, 0), 0.8) * 0.8 + 20 + noise, 0, 255).astype(np.uint8)
    return Frame(cv2.cvtColor(seen, cv2.COLOR_GRAY2BGR).astype(np.uint8), Instant(at), "test", 0)


@dataclass(frozen=True)
class Card:
    """A document and how it is held."""

    kind: zxingcpp.BarcodeFormat
    turn: float


CARDS = {
    "qr": Card(zxingcpp.BarcodeFormat.QRCode, 0.0),
    "qr turned": Card(zxingcpp.BarcodeFormat.QRCode, 35.0),
    "code 128": Card(zxingcpp.BarcodeFormat.Code128, 0.0),
    "code 128 turned": Card(zxingcpp.BarcodeFormat.Code128, 6.0),
    "code 128 upside down": Card(zxingcpp.BarcodeFormat.Code128, 180.0),
    "code 39": Card(zxingcpp.BarcodeFormat.Code39, 0.0),
}


@pytest.mark.parametrize("card", CARDS)
def test_an_iin_is_read(card: str) -> None:
    """Square and linear codes, turned, a little blurred and noisy."""
    frame = held(code(ONE.digits, CARDS[card].kind), turn=CARDS[card].turn)
    assert Scanner().look(frame, State.FALLBACK) == ONE


def test_what_is_no_iin_is_not_taken() -> None:
    """A check digit that does not fit, an address, a number with more around it; an empty picture."""
    wrong = ONE.digits[:-1] + str((int(ONE.digits[-1]) + 1) % 10)
    for text in (wrong, f"https://example.org/{ONE.digits}", f"{ONE.digits};{OTHER.digits}", "12345"):
        assert Scanner().look(held(code(text, zxingcpp.BarcodeFormat.QRCode)), State.FALLBACK) is None
    assert Scanner().look(held(), State.FALLBACK) is None


def test_two_people_at_once_are_nobody() -> None:
    """Two different numbers are not chosen from; the same one twice is one."""
    one, other = (code(iin.digits, zxingcpp.BarcodeFormat.QRCode) for iin in (ONE, OTHER))
    assert Scanner().look(held(one, other), State.FALLBACK) is None
    assert Scanner().look(held(one, one), State.FALLBACK) == ONE


def test_other_kinds_of_code_are_not_looked_for() -> None:
    """A parcel's or a ticket's."""
    for kind in (zxingcpp.BarcodeFormat.ITF, zxingcpp.BarcodeFormat.DataMatrix, zxingcpp.BarcodeFormat.Aztec):
        assert Scanner().look(held(code(ONE.digits, kind)), State.FALLBACK) is None


def test_it_looks_at_most_five_times_a_second() -> None:
    """Frames between are left alone; leaving the state begins anew."""
    scanner, card = Scanner(), code(ONE.digits, zxingcpp.BarcodeFormat.QRCode)

    def seen(at: float, state: State = State.FALLBACK) -> Iin | None:
        return scanner.look(held(card, at=at), state)

    assert [seen(at) for at in (10.0, 10.1, 10.0 + EVERY_S, 10.3)] == [ONE, None, ONE, None]
    assert seen(10.31, State.HELP) is None
    assert seen(10.32) == ONE


@pytest.mark.parametrize("state", [state for state in State if state is not State.FALLBACK])
def test_nothing_is_read_when_nobody_is_asked(state: State) -> None:
    """In every other state a document in the picture is ignored."""
    assert Scanner().look(held(code(ONE.digits, zxingcpp.BarcodeFormat.QRCode)), state) is None
