"""The chain of events: grows by one transaction at a time, and shows every change to its past."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.audit import verify_ledger
from sync.compact import encode_part
from sync.database import IntegrityError, immediate
from sync.envelope import EVENT_TYP, GENESIS, TimeTrust, format_time, parse_event
from sync.errors import KeyUnusable, LedgerBroken, RolledBack
from sync.ledger import Entry, Ledger, count_kinds, export_ledger, keep_fund_head, ledger_entries, ledger_head
from sync.protocol import RECEIPT_TYP, read_receipt, receipt_members
from sync.signing import FileSigner, sign_compact, sign_members
from tests.fakes.clock import ManualClock
from tests.fakes.signer import FaultySigner
from tests.fakes.sync_desk import DEVICE, SyncDesk

NOW = ManualClock().moment()


def ledger_of(desk: SyncDesk) -> Ledger:
    """The writing end."""
    return Ledger(desk.db, desk.signer, DEVICE)


def without_triggers(desk: SyncDesk) -> None:
    """What somebody with the key and a SQL prompt would do first."""
    names = desk.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        desk.db.execute(f"DROP TRIGGER {name}")
    desk.db.execute("PRAGMA foreign_keys = OFF")


def test_events_are_counted_by_kind(desk: SyncDesk) -> None:
    """Numbers only."""
    assert count_kinds(desk.db) == {}
    kinds = [entry.kind for entry in desk.append_many(3)]
    assert count_kinds(desk.db) == {kind: kinds.count(kind) for kind in kinds}


def test_the_first_event_follows_nothing_and_the_next_the_first(desk: SyncDesk) -> None:
    """Seq 1, 2, ...; prev is the digest of the event before."""
    ledger = ledger_of(desk)
    assert (ledger.head().seq, ledger.head().digest) == (0, GENESIS)
    first, second = desk.append_many(2)
    assert (first.seq, second.seq) == (1, 2)
    assert parse_event(first.token).event.prev == GENESIS
    assert parse_event(second.token).event.prev == first.digest
    assert ledger.entries() == (first, second) == ledger_entries(desk.db)
    assert ledger.entries(after=1) == (second,)
    assert ledger.entries(limit=1) == (first,)
    assert (ledger.head().seq, ledger.head().digest) == (2, second.digest)
    assert ledger.verify().events == 2


def test_an_event_keeps_the_id_it_was_born_with(desk: SyncDesk) -> None:
    """And an id is used once."""
    with immediate(desk.db):
        entry = ledger_of(desk).append("enrolled", 2, {"a": [1, None]}, desk.clock.moment(), "ab" * 16)
    assert isinstance(entry, Entry)
    event = parse_event(entry.token).event
    assert (entry.event_id, event.event_id, event.kind, event.kind_v, event.data) == (
        *("ab" * 16, "ab" * 16, "enrolled", 2),
        {"a": [1, None]},
    )
    with pytest.raises(IntegrityError), immediate(desk.db):
        ledger_of(desk).append("enrolled", 2, {}, desk.clock.moment(), "ab" * 16)
    assert ledger_head(desk.db).seq == 1


def test_an_event_is_found_by_its_id(desk: SyncDesk) -> None:
    """Its signed bytes as they were stored; an id of nobody's gives nothing."""
    ledger, entry = ledger_of(desk), desk.append()
    assert ledger.token(entry.event_id) == entry.token
    assert ledger.token("0" * 32) is None


def test_nothing_is_appended_outside_a_transaction(desk: SyncDesk) -> None:
    """The caller's change and its event stand or fall together."""
    with pytest.raises(RuntimeError, match="immediate"):
        ledger_of(desk).append("checked_in", 1, {}, desk.clock.moment())


