"""What a receptionist does by hand is named, counted, agreed to above the limit, and never done twice."""

import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import (
    AttemptTaken,
    NotAllowed,
    NotSignedIn,
    PinWrong,
    ReasonMissing,
    ReceiptUnknown,
    SecondPersonNeeded,
    ServiceConfirmed,
    ServiceUnknown,
)
from appliance.core.operators import Pin, Role
from appliance.core.policy import PaceRule, Policy, ReceptionRule
from appliance.core.reception_events import CorrectionReason, FaceFailure, IdentityCheck, Relation
from appliance.core.standing import Status
from appliance.enrolment import ConsentGiven, EnrolledBy
from appliance.front_desk import Correction, FrontDesk, Manual
from appliance.operators import Voucher
from appliance.records.consents import GivenBy
from appliance.records.profile import Profile
from sync.home import Home
from sync.strict_json import Json
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.reception_staff import PIN, give_pin, operators_of
from tests.fakes.working_desk import CONSENT, SOFTWARE, WorkingDesk, make_circumstances, make_look, make_twin
from tests.use_cases.front import COLLEAGUE, colleague, fail, front_of, manual, staffed

WRONG_SERVICE = CorrectionReason.WRONG_SERVICE


def last(desk: WorkingDesk) -> Mapping[str, Json]:
    """The data of what was signed last."""
    return desk.events()[-1].data


def pseudonym(desk: WorkingDesk, number: int) -> str:
    """How events name person `number`."""
    return desk.records.people.pseudonym(make_iin(number))


