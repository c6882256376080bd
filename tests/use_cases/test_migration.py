"""Moving from one pack to the next: nobody is lost on the way, and the old pack goes only when nobody needs it."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from appliance.core.decision import Reason
from appliance.core.errors import MigrationUnfinished
from appliance.core.policy import MigrationRule, Policy
from appliance.core.types import PackDigest
from appliance.migration import Retirement, preview, progress, retire
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.patients import OTHER_PACK, PACK
from tests.fakes.working_desk import SOFTWARE, WorkingDesk

PEOPLE = 4


@pytest.fixture
def moved(home: Home, clock: ManualClock) -> Iterator[WorkingDesk]:
    """Four patients and one of the staff of the old pack, on the day the new one was put in."""
    with contextlib.closing(WorkingDesk(home, clock, packs=(OTHER_PACK,))) as before:
        for number in range(PEOPLE):
            before.enrol(number)
        before.employ(70)
    clock.advance(24 * 3600)
    opened = WorkingDesk(home, clock, packs=(PACK, OTHER_PACK))
    yield opened
    opened.check_everything()
    opened.close()


def visit(desk: WorkingDesk, number: int) -> None:
    """One confirmed visit."""
    desk.visit(number, desk.plan(number)[0])


def retired(desk: WorkingDesk, policy: Policy | None = None, *, force: bool = False) -> Retirement:
    """End the old pack."""
    return retire(desk.records, desk.ledger, desk.clock, SOFTWARE, policy or desk.policy, OTHER_PACK, force=force)


def test_progress_counts_people(moved: WorkingDesk) -> None:
    """Moved, both, waiting, and how many on each day; a new patient has moved from the beginning."""
    today = moved.clock.moment().wall.date()
    assert progress(moved.records, PACK).days == ()
    visit(moved, 0)
    moved.enrol(9)
    at = progress(moved.records, PACK)
    assert (at.people, at.moved, at.both, at.waiting) == (5, 2, 1, ((OTHER_PACK, 3),))
    assert (at.share, at.days) == (2 / 5, ((today, 2),))
    assert progress(moved.records, OTHER_PACK).days == ((today - timedelta(days=1), PEOPLE),)


def test_an_empty_desk_has_moved(desk: WorkingDesk) -> None:
    """Nothing to wait for."""
    assert progress(desk.records, PACK).share == 1.0
    assert preview(desk.records, PackDigest("ef" * 32)).share == 1.0


def test_the_old_pack_goes_once_nobody_needs_it(moved: WorkingDesk) -> None:
    """All its templates are erased and signed; everybody is recognised by the new ones. Staff enrol again."""
    for number in range(PEOPLE):
        visit(moved, number)
    lost = preview(moved.records, OTHER_PACK)
    assert (lost.people, lost.stranded, lost.staff, lost.staff_stranded) == (PEOPLE, 0, 1, 1)
    retired(moved, force=True)
    event = moved.events()[-1]
    assert (event.kind, event.data["pack"], event.data["templates"]) == ("pack_retired", OTHER_PACK, 3 * PEOPLE + 2)
    assert (event.data["people"], event.data["stranded"], event.data["staff"]) == (PEOPLE, 1, 1)
    assert {pack for packs in moved.records.templates.held().values() for pack in packs} == {PACK}
    assert all(moved.decide(number).person for number in range(PEOPLE))


def test_nobody_loses_their_only_template_unasked(moved: WorkingDesk) -> None:
    """Not by force either, before the policy's share has moved; nothing is changed nor signed."""
    before = moved.ledger.head()
    for force in (False, True):
        with pytest.raises(MigrationUnfinished, match="policy asks for 98"):
            retired(moved, force=force)
    lenient = Policy(migration=MigrationRule(retire_share=0.25))
    visit(moved, 0)
    with pytest.raises(MigrationUnfinished, match=r"4 of 5 people .* --force"):
        retired(moved, lenient)
    assert moved.ledger.head().seq == before.seq + 2
    lost = retired(moved, lenient, force=True)
    assert (lost.stranded, lost.share) == (3, 0.25)
    assert moved.decide(1).reasons == (Reason.NO_MATCH,)
    assert moved.decide(0).person == moved.find(0)


def test_the_day_of_the_policy_ends_the_waiting(moved: WorkingDesk) -> None:
    """From then on force is enough, whatever the share; the day before it is not."""
    today = moved.clock.moment().wall.date()
    early = Policy(migration=MigrationRule(retire_on=(today + timedelta(days=1)).isoformat()))
    with pytest.raises(MigrationUnfinished, match=f"or for {today + timedelta(days=1)}"):
        retired(moved, early, force=True)
    due = Policy(migration=MigrationRule(retire_on=today.isoformat()))
    assert retired(moved, due, force=True).stranded == PEOPLE


def test_a_pack_that_nobody_has_is_retired_silently(moved: WorkingDesk) -> None:
    """The second time there is nothing to erase and nothing to sign."""
    before = moved.ledger.head()
    lost = retire(moved.records, moved.ledger, moved.clock, SOFTWARE, moved.policy, PackDigest("ef" * 32))
    assert (lost.templates, moved.ledger.head()) == (0, before)
