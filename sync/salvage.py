"""Hands a dead desk's signed events in: from its journal, wherever that was saved, into a file sealed to the fund.

Only the journal is read, and nothing is signed, opened or changed: no key of the dead desk is needed, and what lies
beside the journal stays a dead copy. The file is `stick`'s; whose the events are, and which are news, the fund decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.carry_errors import NothingSaved
from sync.envelope import GENESIS, SignedEvent, parse_event
from sync.errors import EnvelopeInvalid
from sync.journal import Journal, Line
from sync.protocol import MAX_EVENTS, fits
from sync.signing import PublicJwk
from sync.stick import Exported, write_events


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was handed in. stopped: why the journal could not be followed farther, None when it ends there."""

    device: str
    exported: Exported
    stopped: str | None


def salvage(journal: Journal, fund: PublicJwk, directory: Path, after: int) -> Salvaged:
    """Write the events behind number `after`, as far as they follow each other, to one file; it may be done again.

    fund: the key it is sealed to. Memory: one batch. Raises NothingSaved, StickUnusable, DatabaseFailure.
    """
    chain = _Chain(journal, after)
    events = iter(chain)
    first = next(events, None)
    if first is None:
        raise NothingSaved(chain.stopped or f"{journal.folder} holds no event behind number {after}")
    device = first.event.device
    exported = write_events(directory, device, fund, after + 1, _batches(first.token, events))
    return Salvaged(device, exported, chain.stopped)


class _Chain:
    """The events of a journal behind a number, while each is the next of one device; then, why it stopped."""

    def __init__(self, journal: Journal, after: int) -> None:
        self._journal, self._after = journal, after
        self.stopped: str | None = None

    def __iter__(self) -> Iterator[SignedEvent]:
        last: SignedEvent | None = None
        for line in self._journal.lines(self._after):
            found = _read(line)
            if isinstance(found, SignedEvent):
                if last is None and found.event.seq <= self._after:
                    continue
                if self._follows(found, last):
                    last = found
                    yield found
                    continue
                found = f"event {found.event.seq} of {found.event.device} does not follow"
            self.stopped = f"{found} ({line.segment}, byte {line.offset})"
            return

    def _follows(self, found: SignedEvent, last: SignedEvent | None) -> bool:
        event = found.event
        if last is None:
            return event.seq == self._after + 1 and (self._after > 0 or event.prev == GENESIS)
        return (event.device, event.seq, event.prev) == (last.event.device, last.event.seq + 1, last.digest)


def _read(line: Line) -> SignedEvent | str:
    if line.token is None:
        return "a line is damaged"
    try:
        return parse_event(line.token)
    except EnvelopeInvalid as error:
        return f"a line is altered: {error}"


def _batches(first: str, events: Iterator[SignedEvent]) -> Iterator[list[str]]:
    tokens = [first]
    for signed in events:
        tokens.append(signed.token)
        if len(tokens) == MAX_EVENTS:
            count = fits(tokens)
            yield tokens[:count]
            tokens = tokens[count:]
    while tokens:
        count = fits(tokens)
        yield tokens[:count]
        tokens = tokens[count:]
