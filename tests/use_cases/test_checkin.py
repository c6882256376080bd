"""A visit is one signed event and one confirmed service, or neither."""

import contextlib
import json
from collections.abc import Iterator
from datetime import date

import pytest

from appliance.core.decision import Reason, Verdict
from appliance.core.errors import ConsentMissing, DuplicateFace, ServiceConfirmed, ServiceUnknown, TemplateDamaged
from appliance.core.types import LivenessVerdict
from sync.envelope import parse_event
from sync.home import Home
from sync.outbox import Outbox
from tests.fakes.clock import ManualClock
from tests.fakes.patients import OTHER_PACK, PACK, make_iin, make_profile
from tests.fakes.working_desk import CONSENT, WorkingDesk, make_circumstances, make_look


def test_a_visit_signs_one_event_and_confirms_its_service(desk: WorkingDesk) -> None:
    """The receipt is the event's id; the service is confirmed by it; the event waits for the fund."""
    person = desk.enrol(1).person
    (service,) = desk.plan(1)
    before = desk.ledger.head().seq
    receipt = desk.visit(1, service)
    (event,) = desk.events()[before:]
    assert (event.event_id, event.kind, event.seq) == (receipt, "checked_in", before + 1)
    assert desk.records.services.get(service).event == receipt
    assert desk.desk.receive(person).offers == ()
    assert desk.desk.receive(person).confirmed == receipt
    assert Outbox(desk.db).status(0).pending == before + 1


def test_a_service_is_confirmed_once(desk: WorkingDesk) -> None:
    """The second confirmation is refused, and no second event is signed."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    receipt = desk.visit(1, service)
    with pytest.raises(ServiceConfirmed):
        desk.visit(1, service)
    assert [event.event_id for event in desk.events() if event.kind == "checked_in"] == [receipt]


def test_two_processes_confirm_a_service_once(desk: WorkingDesk, other: WorkingDesk) -> None:
    """A second desk window on the same database sees the confirmation of the first."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    decision = other.decide(1)
    desk.visit(1, service)
    with pytest.raises(ServiceConfirmed):
        other.desk.record_visit(decision, service, make_circumstances())


def test_the_event_names_the_template_that_matched_and_the_consent(desk: WorkingDesk) -> None:
    """The template nearest to the probe, by its keyed hash; the consent under which it was kept."""
    result = desk.enrol(1)
    (service,) = desk.plan(1)
    decision = desk.decide(1)
    desk.desk.record_visit(decision, service, make_circumstances())
    data = desk.events()[-1].data
    kept = desk.records.templates.of(result.person, decision.evidence.probe.pack)
    scores = {template.name: float(template.embedding.vector @ decision.evidence.probe.vector) for template in kept}
    assert data["template"] == max(scores, key=lambda name: scores[name])
    standing = desk.records.consents.standing(result.person)
    assert standing is not None
    assert data["consent"] == standing.consent


def test_the_event_carries_the_figures_of_the_decision(desk: WorkingDesk) -> None:
    """Mode, score, threshold, margin, how many were compared, pack and policy."""
    desk.enrol(1)
    desk.enrol(2)
    (service,) = desk.plan(1)
    decision = desk.decide(1)
    desk.desk.record_visit(decision, service, make_circumstances())
    data = desk.events()[-1].data
    compared, about = data["comparison"], data["circumstances"]
    assert isinstance(compared, dict)
    assert isinstance(about, dict)
    assert (compared["mode"], compared["compared"], compared["gallery"]) == ("list", 1, 2)
    assert compared["score"] == round(decision.score or 0.0, 4)
    assert compared["threshold"] == decision.evidence.thresholds.accept
    assert about["policy"] == desk.policy.policy_id
    assert data["reasons"] == ["match", "live"]


