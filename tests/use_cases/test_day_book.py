"""The day is read once from the ledger, and then as it grows."""

from appliance.checkin import sign
from appliance.core.decision import Reason
from appliance.core.events import Refused
from appliance.core.standing import How
from appliance.day_book import DayBook
from sync.errors import KeyUnusable
from sync.home import Home
from sync.ledger import Entry, Ledger
from sync.signing import Signer
from tests.fakes.clock import ManualClock
from tests.fakes.signer import FaultySigner
from tests.fakes.working_desk import WorkingDesk, make_circumstances
from tests.use_cases.front import fail


def test_only_the_day_is_read(desk: WorkingDesk, clock: ManualClock) -> None:
    """However long the chain before it is; and on the next day, the next day."""
    refused = Refused(None, (Reason.NO_MATCH,), None, None, make_circumstances())
    sign(desk.records, desk.ledger, clock, *[refused] * 250)
    clock.advance(86_400)
    sign(desk.records, desk.ledger, clock, *[refused] * 450)
    today = [event.event_id for event in desk.events()[250:]]
    book = DayBook(desk.db, desk.ledger)
    told = book.read(clock.wall.date())
    assert [attempt.event for attempt in told.attempts] == today
    assert len(DayBook(desk.db, desk.ledger).read(clock.wall.date().replace(day=23)).attempts) == 250
    clock.advance(86_400)
    assert book.read(clock.wall.date()).attempts == ()


def test_what_is_new_is_read_and_nothing_twice(home: Home, clock: ManualClock) -> None:
    """A queue that is shown every second does not read the ledger every second."""
    asked: list[int] = []

    class Counted(Ledger):
        """Tells from where it is read."""

        def entries(self, after: int = 0, limit: int = 100) -> tuple[Entry, ...]:
            """As a ledger."""
            asked.append(after)
            return super().entries(after, limit)

    desk = WorkingDesk(home, clock, keep=Counted)
    fail(desk, Reason.NO_MATCH)
    book = DayBook(desk.db, desk.ledger)
    book.read(clock.wall.date())
    asked.clear()
    fail(desk, Reason.NO_MATCH)
    assert len(book.read(clock.wall.date()).attempts) == 2
    assert asked == [1, 2]
    desk.close()


def test_what_waits_for_the_key_is_told_as_well(home: Home, clock: ManualClock) -> None:
    """And once it is signed, it is told once."""
    signers: list[FaultySigner] = []

    def faulty(signer: Signer) -> Signer:
        signers.append(FaultySigner(signer))
        return signers[0]

    desk = WorkingDesk(home, clock, sign=faulty)
    desk.enrol(1)
    (service,) = desk.plan(1)
    book = DayBook(desk.db, desk.ledger)
    signers[0].before = KeyUnusable("away")
    receipt = desk.visit(1, service)
    event = fail(desk, Reason.NO_MATCH)
    told = book.read(clock.wall.date())
    assert (told.how, [attempt.event for attempt in told.attempts]) == ({receipt: How.BY_FACE}, [event])
    signers[0].before = None
    desk.ledger.sign_drafts(clock.moment())
    assert desk.ledger.waiting == 0
    assert book.read(clock.wall.date()) == told
    desk.close()
