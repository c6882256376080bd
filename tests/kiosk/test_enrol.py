"""A new patient at the reception, before a real camera's stand-in and with the real pack: step by step, kept or not."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from appliance.capture.scene_portrait import Portrait
from appliance.cli.opening import eyes_at
from appliance.cli.place import Place
from appliance.composition import OpenDesk, SeeingDesk, open_desk
from appliance.core.operators import Pin, Role
from appliance.core.ports import FrameSource
from appliance.core.types import Instant, PersonId
from appliance.demo import cast, clinic
from appliance.demo.cast import PATIENTS
from appliance.demo.staging import enrolment_scene
from appliance.front_desk import FrontDesk
from appliance.operators import set_pin
from appliance.reception_texts import Told, told_text
from appliance.texts import Language
from kiosk_ui.enrol_page import EnrolPage
from kiosk_ui.enrolling import Enroller, Outcome, Stand
from kiosk_ui.mailbox import Mailbox
from sync.clock import SystemClock
from sync.database import immediate
from sync.envelope import Event, parse_event
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.reception_staff import CHEAP, PIN
from tests.use_cases.test_guardianship import iin_of

CLOCK = SystemClock()


@dataclass
class Sitting:
    """Opens the desk and puts a drawn person before its camera."""

    where: Place

    def eyes(self) -> contextlib.AbstractContextManager[SeeingDesk]:
        """The desk with its pack."""
        return eyes_at(self.where, CLOCK)

    @contextlib.contextmanager
    def source(self, desk: OpenDesk) -> Iterator[FrameSource]:
        """The first of the demonstration's people, in the order of an enrolment."""
        del desk
        yield enrolment_scene(PORTRAITS[0], Instant(0.0), 7)


PORTRAITS: list[Portrait] = []


@dataclass
class Room:
    """A reception with somebody signed in, and the page."""

    desk: OpenDesk
    front: FrontDesk
    page: EnrolPage

    @property
    def events(self) -> list[Event]:
        """What was signed."""
        return [parse_event(entry.token).event for entry in self.desk.ledger.entries()]

    @property
    def kinds(self) -> list[str]:
        """Of what was signed."""
        return [event.kind for event in self.events]

    def staff(self, number: int, role: Role) -> PersonId:
        """Invented person `number` may sign in."""
        who = make_profile(number)
        return set_pin(self.desk.records, self.desk.ledger, CLOCK, "keldim 0", who, role, PIN, CHEAP).person

    def sign_in(self, number: int, role: Role) -> None:
        """Invented person `number` works here now."""
        self.front.operators.sign_in(self.staff(number, role), Pin(PIN.digits))


@pytest.fixture
def room(qapp: object, pack_path: Path, tmp_path: Path) -> Iterator[Room]:
    """A demonstration desk, nobody enrolled."""
    del qapp
    site, _ = clinic.found(tmp_path, CLOCK)
    where = Place(site.home, pack_path.parent)
    with eyes_at(where, CLOCK) as eyes:
        PORTRAITS[:] = [cast.photograph(PATIENTS[0].picture, eyes.observer).portrait]
    with open_desk(site.home, CLOCK) as desk:
        front = desk.front_desk()
        kept: list[object] = []

        def enroller(page: EnrolPage) -> Enroller:
            stands: Mailbox[Stand] = Mailbox(page.tell)
            endings: Mailbox[Outcome] = Mailbox(page.ended)
            kept.extend((stands, endings))
            return Enroller(Sitting(where), stands.put, endings.put)

        page = EnrolPage(front, Language.ENGLISH, enroller)
        yield Room(desk, front, page)
        page.close()


def step_is(room: Room, step: str) -> Callable[[], bool]:
    """Whether the page has come there."""
    return lambda: room.page.values["step"] == step


def error_of(room: Room) -> str:
    """What the page says is wrong."""
    return str(room.page.values["error"])


