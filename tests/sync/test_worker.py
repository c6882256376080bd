"""Delivery under every misbehaviour of network and fund: exactly once, in order, and nothing believed without proof."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.compact import assemble, split
from sync.envelope import EVENT_TYP, MAX_TOKEN, TimeTrust
from sync.errors import (
    ChainDisputed,
    DeviceRefused,
    FundBusy,
    ProtocolViolation,
    SyncFailure,
    TransportFailure,
)
from sync.worker import HEAD_EVERY_S, RunReport
from tests.fakes.fund import Fault
from tests.fakes.sync_desk import SyncDesk


def test_events_reach_the_fund_once_and_in_order(desk: SyncDesk) -> None:
    """The ordinary day."""
    entries = desk.append_many(3)
    assert desk.worker().run_once() == RunReport(sent=3, settled=3)
    assert desk.worker().run_once() == RunReport()
    assert desk.fund.have == 3
    desk.check_everything(entries)


def test_a_long_backlog_goes_in_several_batches(desk: SyncDesk) -> None:
    """Oldest first, until nothing is left."""
    entries = desk.append_many(205)
    assert desk.worker().run_once().settled == 205
    assert desk.fund.sizes == [200, 5]
    desk.check_everything(entries)


FAILURES: dict[Fault, type[SyncFailure]] = {
    Fault.LOSE_REQUEST: TransportFailure,
    Fault.LOSE_REPLY: TransportFailure,
    Fault.BUSY: FundBusy,
    Fault.UNAVAILABLE: FundBusy,
    Fault.GARBAGE: ProtocolViolation,
    Fault.FEWER: ProtocolViolation,
    Fault.FORGED: ProtocolViolation,
    Fault.OTHER_DEVICE: ProtocolViolation,
    Fault.OTHER_BATCH: ProtocolViolation,
    Fault.OTHER_HISTORY: ChainDisputed,
    Fault.BOASTING: ProtocolViolation,
}


@pytest.mark.parametrize("fault", FAILURES)
def test_a_failed_exchange_settles_nothing_and_the_next_does(desk: SyncDesk, fault: Fault) -> None:
    """Whatever went wrong: named, nothing settled, delivered exactly once later."""
    entries = desk.append_many(3)
    desk.fund.faults.append(fault)
    report = desk.worker().run_once()
    assert isinstance(report.failure, FAILURES[fault])
    assert report.failure.remedy
    assert (desk.status.settled, desk.status.pending) == (0, 3)
    assert desk.status.last_error is not None
    assert desk.status.last_error.startswith(report.failure.code)
    desk.check_everything(entries)
    desk.deliver_all()
    assert (desk.status.settled, desk.fund.have) == (3, 3)
    after: str | None = desk.status.last_error
    assert after is None
    desk.check_everything(entries)


@pytest.mark.parametrize("fault", [Fault.DUPLICATE, Fault.REVERSE])
def test_a_repeated_or_reordered_batch_counts_once(desk: SyncDesk, fault: Fault) -> None:
    """Judged twice, or last first: the same chain in the end."""
    entries = desk.append_many(4)
    desk.fund.faults.append(fault)
    desk.deliver_all()
    assert desk.fund.have == 4
    assert not desk.fund.blocked
    desk.check_everything(entries)


def test_the_fund_s_wish_to_wait_is_respected(desk: SyncDesk) -> None:
    """Retry-After of 30 seconds, and half of the first jitter."""
    desk.append()
    desk.fund.faults.append(Fault.BUSY)
    worker = desk.worker()
    worker.run_once()
    desk.clock.advance(30)
    assert worker.run_once() == RunReport()
    desk.clock.advance(1)
    assert worker.run_once().settled == 1


def test_a_poison_event_is_found_and_named_and_the_rest_before_it_delivered(desk: SyncDesk) -> None:
    """One event among many that makes the fund refuse the whole request."""
    entries = desk.append_many(50)
    desk.fund.poison.add(entries[30].digest)
    worker = desk.worker()
    for _ in range(20):
        worker.run_once()
        desk.clock.advance(4000)
    status = desk.status
    assert desk.fund.have == 30
    assert [(parked.seq, parked.reason) for parked in status.parked] == [(31, "http_400")]
    assert status.parked[0].attempts > 3
    assert status.pending == 19
    desk.fund.poison.clear()
    desk.deliver_all()
    assert desk.fund.have == 50
    desk.check_everything(entries)


def test_a_rule_of_the_fund_parks_one_event_and_holds_up_none(desk: SyncDesk) -> None:
    """Refused with a number: recorded at the fund, shown at the desk, final."""
    entries = [desk.append(), desk.append("strange"), desk.append()]
    desk.fund.unwanted.add("strange")
    report = desk.worker().run_once()
    assert (report.settled, report.refused, report.held) == (2, 1, 0)
    assert [(parked.seq, parked.held, parked.reason) for parked in desk.status.parked] == [(2, False, "kind_unknown")]
    assert desk.fund.have == 3
    desk.check_everything(entries)


def test_an_altered_event_is_refused_shown_and_what_follows_waits(desk: SyncDesk) -> None:
    """Somebody changed a stored event: the fund cannot take it, the desk says which, nothing is lost."""
    entries = desk.append_many(4)
    token = entries[1].token
    desk.db.execute("DROP TRIGGER event_no_update")
    desk.db.execute("UPDATE event SET token = ? WHERE seq = 2", (token.replace(".", ".A", 1),))
    report = desk.worker().run_once()
    assert (report.settled, report.held) == (1, 1)
    assert [(parked.seq, parked.held) for parked in desk.status.parked] == [(2, True)]
    assert desk.status.parked[0].reason.startswith("rejected: ")
    assert desk.status.pending == 2
    assert not desk.fund.blocked
    desk.db.execute("UPDATE event SET token = ? WHERE seq = 2", (token,))
    desk.deliver_all()
    assert desk.fund.have == 4


def test_another_signature_over_the_same_event_is_the_same_event(desk: SyncDesk) -> None:
    """A middleman who malleates a signature accuses nobody of forking."""
    entry = desk.append()
    compact = split(entry.token, EVENT_TYP, MAX_TOKEN)
    again = assemble(compact.signing_input, desk.signer.sign(compact.signing_input))
    desk.fund.faults.append(Fault.LOSE_REPLY)
    desk.worker().run_once()
    desk.db.execute("DROP TRIGGER event_no_update")
    desk.db.execute("UPDATE event SET token = ? WHERE seq = 1", (again,))
    desk.deliver_all()
    assert not desk.fund.blocked
    assert desk.status.settled == 1


def test_a_fork_is_refused_kept_as_evidence_and_shown(desk: SyncDesk, tmp_path: Path) -> None:
    """A desk restored from an older copy signs another event with a number the fund has."""
    desk.append_many(2)
    desk.deliver_all()
    desk.snapshot(tmp_path / "copy.db")
    copy = desk.restored(tmp_path / "copy.db")
    desk.append()
    desk.deliver_all()
    fork = copy.append("checked_in", {"forged": True})
    copy.append()
    report = copy.worker().run_once()
    assert (report.settled, report.held) == (0, 1)
    assert [(parked.seq, parked.reason) for parked in copy.status.parked] == [(3, "forked: seq")]
    assert desk.fund.blocked
    assert desk.fund.evidence == [fork.token]
    assert desk.fund.have == 3
    copy.clock.advance(4000)
    again = copy.worker().run_once()
    assert isinstance(again.failure, DeviceRefused)
    assert copy.status.alarm == "the fund takes nothing from this desk: device_blocked"
    copy.db.close()


def test_an_older_copy_of_the_desk_is_noticed_before_it_forks(desk: SyncDesk, tmp_path: Path) -> None:
    """The fund's head is beyond ours: shown at the first contact."""
    desk.append()
    desk.snapshot(tmp_path / "old.db")
    desk.append()
    desk.deliver_all()
    copy = desk.restored(tmp_path / "old.db")
    copy.worker().run_once()
    assert copy.status.alarm is not None
    assert "older copy" in copy.status.alarm
    assert copy.status.settled == 1
    copy.db.close()


