"""A fault before or after any statement of any errand: all of it was done, or nothing, and it can be done again.

After each fault the oracle proves the whole desk: chain, outbox, visits, people, consents, templates, gallery.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from sync.database import Database
from sync.errors import DatabaseBusy, DiskFull
from sync.home import Home
from tests.fakes.clock import ManualClock
from tests.fakes.faults import FaultyDatabase, Killed, Plan, Strike, busy, disk_full
from tests.fakes.working_desk import WorkingDesk
from tests.faults.errands import DAILY, PACKS_IN_USE, RARE, Errand

FAULTS = ((disk_full, DiskFull), (busy, DatabaseBusy), (Killed, Killed))
MOST_STATEMENTS = 80


class Fragile:
    """Puts a database that can fail in the place of the real one, and remembers it."""

    def __init__(self) -> None:
        self.db: FaultyDatabase | None = None

    def wrap(self, db: Database) -> Database:
        """For `WorkingDesk.wrap`."""
        self.db = FaultyDatabase(db)
        return self.db

    @property
    def steps(self) -> int:
        """Statements of the last block."""
        assert self.db is not None
        return len(self.db.steps)

    @contextlib.contextmanager
    def failing(self, step: int, strike: Strike, error: BaseException) -> Iterator[None]:
        """Fail at one statement of the block, counted from its beginning."""
        assert self.db is not None
        self.db.steps.clear()
        self.db.plan = Plan(step, strike, error)
        try:
            yield
        finally:
            self.db.plan = None


def finish(desk: WorkingDesk, errand: Errand, number: int) -> list[str]:
    """Try once more, as a person would; the ids that were acknowledged now."""
    if errand.again is None or not errand.done(desk, number):
        return [errand.run(desk, number)]
    with pytest.raises(errand.again):
        errand.run(desk, number)
    return []


CASES = [
    *((errand, *fault, strike) for errand in DAILY for fault in FAULTS for strike in Strike),
    *((errand, *FAULTS[-1], Strike.BEFORE) for errand in RARE),
]
"""Being killed before a statement is being killed after the one before it."""


@pytest.mark.parametrize(
    ("errand", "fault", "named", "strike"),
    CASES,
    ids=[f"{e.name}-{named.__name__}-{s.name}" for e, _, named, s in CASES],
)
def test_a_fault_at_any_statement_leaves_all_or_nothing(
    home: Home,
    clock: ManualClock,
    errand: Errand,
    fault: Callable[[], BaseException],
    named: type[BaseException],
    strike: Strike,
) -> None:
    """Step by step through the whole errand, until a step lies behind its end."""
    fragile = Fragile()
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE, wrap=fragile.wrap)
    acknowledged: list[str] = []
    for step in itertools.count():
        assert step < MOST_STATEMENTS, "the errand has no end"
        errand.prepare(desk, step)
        clock.advance(1)
        try:
            with fragile.failing(step, strike, fault()):
                acknowledged.append(errand.run(desk, step))
        except named:
            pass
        else:
            if fragile.steps <= step:
                break
        if named is Killed:
            desk.close()
            desk = WorkingDesk(home, clock, packs=PACKS_IN_USE, wrap=fragile.wrap)
        desk.check_everything(tuple(acknowledged))
        acknowledged += finish(desk, errand, step)
        assert errand.done(desk, step)
    assert step > 4, "the errand has statements"
    desk.check_everything(tuple(acknowledged))
    desk.close()


def test_a_full_disk_is_named_and_the_desk_goes_on_once_there_is_room(home: Home, clock: ManualClock) -> None:
    """SQLite's own limit of pages stands in for the disk: visits are refused whole, later ones are recorded."""
    desk = WorkingDesk(home, clock, packs=PACKS_IN_USE)
    desk.enrol(1)
    services = desk.plan(1, 60)
    pages = desk.db.execute("PRAGMA page_count").fetchone()[0]
    desk.db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    acknowledged: list[str] = []
    with pytest.raises(DiskFull) as caught:
        acknowledged.extend(desk.visit(1, service) for service in services)
    assert caught.value.remedy
    desk.check_everything(tuple(acknowledged))
    assert len(acknowledged) < len(services)
    with pytest.raises(DiskFull):
        desk.enrol(2, looks=40)
    desk.check_everything(tuple(acknowledged))
    desk.db.execute("PRAGMA max_page_count = 1073741823").fetchall()
    acknowledged += [desk.visit(1, service) for service in services[len(acknowledged) :]]
    desk.enrol(2)
    desk.check_everything(tuple(acknowledged))
    assert len(acknowledged) == len(services)
    desk.close()


@pytest.mark.parametrize("errand", DAILY, ids=[errand.name for errand in DAILY])
def test_a_database_held_by_another_process_is_named(home: Home, clock: ManualClock, errand: Errand) -> None:
    """The wait has an end, nothing was done, and once the other has finished it works."""
    desk, other = WorkingDesk(home, clock, packs=PACKS_IN_USE), WorkingDesk(home, clock, packs=PACKS_IN_USE)
    errand.prepare(desk, 1)
    desk.db.execute("PRAGMA busy_timeout = 30").fetchall()
    other.db.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy):
        errand.run(desk, 1)
    other.db.rollback()
    desk.check_everything()
    assert not errand.done(desk, 1)
    desk.check_everything((errand.run(desk, 1),))
    other.close()
    desk.close()