def test_no_event_holds_a_name_an_iin_or_a_vector(desk: WorkingDesk) -> None:
    """The JSON of every kind of event is searched for the parts of names, the digits, and the numbers of a face."""
    people = (1, 2, 3)
    services = {}
    for number in people:
        desk.enrol(number)
        (services[number],) = desk.plan(number)
    desk.visit(1, services[1])
    desk.desk.record_decline(desk.decide(2), Reason.NOT_ME, make_circumstances())
    refused = desk.decide(9)
    desk.desk.record_refusal(None, refused.reasons, None, refused, make_circumstances())
    desk.desk.record_alarm("camera_failure", "E-CAM-01")
    desk.enrolment.forget(make_iin(3), "consent_withdrawn")
    events = desk.events()
    assert {event.kind for event in events} == {"enrolled", "checked_in", "declined", "refused", "alarm", "forgotten"}
    text = "\n".join(json.dumps(dict(event.data), ensure_ascii=False) for event in events)
    secrets = [make_look(number, variant).embedding.vector for number in (*people, 9) for variant in (0, 1, 100)]
    secrets.append(refused.evidence.probe.vector)
    for number in people:
        profile = make_profile(number)
        for part in (profile.given_name, profile.family_name, profile.iin.digits, profile.iin.digits[-8:]):
            assert part not in text
    for vector in secrets:
        assert not any(f"{abs(float(value)):.6f}" in text for value in vector)
        assert vector.tobytes().hex()[:32] not in text


def test_a_patient_is_the_same_pseudonym_in_every_event(desk: WorkingDesk) -> None:
    """Enrolment, visit and erasure name one pseudonym: the fund joins them, nobody else can."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    desk.visit(1, service)
    desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    patients = {event.data["patient"] for event in desk.events()}
    assert patients == {desk.records.people.pseudonym(make_iin(1))}


def test_a_refusal_leaves_no_visit(desk: WorkingDesk) -> None:
    """A stranger's try is signed with its reasons and names no patient."""
    desk.enrol(1)
    desk.plan(1)
    decision = desk.decide(9)
    desk.desk.record_refusal(None, decision.reasons, None, decision, make_circumstances())
    event = desk.events()[-1]
    assert (event.kind, event.data["patient"]) == ("refused", None)
    assert event.data["reasons"] == ["no_match"]


def test_a_decline_names_what_was_offered(desk: WorkingDesk) -> None:
    """Who says "not me" leaves the services open, and the event says which."""
    person = desk.enrol(1).person
    desk.plan(1, 2)
    desk.desk.record_decline(desk.decide(1), Reason.NOT_ME, make_circumstances())
    assert desk.events()[-1].data["services"] == ["A00000", "A00001"]
    assert len(desk.desk.receive(person).offers) == 2


def test_without_a_standing_consent_nobody_checks_in(desk: WorkingDesk, other: WorkingDesk) -> None:
    """Consent withdrawn by another process between decision and confirmation: no visit, no event."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    decision = desk.decide(1)
    other.enrolment.forget(make_iin(1), "consent_withdrawn")
    before = desk.ledger.head()
    with pytest.raises(ConsentMissing):
        desk.desk.record_visit(decision, service, make_circumstances())
    assert desk.ledger.head() == before
    assert desk.records.services.get(service).event is None


def test_a_service_of_somebody_else_is_not_confirmed(desk: WorkingDesk) -> None:
    """The person and the service must belong together, whatever the screen sent."""
    desk.enrol(1)
    desk.enrol(2)
    (theirs,) = desk.plan(2)
    before = desk.ledger.head()
    with pytest.raises(ServiceUnknown):
        desk.visit(1, theirs)
    assert desk.ledger.head() == before


MOVING = (PACK, OTHER_PACK)


@pytest.fixture
def moved(desk: WorkingDesk, home: Home, clock: ManualClock) -> Iterator[WorkingDesk]:
    """The desk after patients 1 and 2 were enrolled by the old pack and another pack was put into its place."""
    with contextlib.closing(WorkingDesk(home, clock, packs=(OTHER_PACK,))) as before:
        for number in (1, 2):
            before.enrol(number)
    opened = WorkingDesk(home, clock, packs=MOVING)
    yield opened
    opened.check_everything()
    opened.close()
    desk.enrolled.refresh()


def test_a_confirmed_visit_gives_templates_of_the_new_pack(moved: WorkingDesk) -> None:
    """In the visit's transaction, by an event that names it; the old templates stay until their pack is retired."""
    services = moved.plan(1, 2)
    before = moved.ledger.head().seq
    receipt = moved.visit(1, services[0])
    visit, made = moved.events()[before:]
    person = moved.find(1)
    assert person is not None
    assert (visit.event_id, visit.kind, made.kind) == (receipt, "checked_in", "re_templated")
    assert visit.data["comparison"]["pack"] == OTHER_PACK  # type: ignore[index, call-overload]  # an object
    assert (made.data["visit"], made.data["pack"], made.data["matched_by"]) == (receipt, PACK, OTHER_PACK)
    assert made.data["templates"] == [t.name for t in moved.records.templates.of(person, PACK)]
    assert moved.records.templates.held()[person] == {PACK: 3, OTHER_PACK: 3}
    again = moved.decide(1)
    assert (again.person, again.evidence.pack, again.evidence.fresh) == (person, PACK, ())
    moved.visit(1, services[1])
    assert [event.kind for event in moved.events()[before:]] == ["checked_in", "re_templated", "checked_in"]