def test_a_chain_that_leaves_the_fund_s_is_a_fork_too(desk: SyncDesk) -> None:
    """The next number, but over another past: the device signed two pasts."""
    desk.append_many(2)
    desk.deliver_all()
    desk.fund.chain[-1] = replace(desk.fund.chain[-1], digest="ab" * 32)
    desk.append()
    report = desk.worker().run_once()
    assert report.held == 1
    assert desk.status.parked[0].reason == "forked: prev"


def test_a_fund_that_lost_events_gets_them_again(desk: SyncDesk) -> None:
    """Restored from an older copy: settled events go once more, nothing is doubled."""
    entries = desk.append_many(5)
    desk.deliver_all()
    desk.fund.forget_after(2)
    entries.append(desk.append())
    report = desk.worker().run_once()
    assert (report.reopened, report.settled) == (3, 4)
    assert desk.fund.have == 6
    assert desk.status.alarm is not None
    desk.check_everything(entries)


def test_a_network_that_is_down_loses_nothing(desk: SyncDesk) -> None:
    """Days without: events pile up, and go when it is back."""
    desk.fund.down = True
    worker = desk.worker()
    entries = []
    for _ in range(20):
        entries.append(desk.append())
        worker.run_once()
        desk.clock.advance(3600)
    assert desk.status.pending == 20
    assert desk.status.last_error == "E-NET-01 connection refused"
    assert desk.status.oldest_pending_age_s is not None
    assert desk.status.oldest_pending_age_s >= 19 * 3600
    desk.fund.down = False
    desk.deliver_all()
    desk.check_everything(entries)
    assert desk.fund.have == 20


