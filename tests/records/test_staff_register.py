"""Staff have a register of their own: the same rules as for patients, and nothing passes from one to the other."""

from datetime import datetime
from pathlib import Path

import pytest

from appliance.core.errors import PersonExists, PersonUnknown, TemplateDamaged
from appliance.core.types import PersonId
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from appliance.records.vault import SealedKind, Vault
from sync.database import IntegrityError, immediate
from tests.fakes.desk import DEVICE, TEMPLATE_KEY, open_records
from tests.fakes.patients import PACK, make_embedding, make_iin, make_profile


def _employ(records: DeskRecords, number: int, at: datetime) -> PersonId:
    with immediate(records.db):
        person = records.staff.people.add(make_profile(number), at)
        records.staff.consents.give(person, "2026-11", "kk", GivenBy.PATIENT, at)
        records.staff.templates.add(person, [make_embedding(number)], at)
    return person


def test_staff_are_kept_as_patients_are(records: DeskRecords, tmp_path: Path, at: datetime) -> None:
    """Found, opened, listed, loaded, also after the database was closed; enrolled once; erased for good."""
    person = _employ(records, 1, at)
    again = open_records(tmp_path / "desk.db")
    assert again.staff.people.find(make_iin(1)) == person
    assert again.staff.people.profile(person) == make_profile(1)
    assert again.staff.people.named(again.staff.people.reference(person)) == person
    assert [who for who, _ in again.staff.templates.load(PACK)] == [person]
    assert again.staff.templates.held() == {person: {PACK: 1}}
    assert [row.person for row in again.staff.people.summaries()] == [person]
    with pytest.raises(PersonExists), immediate(again.db):
        again.staff.people.add(make_profile(1), at)
    with immediate(again.db):
        assert len(again.staff.consents.withdraw(person, at)) == 1
        assert again.staff.people.erase(person, at) == 1
    assert again.staff.people.find(make_iin(1)) is None
    assert again.staff.consents.standing(person) is None
    again.db.close()


def test_staff_are_no_patients(records: DeskRecords, at: datetime) -> None:
    """No staff template reaches the patients' gallery, nobody of the staff is found or expected as a patient."""
    person = _employ(records, 1, at)
    assert records.people.find(make_iin(1)) is None
    assert list(records.templates.load(PACK)) == []
    assert records.templates.state() == 0
    assert records.staff.templates.changed(0) == {person}
    with pytest.raises(PersonUnknown):
        records.people.profile(person)


def test_one_person_may_be_both_under_one_pseudonym(records: DeskRecords, at: datetime) -> None:
    """A nurse is a patient elsewhere in the house: two entries that name the same owner."""
    staff = _employ(records, 1, at)
    with immediate(records.db):
        patient = records.people.add(make_profile(1), at)
    assert staff != patient
    assert records.staff.people.reference(staff) == records.people.reference(patient)


def test_a_blob_of_the_staff_does_not_open_as_a_patients(records: DeskRecords, at: datetime) -> None:
    """Even under its own key: what register it belongs to is authenticated."""
    person = _employ(records, 1, at)
    sealed, wrapped = records.db.execute(
        "SELECT sealed, wrapped FROM staff_template JOIN staff_data_key USING (person_id)"
    ).fetchone()
    vault = Vault(TEMPLATE_KEY, DEVICE)
    key = vault.unwrap(person, wrapped)
    assert vault.open(key, SealedKind.STAFF_FACE, PACK, sealed)
    with pytest.raises(TemplateDamaged):
        vault.open(key, SealedKind.FACE, PACK, sealed)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE staff_consent SET language = 'en'",
        "DELETE FROM staff_consent",
        "UPDATE staff_template SET sealed = zeroblob(541)",
        "DELETE FROM staff_person",
        "UPDATE staff_person SET iin_ref = replace(iin_ref, 'a', 'b') || ''",
        "DELETE FROM staff_data_key",
    ],
)
def test_what_is_final_is_final_for_staff_too(records: DeskRecords, at: datetime, statement: str) -> None:
    """The same triggers and references."""
    _employ(records, 1, at)
    with pytest.raises(IntegrityError), immediate(records.db):
        records.db.execute(statement)


def test_a_retired_pack_takes_its_templates_only(records: DeskRecords, at: datetime) -> None:
    """Those of other packs, and the people, stay."""
    other = make_embedding(5).pack.replace("ab", "cd")
    with immediate(records.db):
        person = records.people.add(make_profile(1), at)
        records.templates.add(person, [make_embedding(1), make_embedding(2)], at)
        records.templates.add(person, [make_embedding(3, pack=type(PACK)(other))], at)
    state = records.templates.state()
    with immediate(records.db):
        assert records.templates.retire(PACK) == 2
        assert records.templates.retire(PACK) == 0
    assert records.templates.held() == {person: {other: 1}}
    assert records.templates.changed(state) == {person}
