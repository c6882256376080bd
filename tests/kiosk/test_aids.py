"""Beside the window: a document fills the pad, a prompt is spoken, a receipt is printed, and the patient is told."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PySide6.QtCore import QCoreApplication

from appliance.core.session import State
from appliance.core.snapshot import IntentKind
from appliance.core.types import Frame, Instant
from appliance.opencv import cv2
from appliance.texts import Language
from kiosk_ui.aids import Aids, Sound
from kiosk_ui.kiosk import Shown
from kiosk_ui.receipt_qr import code_text
from kiosk_ui.samples import STATES
from sync.signing import FileSigner
from tests.fakes.patients import make_iin
from tests.fakes.receipts import Visits
from tests.kiosk.conftest import Stand
from tests.kiosk.test_voice import Mouth

CLINIC = "№ 5 қалалық емхана"
IIN = make_iin(1)


@pytest.fixture
def mouth() -> Mouth:
    """What is said."""
    return Mouth()


@pytest.fixture
def aids(stand: Stand, mouth: Mouth) -> Iterator[Aids]:
    """Of the patient's window."""
    aids = Aids(stand.kiosk, Sound(mouth, 0.5))
    yield aids
    aids.close()


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the window work until it is so."""
    for _ in range(round(seconds / 0.01)):
        QCoreApplication.processEvents()
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never was")


def show(stand: Stand, aids: Aids, name: str, receipt: str = "", now: float = 0.0) -> None:
    """One state."""
    shown = Shown(STATES[name], receipt)
    stand.kiosk.show(shown)
    aids.show(shown, CLINIC, now)


def document(at: float) -> Frame:
    """A card before the camera."""
    code = zxingcpp.create_barcode(IIN.digits, zxingcpp.BarcodeFormat.QRCode)
    drawn = np.pad(np.asarray(zxingcpp.write_barcode_to_image(code, scale=5), np.uint8), 80, constant_values=200)
    return Frame(np.asarray(cv2.cvtColor(drawn, cv2.COLOR_GRAY2BGR), np.uint8), Instant(at), "test", 0)


def test_a_document_fills_the_pad(stand: Stand, aids: Aids) -> None:
    """Only while the number is asked for; the desk hears that somebody is there, and the number is not shown."""
    show(stand, aids, "align")
    aids.frame(document(0.0))
    show(stand, aids, "fallback")
    assert stand.kiosk.values["coding"] is False
    aids.frame(document(1.0))
    until(lambda: stand.kiosk.values["coding"] is True)
    assert IntentKind.STAY in [intent.kind for intent in stand.sent]
    assert IIN.digits not in " ".join(map(str, stand.kiosk.values.values()))
    show(stand, aids, "idle")
    stand.kiosk.take_document(IIN)
    show(stand, aids, "fallback")
    assert stand.kiosk.values["coding"] is False


def test_what_is_shown_is_spoken(stand: Stand, aids: Aids, mouth: Mouth) -> None:
    """In the language of the screen, and a hint only later, by the window's clock."""
    show(stand, aids, "confirm")
    stand.kiosk.set_language(Language.RUSSIAN)
    aids.tick(1.0)
    show(stand, aids, "align_hint", now=2.0)
    aids.tick(4.0)
    assert mouth.said == [(State.CONFIRM, Language.KAZAKH), (State.CONFIRM, Language.RUSSIAN)]
    aids.tick(5.0)
    assert mouth.said[2] == (STATES["align_hint"].hint, Language.RUSSIAN)


def test_a_patient_mutes_the_voice_but_not_the_bell(stand: Stand, aids: Aids, mouth: Mouth) -> None:
    """From the press on; the call for help is heard at the reception all the same."""
    show(stand, aids, "align")
    stand.kiosk.mute()
    show(stand, aids, "hold", now=1.0)
    show(stand, aids, "help", now=2.0)
    show(stand, aids, "idle", now=3.0)
    show(stand, aids, "align", now=4.0)
    assert (mouth.prompts, mouth.rung) == ([State.ALIGN, State.ALIGN], [0.5])


def a_printer(folder: Path, monkeypatch: pytest.MonkeyPatch, prints: str) -> None:
    """What the window finds as a printer. prints: shell that takes the paper."""
    for name, script in {"lpstat": "echo Receipts", "lp": prints}.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def a_receipt(folder: Path) -> str:
    """The code of a confirmed visit."""
    visits = Visits(FileSigner.create(folder / "device.pem"))
    return code_text(visits.checked_in(datetime(2026, 11, 26, tzinfo=UTC)))


def test_a_receipt_is_printed_and_the_patient_is_told(
    stand: Stand, aids: Aids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PDF reaches the printer; the note is gone with the receipt. Without a receipt nothing is printed."""
    a_printer(tmp_path, monkeypatch, f"/bin/cat > {tmp_path}/paper.pdf")
    stand.kiosk.answer("print", "")
    code = a_receipt(tmp_path)
    show(stand, aids, "receipt", code)
    stand.kiosk.answer("print", "")
    until(lambda: str(stand.kiosk.values["paper"]).startswith("Принтерге жіберілді"))
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-1.4")
    assert "Принтерге" in str(stand.item("paper").property("text"))
    show(stand, aids, "idle")
    assert stand.kiosk.values["paper"] == ""


def test_a_slow_printers_word_is_not_about_the_next_receipt(
    stand: Stand, aids: Aids, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asked has gone; the next patient asked for no paper and is told of none."""
    a_printer(tmp_path, monkeypatch, f"/bin/cat > {tmp_path}/held; exit 1")
    code = a_receipt(tmp_path)
    show(stand, aids, "receipt", code)
    stand.kiosk.answer("print", "")
    show(stand, aids, "idle")
    other = Shown(replace(STATES["receipt"], receipt="0f" * 16), code)
    stand.kiosk.show(other)
    aids.show(other, CLINIC, 1.0)
    until((tmp_path / "held").exists)
    until(lambda: aids.printer.submit(lambda: b""))
    until(lambda: aids.printer.submit(lambda: b""))
    QCoreApplication.processEvents()
    assert stand.kiosk.values["paper"] == ""


def test_a_window_without_sound_is_silent(stand: Stand) -> None:
    """As the demonstration's."""
    aids = Aids(stand.kiosk, None)
    show(stand, aids, "confirm")
    aids.tick(1.0)
    aids.close()
    aids.frame(document(2.0))
