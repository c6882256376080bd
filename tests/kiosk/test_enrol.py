"""A new patient at the reception, before a real camera's stand-in and with the real pack: step by step, kept or not."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from appliance.capture.scene_portrait import Portrait
from appliance.cli.opening import eyes_at
from appliance.cli.place import Place
from appliance.composition import OpenDesk, SeeingDesk, open_desk
from appliance.core.operators import Pin, Role
from appliance.core.ports import FrameSource
from appliance.core.types import Instant
from appliance.demo import cast, clinic
from appliance.demo.cast import PATIENTS
from appliance.demo.staging import enrolment_scene
from appliance.front_desk import FrontDesk
from appliance.operators import set_pin
from appliance.texts import Language
from kiosk_ui.enrol_page import EnrolPage
from kiosk_ui.enrolling import Enroller, Outcome, Stand
from kiosk_ui.mailbox import Mailbox
from sync.clock import SystemClock
from sync.envelope import Event, parse_event
from tests.fakes.patients import make_profile
from tests.fakes.reception_staff import CHEAP, PIN

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

    def sign_in(self, number: int, role: Role) -> None:
        """Invented person `number` works here now."""
        who = make_profile(number)
        person = set_pin(self.desk.records, self.desk.ledger, CLOCK, "keldim 0", who, role, PIN, CHEAP).person
        self.front.operators.sign_in(person, Pin(PIN.digits))


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


def test_a_patient_is_enrolled_step_by_step_and_a_twin_only_by_a_supervisor(qtbot: QtBot, room: Room) -> None:
    """Document read back, consent, three looks with bars, kept with one event.

    The same face under another number is a receptionist's question and a supervisor's decision, without a second
    sitting.
    """
    room.sign_in(900, Role.RECEPTIONIST)
    role = PATIENTS[0]
    room.page.read("900101300018", "Айгүл", "Смаилова", "kk")
    assert (room.page.values["step"], bool(room.page.values["error"])) == ("document", True)
    room.page.read(role.iin.digits, "Айгүл", "Смаилова", "kk")
    assert "Айгүл" in str(room.page.values["name"])
    assert str(room.page.values["iin"]).startswith("•")
    seen: list[int] = []
    room.page.pageChanged.connect(lambda: seen.append(int(str(room.page.values["looks"]))))
    room.page.agree(False)
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    assert room.kinds.count("enrolled") == 1
    assert max(seen) >= 2
    assert room.page.values["name"] == ""
    room.page.refuse()
    room.page.read(role.iin.digits, "Айгүл", "Смаилова", "kk")
    assert room.page.values["error"] == "This patient is enrolled already"
    other = make_profile(5)
    room.page.read(other.iin.digits, "Әсел", "Смаилова", "ru")
    room.page.agree(False)
    qtbot.waitUntil(step_is(room, "twin"), timeout=60_000)
    room.page.overrule()
    assert "E-OPR-05" in str(room.page.values["error"])
    room.sign_in(901, Role.SUPERVISOR)
    room.page.overrule()
    qtbot.waitUntil(step_is(room, "done"), timeout=60_000)
    twins = [event.data["look_alikes"] for event in room.events if event.kind == "enrolled"]
    alone, agreed = (event.data for event in room.events if event.kind == "enrolled")
    assert (alone["operator"] is None, alone["supervisor"]) == (False, None)
    assert agreed["operator"] == agreed["supervisor"] != alone["operator"]
    assert twins == [0, 1]


def test_a_refused_consent_keeps_nothing(room: Room) -> None:
    """A normal end: no event about the patient, no name on the page."""
    room.sign_in(900, Role.RECEPTIONIST)
    room.page.read(PATIENTS[0].iin.digits, "Айгүл", "Смаилова", "kk")
    room.page.refuse()
    assert (room.page.values["step"], room.page.values["name"]) == ("document", "")
    assert "enrolled" not in room.kinds


def test_nobody_enrols_who_is_not_signed_in(room: Room) -> None:
    """And nothing is looked at."""
    room.page.read(PATIENTS[0].iin.digits, "Айгүл", "Смаилова", "kk")
    assert (room.page.values["step"], "E-OPR-04" in str(room.page.values["error"])) == ("document", True)