def test_a_manual_confirmation_says_who_how_and_why(desk: WorkingDesk) -> None:
    """One event with both reasons and the operator; the service is confirmed by it, the patient's call answered."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    desk.desk.call(desk.find(1))
    front = staffed(desk)
    assert (front.by_hand().done, front.by_hand().limit) == (0, 2)
    attempt = fail(desk, Reason.NO_MATCH)
    receipt = front.confirm(manual(service, attempt))
    assert (desk.events()[-1].event_id, desk.events()[-1].kind) == (receipt, "confirmed_manually")
    data = last(desk)
    assert (data["patient"], data["service"], data["provider"]) == (pseudonym(desk, 1), service, "d-011")
    assert (data["identity"], data["reason"], data["attempt"]) == ("id_card", "injury", attempt)
    assert (data["operator"], data["role"], data["second"]) == (pseudonym(desk, 900), "receptionist", None)
    assert (data["count"], data["limit"], data["enrolled"]) == (1, 2, True)
    assert desk.records.services.get(service).event == receipt
    assert front.by_hand().done == 1
    assert desk.records.help_calls.waiting(desk.clock.moment().wall) == ()


def test_a_try_belongs_to_one_patient(desk: WorkingDesk) -> None:
    """To whom the desk recognised, or to the first one for whom it was named; a made-up one to nobody."""
    desk.enrol(1)
    first, again = desk.plan(1, 2)
    (others,) = desk.plan(2)
    theirs, stranger = fail(desk, Reason.LOW_LIGHT, person=desk.find(1)), fail(desk, Reason.NO_MATCH)
    front = staffed(desk)
    front.confirm(manual(first, stranger))
    for attempt in (theirs, stranger, "00" * 16):
        with pytest.raises(AttemptTaken):
            front.confirm(manual(others, attempt))
    front.confirm(manual(again, theirs))
    assert desk.records.services.get(others).event is None


def test_an_impossible_pace_by_hand_is_an_alarm(desk: WorkingDesk) -> None:
    """As at the kiosk, whoever agreed to it."""
    policy = Policy(reception=ReceptionRule(manual_per_shift=9), pace=PaceRule(provider_per_hour=2, desk_per_hour=50))
    front = FrontDesk(desk.records, desk.ledger, desk.clock, policy, SOFTWARE, operators_of(desk))
    front.operators.sign_in(give_pin(desk, 900), PIN)
    for service in desk.plan(1, 4):
        front.confirm(manual(service))
    alarms = [event.data["what"] for event in desk.events() if event.kind == "alarm"]
    assert alarms == ["impossible_pace"]


def test_a_patient_who_is_not_enrolled_is_confirmed_by_hand(desk: WorkingDesk) -> None:
    """Whoever refuses biometrics, or comes for the first time, gets the service all the same."""
    (service,) = desk.plan(5)
    front = staffed(desk)
    card = front.find(make_iin(5))
    assert (card.enrolled, card.name, [row.service for row in card.services]) == (False, "", [service])
    front.confirm(Manual(service, IdentityCheck.ID_CARD, FaceFailure.NOT_ENROLLED))
    assert last(desk)["enrolled"] is False
    assert front.card(card.patient).services[0].status is Status.BY_HAND


def test_above_the_limit_a_second_person_agrees(desk: WorkingDesk) -> None:
    """Another operator with their own PIN; neither the same one, nor a wrong PIN, nor signing in anew gets around."""
    services = desk.plan(1, 3)
    front, other = staffed(desk), colleague(desk)
    for service in services[:2]:
        front.confirm(manual(service))
    with pytest.raises(SecondPersonNeeded):
        front.confirm(manual(services[2]))
    front.operators.sign_in(desk.records.operators.all()[0].person, PIN)
    with pytest.raises(SecondPersonNeeded):
        front.confirm(manual(services[2]))
    with pytest.raises(NotAllowed):
        front.confirm(manual(services[2]), replace(other, person=desk.records.operators.all()[0].person, pin=PIN))
    with pytest.raises(PinWrong):
        front.confirm(manual(services[2]), replace(other, pin=Pin("141421")))
    assert desk.records.services.get(services[2]).event is None
    front.confirm(manual(services[2]), other)
    assert (last(desk)["second"], last(desk)["count"]) == (pseudonym(desk, 901), 3)


def test_the_limit_is_of_a_day_and_of_an_operator(desk: WorkingDesk, clock: ManualClock) -> None:
    """Each has their own count; the next day begins anew."""
    front, other = staffed(desk), colleague(desk)
    for service in desk.plan(1, 2):
        front.confirm(manual(service))
    front.operators.sign_in(other.person, COLLEAGUE)
    assert front.by_hand().done == 0
    front.confirm(manual(desk.plan(2)[0]))
    clock.advance(86_400)
    front.operators.sign_in(desk.records.operators.all()[0].person, PIN)
    front.confirm(manual(desk.plan(1, 1)[0]))
    assert last(desk)["count"] == 1


def test_nobody_confirms_their_own_service_alone(desk: WorkingDesk) -> None:
    """Staff are patients too: a colleague agrees from the first one on; and vouches for no visit of their own."""
    (own,), (theirs,) = desk.plan(900), desk.plan(901)
    front, other = staffed(desk), colleague(desk)
    with pytest.raises(SecondPersonNeeded, match="alone"):
        front.confirm(manual(own))
    front.confirm(manual(own), other)
    with pytest.raises(SecondPersonNeeded, match="vouch"):
        front.confirm(manual(theirs), other)


@pytest.mark.parametrize(
    "given",
    [
        Manual("s", None, FaceFailure.INJURY),
        Manual("s", IdentityCheck.ID_CARD, None),
        Manual("s", IdentityCheck.OTHER, FaceFailure.INJURY, " \n"),
        Manual("s", IdentityCheck.ID_CARD, FaceFailure.INJURY, "x" * 201),
        Manual("s", IdentityCheck.ID_CARD, FaceFailure.INJURY, "a\0b"),
    ],
    ids=["identity", "reason", "note", "long", "unprintable"],
)
def test_both_reasons_are_required_and_a_note_is_a_line(desk: WorkingDesk, given: Manual) -> None:
    """Nothing is signed without them."""
    (service,) = desk.plan(1)
    front = staffed(desk)
    before = desk.events()
    with pytest.raises(ReasonMissing):
        front.confirm(replace(given, service=service))
    assert desk.events() == before


def test_a_note_stays_at_the_desk_and_goes_with_the_patient(desk: WorkingDesk) -> None:
    """In no event; kept as one line; erased with the patient, or kept where the desk knows nobody."""
    desk.enrol(1)
    front = staffed(desk)
    note = Manual(desk.plan(1)[0], IdentityCheck.OTHER, FaceFailure.EMERGENCY, " brought by\nthe ambulance ")
    receipt = front.confirm(note)
    stranger = front.confirm(replace(note, service=desk.plan(2)[0]))
    assert desk.records.manual.note(receipt) == "brought by the ambulance"
    assert not any("ambulance" in entry.token or "YW1idWxhbm" in entry.token for entry in desk.ledger.entries(0, 99))
    front.withdraw(pseudonym(desk, 1))
    assert desk.records.manual.note(receipt) == ""
    assert desk.records.manual.note(stranger) == "brought by the ambulance"


def test_a_service_of_another_day_is_not_confirmed(desk: WorkingDesk, clock: ManualClock) -> None:
    """Late entry and fraud would look alike."""
    (service,) = desk.plan(1)
    front = staffed(desk)
    clock.advance(86_400)
    front.operators.sign_in(desk.records.operators.all()[0].person, PIN)
    with pytest.raises(ServiceUnknown):
        front.confirm(manual(service))
    with pytest.raises(ServiceUnknown):
        front.confirm(manual("never heard of"))


def test_kiosk_and_reception_confirm_a_service_once(desk: WorkingDesk, home: Home, clock: ManualClock) -> None:
    """At the same instant, in two processes: one of them wins, the other is told; one event, one visit."""
    desk.enrol(1)
    services = desk.plan(1, 6)
    give_pin(desk, 900)
    barrier = threading.Barrier(2, timeout=30)
    won: list[tuple[str, str]] = []
    told: list[str] = []

    def reception() -> None:
        process = WorkingDesk(home, clock)
        front = front_of(process, replace(process.policy.reception, manual_per_shift=100))
        front.operators.sign_in(process.records.operators.all()[0].person, PIN)
        for service in services:
            barrier.wait()
            try:
                front.confirm(manual(service))
                won.append((service, "reception"))
            except ServiceConfirmed:
                told.append(service)
        process.close()

    thread = threading.Thread(target=reception)
    thread.start()
    decision = desk.decide(1)
    for service in services:
        barrier.wait()
        try:
            desk.desk.record_visit(decision, service, make_circumstances())
            won.append((service, "kiosk"))
        except ServiceConfirmed:
            told.append(service)
    thread.join()
    assert sorted(service for service, _ in won) == sorted(told) == sorted(services)


def test_nobody_does_anything_who_is_not_signed_in(desk: WorkingDesk) -> None:
    """Nothing is seen, nothing done; nor by IT."""
    (service,) = desk.plan(1)
    patient = pseudonym(desk, 1)
    for front, failure in ((front_of(desk), NotSignedIn), (staffed(desk, Role.IT), NotAllowed)):
        for act in (
            front.queue,
            front.by_hand,
            front.hand_over,
            front.enrolled_by,
            lambda front=front: front.find(make_iin(1)),
            lambda front=front: front.card(patient),
            lambda front=front: front.answer(1),
            lambda front=front: front.confirm(manual(service)),
            lambda front=front: front.correct(Correction("r", WRONG_SERVICE)),
            lambda front=front: front.held(patient),
            lambda front=front: front.withdraw(patient),
        ):
            with pytest.raises(failure):
                act()
    assert desk.records.services.get(service).event is None


def test_a_receipt_taken_back_stays_and_its_service_is_open_again(desk: WorkingDesk) -> None:
    """An event names both; the kiosk offers the service again, and it can be confirmed again."""
    person = desk.enrol(1).person
    (service,) = desk.plan(1)
    receipt = desk.visit(1, service)
    front = staffed(desk)
    event = front.correct(Correction(receipt, CorrectionReason.NOT_GIVEN))
    data = last(desk)
    assert (desk.events()[-1].kind, data["receipt"], data["service"]) == ("corrected", receipt, service)
    assert (data["instead"], data["reason"], data["operator"]) == (None, "not_given", pseudonym(desk, 900))
    assert [offer.service for offer in desk.desk.receive(person).offers] == [service]
    (row,) = front.card(pseudonym(desk, 1)).receipts
    assert (row.receipt, row.corrected_by) == (receipt, event)
    with pytest.raises(ReceiptUnknown):
        front.correct(Correction(receipt, CorrectionReason.NOT_GIVEN))
    again = desk.visit(1, service)
    rows = front.card(pseudonym(desk, 1)).receipts
    assert [(row.receipt, row.corrected_by) for row in rows] == [(again, None), (receipt, event)]


def test_another_service_takes_the_place_of_the_wrong_one(desk: WorkingDesk) -> None:
    """In one event, by the evidence of the first; the wrong one is open again."""
    desk.enrol(1)
    wrong, right = desk.plan(1, 2)
    receipt = desk.visit(1, wrong)
    front = staffed(desk)
    event = front.correct(Correction(receipt, WRONG_SERVICE, right))
    assert (last(desk)["instead"], last(desk)["instead_code"]) == (right, "A00001")
    assert desk.records.services.get(right).event == event
    assert desk.records.services.get(wrong).event is None
    states = {row.service: row.status for row in front.card(pseudonym(desk, 1)).services}
    assert states == {wrong: Status.NOT_COME, right: Status.BY_FACE}
    front.correct(Correction(event, CorrectionReason.OTHER, note="the doctor was ill"))
    assert desk.records.services.get(right).event is None
    assert desk.records.manual.note(desk.events()[-1].event_id) == "the doctor was ill"


def test_a_service_in_place_of_another_counts_as_confirmed_by_hand(desk: WorkingDesk) -> None:
    """Else a receipt by face would become any other service past the limit; to take one back needs no second person."""
    desk.enrol(1)
    services = desk.plan(1, 4)
    receipt = desk.visit(1, services[0])
    front, other = staffed(desk), colleague(desk)
    front.confirm(manual(services[3]))
    receipt = front.correct(Correction(receipt, WRONG_SERVICE, services[1]))
    assert (last(desk)["count"], last(desk)["limit"], last(desk)["second"]) == (2, 2, None)
    assert front.by_hand().done == 2
    before = desk.events()
    with pytest.raises(SecondPersonNeeded):
        front.correct(Correction(receipt, WRONG_SERVICE, services[2]))
    with pytest.raises(SecondPersonNeeded):
        front.confirm(manual(services[0]))
    assert desk.events() == before
    receipt = front.correct(Correction(receipt, WRONG_SERVICE, services[2]), other)
    assert (last(desk)["count"], last(desk)["second"]) == (3, pseudonym(desk, 901))
    front.correct(Correction(receipt, CorrectionReason.NOT_GIVEN))
    assert (last(desk)["instead"], last(desk)["count"], last(desk)["limit"]) == (None, None, None)
    assert front.hand_over().by_hand == ((make_profile(900).greeting, 3),)
    desk.check_everything()


def test_nobody_puts_another_service_in_place_of_their_own_alone(desk: WorkingDesk) -> None:
    """Else a real visit of theirs would be any other; they may take it back, and a colleague agrees or does it."""
    desk.enrol(900)
    wrong, right = desk.plan(900, 2)
    receipt = desk.visit(900, wrong)
    front, other = staffed(desk), colleague(desk)
    before = desk.events()
    with pytest.raises(SecondPersonNeeded, match="own"):
        front.correct(Correction(receipt, WRONG_SERVICE, right))
    assert desk.events() == before
    assert desk.records.services.get(wrong).event == receipt
    event = front.correct(Correction(receipt, WRONG_SERVICE, right), other)
    front.operators.sign_in(other.person, COLLEAGUE)
    event = front.correct(Correction(event, WRONG_SERVICE, wrong))
    front.operators.sign_in(desk.records.operators.all()[0].person, PIN)
    front.correct(Correction(event, CorrectionReason.NOT_GIVEN))
    assert [desk.records.services.get(service).event for service in (wrong, right)] == [None, None]


def test_nobody_names_themselves_a_guardian(desk: WorkingDesk) -> None:
    """Else one receptionist's own face would confirm for as many children as they have numbers of; a colleague may."""
    desk.enrol(900)
    front, other = staffed(desk), colleague(desk)
    child = Profile("Aru", "Serikova", make_iin(26_000), "kk")
    given = ConsentGiven("2026-11", "kk", GivenBy.GUARDIAN)
    before = desk.events()
    with pytest.raises(SecondPersonNeeded, match="themselves"):
        front.name_guardian(make_iin(900), child, given, Relation.PARENT)
    assert desk.events() == before
    assert desk.records.people.find(child.iin) is None
    front.operators.sign_in(other.person, COLLEAGUE)
    assert front.name_guardian(make_iin(900), child, given, Relation.PARENT) == desk.events()[-1].event_id
    assert (last(desk)["guardian"], last(desk)["operator"]) == (pseudonym(desk, 900), pseudonym(desk, 901))