def test_sync_now_does_not_wait(desk: SyncDesk) -> None:
    """`force` ignores the stored next try, for a person who has just mended the network."""
    desk.append()
    desk.fund.down = True
    worker = desk.worker()
    worker.run_once()
    desk.fund.down = False
    assert worker.run_once() == RunReport()
    assert worker.run_once(force=True).settled == 1


def test_the_fund_s_time_is_taken_on_and_renewed(desk: SyncDesk) -> None:
    """With the first contact, every ten minutes, and again after a restart of the machine."""
    worker = desk.worker()
    worker.run_once()
    assert desk.append().trust is TimeTrust.FUND
    desk.clock.advance(HEAD_EVERY_S / 2)
    worker.run_once()
    assert desk.fund.heads == 1
    desk.clock.advance(HEAD_EVERY_S / 2)
    worker.run_once()
    assert desk.fund.heads == 2
    desk.clock.reboot("boot-2")
    assert desk.append().trust is TimeTrust.SYSTEM
    desk.worker().run_once()
    assert desk.append().trust is TimeTrust.FUND


def test_a_head_that_cannot_be_had_does_not_stop_events(desk: SyncDesk) -> None:
    """It is asked for again later; the batch goes as soon as its own time has come."""
    desk.append()
    desk.fund.down = True
    worker = desk.worker()
    assert isinstance(worker.run_once().failure, TransportFailure)
    desk.fund.down = False
    desk.clock.advance(1.0)
    assert worker.run_once().settled == 1


@pytest.mark.parametrize("days", [-700, 700])
def test_a_clock_jump_does_not_stop_delivery(desk: SyncDesk, days: int) -> None:
    """Backwards or forwards by two years, with events waiting for their next try."""
    desk.append()
    desk.fund.down = True
    worker = desk.worker()
    worker.run_once()
    desk.clock.step_wall(timedelta(days=days).total_seconds())
    desk.fund.down = False
    entry = desk.append()
    assert entry.trust is TimeTrust.SUSPECT
    assert worker.run_once().settled == 2
    desk.check_everything()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*Fault, None, "append", "append", "restart"]), max_size=8))
def test_any_sequence_of_misfortunes_ends_with_everything_delivered_once(
    desk: SyncDesk, story: list[Fault | str | None]
) -> None:
    """Faults, restarts and new events in any order."""
    worker, entries = desk.worker(), [desk.append()]
    for step in story:
        if step == "append":
            entries.append(desk.append())
        elif step == "restart":
            desk.restart()
            worker = desk.worker()
        else:
            desk.fund.faults.append(Fault(step) if step else None)
            worker.run_once(force=True)
        desk.check_everything(entries)
    desk.fund.faults.clear()
    for _ in range(10):
        desk.deliver_all()
        if not desk.status.parked:
            break
        desk.clock.advance(4000)
        desk.worker().run_once()
    assert desk.status.parked == ()
    assert desk.fund.have == entries[-1].seq
    desk.check_everything(entries)
