"""The queue: what is due when, and what an answer changes."""

import tracemalloc
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.database import immediate
from sync.envelope import GENESIS
from sync.errors import AnswerLate, ChainDisputed, FundBusy, RequestRefused, TransportFailure
from sync.outbox import (
    FIRST_BACKOFF_S,
    MAX_BACKOFF_S,
    MAX_HELD_S,
    MAX_RETRY_AFTER_S,
    Parked,
    backoff_s,
)
from sync.protocol import MAX_EVENTS, Decision, Receipt, Result, SignedReceipt, offer_of
from tests.fakes.sync_desk import DEVICE, SyncDesk

DOWN = TransportFailure("the fund cannot be reached")


def half() -> float:
    """The jitter of these tests."""
    return 0.5


def seqs(desk: SyncDesk, now: float | None = None, *, force: bool = False) -> list[int]:
    """The numbers of the next batch."""
    return [sent.seq for sent in desk.outbox.due(desk.now if now is None else now, force=force)]


def answer(desk: SyncDesk, *results: tuple[Result, str | None], have: int = 0) -> None:
    """Apply a receipt with these results to the next batch."""
    batch = desk.outbox.due(desk.now, force=True)
    row = desk.db.execute("SELECT digest FROM event WHERE seq = ?", (have,)).fetchone()
    decisions = tuple(Decision(*result) for result in results)
    assert len(decisions) == len(batch)
    offered = offer_of(sent.digest for sent in batch)
    receipt = Receipt(DEVICE, offered, decisions, have, row[0] if row else GENESIS, desk.clock.wall)
    desk.outbox.apply(batch, SignedReceipt(receipt, f"{offered} {results} {desk.now}"), desk.now, half)


def test_nothing_is_due_where_nothing_happened(desk: SyncDesk) -> None:
    """An empty outbox has an empty status."""
    assert seqs(desk) == []
    status = desk.status
    assert (status.pending, status.parked, status.settled, status.oldest_pending_age_s) == (0, (), 0, None)
    assert (status.last_error, status.last_contact, status.alarm) == (None, None, None)


def test_the_status_reads_no_settled_event(desk: SyncDesk) -> None:
    """A screen asks for it every two seconds: after years, among a million settled ones, it must cost what it did."""
    asked: list[str] = []
    desk.db.conn.set_trace_callback(asked.append)
    assert desk.status.settled == 0
    desk.db.conn.set_trace_callback(None)
    questions = [sql for sql in asked if "outbox" in sql]
    plans = [row[3] for sql in questions for row in desk.db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()]
    scans = [plan for plan in plans if plan.startswith("SCAN")]
    assert len(scans) >= 3
    assert all("USING INDEX outbox_" in plan or "USING COVERING INDEX outbox_" in plan for plan in scans), scans


def test_events_go_in_the_order_of_their_chain(desk: SyncDesk) -> None:
    """All of them, as many as fit."""
    desk.append_many(3)
    assert seqs(desk) == [1, 2, 3]
    assert desk.status.oldest_pending_age_s == 2.0


def test_a_batch_has_a_maximum(desk: SyncDesk) -> None:
    """The rest goes next time."""
    desk.append_many(MAX_EVENTS + 1)
    assert len(seqs(desk)) == MAX_EVENTS


@pytest.mark.parametrize(("attempts", "ceiling"), [(1, FIRST_BACKOFF_S), (2, 4.0), (3, 8.0), (10, MAX_BACKOFF_S)])
def test_each_failure_waits_longer_up_to_a_ceiling(desk: SyncDesk, attempts: int, ceiling: float) -> None:
    """Full jitter: anywhere between now and the ceiling; the time is stored and outlives a restart."""
    desk.append()
    for _ in range(attempts):
        desk.outbox.postpone(desk.outbox.due(desk.now, force=True), desk.now, DOWN, half)
    desk.restart()
    assert seqs(desk, desk.now + ceiling / 2 - 0.01) == []
    assert seqs(desk, desk.now + ceiling / 2) == [1]
    assert seqs(desk, force=True) == [1]
    assert desk.status.last_error == "E-NET-01 the fund cannot be reached"


@given(st.integers(1, 10_000))
def test_a_wait_never_exceeds_its_ceiling(attempts: int) -> None:
    """However long the outage."""
    assert FIRST_BACKOFF_S <= backoff_s(attempts, MAX_BACKOFF_S) <= MAX_BACKOFF_S