def test_events_wait_for_the_key_and_are_signed_in_their_order(desk: SyncDesk) -> None:
    """Counted while they wait; then signed by `sign_drafts`, as many as asked for; nobody else signs them."""
    key = FaultySigner(desk.signer, KeyUnusable("the token is away"))
    ledger = Ledger(desk.db, key, DEVICE)
    ids = []
    for _ in range(3):
        with immediate(desk.db):
            ids.append(ledger.append("checked_in", 1, {}, desk.clock.moment()).event_id)
    assert (ledger.waiting, ledger.head().seq) == (3, 0)
    assert desk.status.unsigned == 3
    assert "3 unsigned, waiting for the device key" in desk.status.summary()
    assert ledger.sign_drafts(desk.clock.moment()) == 0
    key.before = None
    assert ledger.sign_drafts(desk.clock.moment(), most=2) == 2
    assert ledger.sign_drafts(desk.clock.moment()) == 1
    assert ledger.sign_drafts(desk.clock.moment()) == 0
    assert [entry.event_id for entry in ledger.entries()] == ids
    assert ledger.verify().events == 3


def test_a_desk_that_the_fund_is_ahead_of_signs_nothing_more(desk: SyncDesk) -> None:
    """An older copy would fork the chain: what happens waits as drafts, and the ledger says why."""
    desk.append()
    with immediate(desk.db):
        keep_fund_head(desk.db, 2, "0" * 64)
    ledger = ledger_of(desk)
    with immediate(desk.db):
        ledger.append("checked_in", 1, {}, desk.clock.moment())
    assert isinstance(ledger.stopped, RolledBack)
    assert (ledger.waiting, ledger.head().seq) == (1, 1)


def test_a_ledger_without_a_journal_has_nothing_to_publish(desk: SyncDesk) -> None:
    """As in a benchmark."""
    desk.append()
    ledger_of(desk).publish()


def test_a_transaction_that_fails_leaves_no_event(desk: SyncDesk) -> None:
    """Neither in the ledger nor in the outbox; the next event takes the number."""
    with pytest.raises(ZeroDivisionError), immediate(desk.db):
        ledger_of(desk).append("checked_in", 1, {"score": 1 / (ledger_of(desk).append("a", 1, {}, NOW).seq - 1)}, NOW)
    assert ledger_head(desk.db).seq == 0
    assert desk.append().seq == 1
    desk.check_everything()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET kind = 'declined' WHERE seq = 1",
        "UPDATE event SET seq = 9 WHERE seq = 2",
        "DELETE FROM event WHERE seq = 2",
        "REPLACE INTO event SELECT * FROM event WHERE seq = 1",
        "INSERT INTO event SELECT 4, 'x', digest, prev, kind, wall, trust, token FROM event WHERE seq = 1",
        "INSERT INTO event SELECT 3, 'x', hex(randomblob(32)), prev, kind, wall, trust, token FROM event WHERE seq = 2",
        "DELETE FROM outbox WHERE seq = 1",
        "UPDATE outbox SET state = 'settled' WHERE seq = 2",
        "UPDATE receipt SET received = 0",
        "DELETE FROM receipt",
    ],
)
def test_the_database_itself_refuses_to_change_the_past(desk: SyncDesk, statement: str) -> None:
    """Triggers, not manners."""
    desk.append()
    desk.deliver_all()
    desk.append()
    with pytest.raises(IntegrityError):
        desk.db.execute(statement)
    desk.check_everything()


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("DELETE FROM event WHERE seq = 2", 2),
        ("UPDATE event SET token = (SELECT token FROM event WHERE seq = 3) WHERE seq = 2", 2),
        ("UPDATE event SET token = substr(token, 1, length(token) - 4) || 'AAAA' WHERE seq = 3", 3),
        ("UPDATE event SET token = 'x' WHERE seq = 3", 3),
        ("UPDATE event SET kind = 'declined' WHERE seq = 4", 4),
        ("UPDATE event SET wall = 'yesterday' WHERE seq = 4", 4),
        ("UPDATE event SET trust = 'fund' WHERE seq = 4", 4),
        ("UPDATE event SET event_id = 'other' WHERE seq = 4", 4),
        ("UPDATE event SET digest = prev || '' WHERE seq = 2", 2),
        ("UPDATE event SET prev = digest WHERE seq = 2", 2),
        ("DELETE FROM outbox WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 5", 5),
    ],
)
def test_verify_names_the_first_event_that_was_touched(desk: SyncDesk, statement: str, seq: int) -> None:
    """Removed, replaced, cut, re-labelled, or a column that says something else than was signed."""
    desk.append_many(5)
    without_triggers(desk)
    if "digest = prev" in statement:
        statement = statement.replace("prev || ''", f"'{'ab' * 32}'")
    desk.db.execute(statement)
    with pytest.raises(LedgerBroken, match=str(seq)) as broken:
        ledger_of(desk).verify()
    assert broken.value.seq == seq
    assert broken.value.remedy


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 4), st.data())
def test_no_byte_of_a_stored_event_can_be_changed(desk: SyncDesk, seq: int, data: st.DataObject) -> None:
    """Any character of any stored token, replaced by any other: the audit names that event."""
    if ledger_head(desk.db).seq == 0:
        desk.append_many(4)
        without_triggers(desk)
    token = ledger_entries(desk.db, seq - 1, 1)[0].token
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_.").filter(lambda character: character != token[place]))
    desk.db.execute("UPDATE event SET token = ? WHERE seq = ?", (token[:place] + other + token[place + 1 :], seq))
    with pytest.raises(LedgerBroken) as broken:
        ledger_of(desk).verify()
    desk.db.execute("UPDATE event SET token = ? WHERE seq = ?", (token, seq))
    assert broken.value.seq == seq
    assert ledger_of(desk).verify().events == 4


