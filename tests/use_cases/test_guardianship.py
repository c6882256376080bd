"""Who speaks for a child: kept with consent, ended with either, and confirmed in the child's name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from appliance.core.errors import ConsentMissing, NotAChild, PersonUnknown, ServiceUnknown
from appliance.core.iin import Iin, check_digit
from appliance.core.policy import ReceptionRule
from appliance.core.reception_events import Relation
from appliance.enrolment import ConsentGiven
from appliance.guardianship import Guardianship
from appliance.records.consents import GivenBy
from appliance.records.profile import Profile
from appliance.records.schedule import ScheduledService
from sync.database import immediate
from tests.fakes.clock import ManualClock
from tests.fakes.patients import make_iin, make_profile
from tests.fakes.working_desk import SOFTWARE, WorkingDesk

GIVEN = ConsentGiven("2026-11", "kk", GivenBy.GUARDIAN)


def iin_of(born: date, serial: int = 1) -> Iin:
    """The IIN of somebody born in this century."""
    eleven = f"{born:%y%m%d}5{serial:04}"
    last = check_digit(eleven)
    return Iin(f"{eleven}{last}") if last is not None else iin_of(born, serial + 1)


ARU = Profile("Aru", "Serikova", iin_of(date(2021, 3, 1)), "kk")
DAUREN = Profile("Dauren", "Serikov", iin_of(date(2023, 5, 9)), "kk")


@pytest.fixture
def naming(desk: WorkingDesk) -> Guardianship:
    """The use case over the desk's records."""
    return Guardianship(desk.records, desk.ledger, desk.clock, desk.policy, SOFTWARE)


def plan(desk: WorkingDesk, iin: Iin) -> str:
    """A service now; its id."""
    now = desk.clock.moment().wall
    names = (("kk", "Екпе"), ("ru", "Прививка"), ("en", "Vaccination"))
    line = ScheduledService(2, iin, "V1", names, "7", "d-012", now.replace(tzinfo=None, second=0))
    with immediate(desk.db):
        desk.records.services.keep([line], now)
    (service,) = desk.records.services.of_patient(desk.records.people.pseudonym(iin), now.date())
    return service.service


def test_a_child_is_known_without_a_face(desk: WorkingDesk, naming: Guardianship) -> None:
    """Name and number, the guardian's consent, the link: one event, no template."""
    mother = desk.enrol(1).person
    assert naming.adult(make_iin(1)) == make_profile(1)
    event = naming.name(make_iin(1), ARU, GIVEN, Relation.PARENT, "ef" * 32)
    child = desk.records.people.find(ARU.iin)
    assert child is not None
    assert desk.records.guardians.children(mother) == (child,)
    (consent,) = desk.records.consents.of(child)
    assert (consent.given_by, consent.language) == (GivenBy.GUARDIAN, "kk")
    told = desk.events()[-1]
    assert (told.event_id, told.kind, told.data["first"]) == (event, "guardian_named", True)
    assert told.data["patient"] == desk.records.people.reference(child)
    assert told.data["guardian"] == desk.records.people.reference(mother)
    assert (told.data["relation"], told.data["operator"]) == ("parent", "ef" * 32)
    assert desk.records.templates.held().keys() == {mother}


def test_both_parents_may_speak_for_a_child_and_naming_again_changes_nothing(
    desk: WorkingDesk, naming: Guardianship
) -> None:
    """The second needs no new consent; the same again signs nothing."""
    for number in (1, 2):
        desk.enrol(number)
    naming.name(make_iin(1), ARU, GIVEN)
    assert naming.name(make_iin(2), ARU, None) is not None
    assert desk.events()[-1].data["first"] is False
    before = len(desk.events())
    assert naming.name(make_iin(2), ARU, GIVEN) is None
    assert len(desk.events()) == before


@pytest.mark.parametrize(
    ("guardian", "child", "consent", "failure"),
    [
        (make_iin(9), ARU, GIVEN, PersonUnknown),
        (make_iin(1), ARU, None, ConsentMissing),
        (make_iin(1), ARU, ConsentGiven("2026-11", "kk"), ConsentMissing),
        (make_iin(1), Profile("Ali", "", iin_of(date(2018, 1, 1)), "kk"), GIVEN, NotAChild),
        (make_iin(1), Profile("Ali", "", make_iin(1), "kk"), GIVEN, NotAChild),
    ],
    ids=["not enrolled", "no consent", "not the guardian's consent", "old enough", "oneself"],
)
def test_nobody_else_is_spoken_for(
    desk: WorkingDesk,
    naming: Guardianship,
    guardian: Iin,
    child: Profile,
    consent: ConsentGiven | None,
    failure: type[Exception],
) -> None:
    """Nothing is kept and nothing signed."""
    desk.enrol(1)
    before = len(desk.events())
    with pytest.raises(failure):
        naming.name(guardian, child, consent)
    assert len(desk.events()) == before
    assert desk.records.people.find(ARU.iin) is None