@pytest.mark.parametrize(("asked", "waits"), [(30.0, 30.0), (10**6, MAX_RETRY_AFTER_S)])
def test_the_fund_is_given_the_time_it_asks_for(desk: SyncDesk, asked: float, waits: float) -> None:
    """Within reason, and with the jitter on top."""
    desk.append()
    desk.outbox.postpone(desk.outbox.due(desk.now), desk.now, FundBusy("429", asked), half, asked)
    assert seqs(desk, desk.now + waits) == []
    assert seqs(desk, desk.now + waits + 1) == [1]


def test_a_new_event_waits_with_the_ones_before_it(desk: SyncDesk) -> None:
    """The chain's order is the order of delivery; the first open event decides."""
    desk.append()
    desk.outbox.postpone(desk.outbox.due(desk.now), desk.now, DOWN, half)
    desk.outbox.postpone(desk.outbox.due(desk.now, force=True), desk.now, DOWN, half)
    desk.append()
    assert seqs(desk) == []
    assert seqs(desk, desk.now + 2) == [1, 2]


def test_a_clock_set_back_by_years_does_not_stop_delivery(desk: SyncDesk) -> None:
    """A next try further away than we ever wait is a clock that went back."""
    desk.append()
    desk.outbox.postpone(desk.outbox.due(desk.now), desk.now, DOWN, half)
    assert seqs(desk, desk.now - timedelta(days=700).total_seconds()) == [1]


def test_accepted_and_known_events_are_settled_with_their_receipt(desk: SyncDesk) -> None:
    """And the error before is forgotten."""
    desk.append_many(2)
    desk.outbox.fail(DOWN)
    answer(desk, (Result.ACCEPTED, None), (Result.KNOWN, None), have=2)
    status = desk.status
    assert (status.pending, status.settled, status.last_error, status.last_contact) == (0, 2, None, desk.now)
    assert desk.db.execute("SELECT first, last FROM receipt").fetchall() == [(1, 2)]


def test_a_recorded_refusal_is_shown_and_holds_nothing_up(desk: SyncDesk) -> None:
    """The fund has it, marked; the chain goes on."""
    desk.append_many(2)
    answer(desk, (Result.REFUSED, "kind_unknown"), (Result.ACCEPTED, None), have=2)
    assert desk.status.parked == (Parked(1, False, "kind_unknown", 0),)
    assert seqs(desk, force=True) == []


@pytest.mark.parametrize(("result", "reason"), [(Result.REJECTED, "signature"), (Result.FORKED, "seq")])
def test_an_event_the_fund_cannot_take_is_held_and_tried_alone(desk: SyncDesk, result: Result, reason: str) -> None:
    """What follows waits; the held one is tried at most hourly, until it is taken."""
    desk.append_many(3)
    answer(desk, (result, reason), (Result.GAP, "missing"), (Result.GAP, "missing"))
    status = desk.status
    assert status.parked == (Parked(1, True, f"{result}: {reason}", 1),)
    assert (status.pending, status.parked_count) == (2, 1)
    assert seqs(desk) == []
    assert seqs(desk, desk.now + MAX_HELD_S) == [1]
    answer(desk, (Result.ACCEPTED, None), have=1)
    assert desk.status.parked == ()
    assert seqs(desk) == [2, 3]


def test_pending_events_before_a_held_one_go_without_it(desk: SyncDesk) -> None:
    """A batch never runs over a held event."""
    desk.append_many(3)
    answer(desk, (Result.ACCEPTED, None), (Result.REJECTED, "signature"), (Result.GAP, "missing"), have=1)
    desk.db.execute("UPDATE outbox SET state = 'held' WHERE seq = 2")
    desk.db.execute("UPDATE outbox SET state = 'pending' WHERE seq = 1")
    assert seqs(desk) == [1]


def test_an_answer_of_gaps_only_waits_like_a_failure(desk: SyncDesk) -> None:
    """Nothing changed, so asking again at once would ask for ever."""
    desk.append()
    answer(desk, (Result.GAP, "device_blocked"), have=0)
    assert seqs(desk) == []
    assert seqs(desk, desk.now + 1) == [1]


def test_events_the_fund_has_lost_are_sent_again(desk: SyncDesk) -> None:
    """Settled ones too: the fund was restored from an older copy. Somebody should look."""
    desk.append_many(4)
    answer(desk, *[(Result.ACCEPTED, None)] * 3, (Result.REFUSED, "kind_unknown"), have=4)
    desk.append()
    answer(desk, (Result.GAP, "missing"), have=2)
    assert seqs(desk) == [3, 4, 5]
    assert desk.status.settled == 2
    assert desk.status.alarm is not None
    assert "from 3 on" in desk.status.alarm


def test_one_lost_event_is_enough_to_go_back(desk: SyncDesk) -> None:
    """The fund misses only the last event it had taken."""
    desk.append_many(2)
    answer(desk, (Result.ACCEPTED, None), (Result.ACCEPTED, None), have=2)
    desk.append()
    answer(desk, (Result.GAP, "missing"), have=1)
    assert seqs(desk) == [2, 3]


