"""The reception's window over a real desk: sign in, see who needs help, confirm by hand, correct, erase."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickItem, QQuickWindow
from PySide6.QtTest import QTest

from appliance.core.decision import Reason
from appliance.core.device import DeviceLine, DevicePage, Fact, Finding, Health, Part
from appliance.core.operators import Role
from appliance.texts import Language
from kiosk_ui.device import DeviceBoard
from kiosk_ui.enrol_page import EnrolPage
from kiosk_ui.reception import Reception
from kiosk_ui.window import load_window
from tests.fakes.clock import ManualClock
from tests.fakes.reception_staff import PIN, give_pin
from tests.fakes.working_desk import WorkingDesk, make_home
from tests.kiosk.conftest import items_of
from tests.use_cases.front import fail, front_of

PAGE = DevicePage(
    "desk-1",
    "2026-11-26T10:24:00+05:00",
    (
        DeviceLine(Part.DISK, Health.WARNING, Fact(Finding.DISK_LOW, (("free", "0.4"),))),
        DeviceLine(Part.KEY, Health.WARNING, Fact(Finding.KEY_SOFTWARE)),
        DeviceLine(Part.CAMERA, Health.FAILED, Fact(Finding.CAMERA_NONE)),
    ),
)


@dataclass
class Office:
    """A reception with a window."""

    desk: WorkingDesk
    clock: ManualClock
    front: Reception
    board: DeviceBoard
    window: QQuickWindow

    def settle(self) -> None:
        """Everything in its place."""
        for _ in range(3):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()
        self.window.grabWindow()

    def item(self, name: str) -> QQuickItem:
        """A visible item by its objectName."""
        found = [item for item in items_of(self.window) if item.objectName() == name]
        assert found, f"{name} is not on the screen"
        return found[-1]

    def press(self, name: str) -> None:
        """Click it."""
        item = self.item(name)
        middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
        QTest.mouseClick(self.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        self.settle()

    def type(self, name: str, text: str) -> None:
        """Click into it and type."""
        self.press(name)
        for character in text:
            QTest.keyClick(self.window, character)  # type: ignore[call-overload]
        self.settle()

    def choose(self, name: str, number: int) -> None:
        """Take one of the answers of a box."""
        self.item(name).setProperty("currentIndex", number)
        self.settle()

    def sign_in(self, pin: str = PIN.digits) -> None:
        """As somebody does in the morning."""
        name = self.front.values["session"]["people"][0]["name"]  # type: ignore[index]
        self.press(f"operator-{name}")
        self.type("pin", pin)
        self.press("go")

    def text(self, name: str) -> str:
        """What an item says."""
        return str(self.item(name).property("text"))


@pytest.fixture
def office(painted: None, tmp_path: Path) -> Iterator[Office]:
    """Two patients with services, one receptionist; nobody is signed in."""
    del painted
    clock = ManualClock()
    desk = WorkingDesk(make_home(tmp_path), clock)
    for number in (1, 2):
        desk.enrol(number)
        desk.plan(number, 1, first=9 * 60 + number)
    desk.plan(5, 1, first=10 * 60)
    give_pin(desk, 900, Role.RECEPTIONIST)
    give_pin(desk, 901, Role.RECEPTIONIST)
    front, engine = Reception(front_of(desk), Language.KAZAKH, "№ 5"), QQmlApplicationEngine()
    board = DeviceBoard(lambda: PAGE, Language.KAZAKH)
    front.spoken.connect(lambda language: board.speak(Language(language)))
    page = EnrolPage(front.desk, Language.KAZAKH, None)
    window = load_window(engine, "Reception.qml", front=front, device=board, enrol=page)
    window.show()
    office = Office(desk, clock, front, board, window)
    office.settle()
    yield office
    board.close()
    window.close()
    engine.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    desk.close()


def rows(office: Office) -> list[dict[str, object]]:
    """The rows of the queue as the window has them."""
    return list(office.front.values["queue"].get("rows", []))  # type: ignore[attr-defined]


def test_nothing_is_seen_before_somebody_signs_in(office: Office) -> None:
    """A wrong PIN says how many tries are left; the right one opens the day."""
    assert office.front.values["queue"] == {}
    office.sign_in("141421")
    assert "4" in office.text("told")
    assert office.front.values["queue"] == {}
    office.sign_in()
    assert len(rows(office)) == 3
    assert [event.kind for event in office.desk.events()][-1] == "signed_in"


def test_who_needs_help_comes_first_with_the_reason_in_words(office: Office) -> None:
    """The second patient failed at the kiosk: first row, red, why; no score anywhere."""
    fail(office.desk, Reason.AMBIGUOUS_MATCH, person=office.desk.find(2))
    office.sign_in()
    first = rows(office)[0]
    assert (first["tone"], bool(first["causes"])) == ("bad", True)
    office.press("row-0")
    assert office.text("causes") == first["causes"]


def test_a_visit_is_confirmed_by_hand_with_both_reasons(office: Office) -> None:
    """Without them it is said what is missing; with them the service is confirmed and the event names who did it."""
    office.sign_in()
    office.press("row-0")
    office.press("manual-0")
    office.press("manual-go")
    assert office.desk.events()[-1].kind == "signed_in"
    assert office.front.values["told"]["good"] is False  # type: ignore[index]
    office.choose("identity", 0)
    office.choose("reason", 8)
    office.press("manual-go")
    event = office.desk.events()[-1]
    assert (event.kind, event.data["identity"], event.data["reason"]) == ("confirmed_manually", "id_card", "injury")
    assert [row["open"] for row in rows(office)].count(False) == 1


def test_above_the_limit_the_form_asks_for_a_second_person(office: Office) -> None:
    """The third by hand needs a colleague's PIN, in the same form."""
    office.sign_in()
    for _ in range(3):
        office.press("row-0")
        office.press("manual-0")
        office.choose("identity", 0)
        office.choose("reason", 0)
        if office.front.values["queue"]["secondNeeded"]:  # type: ignore[index]
            office.choose("second", 1)
            office.type("secondPin", PIN.digits)
        office.press("manual-go")
    manual = [event for event in office.desk.events() if event.kind == "confirmed_manually"]
    assert [event.data["second"] is not None for event in manual] == [False, False, True]


