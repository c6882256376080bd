"""Enrolling, finding, opening and erasing people in an encrypted database."""

from datetime import datetime
from pathlib import Path

import pytest

from appliance.core.errors import NameInvalid, PersonExists, PersonUnknown, TemplateDamaged
from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from appliance.records.people import PersonStatus, sweep
from appliance.records.profile import NAME_MAX, Profile
from appliance.records.vault import pseudonym
from sync.database import immediate
from sync.errors import KeyUnusable, SettingsInvalid
from tests.fakes.desk import PSEUDONYM_KEY, open_readable_records, open_records
from tests.fakes.patients import OTHER_PACK, PACK, make_embedding, make_iin, make_profile

NOBODY = PersonId("nobody")


def _enrol(records: DeskRecords, number: int, at: datetime) -> PersonId:
    with immediate(records.db):
        person = records.people.add(make_profile(number), at)
        records.templates.add(person, [make_embedding(number * 10), make_embedding(number * 10 + 1)], at)
    return person


def _forget(records: DeskRecords, person: PersonId, at: datetime) -> int:
    with immediate(records.db):
        return records.people.erase(person, at)


def test_an_enrolled_person_is_found_again(tmp_path: Path, at: datetime) -> None:
    """By IIN, with the profile as it was given, also after the database was closed."""
    records = open_records(tmp_path / "desk.db")
    person = _enrol(records, 1, at)
    records.db.close()
    records = open_records(tmp_path / "desk.db")
    assert records.people.find(make_iin(1)) == person
    assert records.people.find(make_iin(2)) is None
    assert records.people.profile(person) == make_profile(1)
    assert records.people.reference(person) == pseudonym(make_iin(1), PSEUDONYM_KEY)
    records.db.close()


def test_an_iin_is_enrolled_once(records: DeskRecords, at: datetime) -> None:
    """The second enrolment is refused, and its message masks the IIN."""
    _enrol(records, 1, at)
    with pytest.raises(PersonExists) as caught, immediate(records.db):
        records.people.add(make_profile(1), at)
    assert make_iin(1).digits not in str(caught.value)


def test_a_failed_enrolment_leaves_nothing(records: DeskRecords, at: datetime) -> None:
    """When the transaction fails after the person was added, the person was never there."""
    with pytest.raises(ValueError, match="no embedding"), immediate(records.db):
        records.templates.add(records.people.add(make_profile(1), at), [], at)
    assert records.people.find(make_iin(1)) is None
    assert list(records.people.summaries()) == []


def test_unknown_people_are_a_known_failure(records: DeskRecords, at: datetime) -> None:
    """Profile, reference and erasure of nobody name the person id."""
    for call in (records.people.profile, records.people.reference):
        with pytest.raises(PersonUnknown, match=NOBODY):
            call(NOBODY)
    with pytest.raises(PersonUnknown):
        _forget(records, NOBODY, at)


def test_an_erased_person_is_gone_and_may_come_back(records: DeskRecords, at: datetime) -> None:
    """Erasure takes profile, data key and templates; the pseudonym stays; a later enrolment starts anew."""
    person = _enrol(records, 1, at)
    other = _enrol(records, 2, at)
    assert _forget(records, person, at) == 2
    assert records.people.find(make_iin(1)) is None
    assert records.people.reference(person) == pseudonym(make_iin(1), PSEUDONYM_KEY)
    for call in (records.people.profile, lambda gone: records.templates.of(gone, PACK)):
        with pytest.raises(PersonUnknown):
            call(person)
    with pytest.raises(PersonUnknown):
        _forget(records, person, at)
    assert [who for who, _ in records.templates.load(PACK)] == [other]
    again = _enrol(records, 1, at)
    assert again != person
    assert records.people.find(make_iin(1)) == again


def test_nothing_of_an_erased_person_stays_in_the_files(tmp_path: Path, at: datetime) -> None:
    """On a readable twin of the database: sealed bytes and wrapped key are in no file any more, not even in the log."""
    records = open_readable_records(tmp_path / "desk.db")
    person = _enrol(records, 1, at)
    for number in range(2, 30):
        _enrol(records, number, at)
    rows = (
        records.db.execute("SELECT sealed FROM template WHERE person_id = ?", (person,)).fetchall()
        + records.db.execute("SELECT wrapped FROM data_key WHERE person_id = ?", (person,)).fetchall()
        + records.db.execute("SELECT sealed_profile FROM person WHERE person_id = ?", (person,)).fetchall()
    )
    secrets = [row[0][:32] for row in rows]

    def found() -> int:
        content = [file.read_bytes() for file in tmp_path.iterdir()]
        return sum(any(secret in each for each in content) for secret in secrets)

    assert found() == len(secrets) == 4
    _forget(records, person, at)
    assert sweep(records.db)
    assert found() == 0
    assert len(list(records.templates.load(PACK))) == 28
    records.db.close()


