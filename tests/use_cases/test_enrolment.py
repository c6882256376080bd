"""A patient is enrolled with consent, templates and event, or not at all; and is forgotten for good."""

from collections.abc import Mapping

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import (
    ConsentMissing,
    DuplicateFace,
    FaceNotUsable,
    PackMismatch,
    PersonExists,
    PersonUnknown,
)
from appliance.core.types import Embedding
from appliance.enrolment import ConsentGiven, flag_look_alikes, forget
from appliance.recognition import Probe
from appliance.records.consents import GivenBy
from sync.envelope import Event, Moment
from sync.errors import KeyUnusable
from sync.home import Home
from sync.ledger import Entry, Ledger
from sync.strict_json import Json
from tests.fakes.clock import ManualClock
from tests.fakes.patients import OTHER_PACK, PACK, make_embedding, make_iin, make_profile
from tests.fakes.working_desk import CONSENT, SOFTWARE, WorkingDesk, make_look, make_twin


def kinds(desk: WorkingDesk) -> list[str]:
    """What was signed, in order."""
    return [event.kind for event in desk.events()]


def pseudonym(desk: WorkingDesk, number: int) -> str:
    """How events name person `number`."""
    return desk.records.people.pseudonym(make_iin(number))


def alarms(desk: WorkingDesk) -> list[tuple[object, object, object]]:
    """Code, detail and pseudonyms of every alarm."""
    return [(e.data["what"], e.data["detail"], e.data["who"]) for e in desk.events() if e.kind == "alarm"]


def last(desk: WorkingDesk) -> Event:
    """What was signed last."""
    return desk.events()[-1]


def test_an_enrolment_signs_what_was_kept(desk: WorkingDesk) -> None:
    """Consent with version, language and giver; the templates by their names; the worst quality; who was searched."""
    desk.enrol(1)
    looks = [make_look(2, 0, quality=70), make_look(2, 1, quality=55)]
    given = ConsentGiven("2026-11", "ru", GivenBy.GUARDIAN)
    result = desk.enrolment.enrol(make_profile(2), given, looks, "photo")
    event = last(desk)
    assert (event.event_id, event.kind) == (result.event, "enrolled")
    data = event.data
    assert (data["consent_version"], data["consent_language"], data["given_by"]) == ("2026-11", "ru", "guardian")
    assert (data["source"], data["quality"], data["duplicates_checked"]) == ("photo", 55, 1)
    assert data["duplicate_overruled"] is False
    assert data["templates"] == [t.name for t in desk.records.templates.of(result.person, PACK)]
    assert result.templates == 2


def test_the_enrolled_is_recognised_at_once(desk: WorkingDesk) -> None:
    """The gallery in memory follows the commit."""
    person = desk.enrol(1).person
    desk.plan(1)
    assert desk.decide(1).person == person


def test_without_consent_nothing_is_kept(desk: WorkingDesk) -> None:
    """No person, no template, no event."""
    with pytest.raises(ConsentMissing):
        desk.enrolment.enrol(make_profile(1), None, [make_look(1)], "photo")
    assert desk.find(1) is None
    assert desk.events() == ()


def test_two_people_are_not_enrolled_under_one_number(desk: WorkingDesk) -> None:
    """Somebody else stepped before the camera, by accident or not: either of them would be let in later."""
    with pytest.raises(FaceNotUsable, match="one and the same person"):
        desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(1, 0), make_look(2), make_look(1, 1)], "camera")
    assert desk.find(1) is None
    assert alarms(desk) == [("several_faces_one_person", "enrolment", [pseudonym(desk, 1)])]


def test_a_person_is_enrolled_once(desk: WorkingDesk) -> None:
    """The same IIN again is refused before anything is compared or kept, and the message masks it."""
    desk.enrol(1)
    with pytest.raises(PersonExists) as caught:
        desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(5)], "photo")
    assert make_iin(1).digits not in str(caught.value)
    assert alarms(desk) == [("several_faces_one_person", "enrolled already", [pseudonym(desk, 1)])]


def test_the_same_patient_enrolled_again_alarms_nobody(desk: WorkingDesk) -> None:
    """A receptionist who forgot that it was done."""
    desk.enrol(1)
    with pytest.raises(PersonExists):
        desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(1, 9)], "photo")
    assert kinds(desk) == ["enrolled"]


def test_a_face_that_is_enrolled_already_is_refused(desk: WorkingDesk) -> None:
    """One face under two IINs is a fraud or an error: nothing is kept."""
    first = desk.enrol(1).person
    with pytest.raises(DuplicateFace, match=first):
        desk.enrolment.enrol(make_profile(2), CONSENT, [make_look(1, 50)], "photo")
    assert desk.find(2) is None
    assert kinds(desk) == ["enrolled", "alarm"]
    assert alarms(desk) == [("one_face_several_people", "refused", [pseudonym(desk, 2), pseudonym(desk, 1)])]


