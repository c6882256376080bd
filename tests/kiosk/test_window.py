"""The window itself: every state in it can be read, reached by keyboard, pressed, and left without a trace."""

import math
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtQuick import QQuickItem
from PySide6.QtTest import QTest

from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Snapshot
from appliance.core.types import Instant
from appliance.texts import Language
from kiosk_ui.kiosk import DOUBLE_TAP_S, Kiosk, Shown
from kiosk_ui.samples import NOW, RECEIPT, STATES, drawn_person
from kiosk_ui.screen import Surroundings
from tests.kiosk.conftest import Stand

SIZES = [(1280, 800), (1366, 768), (1920, 1080), (1024, 768)]
TOKEN = "eyJhbGciOiJFUzI1NiJ9." * 20


def show(stand: Stand, name: str, language: Language = Language.KAZAKH) -> None:
    """Bring the window into a state."""
    stand.kiosk.surround(
        Surroundings("№ 5 қалалық емхана", "26 қараша 2026, бейсенбі  10:24", printer=True, voice=True)
    )
    shown = STATES[name]
    stand.kiosk.show(Shown(shown, TOKEN if shown.receipt else ""))
    stand.kiosk.set_language(language)
    settle()
    stand.window.grabWindow()  # a picture is taken of what has its place


def settle() -> None:
    """Let the window come to rest: what was replaced is gone, what was moved is in its place."""
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


