"""The delivery loop as a process: busy disks, stops, one at a time, what its log says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.database import Database, immediate
from sync.errors import (
    DatabaseBusy,
    DatabaseUnreachable,
    RequestRefused,
    SyncRunning,
)
from sync.ledger import Ledger
from sync.worker import RunReport, Worker, serve, single_flight
from tests.fakes.clock import ManualClock
from tests.fakes.faults import FaultyDatabase, Plan, Strike, busy
from tests.fakes.fund import Fault
from tests.fakes.sync_desk import DEVICE, SyncDesk


class BusyFor(Worker):
    """A worker whose first runs meet a database that another process holds."""

    def __init__(self, db: Database, desk: SyncDesk, failures: Iterator[bool]) -> None:
        super().__init__(db, desk.fund, DEVICE, desk.fund.signer.public_jwk, desk.clock, lambda: 0.5)
        self.failures = failures
        self.runs = 0

    def run_once(self, *, force: bool = False, stopped: object = None) -> RunReport:
        """Fail while told to."""
        del stopped
        self.runs += 1
        if next(self.failures):
            raise DatabaseBusy("held")
        return super().run_once(force=force)


def test_the_loop_outlives_a_busy_or_full_disk_and_stops_when_told(
    desk: SyncDesk, caplog: pytest.LogCaptureFixture
) -> None:
    """Known failures of the database pause it; a stop is noticed within a slice."""
    desk.append()
    clock = desk.clock
    worker = BusyFor(desk.db, desk, iter([True, True, *[False] * 1000]))
    end = clock.mono_s + 30
    serve(worker, clock, lambda: clock.mono_s > end)
    assert desk.status.settled == 1
    assert worker.runs > 10
    assert clock.mono_s < end + 1
    assert "E-DB-03" in caplog.text


def test_a_stop_ends_a_long_backlog_between_two_batches(desk: SyncDesk) -> None:
    """What is sent is settled; the rest waits for the next start."""
    desk.append_many(3)
    assert desk.worker().run_once(stopped=lambda: True).sent == 0


@pytest.mark.parametrize("statement", range(12, 20))
def test_a_database_failure_while_settling_is_named_and_repaired_by_the_next_run(
    desk: SyncDesk, statement: int
) -> None:
    """The fund has taken the events, the desk could not write that down: known, sent again, known to the fund."""
    entries = desk.append_many(2)
    worker = Worker(
        FaultyDatabase(desk.db, Plan(statement, Strike.BEFORE, busy())),
        *(desk.fund, DEVICE, desk.fund.signer.public_jwk, desk.clock, lambda: 0.5),
    )
    with pytest.raises(DatabaseBusy):
        worker.run_once()
    assert desk.fund.have == 2
    assert desk.status.settled == 0
    desk.deliver_all()
    assert desk.status.settled == 2
    desk.check_everything(entries)


def test_one_process_delivers(tmp_path: Path) -> None:
    """The second is told so; the lock goes with its holder."""
    with single_flight(tmp_path / "sync.lock"), pytest.raises(SyncRunning), single_flight(tmp_path / "sync.lock"):
        pass
    with single_flight(tmp_path / "sync.lock"):
        pass
    with pytest.raises(DatabaseUnreachable), single_flight(tmp_path / "missing" / "sync.lock"):
        pass


def test_a_log_holds_numbers_and_codes_only(desk: SyncDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of what events say, at any level."""
    caplog.set_level("DEBUG")
    with immediate(desk.db):
        Ledger(desk.db, desk.signer, DEVICE).append("checked_in", 1, {"patient": "pseudonym"}, ManualClock().moment())
    desk.fund.faults.extend([Fault.LOSE_REPLY, Fault.MALFORMED])
    desk.deliver_all()
    assert "events 1 to 1" in caplog.text
    assert "pseudonym" not in caplog.text
    assert "eyJ" not in caplog.text


def test_a_failure_that_refuses_the_request_is_reported_for_a_single_event(desk: SyncDesk) -> None:
    """With one event there is nothing to halve."""
    desk.append()
    desk.fund.faults.append(Fault.MALFORMED)
    report = desk.worker().run_once()
    assert isinstance(report.failure, RequestRefused)
    assert report.held == 1
