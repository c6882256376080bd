"""A pair of look-alikes is one fact about two people, kept by random ids and gone with either of them."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.core.types import PersonId
from appliance.records.desk import DeskRecords
from sync.database import IntegrityError, immediate
from tests.fakes.patients import make_profile


def _enrol(records: DeskRecords, at: datetime, *numbers: int) -> list[PersonId]:
    with immediate(records.db):
        return [records.people.add(make_profile(number), at) for number in numbers]


def test_a_pair_is_seen_from_both_sides(records: DeskRecords, at: datetime) -> None:
    """Whoever of the two stands before the camera, and whoever was named first."""
    anna, berik, clara = _enrol(records, at, 1, 2, 3)
    with immediate(records.db):
        assert records.look_alikes.flag(anna, berik, at)
        assert not records.look_alikes.flag(berik, anna, at), "one pair, once"
    assert records.look_alikes.of(anna) == {berik}
    assert records.look_alikes.of(berik) == {anna}
    assert records.look_alikes.of(clara) == frozenset()


def test_a_flag_is_taken_back_from_either_side(records: DeskRecords, at: datetime) -> None:
    """A mistake of the reception is mended; taking back what was never flagged says so."""
    anna, berik = _enrol(records, at, 1, 2)
    with immediate(records.db):
        records.look_alikes.flag(anna, berik, at)
        assert records.look_alikes.clear(berik, anna)
        assert not records.look_alikes.clear(berik, anna)
    assert records.look_alikes.of(anna) == frozenset()


def test_a_pair_goes_with_either_person(records: DeskRecords, at: datetime) -> None:
    """Of two triplets' pairs none that names the erased stays; the third pair does."""
    anna, berik, clara = _enrol(records, at, 1, 2, 3)
    with immediate(records.db):
        for one, other in ((anna, berik), (berik, clara), (clara, anna)):
            records.look_alikes.flag(one, other, at)
        records.people.erase(berik, at)
    assert records.look_alikes.of(berik) == frozenset()
    assert records.look_alikes.of(anna) == {clara}
    assert records.db.execute("SELECT count(*) FROM look_alike").fetchone()[0] == 1


def test_only_two_enrolled_people_make_a_pair(records: DeskRecords, at: datetime) -> None:
    """Nobody with themselves (a bug), nobody with a stranger (the table refuses)."""
    (anna,) = _enrol(records, at, 1)
    for call in (records.look_alikes.clear, lambda one, other: records.look_alikes.flag(one, other, at)):
        with pytest.raises(ValueError, match="own look-alike"):
            call(anna, anna)
    with pytest.raises(IntegrityError), immediate(records.db):
        records.look_alikes.flag(anna, PersonId("nobody"), at)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), max_size=20))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pairs_are_a_symmetric_relation(records: DeskRecords, at: datetime, steps: list[tuple[int, int, bool]]) -> None:
    """Whatever is flagged and taken back in whatever order, the table is the set of pairs that stand."""
    found = [records.people.find(make_profile(number).iin) for number in range(5)]
    people = [person for person in found if person is not None] or _enrol(records, at, *range(5))
    standing: set[frozenset[PersonId]] = set()
    with immediate(records.db):
        records.db.execute("DELETE FROM look_alike")
        for one, other, flagged in steps:
            if one != other:
                pair = frozenset((people[one], people[other]))
                change = (
                    records.look_alikes.flag(people[one], people[other], at)
                    if flagged
                    else records.look_alikes.clear(people[one], people[other])
                )
                assert change == ((pair not in standing) if flagged else (pair in standing))
                standing = standing | {pair} if flagged else standing - {pair}
    for person in people:
        assert records.look_alikes.of(person) == {next(iter(pair - {person})) for pair in standing if person in pair}