def test_a_receipt_is_corrected_and_stays_struck_through(office: Office) -> None:
    """The service is open again."""
    office.sign_in()
    office.press("row-0")
    office.press("manual-0")
    office.choose("identity", 0)
    office.choose("reason", 0)
    office.press("manual-go")
    office.press("correct-0")
    office.choose("why", 0)
    office.press("correct-go")
    assert office.desk.events()[-1].kind == "corrected"
    receipts = office.front.values["card"]["receipts"]  # type: ignore[index]
    assert [each["stands"] for each in receipts] == [False]
    assert all(row["open"] for row in rows(office))


def test_a_consent_is_withdrawn_with_a_proof(office: Office) -> None:
    """What is held is shown first; afterwards nothing is, and the proof says when and by which event."""
    office.sign_in()
    office.press("row-0")
    office.press("withdraw")
    office.press("erase")
    event = office.desk.events()[-1]
    assert event.kind == "forgotten"
    assert event.event_id in office.text("proof")
    assert office.front.values["card"]["enrolled"] is False  # type: ignore[index]


def test_a_locked_window_shows_no_names(office: Office) -> None:
    """Locked by hand or by five idle minutes: rows and card are gone from what QML holds; the PIN brings them back."""
    office.sign_in()
    office.press("row-0")
    name = str(rows(office)[0]["name"])
    office.press("lock")
    held = str(office.front.values["queue"]) + str(office.front.values["card"])
    assert (name in held, office.front.values["queue"]) == (False, {})
    office.type("pin", PIN.digits)
    office.press("go")
    assert len(rows(office)) == 3
    office.clock.advance(301)
    office.front.refresh()
    assert office.front.values["queue"] == {}


def test_it_sees_the_device_and_no_patient(office: Office) -> None:
    """Whoever keeps the machine has the page about it, with what to do about each part, and no other."""
    give_pin(office.desk, 902, Role.IT)
    office.front.refresh()
    people = office.front.values["session"]["people"]  # type: ignore[index]
    office.front.signIn(people[-1]["person"], PIN.digits)
    office.settle()
    office.board.close()
    office.settle()
    assert office.front.values["queue"] == {}
    lines = office.board.values["lines"]
    assert [line["tone"] for line in lines] == ["attention", "attention", "bad"]  # type: ignore[attr-defined]
    assert all(line["remedy"] for line in lines)  # type: ignore[attr-defined]
    before = lines[0]["part"]  # type: ignore[index]
    office.press("language-en")
    assert office.board.values["lines"][0]["part"] != before  # type: ignore[index]
    assert [item.objectName() for item in items_of(office.window) if item.objectName().startswith("page-")] == [
        "page-device"
    ]


def test_a_search_finds_by_name_and_by_four_digits(office: Office) -> None:
    """And says when there is nobody."""
    office.sign_in()
    wanted = next(row for row in rows(office) if row["known"])
    office.front.search(str(wanted["last4"])[-4:])
    assert wanted["name"] in [row["name"] for row in rows(office)]
    office.front.search("жоқадам")
    assert rows(office) == []
    assert office.front.values["queue"]["empty"] == "Ешкім табылмады"  # type: ignore[index]


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080), (1280, 800)])
def test_what_is_shown_fits(office: Office, language: Language, size: tuple[int, int]) -> None:
    """In every language and on each page nothing leaves the window."""
    office.window.resize(*size)
    office.front.speak(language.value)
    fail(office.desk, Reason.NO_MATCH, person=office.desk.find(1))
    office.sign_in()
    office.press("row-0")
    for name in ("", "manual-0", "manual-cancel", "page-handover", "page-enrol", "page-device"):
        if name:
            office.press(name)
        if folder := os.environ.get("KELDIM_LOOK"):
            office.window.grabWindow().save(f"{folder}/reception_{name}_{language.value}_{size[0]}.png")
        for text in items_of(office.window, "Txt"):
            at = text.mapToItem(office.window.contentItem(), QPointF(0, 0))
            assert at.x() >= -1, text.property("text")
            assert at.x() + text.property("paintedWidth") <= size[0] + 1, text.property("text")


def test_every_button_is_named_and_reached_by_keyboard(office: Office) -> None:
    """Tab goes through the bar, the search and the card."""
    office.sign_in()
    office.press("row-0")
    buttons = {item.objectName() for item in items_of(office.window, "Btn") if item.isEnabled()}
    assert "" not in buttons
    reached = set()
    for _ in range(4 * len(buttons)):
        focused = office.window.activeFocusItem()
        if focused is not None:
            reached.add(focused.objectName())
        QTest.keyClick(office.window, Qt.Key.Key_Tab)
    assert buttons <= reached
