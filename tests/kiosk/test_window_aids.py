"""What the window does for who does not get on: a drawing of the hint, a larger way without a face, a voice to mute."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from appliance.core.quality import Hint
from appliance.core.session import State
from appliance.core.snapshot import Snapshot
from appliance.core.types import Instant
from kiosk_ui.kiosk import Shown
from kiosk_ui.mute import UNUSED_S
from kiosk_ui.samples import NOW, STATES
from tests.kiosk.conftest import Stand
from tests.kiosk.test_window import click, settle, show


def look(stand: Stand, name: str) -> NDArray[np.uint8]:
    """An item as it is painted: grey levels, height x width."""
    settle()
    item = stand.item(name)
    place = item.mapRectToScene(QRectF(0, 0, item.width(), item.height())).toRect()
    image = stand.window.grabWindow().copy(place).convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return np.asarray(rows[:, : image.width()].copy(), np.uint8)


def test_every_hint_has_a_drawing_of_its_own(stand: Stand) -> None:
    """Lines on paper, no two alike; the screen reader is told what it shows; none before its time."""
    show(stand, "align_in_vain")
    drawn = {}
    for hint in Hint:
        stand.kiosk.show(Shown(replace(STATES["align_in_vain"], hint=hint)))
        drawn[hint] = look(stand, "picture")
        assert 0.02 < (drawn[hint] < 160).mean() < 0.4, hint
        assert str(stand.kiosk.values["pictureName"]) == f"Көрнекі нұсқау: {stand.kiosk.values['headline']}"
    for one, other in combinations(Hint, 2):
        assert (np.abs(drawn[one].astype(int) - drawn[other]) > 80).mean() > 0.005, f"{one} and {other}"
    show(stand, "align_hint")
    with pytest.raises(AssertionError, match="not on the screen"):
        stand.item("picture")


def test_the_way_without_a_face_grows_when_a_face_is_looked_for_in_vain(stand: Stand) -> None:
    """Higher and wider than the call for help, which stays as it was; pressed, it says the same."""
    show(stand, "align_hint")
    small = stand.item("bottom-without_face")
    before = small.width() * small.height()
    show(stand, "align_in_vain")
    large, call = stand.item("bottom-without_face"), stand.item("bottom-help")
    assert large is small, "a finger that is on it presses it"
    assert large.height() > 1.4 * call.height()
    assert large.width() * large.height() > 2.5 * before
    click(stand, "bottom-without_face")
    assert [intent.kind.value for intent in stand.sent] == ["without_face"]


def test_a_button_keeps_the_keyboard_while_hints_change(stand: Stand) -> None:
    """Whoever has found it need not look for it anew."""
    show(stand, "align_hint")
    stand.item("bottom-help").forceActiveFocus()
    for hint in (Hint.CLOSER, None, Hint.BACK):
        stand.kiosk.show(Shown(replace(STATES["align_hint"], hint=hint)))
        settle()
    focused = stand.window.activeFocusItem()
    assert focused is not None
    assert focused.objectName() == "bottom-help"


def test_the_voice_is_turned_off_and_on_by_a_button(stand: Stand) -> None:
    """It says what it does and shows how it is by its shape; the next patient is spoken to again."""
    told: list[bool] = []
    stand.kiosk.hushed.connect(told.append)
    show(stand, "align")
    words, signs = [], []
    for _ in range(2):
        words.append(stand.item("mute").property("text"))
        signs.append(look(stand, "mute") > 200)
        click(stand, "mute")
    assert words == ["Дыбысты өшіру", "Дыбысты қосу"]
    assert (signs[0] != signs[1]).mean() > 0.01
    click(stand, "mute")
    stand.kiosk.show(Shown(STATES["leaving"]))
    assert told == [True, False, True]
    stand.kiosk.show(Shown(STATES["idle"]))
    assert (told, stand.kiosk.values["muted"]) == ([True, False, True, False], False)
    click(stand, "mute")
    stand.kiosk.show(Shown(Snapshot(Instant(NOW + UNUSED_S), State.IDLE)))
    assert told[-1] is False


def test_a_desk_without_a_voice_has_no_button_for_it(stand: Stand) -> None:
    """Nothing to turn off."""
    stand.kiosk.show(Shown(STATES["idle"]))
    settle()
    assert "mute" not in [button.objectName() for button in stand.items("Btn")]
