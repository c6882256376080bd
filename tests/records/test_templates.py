"""Templates come back as they were, for their own person and pack only."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from appliance.core.errors import PersonUnknown, TemplateDamaged
from appliance.core.types import PersonId
from appliance.matching.gallery import Gallery
from appliance.records.data_keys import DataKeys
from appliance.records.desk import DeskRecords
from appliance.records.templates import Templates
from appliance.records.vault import Vault
from sync.database import immediate
from tests.fakes.desk import DEVICE, TEMPLATE_KEY, open_records
from tests.fakes.patients import OTHER_PACK, PACK, make_embedding, make_profile


def _enrol(records: DeskRecords, number: int, at: datetime, *seeds: int) -> PersonId:
    with immediate(records.db):
        person = records.people.add(make_profile(number), at)
        records.templates.add(person, [make_embedding(seed) for seed in seeds], at)
    return person


def test_the_gallery_is_filled_from_the_sealed_templates(records: DeskRecords, at: datetime) -> None:
    """Bit for bit, person by person, this pack's only."""
    people = [_enrol(records, number, at, number, number + 100) for number in range(20)]
    with immediate(records.db):
        records.templates.add(people[0], [make_embedding(7, pack=OTHER_PACK)], at)
    loaded = dict(records.templates.load(PACK))
    assert loaded.keys() == set(people)
    for number, person in enumerate(people):
        expected = [make_embedding(number), make_embedding(number + 100)]
        assert [e.vector.tobytes() for e in loaded[person]] == [e.vector.tobytes() for e in expected]
        assert {e.pack for e in loaded[person]} == {PACK}
    gallery = Gallery(128, PACK)
    assert gallery.add_all(records.templates.load(PACK)) == 40
    assert gallery.search(make_embedding(113), 1)[0].person == people[13]


def test_events_name_the_template_that_matched(records: DeskRecords, at: datetime) -> None:
    """The name given at enrolment is the one found again for a probe near that template."""
    with immediate(records.db):
        person = records.people.add(make_profile(1), at)
        names = records.templates.add(person, [make_embedding(1), make_embedding(2)], at)
    assert len(set(names)) == 2
    best = records.templates.best(person, make_embedding(2))
    assert best is not None
    assert best.name == names[1]
    assert np.array_equal(best.embedding.vector, make_embedding(2).vector)
    assert records.templates.best(person, make_embedding(2, pack=OTHER_PACK)) is None
    assert repr(best) == "<Template redacted>"


def test_equal_templates_of_one_person_are_kept_once_and_of_two_have_two_names(
    records: DeskRecords, at: datetime
) -> None:
    """The same photo twice is one template; the same face under two IINs shares no name."""
    with immediate(records.db):
        first, second = (records.people.add(make_profile(number), at) for number in (1, 2))
        mine = records.templates.add(first, [make_embedding(1), make_embedding(1)], at)
        theirs = records.templates.add(second, [make_embedding(1)], at)
    assert mine[0] == mine[1] != theirs[0]
    assert records.templates.held() == {first: {PACK: 1}, second: {PACK: 1}}


def test_templates_need_a_person_and_a_template(records: DeskRecords, at: datetime) -> None:
    """Nobody's template is a known failure; no template is a bug."""
    with pytest.raises(PersonUnknown), immediate(records.db):
        records.templates.add(PersonId("nobody"), [make_embedding(1)], at)
    person = _enrol(records, 1, at, 1)
    with pytest.raises(ValueError, match="no embedding"), immediate(records.db):
        records.templates.add(person, [], at)


def test_a_template_moved_to_another_person_or_pack_does_not_open(records: DeskRecords, at: datetime) -> None:
    """Even with its data key, even where the trigger against changes was taken away."""
    first, second = _enrol(records, 1, at, 1), _enrol(records, 2, at, 2)
    records.db.execute("DROP TRIGGER template_never_changes")
    records.db.execute("UPDATE template SET pack = ? WHERE person_id = ?", (OTHER_PACK, second))
    with pytest.raises(TemplateDamaged, match=second):
        records.templates.of(second, OTHER_PACK)
    records.db.execute("UPDATE template SET pack = ?, person_id = ? WHERE person_id = ?", (PACK, first, second))
    with pytest.raises(TemplateDamaged, match=first):
        records.templates.of(first, PACK)
    records.db.execute(
        "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE person_id = ?) WHERE person_id = ?",
        (second, first),
    )
    with pytest.raises(TemplateDamaged, match=first):
        records.templates.of(first, PACK)


