"""The reception's window over a real desk: sign in, see who needs help, confirm by hand, correct, erase."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickItem, QQuickWindow
from PySide6.QtTest import QTest

from appliance.composition import OpenDesk, SeeingDesk
from appliance.core.decision import Reason, Trial
from appliance.core.device import DeviceLine, DevicePage, Fact, Finding, Health, Part
from appliance.core.errors import CameraUnavailable, DuplicateFace, FaceNotUsable, TemplateDamaged
from appliance.core.operators import Role
from appliance.core.ports import FrameSource
from appliance.core.quality import Hint
from appliance.core.types import View
from appliance.front_texts import Front, front_text
from appliance.reception_texts import Told, told_text
from appliance.texts import Language
from kiosk_ui.device import DeviceBoard
from kiosk_ui.enrol_page import EnrolPage
from kiosk_ui.enrolling import Enroller, Outcome, Stand
from kiosk_ui.reception import Reception
from kiosk_ui.window import load_window
from sync.database import immediate
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.reception_staff import PIN, give_pin
from tests.fakes.working_desk import WorkingDesk, make_home
from tests.kiosk.conftest import items_of
from tests.use_cases.front import fail, front_of
from tests.use_cases.test_guardianship import iin_of

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
    page: EnrolPage
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

    def begin_by_hand(self) -> None:
        """Open the first row's form and give both reasons."""
        self.press("row-0")
        self.press("manual-0")
        self.choose("identity", 0)
        self.choose("reason", 0)

    def text(self, name: str) -> str:
        """What an item says."""
        return str(self.item(name).property("text"))


class NoEyes:
    """A camera whose desk does not open: the page has one, and nothing is ever seen."""

    def eyes(self) -> contextlib.AbstractContextManager[SeeingDesk]:
        """Never."""
        raise CameraUnavailable("no camera in this test")

    def source(self, desk: OpenDesk) -> contextlib.AbstractContextManager[FrameSource]:
        """Never."""
        raise CameraUnavailable(f"no camera in this test {desk.home.root.name}")


def blind(page: EnrolPage) -> Enroller:
    """What takes no looks."""
    return Enroller(NoEyes(), page.tell, lambda _: None)


@pytest.fixture
def office(painted: None, tmp_path: Path) -> Iterator[Office]:
    """Two patients with services, two receptionists; nobody is signed in, and there is no camera."""
    del painted
    with open_office(tmp_path, None) as office:
        yield office


@pytest.fixture
def studio(painted: None, tmp_path: Path) -> Iterator[Office]:
    """The same with a camera at the reception."""
    del painted
    with open_office(tmp_path, blind) as office:
        yield office


@contextlib.contextmanager
def open_office(tmp_path: Path, enroller: Callable[[EnrolPage], Enroller] | None) -> Iterator[Office]:
    """A reception's window over a desk."""
    clock = ManualClock()
    desk = WorkingDesk(make_home(tmp_path), clock)
    for number in (1, 2):
        desk.enrol(number)
        desk.plan(number, 1, first=9 * 60 + number)
    desk.plan(5, 1, first=10 * 60)
    give_pin(desk, 900, Role.RECEPTIONIST)
    give_pin(desk, 901, Role.RECEPTIONIST)
    front, engine = Reception(front_of(desk), Language.KAZAKH, "№ 5", camera=bool(enroller)), QQmlApplicationEngine()
    board = DeviceBoard(lambda: PAGE, Language.KAZAKH)
    front.spoken.connect(lambda language: board.speak(Language(language)))
    page = EnrolPage(front.desk, Language.KAZAKH, enroller)
    front.spoken.connect(lambda language: page.speak(Language(language)))
    page.ownFaceTaken.connect(front.faceTaken)
    window = load_window(engine, "Reception.qml", front=front, device=board, enrol=page)
    window.show()
    office = Office(desk, clock, front, board, page, window)
    office.settle()
    yield office
    page.close()
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