def test_a_correction_stays_with_the_patient_and_the_day(desk: WorkingDesk) -> None:
    """Nor is it possible without a reason, for a receipt that is none, or onto a confirmed service."""
    desk.enrol(1)
    one, two = desk.plan(1, 2)
    (others,) = desk.plan(2)
    receipt = desk.visit(1, one)
    desk.visit(1, two)
    front = staffed(desk)
    before = desk.events()
    for correction, failure in (
        (Correction(receipt, None), ReasonMissing),
        (Correction(receipt, CorrectionReason.OTHER), ReasonMissing),
        (Correction("00" * 16, WRONG_SERVICE), ReceiptUnknown),
        (Correction(receipt, WRONG_SERVICE, others), ServiceUnknown),
        (Correction(receipt, WRONG_SERVICE, two), ServiceConfirmed),
        (Correction(receipt, WRONG_SERVICE, one), ServiceConfirmed),
    ):
        with pytest.raises(failure):
            front.correct(correction)
    assert desk.events() == before
    assert desk.records.services.get(one).event == receipt


def test_an_enrolment_names_who_did_it_and_who_overruled(desk: WorkingDesk) -> None:
    """A twin takes a supervisor: signed in, or beside the receptionist with their own PIN."""
    front = staffed(desk)
    named = front.enrolled_by()
    desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(1)], "camera", by=named)
    assert (last(desk)["operator"], last(desk)["supervisor"]) == (pseudonym(desk, 900), None)
    with pytest.raises(SecondPersonNeeded):
        front.enrolled_by(overrule=True)
    with pytest.raises(NotAllowed):
        front.enrolled_by(overrule=True, voucher=colleague(desk))
    boss = Voucher(give_pin(desk, 902, Role.SUPERVISOR, COLLEAGUE), COLLEAGUE)
    agreed = front.enrolled_by(overrule=True, voucher=boss)
    desk.enrolment.enrol(make_profile(2), CONSENT, [make_twin(1)], "camera", overrule_duplicate=True, by=agreed)
    data = last(desk)
    assert (data["operator"], data["supervisor"]) == (pseudonym(desk, 900), pseudonym(desk, 902))
    front.operators.sign_in(boss.person, COLLEAGUE)
    assert front.enrolled_by(overrule=True) == EnrolledBy(pseudonym(desk, 902), pseudonym(desk, 902))