def test_one_adult_for_very_many_children_is_an_alarm(desk: WorkingDesk, naming: Guardianship) -> None:
    """Their face would confirm for as many numbers as somebody has; it is not forbidden, institutions exist."""
    adult = desk.records.people.reference(desk.enrol(1).person)
    limited = replace(naming, policy=replace(desk.policy, reception=ReceptionRule(wards=2)))
    for serial in (1, 2, 3):
        event = limited.name(make_iin(1), replace(ARU, iin=iin_of(date(2021, 3, 1), 10 * serial)), GIVEN)
    assert [told.kind for told in desk.events()[-3:]] == ["guardian_named", "guardian_named", "alarm"]
    assert desk.events()[-2].event_id == event
    alarm = desk.events()[-1].data
    assert (alarm["what"], alarm["detail"]) == ("many_wards", "3")
    assert alarm["who"] == [adult, desk.events()[-2].data["patient"]]
    assert limited.name(make_iin(1), replace(ARU, iin=iin_of(date(2021, 3, 1), 30)), None) is None
    assert desk.events()[-1].data == alarm


def test_a_child_speaks_for_nobody(desk: WorkingDesk, naming: Guardianship) -> None:
    """Not for a smaller one."""
    desk.enrol(1)
    naming.name(make_iin(1), ARU, GIVEN)
    with pytest.raises(NotAChild):
        naming.name(ARU.iin, DAUREN, GIVEN)


def test_a_guardian_confirms_in_the_child_s_name(desk: WorkingDesk, naming: Guardianship) -> None:
    """The visit is the child's, the evidence the guardian's, and the event says both."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    service = plan(desk, ARU.iin)
    met = desk.desk.receive(mother)
    assert [(each.service, each.child) for each in met.offers] == [(service, "Aru S.")]
    assert mother in desk.desk.expected()
    receipt = desk.visit(1, service)
    event = desk.events()[-1]
    assert (event.event_id, event.kind) == (receipt, "checked_in")
    assert event.data["patient"] == desk.records.people.pseudonym(ARU.iin)
    assert event.data["guardian"] == desk.records.people.reference(mother)
    standing = desk.records.consents.standing(mother)
    assert standing is not None
    assert event.data["consent"] == standing.consent
    after = desk.desk.receive(mother)
    assert (after.offers, after.confirmed) == ((), receipt)


def test_one_s_own_visit_has_no_guardian(desk: WorkingDesk, naming: Guardianship) -> None:
    """Also of somebody who speaks for a child; both are offered, in order of their time."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    own, child = desk.plan(1)[0], plan(desk, ARU.iin)
    assert [each.service for each in desk.desk.receive(mother).offers] == [own, child]
    desk.visit(1, own)
    assert desk.events()[-1].data["guardian"] is None
    assert [each.service for each in desk.desk.receive(mother).offers] == [child]


def test_nobody_confirms_for_a_child_of_others(desk: WorkingDesk, naming: Guardianship) -> None:
    """The face must be that of one who was named."""
    for number in (1, 2):
        desk.enrol(number)
    naming.name(make_iin(1), ARU, GIVEN)
    service = plan(desk, ARU.iin)
    with pytest.raises(ServiceUnknown):
        desk.visit(2, service)


def test_a_child_that_has_grown_speaks_for_itself(desk: WorkingDesk, naming: Guardianship, clock: ManualClock) -> None:
    """From the birthday on the guardian is offered nothing and can confirm nothing."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    clock.step_wall((date(2028, 3, 1) - clock.wall.date()).days * 86400)
    service = plan(desk, ARU.iin)
    assert desk.desk.receive(mother).offers == ()
    with pytest.raises(ServiceUnknown):
        desk.visit(1, service)


@pytest.mark.parametrize("forget", [lambda: make_iin(1), lambda: ARU.iin], ids=["the guardian", "the child"])
def test_the_link_ends_with_either(desk: WorkingDesk, naming: Guardianship, forget: Callable[[], Iin]) -> None:
    """An erased child is nobody's; an erased guardian speaks for nobody; the other stays."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    plan(desk, ARU.iin)
    desk.enrolment.forget(forget(), "consent_withdrawn")
    assert desk.records.guardians.children(mother) == ()
    assert mother not in desk.desk.expected()


def test_what_is_too_early_for_a_child_is_told_as_for_oneself(
    desk: WorkingDesk, naming: Guardianship, clock: ManualClock
) -> None:
    """When nothing else is due."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    plan(desk, ARU.iin)
    clock.step_wall(-desk.policy.timing.early - 120)
    met = desk.desk.receive(mother)
    assert (met.offers, met.early[:10]) == ((), clock.wall.date().isoformat())


def test_a_damaged_child_s_profile_does_not_stop_the_guardian(desk: WorkingDesk, naming: Guardianship) -> None:
    """Their own service is offered; the child's is reception's."""
    mother = desk.enrol(1).person
    naming.name(make_iin(1), ARU, GIVEN)
    (own,), _ = desk.plan(1), plan(desk, ARU.iin)
    child = desk.records.people.find(ARU.iin)
    sealed = desk.db.execute("SELECT sealed_profile FROM person WHERE person_id = ?", (child,)).fetchone()[0]
    for blob in (b"\x01" + bytes(60), sealed):
        desk.db.execute("UPDATE person SET sealed_profile = ? WHERE person_id = ?", (blob, child))
        shown = [each.service for each in desk.desk.receive(mother).offers]
        assert (shown == [own]) == (blob is not sealed)


def test_a_guardian_is_read_back_before_anything_is_kept(desk: WorkingDesk, naming: Guardianship) -> None:
    """Somebody who is not enrolled, or a child, speaks for nobody."""
    with pytest.raises(PersonUnknown):
        naming.adult(make_iin(9))
    desk.enrol(1)
    naming.name(make_iin(1), ARU, GIVEN)
    with pytest.raises(NotAChild):
        naming.adult(ARU.iin)