def test_who_is_only_said_to_be_a_patient_is_marked(office: Office) -> None:
    """Somebody typed a number without its code and called: the row says that nothing else tells who it is."""
    wall, desk = office.clock.moment().wall, office.desk
    with immediate(desk.records.db):
        desk.records.help_calls.add(desk.records.people.pseudonym(make_iin(2)), wall, claimed=True)
        desk.records.help_calls.add(None, wall)
    office.sign_in()
    claimed = front_text(Front.CLAIMED, Language.KAZAKH)
    assert [row["claimed"] for row in rows(office)] == [claimed, "", ""]
    assert claimed in str(rows(office)[0]["causes"])
    assert [call["claimed"] for call in office.front.values["queue"]["calls"]] == [""]  # type: ignore[index]


def test_a_patient_is_sent_back_to_the_kiosk_by_one_press(office: Office) -> None:
    """The call is answered, the kiosk takes the wish up, and it is said what the patient does now."""
    office.desk.desk.call(office.desk.find(2))
    office.sign_in()
    office.press("row-0")
    office.press("invite")
    assert office.text("told") == front_text(Front.INVITED, Language.KAZAKH)
    assert office.desk.desk.invited()
    assert [row["call"] for row in rows(office)] == [-1, -1, -1]
    assert office.desk.events()[-1].kind == "invited"