def test_a_patient_is_enrolled_step_by_step_and_a_twin_only_by_a_supervisor(qtbot: QtBot, room: Room) -> None:
    """Document read back, consent, three looks with bars, kept with one event.

    Looks that are taken again take the place of the first ones. The same face under another number is a receptionist's
    question and a supervisor's decision, without a second sitting.
    """
    room.sign_in(900, Role.RECEPTIONIST)
    role = PATIENTS[0]
    room.page.read("900101300018", "Айгүл", "Смаилова", "kk")
    assert (room.page.values["step"], bool(room.page.values["error"])) == ("document", True)
    room.page.read(role.iin.digits, "Айгүл", "Смаилова", "kk")
    assert "Айгүл" in str(room.page.values["readBack"])
    assert "•" in str(room.page.values["readBack"])
    seen: list[int] = []
    room.page.pageChanged.connect(lambda: seen.append(int(str(room.page.values["looks"]))))
    room.page.agree(False)
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    assert room.kinds.count("enrolled") == 1
    assert max(seen) >= 2
    assert (room.page.values["result"], room.page.values["again"]) == ("Recognised. The kiosk will know them", False)
    assert room.events[-1].kind == "enrolment_tried"
    room.page.again()
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    kept = [(event.kind, event.data.get("reason")) for event in room.events[-3:]]
    assert kept == [("forgotten", "test_failed"), ("enrolled", None), ("enrolment_tried", None)]
    room.page.refuse()
    assert room.page.values["readBack"] == ""
    room.page.read(role.iin.digits, "Айгүл", "Смаилова", "kk")
    assert error_of(room) == "This patient is enrolled already"
    other = make_profile(5)
    room.page.read(other.iin.digits, "Әсел", "Смаилова", "ru")
    room.page.agree(False)
    qtbot.waitUntil(step_is(room, "twin"), timeout=60_000)
    room.page.overrule("", "")
    assert error_of(room) == "A supervisor chooses their name and types their PIN"
    supervisor = room.staff(901, Role.SUPERVISOR)
    room.page.overrule(supervisor, "141421")
    assert "4" in str(room.page.values["error"])
    room.page.overrule(supervisor, PIN.digits)
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    twins = [event.data["look_alikes"] for event in room.events if event.kind == "enrolled"]
    alone, _, agreed = (event.data for event in room.events if event.kind == "enrolled")
    assert (alone["operator"] is None, alone["supervisor"]) == (False, None)
    assert agreed["operator"] == alone["operator"] != agreed["supervisor"]
    assert agreed["supervisor"] is not None
    assert twins == [0, 0, 1]
    assert room.page.values["tone"] == "attention"


def test_a_refused_consent_keeps_nothing(room: Room) -> None:
    """A normal end: no event about the patient, no name on the page."""
    room.sign_in(900, Role.RECEPTIONIST)
    room.page.read(PATIENTS[0].iin.digits, "Айгүл", "Смаилова", "kk")
    room.page.refuse()
    assert (room.page.values["step"], room.page.values["readBack"]) == ("document", "")
    assert "enrolled" not in room.kinds


def test_nobody_enrols_who_is_not_signed_in(room: Room) -> None:
    """And nothing is looked at."""
    room.page.read(PATIENTS[0].iin.digits, "Айгүл", "Смаилова", "kk")
    assert (room.page.values["step"], error_of(room)) == (
        "document",
        told_text(Told.SESSION_LOCKED, Language.ENGLISH),
    )


def test_whoever_signs_in_enrols_their_own_face(qtbot: QtBot, room: Room) -> None:
    """As staff, by the register's name, with what staff agree to; then it is missing no more, and nobody is a patient.

    Also for a role that sees no patients.
    """
    room.sign_in(902, Role.IT)
    taken: list[bool] = []
    room.page.ownFaceTaken.connect(lambda: taken.append(True))
    room.page.own()
    assert (room.page.values["who"], room.page.values["step"]) == ("staff", "consent")
    assert "Айгүл902" in str(room.page.values["readBack"])
    assert str(room.page.values["consent"]).count("kiosk") == 1
    assert room.front.operators.present().face_missing
    room.page.agree(False)
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    data = next(event.data for event in room.events if event.kind == "staff_enrolled")
    assert (data["consent_version"], taken) == ("staff-2026-11", [True])
    assert not room.front.operators.present().face_missing
    assert "enrolled" not in room.kinds


def test_a_child_is_recorded_with_its_guardian_and_without_a_face(room: Room) -> None:
    """Both are read back, the relation is a code, the guardian consents; who is not enrolled speaks for nobody."""
    room.sign_in(900, Role.RECEPTIONIST)
    born = date(room.desk.clock.moment().wall.year - 3, 1, 1)
    room.page.read(iin_of(born).digits, "Ару", "Серікова", "ru")
    assert (room.page.values["who"], room.page.values["step"]) == ("child", "guardian")
    room.page.guardian(make_iin(7).digits)
    assert error_of(room) == "This patient is not enrolled"
    with immediate(room.desk.records.db):
        for number in (7, 900):
            room.desk.records.people.add(make_profile(number), room.desk.clock.moment().wall)
    room.page.guardian(make_iin(900).digits)
    room.page.speakFor("parent")
    assert error_of(room) == "It concerns yourself: a colleague does it"
    room.page.guardian(make_iin(7).digits)
    assert "Айгүл7" in str(room.page.values["guardian"])
    room.page.speakFor("")
    assert error_of(room) == "Choose what the guardian is to the child"
    room.page.speakFor("adoptive_parent")
    assert (room.page.values["step"], room.page.values["relation"]) == ("done", "Adoptive parent")
    event = room.events[-1]
    assert (event.kind, event.data["relation"], event.data["given_by"]) == (
        "guardian_named",
        "adoptive_parent",
        "guardian",
    )
    assert event.data["consent_version"] == "child-2026-11"
