"""A fault before and after every single statement of append, settle, postpone and reject: one oracle holds."""

from collections.abc import Callable

import pytest

from sync.database import Database, immediate
from sync.errors import DiskFull, RequestRefused, TransportFailure
from sync.ledger import Ledger
from sync.outbox import Outbox
from sync.protocol import encode_batch, read_receipts
from tests.fakes.faults import FaultyDatabase, Killed, Plan, Strike, disk_full
from tests.fakes.sync_desk import DEVICE, SyncDesk

Operation = Callable[[SyncDesk, Database], None]


def append(desk: SyncDesk, db: Database) -> None:
    """Record one event."""
    with immediate(db):
        Ledger(db, desk.signer, DEVICE).append("checked_in", 1, {}, desk.clock.moment())


def settle(desk: SyncDesk, db: Database) -> None:
    """Send the batch and apply the answer."""
    outbox = Outbox(db)
    batch = outbox.due(desk.now, force=True)
    body = desk.fund.post_events(encode_batch([sent.token for sent in batch]))
    receipts = read_receipts(body, desk.fund.signer.public_jwk, DEVICE, batch)
    outbox.apply(batch, receipts, desk.now, lambda: 0.5)


def postpone(desk: SyncDesk, db: Database) -> None:
    """Note that it did not get through."""
    outbox = Outbox(db)
    outbox.postpone(outbox.due(desk.now, force=True), desk.now, TransportFailure("down"), lambda: 0.5)


def reject(desk: SyncDesk, db: Database) -> None:
    """Note that the request was refused."""
    outbox = Outbox(db)
    outbox.reject(outbox.due(desk.now, force=True)[:1], desk.now, RequestRefused("400", 400), lambda: 0.5, "http_400")


OPERATIONS: dict[str, Operation] = {"append": append, "settle": settle, "postpone": postpone, "reject": reject}
ERRORS = ((disk_full, DiskFull), (Killed, Killed))
"""One failure of the world and one sudden end; `test_database` has all the failures."""

STEPS = {
    "append": [
        "BEGIN IMMEDIATE",
        "SELECT seq, digest",
        "SELECT have FROM",
        "SELECT count(*) FROM",
        "SELECT seq, digest,",
        "SELECT boot_id, mono_ms,",
        "INSERT INTO event",
        "INSERT INTO outbox",
        "COMMIT",
    ],
    "settle": [
        "SELECT seq, state,",
        "SELECT batch_limit FROM",
        "SELECT e.seq, e.token",
        "BEGIN IMMEDIATE",
        "SELECT digest FROM",
        "INSERT INTO receipt",
        *["UPDATE outbox SET"] * 3,
        *["UPDATE delivery SET"] * 2,
        "COMMIT",
    ],
    "postpone": [
        "SELECT seq, state,",
        "SELECT batch_limit FROM",
        "SELECT e.seq, e.token",
        "BEGIN IMMEDIATE",
        *["UPDATE outbox SET"] * 6,
        "UPDATE delivery SET",
        "COMMIT",
    ],
    "reject": [
        "SELECT seq, state,",
        "SELECT batch_limit FROM",
        "SELECT e.seq, e.token",
        "BEGIN IMMEDIATE",
        "UPDATE delivery SET",
        *["UPDATE outbox SET"] * 3,
        "COMMIT",
    ],
}
"""The statements of each operation over three pending events, in order: the named steps of the matrix."""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_matrix_covers_every_statement(desk: SyncDesk, operation: str) -> None:
    """The named steps are the steps: a new statement must enter the matrix."""
    desk.append_many(3)
    db = FaultyDatabase(desk.db)
    OPERATIONS[operation](desk, db)
    assert db.steps == STEPS[operation]


@pytest.mark.parametrize("strike", Strike)
@pytest.mark.parametrize(("operation", "step"), [(name, step) for name in STEPS for step in range(len(STEPS[name]))])
def test_a_fault_at_any_step_loses_nothing_and_doubles_nothing(
    desk: SyncDesk, operation: str, step: int, strike: Strike
) -> None:
    """All or nothing at the desk, exactly once at the fund, and the ordinary next run repairs it."""
    for make, expected in ERRORS:
        acknowledged = desk.append_many(3)
        before = desk.db.execute("SELECT count(*), (SELECT count(*) FROM outbox) FROM event").fetchone()
        db = FaultyDatabase(desk.db, Plan(step, strike, make()))
        with pytest.raises(expected):
            OPERATIONS[operation](desk, db)
        committed = operation == "append" and STEPS[operation][step] == "COMMIT" and strike is Strike.AFTER
        after = desk.db.execute("SELECT count(*), (SELECT count(*) FROM outbox) FROM event").fetchone()
        assert after == (before[0] + committed, before[1] + committed)
        desk.restart()
        desk.check_everything(acknowledged)
        acknowledged.append(desk.append())
        desk.deliver_all()
        desk.clock.advance(4000)
        desk.worker().run_once()
        desk.deliver_all()
        assert desk.fund.have == acknowledged[-1].seq
        assert desk.status.parked == ()
        desk.check_everything(acknowledged)