def test_a_supervisor_overrules_a_duplicate_and_the_event_says_so(desk: WorkingDesk) -> None:
    """Twins exist; the auditor sees each of them, and from now on a face alone decides for neither."""
    first = desk.enrol(1).person
    second = desk.enrolment.enrol(make_profile(2), CONSENT, [make_twin(1)], "photo", overrule_duplicate=True).person
    assert (last(desk).data["duplicate_overruled"], last(desk).data["look_alikes"]) == (True, 1)
    assert alarms(desk) == [("one_face_several_people", "overruled", [pseudonym(desk, 2), pseudonym(desk, 1)])]
    assert desk.records.look_alikes.of(first) == {second}
    assert desk.records.look_alikes.of(second) == {first}
    assert Reason.LOOK_ALIKE in desk.decide(1, claimed=first).reasons
    assert Reason.LOOK_ALIKE in desk.decide(1).reasons


def test_a_flag_goes_with_either_of_the_two(desk: WorkingDesk) -> None:
    """Once the twin is erased, the other one checks in by face again."""
    first = desk.enrol(1).person
    desk.enrolment.enrol(make_profile(2), CONSENT, [make_twin(1)], "photo", overrule_duplicate=True)
    desk.enrolment.forget(make_iin(2), "consent_withdrawn")
    assert desk.records.look_alikes.of(first) == frozenset()
    assert desk.decide(1).person == first


def test_known_siblings_are_flagged_and_the_flag_is_taken_back(desk: WorkingDesk) -> None:
    """Declared by the reception, signed each time; what is so already signs nothing."""
    first, second = desk.enrol(1).person, desk.enrol(2).person

    def flag(*, flagged: bool) -> str | None:
        return flag_look_alikes(
            desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(1), make_iin(2), flagged=flagged
        )

    assert flag(flagged=False) is None
    event = flag(flagged=True)
    assert (last(desk).event_id, last(desk).kind, last(desk).data["how"]) == (event, "look_alike", "declared")
    assert last(desk).data["patients"] == [pseudonym(desk, 1), pseudonym(desk, 2)]
    assert flag(flagged=True) is None
    for number, person in ((1, first), (2, second)):
        for claimed in (None, person):
            assert desk.decide(number, claimed=claimed).reasons == (Reason.LOOK_ALIKE,)
    assert flag(flagged=False)
    assert desk.decide(1).person == first


def test_strangers_are_not_flagged(desk: WorkingDesk) -> None:
    """Both must be enrolled; the message masks the IIN."""
    desk.enrol(1)
    for one, other in ((1, 2), (2, 1)):
        with pytest.raises(PersonUnknown) as caught:
            flag_look_alikes(desk.records, desk.ledger, desk.clock, SOFTWARE, make_iin(one), make_iin(other))
        assert make_iin(2).digits not in str(caught.value)
    assert kinds(desk) == ["enrolled"]


def test_a_staff_face_is_not_enrolled_as_a_patient(desk: WorkingDesk) -> None:
    """Somebody at the reception makes themselves a patient under another number: refused, and an alarm."""
    desk.employ(7)
    with pytest.raises(DuplicateFace, match="staff"):
        desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(7)], "camera")
    assert alarms(desk) == [("staff_face", "enrolment refused", [pseudonym(desk, 7), pseudonym(desk, 1)])]
    assert desk.find(1) is None


def test_the_sister_of_a_nurse_is_enrolled_by_a_supervisor(desk: WorkingDesk) -> None:
    """Overruled and signed; at each visit the staff gallery still sends her to the second factor."""
    desk.employ(7)
    sister = desk.enrolment.enrol(make_profile(1), CONSENT, [make_twin(7)], "camera", overrule_duplicate=True).person
    assert last(desk).data["duplicate_overruled"] is True
    assert desk.decide(7, claimed=sister).reasons == (Reason.STAFF_FACE,)


def test_staff_are_enrolled_as_the_patients_they_are(desk: WorkingDesk) -> None:
    """The same number in both registers: no alarm, no duplicate."""
    desk.employ(7)
    person = desk.enrol(7).person
    assert kinds(desk) == ["staff_enrolled", "enrolled"]
    assert desk.decide(7).person == person


def test_overruling_is_recorded_only_where_something_was_overruled(desk: WorkingDesk) -> None:
    """The switch alone proves nothing."""
    desk.enrol(1)
    desk.enrolment.enrol(make_profile(2), CONSENT, [make_look(2)], "photo", overrule_duplicate=True)
    assert last(desk).data["duplicate_overruled"] is False


def test_a_duplicate_that_another_process_enrolled_is_found(desk: WorkingDesk, other: WorkingDesk) -> None:
    """Two receptions enrol at once: the second sees the first one's patient without a visit in between."""
    desk.enrol(1)
    with pytest.raises(DuplicateFace):
        other.enrolment.enrol(make_profile(2), CONSENT, [make_look(1, 50)], "photo")