def test_a_double_click_is_one_press(office: Office) -> None:
    """One wish and one event; where a list moves up under the pointer, the second click would be another patient's."""
    office.sign_in()
    office.press("row-0")
    item = office.item("invite")
    middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2)).toPoint()
    QTest.mouseDClick(office.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    office.settle()
    assert [event.kind for event in office.desk.events()].count("invited") == 1


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
        office.begin_by_hand()
        if office.front.values["card"]["secondNeeded"]:  # type: ignore[index]
            office.choose("second", 0)
            office.type("secondPin", PIN.digits)
        office.press("manual-go")
    manual = [event for event in office.desk.events() if event.kind == "confirmed_manually"]
    assert [event.data["second"] is not None for event in manual] == [False, False, True]


def test_a_service_of_ones_own_takes_a_second_person_from_the_first_on(office: Office) -> None:
    """The form asks at once, names nobody who may not agree, and what a colleague agreed to is confirmed."""
    give_pin(office.desk, 902, Role.IT)
    office.desk.plan(900, 1, first=8 * 60)
    office.sign_in()
    office.begin_by_hand()
    assert office.item("second").property("count") == 1
    office.choose("second", 0)
    office.type("secondPin", PIN.digits)
    office.press("manual-go")
    event = office.desk.events()[-1]
    assert (event.kind, event.data["second"] is not None) == ("confirmed_manually", True)


def test_another_service_in_place_is_counted_and_agreed_to(office: Office) -> None:
    """The button says what it does; past the limit the colleague's PIN is asked for here, too."""
    office.desk.plan(1, 1, first=8 * 60)
    office.sign_in()
    office.begin_by_hand()
    office.press("manual-go")
    for agreed in (False, True):
        office.press("correct-0")
        assert office.item("correct-go").property("text") == front_text(Front.TAKE_BACK, Language.KAZAKH)
        office.choose("why", 0)
        office.choose("instead", 0)
        assert office.item("correct-go").property("text") == front_text(Front.PUT_INSTEAD, Language.KAZAKH)
        if agreed:
            office.choose("second", 0)
            office.type("secondPin", PIN.digits)
        office.press("correct-go")
    found = [event.data for event in office.desk.events() if event.kind == "corrected"]
    assert [(data["count"], data["second"] is not None) for data in found] == [(2, False), (3, True)]


def test_a_receipt_is_corrected_and_stays_struck_through(office: Office) -> None:
    """The service is open again."""
    office.sign_in()
    office.begin_by_hand()
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


def test_a_card_that_does_not_open_leaves_no_other_patients_card(office: Office) -> None:
    """A damaged profile: whoever it is can be helped by hand, and what is pressed is about them and nobody before."""
    office.sign_in()
    office.press("row-0")
    first = office.front.values["card"]["patient"]  # type: ignore[index]
    damaged = office.desk.find(2)
    with immediate(office.desk.records.db):
        office.desk.records.db.execute("UPDATE person SET sealed_profile = x'00' WHERE person_id = ?", (damaged,))
    office.press("row-1")
    card = office.front.values["card"]
    assert (card["patient"] == first, card["held"], card["enrolled"]) == (False, "", True)  # type: ignore[index]
    office.front.withdraw()
    told = told_text(Told.FAILED, Language.KAZAKH, code=TemplateDamaged.code)
    assert office.front.values["told"] == {"text": told, "good": False}, "in words, and a code for IT"
    assert [event.kind for event in office.desk.events()].count("forgotten") == 0


def test_what_was_searched_for_goes_with_the_session(office: Office) -> None:
    """A name or a number that one receptionist typed is not what the next one finds in the field."""
    office.sign_in()
    office.type("search", make_iin(1).digits)
    assert len(rows(office)) == 1
    office.press("signOut")
    office.sign_in()
    assert (office.text("search"), len(rows(office))) == ("", 3)
    office.press("row-0")
    office.press("invite")
    office.press("lock")
    assert office.front.values["told"] == {"text": "", "good": True}
    for digit in PIN.digits:
        QTest.keyClick(office.window, digit)  # type: ignore[call-overload]
    office.press("go")
    assert len(rows(office)) == 3, "the keyboard is on the PIN of a locked window"


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


def test_without_a_camera_the_reception_says_where_the_operators_face_is_taken(office: Office) -> None:
    """In one line that stays; the day is open, and no button leads to a camera that is not there."""
    office.sign_in()
    told = told_text(Told.FACE_ELSEWHERE, Language.KAZAKH, command="keldim staff enrol")
    assert office.text("told") == told
    names = [item.objectName() for item in items_of(office.window)]
    assert "row-0" in names
    assert "faceNow" not in names


def test_the_face_of_whoever_signs_in_is_asked_for_once_a_session(studio: Office) -> None:
    """Before anything else; put off it stays as a reminder, can be taken up, and comes back with the next session.

    When it is enrolled, here or at the terminal, the day opens.
    """
    studio.sign_in()
    assert studio.text("enrolTitle") == front_text(Front.OWN_FACE, Language.KAZAKH)
    assert make_profile(900).given_name in studio.text("readBack")
    assert [item for item in items_of(studio.window) if item.objectName() in ("page-queue", "row-0")] == []
    studio.press("later")
    assert studio.text("told") == told_text(Told.FACE_MISSING, Language.KAZAKH)
    studio.press("row-0")
    studio.press("faceNow")
    assert "кейін" in studio.text("later").lower()
    studio.press("later")
    studio.press("signOut")
    studio.sign_in()
    assert studio.page.values["who"] == "staff"
    studio.desk.employ(900)
    studio.page.ended(Outcome("ab" * 16, 3))
    studio.settle()
    assert studio.text("told") == front_text(Front.FACE_TAKEN, Language.KAZAKH)
    assert (studio.page.values["step"], studio.page.values["readBack"]) == ("document", "")
    studio.press("row-0")


def walk(studio: Office, language: Language) -> Iterator[str]:
    """Every step of an enrolment, with what goes wrong."""
    page = studio.page
    yield "own_face"
    studio.press("later")
    studio.press("page-enrol")
    yield "document"
    page.read(make_iin(7).digits, "", "", "kk")
    yield "document_error"
    page.read(make_iin(7).digits, "Нұрсұлтангүлжан", "Қожахметова-Әбдірахманова", language.value)
    yield "consent"
    page.agree(False)
    page.tell(Stand(1, View.LEFT, Hint.EVEN_LIGHT, (("luminance_mean", 30), ("sharpness", 80))))
    yield "looks"
    page.ended(Outcome(failure=DuplicateFace("a twin")))
    yield "twin"
    page.overrule("", "")
    yield "twin_error"
    page.ended(Outcome("ab" * 16, 3))
    yield "test"
    for trial in Trial:
        page.ended(Outcome("ab" * 16, 3, tested=True, trial=trial))
        yield trial.value
    page.ended(Outcome("ab" * 16, 3, tested=True, failure=FaceNotUsable("dark")))
    yield "test_failed"
    page.refuse()
    page.read(iin_of(date(2024, 1, 1)).digits, "Ерасыл", "Қожахметов", language.value)
    yield "guardian"
    page.guardian("1")
    yield "guardian_error"
    page.guardian(make_iin(1).digits)
    yield "child_consent"
    page.speakFor("foster_carer")
    yield "child_done"


@pytest.mark.parametrize("language", list(Language))
def test_each_step_of_an_enrolment_fits(studio: Office, language: Language) -> None:
    """Nothing leaves the window or lies on something else, also with the longest names; every button has a name."""
    studio.front.speak(language.value)
    studio.sign_in()
    for step in walk(studio, language):
        studio.settle()
        if folder := os.environ.get("KELDIM_LOOK"):
            studio.window.grabWindow().save(f"{folder}/enrol_{step}_{language.value}.png")
        assert all(item.objectName() for item in items_of(studio.window, "Btn")), step
        for text in items_of(studio.window, "Txt"):
            at = text.mapToItem(studio.window.contentItem(), QPointF(0, 0))
            assert at.x() + text.property("paintedWidth") <= studio.window.width() + 1, (step, text.property("text"))
            assert at.y() + text.property("paintedHeight") <= studio.window.height() + 1, (step, text.property("text"))


def test_what_comes_of_a_broken_off_enrolment_is_nothing_to_the_next_patient(studio: Office) -> None:
    """Told by the other thread just before it ended: the page is empty already, and stays so."""
    studio.sign_in()
    studio.press("later")
    studio.press("page-enrol")
    studio.page.read(make_iin(7).digits, "Айгүл", "Ә", "kk")
    studio.page.agree(False)
    studio.page.refuse()
    for outcome in (Outcome("ab" * 16, 3), Outcome(failure=DuplicateFace("a twin"))):
        studio.page.ended(outcome)
        assert (studio.page.values["step"], studio.page.values["error"]) == ("document", "")


class Faster(Enroller):
    """Has kept the looks just before anybody breaks off."""

    def break_off(self) -> bool:
        """Too late."""
        return False


def test_who_breaks_off_too_late_is_told_that_it_is_kept(painted: None, tmp_path: Path) -> None:
    """The patient is enrolled: the page says so with the number, and does not offer to begin anew."""
    del painted
    with open_office(tmp_path, lambda page: Faster(NoEyes(), page.tell, lambda _: None)) as studio:
        studio.sign_in()
        studio.press("later")
        studio.press("page-enrol")
        studio.page.read(make_iin(7).digits, "Айгүл", "Ә", "kk")
        studio.page.agree(False)
        studio.settle()
        studio.press("breakOff")
        studio.page.ended(Outcome("ab" * 16, 3))
        studio.settle()
        assert "ABABABAB" in studio.text("kept")


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
    """In every language, on each page and in each form: nothing leaves the window, no words leave their key."""
    office.window.resize(*size)
    office.front.speak(language.value)
    fail(office.desk, Reason.NO_MATCH, person=office.desk.find(1))
    office.sign_in()
    office.front.confirm(str(rows(office)[0]["service"]), "id_card", "injury", "", "", "", "")
    office.front.open(str(rows(office)[-1]["patient"]))
    office.settle()
    forms = ("correct-0", "correct-cancel", "withdraw", "keep", "row-0", "manual-0", "manual-cancel")
    for name in ("", *forms, "page-handover", "page-enrol", "page-device"):
        if name:
            office.press(name)
        if folder := os.environ.get("KELDIM_LOOK"):
            office.window.grabWindow().save(f"{folder}/reception_{name}_{language.value}_{size[0]}.png")
        for text in items_of(office.window, "Txt"):
            at = text.mapToItem(office.window.contentItem(), QPointF(0, 0))
            assert at.x() >= -1, text.property("text")
            assert at.x() + text.property("paintedWidth") <= size[0] + 1, text.property("text")
        for key in items_of(office.window, "Btn"):
            assert key.property("contentItem").implicitHeight() <= key.height(), key.property("text")


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