def test_a_decline_or_refusal_gives_no_templates(moved: WorkingDesk) -> None:
    """Only who confirmed was certainly there for it."""
    moved.plan(1)
    moved.desk.record_decline(moved.decide(1), Reason.NOT_ME, make_circumstances())
    refused = moved.decide(1, LivenessVerdict.SPOOF)
    moved.desk.record_refusal(None, refused.reasons, None, refused, make_circumstances())
    person = moved.find(1)
    assert person is not None
    assert moved.records.templates.held()[person] == {OTHER_PACK: 3}


def test_two_visits_at_once_give_templates_once(moved: WorkingDesk) -> None:
    """The second decision was made before the first visit was recorded."""
    services = moved.plan(1, 2)
    first, second = moved.decide(1), moved.decide(1)
    moved.desk.record_visit(first, services[0], make_circumstances())
    moved.desk.record_visit(second, services[1], make_circumstances())
    assert [event.kind for event in moved.events()].count("re_templated") == 1


def test_an_enrolment_during_the_migration_finds_duplicates_of_the_old_pack(moved: WorkingDesk) -> None:
    """One face, two numbers: also where the first was enrolled by the pack that goes."""
    with pytest.raises(DuplicateFace):
        moved.enrolment.enrol(make_profile(3), CONSENT, [make_look(1, 50, packs=MOVING)], "photo")
    person = moved.enrol(3).person
    assert moved.records.templates.held()[person] == {PACK: 3}
    assert moved.decide(3).evidence.pack == PACK


def test_who_is_forgotten_loses_the_templates_of_all_packs(moved: WorkingDesk) -> None:
    """Erasure knows no pack."""
    (service,) = moved.plan(1)
    moved.visit(1, service)
    moved.enrolment.forget(make_iin(1), "consent_withdrawn")
    assert moved.events()[-1].data["templates"] == 6
    assert moved.enrolled.people == 1
    assert moved.decide(1).reasons == (Reason.NO_MATCH,)


def test_a_desk_that_goes_back_recognises_whom_the_new_pack_enrolled(
    moved: WorkingDesk, home: Home, clock: ManualClock
) -> None:
    """A migration may be turned round: nobody is lost."""
    (service,) = moved.plan(1)
    moved.visit(1, service)
    moved.enrol(3)
    back = WorkingDesk(home, clock, packs=(OTHER_PACK, PACK))
    assert [back.decide(number).evidence.pack for number in (1, 2, 3)] == [OTHER_PACK, OTHER_PACK, PACK]
    assert all(back.decide(number).person for number in (1, 2, 3))
    back.check_everything()
    back.close()


