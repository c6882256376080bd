"""Checkpoints: events that carry the value of a counter which nobody can set back, in the chip that holds the key.

The counter is its owner's (`device_key`), recording an event is left to `ledger`. A copy of the home that is older than
the last checkpoint shows itself: the counter has gone on without it.

The next checkpoint always says one more than the last. So a crash between the counter's step and the event leaves a
counter that is one ahead, which the next checkpoint takes up; two ahead is no crash, it is an older copy.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from sync.database import Database, known
from sync.envelope import Moment, parse_event
from sync.errors import EnvelopeInvalid, LedgerBroken, RolledBack

CHECKPOINT: Final = "checkpoint"
VERSION: Final = 1

EVERY_EVENTS: Final = 100
"""Events between two checkpoints. A TPM's counter is good for far more steps than a desk lives (specified: at least
2^22 increments in some chips, so 100 events a step are 400 million events)."""

EVERY_MS: Final = 15 * 60 * 1000
"""Milliseconds of work between two checkpoints: what an older copy can hide at most."""


class Counter(Protocol):
    """A counter that only grows, in the same chip as the key. Both methods raise KeyUnusable when that is away."""

    def read(self) -> int:
        """The value."""

    def advance(self) -> int:
        """One more; the new value survives any power cut. A chip's memory wears out: per checkpoint, not per event."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last checkpoint of a chain. counter: its value. moment: when."""

    seq: int
    counter: int
    moment: Moment


def last_checkpoint(db: Database, read: Checkpoint | None = None) -> Checkpoint | None:
    """The newest checkpoint in the chain. read: one that was read before, to save reading it again.

    Raises LedgerBroken when it cannot be read, and as `database.known`.
    """
    with known():
        row = db.execute("SELECT seq, token FROM event WHERE kind = 'checkpoint' ORDER BY seq DESC LIMIT 1").fetchone()
    if row is None:
        return None
    seq, token = row
    if read is not None and read.seq == seq:
        return read
    try:
        event = parse_event(token).event
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"event {seq} is altered: {error}", seq) from error
    counter = event.data.get("counter")
    if not isinstance(counter, int):
        raise LedgerBroken(f"the checkpoint of event {seq} has no counter", seq)
    return Checkpoint(seq, counter, event.moment)


def is_due(last: Checkpoint | None, seq: int, moment: Moment) -> bool:
    """Whether the event with this number should be followed by a checkpoint."""
    if last is None or moment.boot_id != last.moment.boot_id:
        return True
    return seq - last.seq >= EVERY_EVENTS or moment.mono_ms - last.moment.mono_ms >= EVERY_MS


def check_counter(counter: Counter, last: Checkpoint | None) -> int:
    """The counter's value, which fits this chain. Raises RolledBack when an older copy is running; KeyUnusable."""
    value = counter.read()
    if last is not None and not last.counter <= value <= last.counter + 1:
        raise RolledBack(
            f"the key's counter stands at {value}, the last checkpoint (event {last.seq}) at {last.counter}"
        )
    return value


def next_value(counter: Counter, last: Checkpoint | None) -> int:
    """The value of the next checkpoint; the counter stands there when this returns. Raises as `check_counter`."""
    value = check_counter(counter, last)
    return counter.advance() if last is None or value == last.counter else value