def test_an_event_signed_by_another_key_or_for_another_desk_is_found(desk: SyncDesk) -> None:
    """A validly formed row is not enough."""
    desk.append_many(2)
    with pytest.raises(LedgerBroken, match="event 1 "):
        verify_ledger(desk.db, desk.fund.signer.public_jwk, DEVICE)
    with pytest.raises(LedgerBroken, match="event 1 "):
        verify_ledger(desk.db, desk.signer.public_jwk, "desk-2")


def test_an_event_of_this_desk_over_another_past_is_found(desk: SyncDesk, tmp_path: Path) -> None:
    """Both branches of a fork are validly signed; spliced together they are no chain."""
    desk.append()
    desk.snapshot(tmp_path / "branch.db")
    branch = desk.restored(tmp_path / "branch.db")
    desk.append_many(2)
    branch.append("declined")
    stray = branch.append()
    branch.db.close()
    without_triggers(desk)
    desk.db.execute(
        "UPDATE event SET event_id = ?, digest = ?, kind = ?, wall = ?, trust = ?, token = ?, prev ="
        " (SELECT digest FROM event WHERE seq = 2) WHERE seq = 3",
        (stray.event_id, stray.digest, stray.kind, format_time(stray.wall), stray.trust.value, stray.token),
    )
    with pytest.raises(LedgerBroken, match="event 3 does not follow event 2"):
        ledger_of(desk).verify()


def test_a_row_in_the_outbox_without_its_event_is_found(desk: SyncDesk) -> None:
    """The end of the chain cut off, but not the queue."""
    desk.append_many(2)
    without_triggers(desk)
    desk.db.execute("DELETE FROM event WHERE seq = 2")
    with pytest.raises(LedgerBroken, match="event 2 is in the outbox"):
        ledger_of(desk).verify()