def click(stand: Stand, name: str) -> None:
    """Press a button with the mouse, as a finger does."""
    item = stand.item(name)
    middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
    QTest.mouseClick(stand.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    settle()


def _inside(inner: QQuickItem, outer: QQuickItem) -> bool:
    at = inner.mapToItem(outer, QPointF(0, 0))
    return (
        at.x() > -1
        and at.y() > -1
        and at.x() + inner.width() < outer.width() + 1
        and at.y() + inner.height() < outer.height() + 1
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", STATES)
def test_what_is_shown_fits(stand: Stand, name: str, size: tuple[int, int]) -> None:
    """In every language no text is cut off, none leaves the window, and no button covers another."""
    stand.window.resize(*size)
    for language in Language:
        show(stand, name, language)
        for text in stand.items("Txt"):
            assert not text.property("truncated"), f"{language}: {text.property('text')}"
            assert _inside(text, stand.window.contentItem()), f"{language}: {text.property('text')}"
            assert text.property("paintedWidth") <= text.width() + 1, text.property("text")
        buttons = stand.items("Btn")
        for one in buttons:
            assert _inside(one, stand.window.contentItem()), one.objectName()
            for other in buttons[buttons.index(one) + 1 :]:
                a, b = (each.mapRectToScene(each.boundingRect()) for each in (one, other))
                assert not a.intersects(b), f"{one.objectName()} and {other.objectName()}"


@pytest.mark.parametrize("name", STATES)
def test_what_is_pressed_is_twenty_millimetres_high(stand: Stand, name: str) -> None:
    """On a 10-inch screen of 1280x800, the smallest that a desk has; nearer ones are larger."""
    theme_mm = 1280 / 217  # a 10-inch screen of this shape is 217 mm wide
    stand.kiosk.set_density(theme_mm)
    show(stand, name)
    for button in stand.items("Btn"):
        assert button.height() / theme_mm >= 20 - 0.01, button.objectName()
        assert button.width() / theme_mm >= 20 - 0.01, button.objectName()
        assert _inside(button, stand.window.contentItem()), button.objectName()


@pytest.mark.parametrize("name", STATES)
def test_every_button_is_reached_and_pressed_by_keyboard(stand: Stand, name: str) -> None:
    """Tab goes round through all of them; each has a name for a screen reader; the first key press confirms nothing."""
    show(stand, name)
    stand.window.requestActivate()
    buttons = {button.objectName() for button in stand.items("Btn") if button.isEnabled()}
    assert "" not in buttons
    reached = set()
    for _ in range(3 * len(buttons) + 3):
        focused = stand.window.activeFocusItem()
        if focused is not None:
            reached.add(focused.objectName())
        QTest.keyClick(stand.window, Qt.Key.Key_Tab)
    assert buttons <= reached
    assert stand.sent == []


def luminance(colour: QColor) -> float:
    """WCAG 2.2, relative luminance."""
    parts = (colour.redF(), colour.greenF(), colour.blueF())
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: QColor, other: QColor) -> float:
    """WCAG 2.2, contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_text_stands_out_from_its_ground(stand: Stand) -> None:
    """Each pair of colours that the theme uses together: 4.5 to 1 for text, 3 to 1 for signs and frames."""
    pairs = stand.window.property("themePairs").toVariant()
    assert len(pairs) > 15
    for text, ground, least in pairs:
        assert contrast(text, ground) >= least, f"{text.name()} on {ground.name()}: {contrast(text, ground):.2f}"


def test_an_answer_becomes_an_intent(stand: Stand) -> None:
    """Confirm, decline, choose, help, without a face: one press, one intent, about the service that was shown."""
    show(stand, "confirm")
    for name in ("answer-not_me", "answer-not_my_service", "answer-confirm", "bottom-help"):
        click(stand, name)
    show(stand, "choose_four")
    click(stand, "choice-2")
    show(stand, "idle")
    click(stand, "bottom-without_face")
    said = [(intent.kind, intent.service) for intent in stand.sent]
    assert said == [
        (IntentKind.NOT_ME, ""),
        (IntentKind.NOT_MY_SERVICE, ""),
        (IntentKind.CONFIRM, "service-0"),
        (IntentKind.HELP, ""),
        (IntentKind.CHOOSE, "service-2"),
        (IntentKind.WITHOUT_FACE, ""),
    ]


def test_the_pad_hands_in_what_was_typed_and_forgets_it(stand: Stand) -> None:
    """Number and code, by touch and by keyboard; after the state nothing of it is left."""
    show(stand, "fallback")
    for digit in "900101":
        click(stand, f"key-{digit}")
    for digit in "300017":
        QTest.keyClick(stand.window, Qt.Key(Qt.Key.Key_0 + int(digit)))
    click(stand, "key-next")
    for digit in "123456":
        click(stand, f"key-{digit}")
    click(stand, "key-next")
    handed = [intent for intent in stand.sent if intent.kind is IntentKind.IDENTIFY]
    assert [(intent.iin, intent.code) for intent in handed] == [("900101300017", "123456")]
    assert not re.search(r"\d", repr(handed[0]))
    typed = stand.kiosk.values["typed"]
    show(stand, "still_there")
    assert stand.kiosk.values["typed"] == typed, "who answers goes on where they were"
    show(stand, "leaving")
    assert stand.kiosk.values["typed"] == "–––– –––– ––––", "who does not leaves nothing"
    show(stand, "fallback")
    show(stand, "confirm")
    show(stand, "fallback")
    assert stand.kiosk.values["typed"] == "–––– –––– ––––"


def test_a_number_and_its_code_are_typed_without_touching_the_screen(stand: Stand) -> None:
    """As a scanner that is a keyboard does: digits and Enter; Enter before the number is complete is nothing."""
    show(stand, "fallback")
    stand.window.requestActivate()
    for key in "90010130001\r7\r123456\r":
        QTest.keyClick(stand.window, Qt.Key.Key_Return if key == "\r" else Qt.Key(Qt.Key.Key_0 + int(key)))
    handed = [(intent.iin, intent.code) for intent in stand.sent if intent.kind is IntentKind.IDENTIFY]
    assert handed == [("900101300017", "123456")]


def test_the_language_is_the_patients_until_the_next_one_comes(stand: Stand) -> None:
    """Chosen in the middle, it stays to the end of the visit; an idle screen speaks the desk's own."""
    show(stand, "align")
    click(stand, "language-ru")
    assert stand.item("headline").property("text") == "Посмотрите в камеру"
    stand.kiosk.show(Shown(STATES["not_recognised"]))
    spoken = [stand.kiosk.language]
    stand.kiosk.show(Shown(STATES["idle"]))
    assert [*spoken, stand.kiosk.language] == [Language.RUSSIAN, Language.KAZAKH]


def test_who_steps_up_at_once_is_met_in_the_desks_language_and_heard(stand: Stand) -> None:
    """Somebody stands there when the screen gets free: no idle screen comes between, and yet it is another visit."""
    stand.kiosk.show(Shown(STATES["align"]))
    stand.kiosk.speak("ru")
    stand.kiosk.mute()
    stand.kiosk.show(Shown(STATES["leaving"]))
    stand.kiosk.show(Shown(replace(STATES["align"], visit=1)))
    assert (stand.kiosk.language, stand.kiosk.values["muted"]) == (Language.KAZAKH, False)


def test_a_second_tap_is_no_answer_to_what_it_brings_up(painted: None) -> None:
    """The finger that chose a service comes down again where the yes to it appears: it has not been read yet."""
    del painted
    said: list[Intent] = []
    kiosk, question = Kiosk(Language.KAZAKH, said.append), STATES["confirm"]
    kiosk.show(Shown(STATES["choose_two"]))
    for late in (0.0, DOUBLE_TAP_S - 0.1, DOUBLE_TAP_S):
        kiosk.show(Shown(replace(question, at=Instant(question.at + late))))
        kiosk.answer("confirm", "service-0")
        assert bool(said) is (late == DOUBLE_TAP_S)


def test_nothing_personal_stays_when_the_visit_is_over(stand: Stand) -> None:
    """No property that QML holds has the name, the receipt or its token any more."""
    show(stand, "confirm")
    show(stand, "receipt")
    show(stand, "idle")
    held = " ".join(map(str, stand.kiosk.values.values()))
    assert "Айгүл" not in held
    assert RECEIPT[:8].upper() not in held
    assert TOKEN not in held


def test_the_screen_becomes_a_lamp_for_a_dark_face(stand: Stand) -> None:
    """Most of the window turns white, and the words dark."""
    bright = {}
    for name in ("align_hint", "align_lamp"):
        show(stand, name)
        stand.kiosk.show_frame(drawn_person())
        QCoreApplication.processEvents()
        image = stand.window.grabWindow().convertToFormat(stand.window.grabWindow().Format.Format_Grayscale8)
        rows = range(0, image.height(), 8)
        grey = [image.pixelColor(x, y).lightness() for y in rows for x in range(0, image.width(), 8)]
        bright[name] = sum(grey) / len(grey)
    assert bright["align_lamp"] > 3 * bright["align_hint"]


def test_the_preview_is_a_mirror(stand: Stand) -> None:
    """What is at the left of the camera's picture is at the right of the window."""
    show(stand, "align")
    frame = drawn_person()
    frame.pixels[:, :500] = (0, 0, 255)
    for _ in range(60):
        stand.kiosk.show_frame(frame)
    QCoreApplication.processEvents()
    image = stand.window.grabWindow()
    left, right = (image.pixelColor(x, 400) for x in (40, 1240))
    assert right.red() > left.red() + 20


def test_a_receipt_counts_down(stand: Stand) -> None:
    """Each second is told, and the code is there to be scanned until the end."""
    notes = []
    for left in (10.0, 9.4, 9.0, 8.9):
        stand.kiosk.show(Shown(Snapshot(NOW, State.RECEIPT, receipt=RECEIPT, seconds_left=left), TOKEN))
        notes.append(str(stand.kiosk.values["note"]))
    assert [math.ceil(float(re.findall(r"\d+", note)[0])) for note in notes] == [10, 10, 9, 9]
    assert len({one for one, other in pairwise(notes) if one != other}) == 1