def test_who_is_forgotten_is_erased_from_disk_and_memory(desk: WorkingDesk) -> None:
    """Templates, key and profile go; pseudonym, consent and events stay as proof."""
    person = desk.enrol(1).person
    desk.plan(1)
    event = desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    assert person not in desk.gallery
    assert desk.find(1) is None
    assert (last(desk).event_id, last(desk).data["templates"], last(desk).data["reason"]) == (
        event,
        3,
        "consent_withdrawn",
    )
    assert desk.decide(1).person is None
    with pytest.raises(PersonUnknown):
        desk.records.people.profile(person)


def test_a_consent_is_withdrawn_also_where_no_pack_opens(desk: WorkingDesk, other: WorkingDesk) -> None:
    """Records and ledger are enough; the desk that runs takes it over before its next comparison."""
    person = desk.enrol(1).person
    forget(other.records, other.ledger, other.clock, "keldim test", make_iin(1), "consent_withdrawn")
    assert last(desk).kind == "forgotten"
    assert desk.decide(1).person is None
    assert person not in desk.gallery


def test_forgetting_a_stranger_is_refused(desk: WorkingDesk) -> None:
    """No event about nobody; the message masks the IIN."""
    with pytest.raises(PersonUnknown) as caught:
        desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    assert make_iin(1).digits not in str(caught.value)
    assert desk.events() == ()


def test_who_was_forgotten_may_be_enrolled_again(desk: WorkingDesk) -> None:
    """As a new person under the same pseudonym."""
    first = desk.enrol(1)
    desk.enrolment.forget(make_iin(1), "consent_withdrawn")
    again = desk.enrol(1)
    assert again.person != first.person
    assert kinds(desk) == ["enrolled", "forgotten", "enrolled"]


def test_new_looks_take_the_place_of_those_that_a_test_did_not_find(desk: WorkingDesk) -> None:
    """Erased with the old data key and enrolled, two events of one moment; on disk and in memory only the new looks."""
    old = desk.enrol(1).person
    wrapped = desk.db.execute("SELECT count(*) FROM data_key").fetchone()
    looks = [make_look(1, 10), make_look(1, 11)]
    new = desk.enrolment.enrol(make_profile(1), CONSENT, looks, "camera", instead=old).person
    erased, enrolled = desk.events()[-2:]
    assert (erased.kind, erased.data["reason"], erased.data["templates"]) == ("forgotten", "test_failed", 3)
    assert (enrolled.kind, enrolled.data["duplicates_checked"], enrolled.data["look_alikes"]) == ("enrolled", 1, 0)
    assert (old in desk.gallery, new in desk.gallery, desk.find(1)) == (False, True, new)
    assert desk.db.execute("SELECT count(*) FROM data_key").fetchone() == wrapped
    desk.check_everything()


def test_new_looks_that_are_somebody_elses_erase_nothing(desk: WorkingDesk) -> None:
    """The patient keeps what they have until new ones are kept: a likeness is a supervisor's question first."""
    old = desk.enrol(1).person
    desk.enrol(2)
    with pytest.raises(DuplicateFace):
        desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(2, 10)], "camera", instead=old)
    assert (desk.find(1), kinds(desk).count("forgotten"), old in desk.gallery) == (old, 0, True)
    desk.enrolment.enrol(make_profile(1), CONSENT, [make_look(2, 10)], "camera", instead=old, overrule_duplicate=True)
    assert kinds(desk)[-3:] == ["forgotten", "alarm", "enrolled"]
    desk.check_everything()


def test_a_look_of_another_pack_is_refused_whole(desk: WorkingDesk) -> None:
    """Scores across packs mean nothing: no person stays behind without comparable templates."""
    strange = Probe(make_embedding(1, pack=OTHER_PACK), 80)
    desk.enrol(7)
    with pytest.raises(PackMismatch):
        desk.enrolment.enrol(make_profile(1), CONSENT, [strange], "photo")
    assert desk.find(1) is None


def test_a_look_of_another_pack_is_refused_also_as_the_first_of_all(desk: WorkingDesk) -> None:
    """With an empty gallery nothing is compared, and still nothing of another pack is kept."""
    strange = Probe(Embedding(make_embedding(1).vector, OTHER_PACK), 80)
    with pytest.raises(PackMismatch):
        desk.enrolment.enrol(make_profile(1), CONSENT, [strange], "photo")
    assert desk.find(1) is None


class NoLedger(Ledger):
    """A ledger that cannot sign."""

    def append(
        self, kind: str, version: int, data: Mapping[str, Json], moment: Moment, event_id: str | None = None
    ) -> Entry:
        """Fail as a device key that is gone."""
        raise KeyUnusable(f"the device key is gone: {kind} {version}, {len(data)} fields, {moment.wall}, {event_id}")


def test_an_enrolment_whose_event_cannot_be_signed_leaves_nothing(home: Home, clock: ManualClock) -> None:
    """No person, consent, template or gallery entry without its event."""
    broken = WorkingDesk(home, clock, keep=NoLedger)
    with pytest.raises(KeyUnusable):
        broken.enrol(1)
    assert broken.find(1) is None
    assert broken.gallery.people == 0
    broken.check_everything()
    broken.close()