def test_receipts_are_proven_too(desk: SyncDesk) -> None:
    """Altered, of other events, of another desk, or missing for a settled or refused one."""
    for kind in ("checked_in", "strange"):
        desk.fund.unwanted.add("strange")
        desk.append(kind)
        desk.deliver_all()
    fund = desk.fund.signer.public_jwk
    assert ledger_of(desk).verify(fund).receipts == 2
    without_triggers(desk)
    first, second = (row[0] for row in desk.db.execute("SELECT token FROM receipt ORDER BY id").fetchall())
    for token, match in ((first[:-4] + "AAAA", "receipt of event 2 is altered"), (first + " ", "altered")):
        desk.db.execute("UPDATE receipt SET token = ? WHERE first = 2", (token,))
        with pytest.raises(LedgerBroken, match=match):
            ledger_of(desk).verify(fund)
    desk.db.execute("UPDATE receipt SET token = 'gone' WHERE first = 1")
    desk.db.execute("UPDATE receipt SET token = ? WHERE first = 2", (first,))
    desk.db.execute("DELETE FROM receipt WHERE first = 1")
    with pytest.raises(LedgerBroken, match="other events"):
        ledger_of(desk).verify(fund)
    desk.db.execute("UPDATE receipt SET token = ? WHERE first = 2", (second,))
    with pytest.raises(LedgerBroken, match="event 1 is settled without a receipt"):
        ledger_of(desk).verify(fund)
    desk.db.execute("INSERT INTO receipt (first, last, received, token) VALUES (1, 1, 0, ?)", (first,))
    assert ledger_of(desk).verify(fund).receipts == 2
    desk.db.execute("DELETE FROM receipt WHERE first = 2")
    with pytest.raises(LedgerBroken, match="event 2 is refused without a receipt"):
        ledger_of(desk).verify(fund)
    strange = replace(read_receipt(first, fund).receipt, device="desk-2")
    token = sign_members(desk.fund.signer, RECEIPT_TYP, receipt_members(strange))
    desk.db.execute("UPDATE receipt SET token = ?", (token,))
    with pytest.raises(LedgerBroken, match="another desk's"):
        ledger_of(desk).verify(fund)


def test_the_export_holds_every_signed_byte(desk: SyncDesk) -> None:
    """One line per event, with its receipts: an auditor needs nothing else."""
    entries = desk.append_many(3)
    desk.deliver_all()
    stream = io.StringIO()
    assert ledger_of(desk).export(stream) == 3 == export_ledger(desk.db, io.StringIO())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["seq"], line["token"]) for line in lines] == [(entry.seq, entry.token) for entry in entries]
    assert all(len(line["receipts"]) == 1 for line in lines)


def test_the_chain_does_not_grow_over_a_broken_end(desk: SyncDesk) -> None:
    """An unreadable last event stops the desk, by name."""
    desk.append()
    without_triggers(desk)
    desk.db.execute("UPDATE event SET token = 'x'")
    with pytest.raises(LedgerBroken, match="event 1 is altered"):
        desk.append()


def test_too_much_data_is_a_bug_of_the_caller(desk: SyncDesk) -> None:
    """Found before signing; nothing is written."""
    with pytest.raises(ValueError, match="longer"):
        desk.append(data={"text": "x" * 20_000})
    assert ledger_head(desk.db).seq == 0


@pytest.mark.parametrize("step_s", [-86_400.0, -3.0, 3.0, 86_400.0])
def test_a_clock_jump_between_events_is_flagged_and_refuses_nothing(desk: SyncDesk, step_s: float) -> None:
    """The event that shows the jump says so, with an uncertainty that covers it, until the fund clears it."""
    assert desk.append().trust is TimeTrust.SYSTEM
    desk.clock.step_wall(step_s)
    jumped = desk.append()
    moment = parse_event(jumped.token).event.moment
    assert moment.trust is jumped.trust is TimeTrust.SUSPECT
    assert moment.uncertainty_ms >= abs(step_s) * 1000
    assert desk.append().trust is TimeTrust.SUSPECT
    desk.deliver_all()
    assert desk.append().trust is TimeTrust.FUND
    desk.check_everything()


def test_an_event_of_somebody_else_cannot_be_smuggled_in(
    desk: SyncDesk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Somebody with the database key but without the device key cannot add an event that verifies."""
    entry = desk.append()
    without_triggers(desk)
    thief = FileSigner.create(tmp_path_factory.mktemp("thief") / "key.pem")
    payload = parse_event(entry.token)
    forged = sign_compact(thief, EVENT_TYP, json.dumps({"v": 1}).encode())
    body = re.sub(r"^[^.]+\.[^.]+", lambda _: forged.rpartition(".")[0], entry.token)
    assert payload.digest == entry.digest
    for token in (forged, body, f"{encode_part(b'{}')}.{encode_part(b'{}')}.{encode_part(b'0' * 64)}"):
        desk.db.execute("UPDATE event SET token = ?", (token,))
        with pytest.raises(LedgerBroken):
            ledger_of(desk).verify()