def test_an_altered_name_is_noticed(records: DeskRecords, at: datetime) -> None:
    """The hash beside a template cannot be exchanged for that of another."""
    person = _enrol(records, 1, at, 1)
    records.db.execute("DROP TRIGGER template_never_changes")
    records.db.execute("UPDATE template SET template_hash = ?", ("0" * 64,))
    with pytest.raises(TemplateDamaged, match="recorded"):
        records.templates.of(person, PACK)


def test_one_damaged_template_does_not_keep_the_others_out(records: DeskRecords, at: datetime) -> None:
    """Told of the damage, the desk starts with everything else; not asking for it, the load fails."""
    half, whole, lost = _enrol(records, 1, at, 1, 11), _enrol(records, 2, at, 2), _enrol(records, 3, at, 3)
    records.db.execute("DROP TRIGGER template_never_changes")
    records.db.execute(
        "UPDATE template SET sealed = zeroblob(541) WHERE template_id ="
        " (SELECT min(template_id) FROM template WHERE person_id = ?)",
        (half,),
    )
    records.db.execute("UPDATE data_key SET wrapped = zeroblob(40) WHERE person_id = ?", (lost,))
    damage: list[TemplateDamaged] = []
    loaded = dict(records.templates.load(PACK, damage.append))
    assert {person: len(templates) for person, templates in loaded.items()} == {half: 1, whole: 1}
    assert len(damage) == 2
    assert {half, lost} == {person for person in (half, whole, lost) if any(person in str(each) for each in damage)}
    with pytest.raises(TemplateDamaged):
        list(records.templates.load(PACK))


class _LateKeys(DataKeys):
    """Data keys as another process changes them: not there at the first look, without the erased at the second."""

    looks = 0
    erased = PersonId("")

    def all_wrapped(self) -> dict[PersonId, bytes]:
        self.looks += 1
        keys = super().all_wrapped() if self.looks > 1 else {}
        return {person: wrapped for person, wrapped in keys.items() if person != self.erased}


def test_people_enrolled_or_erased_during_the_load_do_not_stop_it(records: DeskRecords, at: datetime) -> None:
    """Somebody enrolled by another process meanwhile is loaded too; somebody erased meanwhile is not."""
    people = [_enrol(records, number, at, number) for number in (1, 2, 3)]
    vault = Vault(TEMPLATE_KEY, DEVICE)
    keys = _LateKeys(records.db, vault)
    keys.erased = people[1]
    loaded = [person for person, _ in Templates(records.db, vault, keys).load(PACK)]
    assert loaded == [people[0], people[2]]


def test_changes_by_another_process_are_seen(records: DeskRecords, tmp_path: Path, at: datetime) -> None:
    """The state grows with every template that comes or goes, never returns to an old value, and says whose."""
    desk = open_records(tmp_path / "desk.db")
    states = [desk.templates.state()]
    first = _enrol(records, 1, at, 1, 2)
    states.append(desk.templates.state())
    second = _enrol(records, 2, at, 3)
    states.append(desk.templates.state())
    with immediate(records.db):
        records.templates.delete(second)
        records.templates.add(second, [make_embedding(4)], at)
    states.append(desk.templates.state())
    with immediate(records.db):
        records.people.erase(first, at)
    states.append(desk.templates.state())
    assert states == sorted(set(states))
    assert [desk.templates.changed(since) for since in states] == [
        {first, second},
        {first, second},
        {first, second},
        {first},
        frozenset(),
    ]
    assert len(desk.templates.of(second, PACK)) == 1
    desk.db.close()


def test_a_moment_without_offset_is_not_recorded(records: DeskRecords, at: datetime) -> None:
    """Local time without an offset is ambiguous, and a bug."""
    with pytest.raises(ValueError, match="offset"), immediate(records.db):
        records.people.add(make_profile(1), at.replace(tzinfo=None))
