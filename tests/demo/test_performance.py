"""The demonstration notices whatever differs from its plan, and its patients behave as people do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.capture.scene import Scene
from appliance.composition import SeeingDesk, open_desk, open_eyes
from appliance.core.decision import Reason
from appliance.core.errors import DemoFailed
from appliance.core.session import State
from appliance.core.snapshot import Intent, IntentKind, Offer, Snapshot
from appliance.core.types import Instant, LivenessVerdict
from appliance.demo import clinic
from appliance.demo.clinic import Processes, Site
from appliance.demo.performance import THINKING, Claim, Patient, Stage, liveness, reasons
from appliance.demo.plan import Act, Outcome, Staging
from appliance.demo.staging import empty_room
from sync.clock import SystemClock
from sync.fund.audit import verify_fund
from sync.home import load_settings
from tests.fakes.working_desk import WorkingDesk, make_circumstances

CLOCK = SystemClock()
NOBODY = Act("nobody", Staging.NOBODY, Outcome(State.IDLE, None))
OFFER = Offer("s1", "A02", (("kk", "Қабылдау"),), "12", "2026-11-23T09:00")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A founded clinic whose processes do not run."""
    return clinic.found(tmp_path, CLOCK)[0]


@pytest.fixture
def eyes(site: Site, pack_path: Path) -> Iterator[SeeingDesk]:
    """Its desk with the real pack."""
    with open_desk(site.home, CLOCK) as desk:
        yield open_eyes(desk, pack_path.parent)


def test_an_empty_room_is_as_planned(eyes: SeeingDesk) -> None:
    """No visit, no event, nothing wrong."""
    result = Stage(eyes, {}, {}).play(NOBODY, 1)
    assert (result.state, result.seq, result.event, result.wrong) == (State.IDLE, None, None, ())


def test_what_differs_from_the_plan_is_named(eyes: SeeingDesk) -> None:
    """A receipt was promised and nobody came."""
    promised = replace(NOBODY, outcome=Outcome(State.RECEIPT, "checked_in"))
    result = Stage(eyes, {}, {}).play(promised, 1)
    assert result.wrong == ("ended in idle, not receipt", "left no event, not checked_in")


def watched(answer: IntentKind = IntentKind.CONFIRM) -> Patient:
    """Somebody who stands before the camera."""
    patient = Patient()
    scene: Scene = empty_room(Instant(0.0), 1, 0.1)
    patient.come(scene, answer)
    return patient


def test_a_patient_reads_before_answering() -> None:
    """Then confirms the first service, once for each time it was asked."""
    patient = watched()
    for tenth in range(10):
        patient.watch(Snapshot(Instant(tenth / 10), State.CONFIRM, offers=(OFFER,)))
        assert patient.answer() is None
    patient.watch(Snapshot(Instant(THINKING), State.CONFIRM, offers=(OFFER,)))
    said = patient.answer()
    assert said is not None
    assert (said.kind, said.service) == (IntentKind.CONFIRM, "s1")
    assert patient.answer() is None


def test_a_patient_may_say_not_me() -> None:
    """No service is named then."""
    patient = watched(IntentKind.NOT_ME)
    for at in (0.0, THINKING):
        patient.watch(Snapshot(Instant(at), State.CONFIRM, offers=(OFFER,)))
    said = patient.answer()
    assert said is not None
    assert (said.kind, said.service) == (IntentKind.NOT_ME, "")


def test_who_has_gone_answers_nothing() -> None:
    """The screen may ask; nobody is there."""
    patient = watched()
    patient.go()
    for at in (0.0, THINKING):
        patient.watch(Snapshot(Instant(at), State.CONFIRM, offers=(OFFER,)))
    assert patient.answer() is None


def test_the_first_end_of_a_visit_counts() -> None:
    """What the screen shows afterwards is the next visit's."""
    patient = watched()
    patient.watch(Snapshot(Instant(1.0), State.RECEIPT))
    patient.watch(Snapshot(Instant(2.0), State.NOT_RECOGNISED))
    assert patient.end == (State.RECEIPT, Instant(1.0))


def test_reasons_and_liveness_are_read_from_the_event(site: Site, eyes: SeeingDesk) -> None:
    """From what was signed, not from what the desk believes."""
    assert eyes.gallery.people == 0
    desk = WorkingDesk(site.home, CLOCK)
    about = make_circumstances(LivenessVerdict.SPOOF)
    desk.desk.record_refusal(None, (Reason.LIVENESS_SPOOF, Reason.LEFT), None, None, about)
    (event,) = desk.events()
    desk.close()
    assert reasons(event) == ("liveness_spoof", "left")
    assert liveness(event) == "spoof"


def test_what_the_desk_signed_and_the_fund_lacks_is_missing(site: Site) -> None:
    """The last line of the demonstration counts it."""
    assert verify_fund(site.fund).intact
    report = clinic.audit(site, 3)
    assert (report.missing, report.intact) == (3, False)


def test_a_gateway_that_cannot_start_is_told(site: Site) -> None:
    """The port is taken: named as a failure of the demonstration, with its log."""
    port = int(load_settings(site.home).fund.url.rpartition(":")[2])
    first = Processes(site, port, CLOCK)
    first.start_gateway()
    try:
        with pytest.raises(DemoFailed, match=r"gateway\.log"):
            Processes(site, port, CLOCK).start_gateway()
    finally:
        first.stop()


def reply(patient: Patient, *shown: Snapshot) -> Intent | None:
    """What a patient says who has seen this."""
    for snapshot in shown:
        patient.watch(snapshot)
    return patient.answer()


def asked(state: State, *offers: Offer) -> tuple[Snapshot, Snapshot]:
    """A question, and the same a while later."""
    return Snapshot(Instant(5.0), state, offers=offers), Snapshot(Instant(5.0 + THINKING), state, offers=offers)


@pytest.mark.parametrize("for_child", [False, True])
def test_a_patient_chooses_what_they_came_for(for_child: bool) -> None:
    """Their own service, or the child's; a guardian says for whom before confirming."""
    patient, child = Patient(), replace(OFFER, service="s2", child="Мирас О.")
    patient.come(empty_room(Instant(0.0), 1, 0.1), IntentKind.CONFIRM, for_child=for_child)
    said = reply(patient, *asked(State.CHOOSE, OFFER, child))
    assert said is not None
    assert (said.kind, said.service) == (IntentKind.CHOOSE, "s2" if for_child else "s1")
    said = reply(patient, *asked(State.GUARDIAN, child))
    assert said is not None
    assert (said.kind, said.service) == (IntentKind.CHOOSE, "s2")


def test_who_goes_without_a_face_types_number_and_code() -> None:
    """After pressing for it; everybody else lets the pad alone."""
    patient = Patient()
    patient.come(empty_room(Instant(0.0), 1, 0.1), IntentKind.CONFIRM, Claim("1", "2"))
    said = [reply(patient, *asked(state)) for state in (State.IDLE, State.FALLBACK)]
    assert [each and each.kind for each in said] == [IntentKind.WITHOUT_FACE, IntentKind.IDENTIFY]
    assert said[1] is not None
    assert (said[1].iin, said[1].code) == ("1", "2")
    assert [reply(watched(), *asked(state)) for state in (State.IDLE, State.FALLBACK)] == [None, None]
