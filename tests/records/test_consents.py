"""Consents are added and withdrawn, never changed."""

from datetime import datetime, timedelta

import pytest

from appliance.core.types import PersonId
from appliance.records.consents import GivenBy
from appliance.records.desk import DeskRecords
from sync.database import IntegrityError, immediate
from tests.fakes.patients import make_profile


@pytest.fixture
def person(records: DeskRecords, at: datetime) -> PersonId:
    """Somebody without a consent."""
    with immediate(records.db):
        return records.people.add(make_profile(1), at)


def test_a_consent_stands_until_it_is_withdrawn(records: DeskRecords, person: PersonId, at: datetime) -> None:
    """The newest one counts; a withdrawal ends all of them and is kept beside them."""
    consents = records.consents
    assert consents.standing(person) is None
    with immediate(records.db):
        first = consents.give(person, "2026-1", "kk", GivenBy.PATIENT, at)
        second = consents.give(person, "2026-2", "ru", GivenBy.GUARDIAN, at + timedelta(days=1))
    standing = consents.standing(person)
    assert standing is not None
    assert (standing.consent, standing.version, standing.language) == (second, "2026-2", "ru")
    assert (standing.given_by, standing.given_at) == (GivenBy.GUARDIAN, "2026-11-23T04:30:00+00:00")
    with immediate(records.db):
        assert consents.withdraw(person, at + timedelta(days=2)) == (first, second)
        assert consents.withdraw(person, at + timedelta(days=3)) == ()
    assert consents.standing(person) is None
    assert [each.withdrawn_at for each in consents.of(person)] == ["2026-11-24T04:30:00+00:00"] * 2


def test_consents_survive_the_erasure_of_the_person(records: DeskRecords, person: PersonId, at: datetime) -> None:
    """The proof that there was a consent, and a withdrawal, is not erased with the face."""
    with immediate(records.db):
        consent = records.consents.give(person, "2026-1", "kk", GivenBy.PATIENT, at)
        records.consents.withdraw(person, at)
        records.people.erase(person, at)
    assert [each.consent for each in records.consents.of(person)] == [consent]


def test_a_consent_needs_a_person_and_a_known_language(records: DeskRecords, person: PersonId, at: datetime) -> None:
    """The database refuses both: whoever asks for it has a bug."""
    with pytest.raises(IntegrityError), immediate(records.db):
        records.consents.give(PersonId("nobody"), "2026-1", "kk", GivenBy.PATIENT, at)
    with pytest.raises(IntegrityError), immediate(records.db):
        records.consents.give(person, "2026-1", "de", GivenBy.PATIENT, at)