def test_the_shift_is_handed_over_in_figures(desk: WorkingDesk, clock: ManualClock) -> None:
    """By what became of today's services, who confirmed by hand, who waits, and what the fund does not have yet."""
    desk.enrol(1)
    by_face, by_hand, _ = desk.plan(1, 3)
    receipt = desk.visit(1, by_face)
    front = staffed(desk)
    front.confirm(manual(by_hand))
    front.correct(Correction(receipt, WRONG_SERVICE))
    desk.visit(1, by_face)
    desk.desk.call(None)
    clock.advance(60)
    told = front.hand_over()
    assert (told.statuses[Status.BY_FACE], told.statuses[Status.BY_HAND], told.statuses[Status.NOT_COME]) == (1, 1, 1)
    assert sum(told.statuses.values()) == 3
    assert told.by_hand == ((make_profile(900).greeting, 1),)
    assert (told.waiting, told.corrected, told.unsigned) == (1, 1, 0)
    assert (told.unsent, told.oldest) == (len(desk.events()), 60)


def test_another_try_at_the_kiosk_names_nobody_to_it(desk: WorkingDesk) -> None:
    """Over the same records the kiosk learns once that somebody may try, and no more.

    The patient's call is answered, and who asked is signed.
    """
    desk.enrol(1)
    front, patient = staffed(desk), desk.records.people.pseudonym(make_iin(1))
    desk.desk.call(desk.find(1))
    event = front.invite(patient)
    assert (desk.events()[-1].event_id, desk.events()[-1].kind) == (event, "invited")
    assert desk.events()[-1].data["patient"] == patient
    assert desk.records.help_calls.waiting(desk.clock.moment().wall) == ()
    assert [column[1] for column in desk.db.execute("PRAGMA table_info(invitation)")] == [
        "number",
        "invited_at",
        "taken_at",
    ]
    assert [desk.desk.invited(), desk.desk.invited()] == [True, False]
    front.operators.sign_out()
    with pytest.raises(NotSignedIn):
        front.invite(patient)
