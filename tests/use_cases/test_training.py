"""Whoever practises changes nothing: the real desk is the same afterwards, to the last byte and the last row."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.checkin import RecordedDesk
from appliance.composition import OpenDesk
from appliance.core.decision import Reason
from appliance.core.types import LivenessVerdict, PersonId
from appliance.enrolled import EnrolledGallery, recogniser_over
from appliance.enrolment import Enrolment
from appliance.matching.gallery import Gallery
from appliance.training import TRAINING_DEVICE, open_for_visits, open_training
from sync.errors import EnvelopeInvalid
from sync.home import Home, load_settings
from sync.signing import FileSigner, verify_event
from tests.fakes.clock import ManualClock
from tests.fakes.patients import PACK, make_embedding, make_profile
from tests.fakes.working_desk import (
    CONSENT,
    SOFTWARE,
    FixedThresholds,
    WorkingDesk,
    make_circumstances,
    make_look,
)


class Practice:
    """The use cases over a training desk, with the invented faces of the tests."""

    def __init__(self, opened: OpenDesk) -> None:
        self.opened = opened
        records, dimension = opened.records, len(make_embedding(0).vector)
        self.enrolled = EnrolledGallery(records.templates, Gallery(dimension, PACK))
        self.staff = EnrolledGallery(records.staff.templates, Gallery(dimension, PACK))
        policy = opened.config.policy
        self.recogniser = recogniser_over(records, self.enrolled, self.staff, {PACK: FixedThresholds()}, policy)
        self.desk = RecordedDesk(records, self.enrolled, self.staff, opened.ledger, opened.clock, policy, SOFTWARE)

    def visit(self, number: int) -> tuple[PersonId, str]:
        """Recognise person `number` and confirm the first service that is offered; gives who, and the event."""
        looks = [make_look(number, 50 + each) for each in range(3)]
        decision = self.recogniser.decide(looks, LivenessVerdict.LIVE, None, self.desk.expected(), self.desk.under_age)
        assert decision.person is not None
        service = self.desk.receive(decision.person).offers[0].service
        return decision.person, self.desk.record_visit(decision, service, make_circumstances())


def everything(desk: WorkingDesk) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the real desk."""
    names = [row[0] for row in desk.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    return {name: desk.db.execute(f"SELECT * FROM [{name}]").fetchall() for name in names}  # noqa: S608


@contextmanager
def unchanged(desk: WorkingDesk) -> Iterator[None]:
    """Head, rows, journal and files of the home stay as they are."""

    def state() -> tuple[object, ...]:
        files = {path for path in desk.home.root.rglob("*") if path.is_file() and not path.name.startswith("desk.db")}
        return desk.ledger.head(), everything(desk), {path: path.read_bytes() for path in files}

    before = state()
    yield
    assert state() == before


def test_a_visit_of_practice_moves_nothing(home: Home, desk: WorkingDesk, clock: ManualClock) -> None:
    """Recognised, confirmed, receipted in the copy; also a refusal, a decline, an alarm, an enrolment, a call."""
    desk.enrol(1)
    desk.enrol(2)
    desk.plan(1)
    with unchanged(desk), open_training(home, clock) as opened:
        practice = Practice(opened)
        person, event = practice.visit(1)
        assert [entry.event_id for entry in opened.ledger.entries()] == [event]
        assert practice.desk.receive(person).confirmed == event
        practice.desk.record_refusal(None, (Reason.NOT_ACQUIRED,), None, None, make_circumstances())
        practice.desk.record_alarm("camera_failure", "E-CAM-01")
        practice.desk.call(person)
        enrolment = Enrolment(
            opened.records, opened.ledger, practice.enrolled, practice.staff, practice.recogniser, clock, SOFTWARE
        )
        enrolment.enrol(make_profile(3), CONSENT, [make_look(3, each) for each in range(3)], "camera")
        assert opened.ledger.head().seq >= 3
    assert desk.desk.receive(person).confirmed == ""


def test_without_a_service_today_there_is_one_to_practise(home: Home, desk: WorkingDesk, clock: ManualClock) -> None:
    """Anybody who is enrolled can be the patient; who has a service of their own gets none beside it."""
    desk.enrol(1)
    desk.enrol(2)
    desk.plan(2)
    with unchanged(desk), open_training(home, clock) as opened:
        practice = Practice(opened)
        services = opened.records.services.on(clock.moment().wall.date())
        assert sorted(service.code for service in services) == ["A00000", "TRAINING"]
        practice.visit(1)
        practice.visit(2)


def test_what_was_practised_is_not_believed_by_any_fund(home: Home, desk: WorkingDesk, clock: ManualClock) -> None:
    """Another device name, another key: the desk's own public key does not verify it."""
    desk.enrol(1)
    with open_training(home, clock) as opened:
        Practice(opened).visit(1)
        token = opened.ledger.entries()[0].token
        theirs = opened.key.signer.public_jwk
    event = verify_event(theirs, token).event
    assert event.device == TRAINING_DEVICE != load_settings(home).device.device
    with pytest.raises(EnvelopeInvalid):
        verify_event(FileSigner.load(home.device_key).public_jwk, token)


def test_the_copy_is_gone_afterwards_and_was_never_readable(home: Home, desk: WorkingDesk, clock: ManualClock) -> None:
    """While it is open nothing in its folder holds a name or number; then there is no folder."""
    desk.enrol(1)
    profile = make_profile(1)
    with open_training(home, clock) as opened:
        folder = Path(opened.records.db.execute("PRAGMA database_list").fetchone()[2]).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        written = b"".join(path.read_bytes() for path in folder.glob("keys/*")) + (folder / "desk.db-wal").read_bytes()
        assert not any(part.encode() in written for part in (profile.given_name, profile.iin.digits))
    assert not folder.exists()


def test_the_settings_or_the_command_ask_for_it(home: Home, desk: WorkingDesk, clock: ManualClock) -> None:
    """[desk] training = true; or the option, whatever the settings say. Otherwise the desk is the real one."""
    with open_for_visits(home, clock) as opened:
        assert not opened.training
    with open_for_visits(home, clock, training=True) as opened:
        assert opened.training
    with home.config.open("a") as file:
        file.write("\n[desk]\ntraining = true\n")
    with unchanged(desk), open_for_visits(home, clock) as opened:
        assert (opened.training, opened.home) == (True, home)