def test_a_refused_request_is_halved_until_one_event_is_left(desk: SyncDesk) -> None:
    """That one is held by name; then the batches grow again."""
    desk.append_many(5)
    refusal = RequestRefused("400 malformed", 400)
    sizes = []
    while desk.outbox.reject(batch := desk.outbox.due(desk.now), desk.now, refusal, half, "http_400"):
        sizes.append(len(batch))
    assert sizes == [5, 2]
    assert desk.status.parked == (Parked(1, True, "http_400", 1),)
    answer(desk, (Result.ACCEPTED, None), have=1)
    assert seqs(desk) == [2, 3]
    answer(desk, (Result.ACCEPTED, None), (Result.ACCEPTED, None), have=3)
    assert seqs(desk) == [4, 5]


def test_the_same_receipt_twice_is_kept_once(desk: SyncDesk) -> None:
    """A repeated answer adds no evidence."""
    desk.append()
    answer(desk, (Result.FORKED, "seq"), have=0)
    answer(desk, (Result.FORKED, "seq"), have=0)
    assert desk.db.execute("SELECT count(*) FROM receipt").fetchone()[0] == 1


def test_a_receipt_over_another_history_changes_nothing(desk: SyncDesk) -> None:
    """The fund's last event is not ours: a copy of this desk has spoken, or the fund is not ours."""
    desk.append()
    batch = desk.outbox.due(desk.now)
    offered = offer_of(sent.digest for sent in batch)
    receipt = Receipt(DEVICE, offered, (Decision(Result.ACCEPTED),), 1, "ab" * 32, desk.clock.wall)
    with pytest.raises(ChainDisputed, match="event 1 at the fund"):
        desk.outbox.apply(batch, SignedReceipt(receipt, "token"), desk.now, half)
    assert (desk.status.pending, desk.status.settled) == (1, 0)


def test_a_line_too_slow_for_a_batch_gets_smaller_ones(desk: SyncDesk) -> None:
    """Half as many after each late answer, down to one; then they grow again."""
    desk.append_many(5)
    sizes = []
    for _ in range(4):
        batch = desk.outbox.due(desk.now, force=True)
        sizes.append(len(batch))
        desk.outbox.postpone(batch, desk.now, AnswerLate("no complete answer within 30 s"), half)
    assert sizes == [5, 2, 1, 1]
    answer(desk, (Result.ACCEPTED, None), have=1)
    assert seqs(desk, force=True) == [2, 3]


def test_an_altered_row_is_sent_as_it_is_and_never_blocks_the_reader(desk: SyncDesk) -> None:
    """However long somebody made it: it goes alone, so that the fund can name it."""
    desk.append_many(2)
    desk.db.execute("DROP TRIGGER event_no_update")
    desk.db.execute("UPDATE event SET token = ? WHERE seq = 1", ("x" * 3_000_000,))
    assert seqs(desk) == [1]


def test_the_status_fits_one_line(desk: SyncDesk) -> None:
    """All of it where there is something to say, little where there is not."""
    assert desk.status.summary() == "0 delivered, 0 waiting"
    desk.append_many(2)
    answer(desk, (Result.REJECTED, "signature"), (Result.GAP, "missing"))
    desk.outbox.contact(desk.now, "the fund has blocked this desk")
    desk.outbox.fail(DOWN)
    assert desk.status.summary() == (
        "0 delivered, 1 waiting, oldest 1 s, 1 parked, last failure: E-NET-01 the fund cannot be reached, "
        "ALARM: the fund has blocked this desk"
    )


def test_a_backlog_of_fifty_thousand_events_needs_no_memory(desk: SyncDesk) -> None:
    """The next batch and the status take what a batch takes, not what waits: both are asked each second."""
    token, wall, trust = "h." + "p" * 1300 + ".s", "2026-11-20T09:00:00.000+05:00", "system"
    rows = (
        (seq, f"{seq:032x}", f"{seq:064x}", f"{seq - 1:064x}" if seq > 1 else GENESIS, "checked_in", wall, trust, token)
        for seq in range(1, 50_001)
    )
    with immediate(desk.db):
        desk.db.conn.executemany(
            "INSERT INTO event (seq, event_id, digest, prev, kind, wall, trust, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        desk.db.execute("INSERT INTO outbox (seq) SELECT seq FROM event")
    tracemalloc.start()
    try:
        assert len(desk.outbox.due(desk.now, force=True)) == MAX_EVENTS
        assert desk.status.pending == 50_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * MAX_EVENTS * len(token), "no more than a batch was read"
