"""Checkpoints: an older copy of database and journal shows by a counter that cannot be set back."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sync.checkpoint import EVERY_EVENTS, EVERY_MS, last_checkpoint
from sync.database import immediate
from sync.drafts import Draft
from sync.envelope import parse_event
from sync.errors import RolledBack
from sync.journal import Journal
from sync.ledger import Entry, Ledger, ledger_entries, ledger_head
from sync.opening import Opening, look
from tests.fakes.counter import ManualCounter
from tests.fakes.sync_desk import DEVICE, SyncDesk


class Interrupted(Exception):
    """Before the commit."""


@dataclass
class Counting:
    """A desk with a counter."""

    desk: SyncDesk
    counter: ManualCounter
    ledger: Ledger

    def append(self) -> Entry | Draft:
        """Record an event, a second later."""
        self.desk.clock.advance(1)
        with immediate(self.desk.db):
            return self.ledger.append("checked_in", 1, {}, self.desk.clock.moment())

    def append_in_vain(self) -> None:
        """Record an event in a transaction that fails."""
        with contextlib.suppress(Interrupted), immediate(self.desk.db):
            self.ledger.append("checked_in", 1, {}, self.desk.clock.moment())
            raise Interrupted

    def values(self) -> list[int]:
        """Of all checkpoints."""
        events = [parse_event(entry.token).event for entry in ledger_entries(self.desk.db, 0, 10_000)]
        return [int(str(event.data["counter"])) for event in events if event.kind == "checkpoint"]

    def opened(self) -> Opening:
        """What a start finds."""
        assert self.desk.journal is not None
        return look(self.desk.db, self.desk.journal, self.desk.signer.public_jwk, DEVICE, self.counter)


@pytest.fixture
def counting(desk: SyncDesk, tmp_path: Path) -> Counting:
    """A desk with a journal and a counter that stands at 40."""
    return start(replace(desk, journal=Journal(tmp_path / "journal")), ManualCounter())


def start(desk: SyncDesk, counter: ManualCounter) -> Counting:
    """A process of the desk."""
    return Counting(desk, counter, Ledger(desk.db, desk.signer, DEVICE, desk.journal, counter))


def test_checkpoints_come_with_the_first_event_by_count_by_time_and_at_each_boot(counting: Counting) -> None:
    """Each says one more than the last; the counter stood there before the event was signed."""
    counting.append()
    assert counting.values() == [41]
    for _ in range(EVERY_EVENTS - 2):
        counting.append()
    assert counting.values() == [41]
    counting.append()
    assert counting.values() == [41, 42]
    counting.desk.clock.advance(EVERY_MS / 1000)
    counting.append()
    assert counting.values() == [41, 42, 43]
    counting.desk.clock.reboot("boot-2")
    counting.append()
    assert counting.values() == [41, 42, 43, 44]
    assert counting.counter.value == 44
    assert counting.opened() == Opening(counter=44)
    counting.desk.check_everything()


def test_a_step_whose_event_was_lost_is_taken_up_by_the_next_checkpoint(counting: Counting) -> None:
    """A crash between the counter and the commit is no alarm, however often it happens."""
    counting.append()
    for _ in range(3):
        counting.desk.clock.advance(EVERY_MS / 1000)
        counting.append_in_vain()
    assert counting.opened().stopped is None
    counting.append()
    assert counting.values()[-1] == counting.counter.value
    assert counting.counter.steps == len(counting.values())


def test_an_older_copy_of_database_and_journal_shows_by_the_counter(counting: Counting, tmp_path: Path) -> None:
    """Both copies put back: nothing is signed, what happens is kept as drafts, and nothing reaches the fund."""
    counting.append()
    desk = counting.desk
    assert desk.journal is not None
    desk.snapshot(tmp_path / "old.db")
    (segment,) = desk.journal.folder.glob("*.journal")
    before = segment.read_bytes()
    for _ in range(2):
        desk.clock.advance(EVERY_MS / 1000)
        counting.append()
    segment.write_bytes(before)
    old = start(replace(desk, path=tmp_path / "old.db", journal=Journal(desk.journal.folder)), counting.counter)
    found = old.opened()
    assert isinstance(found.stopped, RolledBack)
    assert "counter" in str(found.stopped)
    head = ledger_head(old.desk.db)
    desk.clock.advance(EVERY_MS / 1000)
    assert isinstance(old.append(), Draft), "also when nobody looked at the start"
    assert isinstance(old.ledger.stopped, RolledBack)
    assert ledger_head(old.desk.db) == head
    old.desk.db.close()


def test_a_counter_out_of_reach_makes_no_checkpoint_and_no_alarm(counting: Counting) -> None:
    """The key is in the same chip; the event says for itself whether it could be signed."""
    counting.append()
    counting.counter.away = True
    counting.desk.clock.advance(EVERY_MS / 1000)
    assert counting.opened() == Opening()
    assert isinstance(counting.append(), Entry)
    assert counting.values() == [41]
    counting.counter.away = False
    counting.append()
    assert counting.values() == [41, 42]


def test_a_desk_without_a_counter_has_no_checkpoints(desk: SyncDesk) -> None:
    """And says so in `keldim doctor`."""
    desk.append_many(3)
    assert last_checkpoint(desk.db) is None