@pytest.mark.parametrize("verdict", [v for v in LivenessVerdict if v is not LivenessVerdict.LIVE])
def test_only_a_live_person_checks_in(desk: WorkingDesk, verdict: LivenessVerdict) -> None:
    """Neither a decision nor an event accepts anybody who was not found alive."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    refused = desk.decide(1, verdict)
    assert refused.verdict is Verdict.REFUSED
    with pytest.raises(ValueError, match="accepted decision"):
        desk.desk.record_visit(refused, service, make_circumstances())
    with pytest.raises(ValueError, match="live"):
        desk.desk.record_visit(desk.decide(1), service, make_circumstances(verdict))
    assert [event.kind for event in desk.events()] == ["enrolled"]


def test_a_child_is_not_accepted_from_a_list(desk: WorkingDesk) -> None:
    """Below the policy's age only the claimed identity is compared; a guardian stands beside."""
    child = (date(2021, 5, 1) - date(1950, 1, 1)).days
    person = desk.enrol(child).person
    desk.plan(child)
    assert desk.desk.under_age(person)
    listed = desk.decide(child)
    assert (listed.verdict, listed.reasons) == (Verdict.REFUSED, (Reason.UNDER_AGE,))
    assert desk.decide(child, claimed=person).person == person


def test_a_child_who_is_not_expected_is_not_accepted_from_the_gallery_either(desk: WorkingDesk) -> None:
    """The age counts for every search, not only for today's list; somebody grown is told that nothing is planned."""
    child = (date(2021, 5, 1) - date(1950, 1, 1)).days
    desk.enrol(child)
    assert desk.decide(child).reasons == (Reason.UNDER_AGE,)
    grown = desk.enrol(1).person
    assert desk.decide(1).person == grown


def test_yesterdays_service_is_not_offered_today(desk: WorkingDesk) -> None:
    """What was not confirmed on its day is no longer asked for."""
    person = desk.enrol(1).person
    desk.plan(1)
    desk.clock.sleep(24 * 3600)
    assert desk.desk.receive(person).offers == ()
    assert desk.desk.expected() == frozenset()


def test_the_moment_in_the_event_is_that_of_the_confirmation(desk: WorkingDesk) -> None:
    """The wall time was read inside the transaction, not when the patient arrived."""
    desk.enrol(1)
    (service,) = desk.plan(1)
    decision = desk.decide(1)
    desk.clock.sleep(30)
    desk.desk.record_visit(decision, service, make_circumstances())
    entry = desk.ledger.entries(1)[-1]
    assert parse_event(entry.token).event.moment.wall == desk.clock.moment().wall


def test_one_damaged_profile_stops_nobody_else(desk: WorkingDesk, other: WorkingDesk) -> None:
    """Whose profile does not open is told so when it is their turn; the others check in as ever."""
    damaged = desk.enrol(1).person
    desk.enrol(2)
    desk.plan(1)
    (service,) = desk.plan(2)
    sound = desk.db.execute("SELECT sealed_profile FROM person WHERE person_id = ?", (damaged,)).fetchone()[0]
    change = "UPDATE person SET sealed_profile = ? WHERE person_id = ?"
    other.db.execute(change, (sound[:-1] + bytes([sound[-1] ^ 1]), damaged))
    assert desk.visit(2, service)
    with pytest.raises(TemplateDamaged):
        desk.desk.receive(damaged)
    other.db.execute(change, (sound, damaged))


def test_the_youngest_visit_is_known_again_for_two_minutes(desk: WorkingDesk, clock: ManualClock) -> None:
    """By another process, too, and with a clock that was set back; not longer, and not before there is any."""
    assert desk.desk.just_confirmed() is None
    for number in (1, 2):
        desk.enrol(number)
        desk.visit(number, desk.plan(number)[0])
    again = WorkingDesk(desk.home, desk.clock)
    (service,) = desk.plan(2)
    found = again.desk.just_confirmed()
    assert found is not None
    assert (found[0], found[1].service) == (desk.records.services.get(service).event, service)
    clock.step_wall(-desk.policy.timing.again)
    assert again.desk.just_confirmed() == found
    clock.step_wall(2 * desk.policy.timing.again)
    assert again.desk.just_confirmed() == found
    clock.step_wall(1)
    assert again.desk.just_confirmed() is None
    again.close()