def test_nothing_personal_is_readable_in_the_encrypted_files(
    records: DeskRecords, tmp_path: Path, at: datetime
) -> None:
    """Names, IIN, pseudonym and template are in none of the files; nor is SQLite's own header."""
    person = _enrol(records, 1, at)
    profile = make_profile(1)
    searched = [
        profile.given_name.encode(),
        profile.family_name.encode(),
        profile.iin.digits.encode(),
        records.people.reference(person).encode(),
        make_embedding(10).vector.tobytes()[:16],
        b"SQLite format 3",
    ]
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not [text for text in searched for content in files if text in content]


def test_a_sweep_waits_for_no_reader(records: DeskRecords, tmp_path: Path, at: datetime) -> None:
    """While another process reads an old state, the sweep says that it must be repeated."""
    _enrol(records, 1, at)
    reader = open_records(tmp_path / "desk.db")
    records.db.execute("PRAGMA busy_timeout = 10")
    reader.db.execute("BEGIN")
    reader.db.execute("SELECT count(*) FROM person").fetchone()
    _enrol(records, 2, at)
    assert not sweep(records.db)
    reader.db.execute("COMMIT")
    assert sweep(records.db)
    reader.db.close()


def test_a_profile_moved_to_another_person_does_not_open(records: DeskRecords, at: datetime) -> None:
    """Somebody who can write the table cannot give a person another's name: not the blob, not with its key."""
    first, second = _enrol(records, 1, at), _enrol(records, 2, at)
    records.db.execute(
        "UPDATE person SET sealed_profile = (SELECT sealed_profile FROM person WHERE person_id = ?)"
        " WHERE person_id = ?",
        (second, first),
    )
    with pytest.raises(TemplateDamaged, match=first):
        records.people.profile(first)
    records.db.execute(
        "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE person_id = ?) WHERE person_id = ?",
        (second, first),
    )
    with pytest.raises(TemplateDamaged, match=first):
        records.people.profile(first)
    assert records.people.profile(second) == make_profile(2)


def test_summaries_show_what_an_operator_may_see(records: DeskRecords, at: datetime) -> None:
    """Masked IIN, first name and initial, packs; nothing of the erased; a damaged profile is shown as such."""
    fine, gone, damaged, bare = (_enrol(records, number, at) for number in (1, 2, 3, 4))
    with immediate(records.db):
        records.templates.add(fine, [make_embedding(5, pack=OTHER_PACK)], at)
        records.people.erase(gone, at)
        records.templates.delete(bare)
    records.db.execute("UPDATE person SET sealed_profile = x'01' WHERE person_id = ?", (damaged,))
    shown = {each.person: each for each in records.people.summaries()}
    assert shown.keys() == {fine, gone, damaged, bare}
    assert [shown[p].status for p in (fine, gone, damaged)] == [
        PersonStatus.ENROLLED,
        PersonStatus.ERASED,
        PersonStatus.DAMAGED,
    ]
    assert (shown[fine].greeting, shown[fine].masked_iin) == ("Айгүл1 С.", make_iin(1).masked)
    assert (shown[fine].templates, set(shown[fine].packs)) == (3, {PACK, OTHER_PACK})
    assert (shown[gone].greeting, shown[gone].masked_iin, shown[gone].templates) == ("", "", 0)
    assert (shown[gone].erased_at, shown[fine].erased_at) == ("2026-11-22T04:30:00+00:00", None)
    assert (shown[bare].templates, shown[bare].packs) == (0, ())
    assert repr(shown[fine]) == "<PersonSummary redacted>"


def test_a_database_belongs_to_one_template_key_and_device(tmp_path: Path) -> None:
    """A wrong key file is named as such before a single template is called damaged."""
    open_records(tmp_path / "desk.db").db.close()
    with pytest.raises(KeyUnusable, match="template key"):
        open_records(tmp_path / "desk.db", template_key=bytes(32))
    with pytest.raises(SettingsInvalid, match="desk-2"):
        open_records(tmp_path / "desk.db", device="desk-2")
    open_records(tmp_path / "desk.db").db.close()


def test_a_greeting_is_first_name_and_initial() -> None:
    """Whoever stands behind the patient learns no family name."""
    assert make_profile(1).greeting == "Айгүл1 С."
    assert Profile("Сымбат", "", make_iin(1), "kk").greeting == "Сымбат"


def test_a_profile_is_not_shown() -> None:
    """No part of it is in its representation."""
    assert f"{make_profile(1)} {make_profile(1)!r}" == "<Profile redacted> <Profile redacted>"


@pytest.mark.parametrize("name", ["", " Асем", "Асем ", "А\nсем", "А\x1b[0m", "х" * (NAME_MAX + 1)])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    """Empty, padded, with control characters, or endless."""
    with pytest.raises(NameInvalid):
        Profile(name, "Омарова", make_iin(1), "kk")
    if name:
        with pytest.raises(NameInvalid):
            Profile("Асем", name, make_iin(1), "kk")
