"""What a desk does before it signs its first event: sees whether database, journal, receipts and counter fit.

A crash leaves a journal that is one transaction behind, or a torn line: both are completed from the database. A
journal that is ahead means that the database is an older copy: the missing events are adopted. What cannot be put
together stops the chain from growing (`Ledger.stop`): visits are kept as drafts, and a person is told. Proving every
event is left to `audit`, rebuilding a database to `recover`.
"""

from dataclasses import dataclass

from sync.checkpoint import Counter, check_counter, last_checkpoint
from sync.database import Database, IntegrityError, immediate, known
from sync.drafts import Drafts
from sync.envelope import parse_event
from sync.errors import EnvelopeInvalid, KeyUnusable, LedgerBroken, RolledBack, SyncFailure
from sync.journal import Journal, JournalEnd
from sync.ledger import Ledger, LedgerHead, ledger_entries, ledger_head, newest_known, store_event, unwritten
from sync.signing import PublicJwk, verify_event


@dataclass(frozen=True, slots=True)
class Opening:
    """How the copies fitted. completed: events the journal was behind. adopted: events the database was behind.

    stopped: why nothing may be signed; None when all is well. counter: value of the key's counter; None when it has
    none, or is out of reach.
    """

    completed: int = 0
    adopted: int = 0
    stopped: SyncFailure | None = None
    counter: int | None = None


def look(db: Database, journal: Journal, jwk: PublicJwk, device: str, counter: Counter | None = None) -> Opening:
    """Compare the copies, complete the one that is behind, and say whether the chain may grow.

    jwk: the device's registered key. Raises DiskFull and DiskFailing when the journal cannot be completed; as `known`.
    """
    try:
        completed, adopted = _put_together(db, journal, jwk, device)
        _check_known(db)
        return Opening(completed, adopted, counter=_counter(db, counter))
    except (LedgerBroken, RolledBack) as failure:
        return Opening(stopped=failure)


def open_ledger(ledger: Ledger, found: Opening) -> Ledger:
    """The ledger, stopped if the copies do not fit."""
    if found.stopped is not None:
        ledger.stop(found.stopped)
    return ledger


def _put_together(db: Database, journal: Journal, jwk: PublicJwk, device: str) -> tuple[int, int]:
    end, head = journal.end(), ledger_head(db)
    if end.seq > head.seq:
        return 0, _adopt(db, journal, jwk, device)
    _same(db, end)
    if end.seq < head.seq or end.torn:
        return journal.extend(unwritten(db)), 0
    return 0, 0


def _same(db: Database, end: JournalEnd) -> None:
    """The journal's last event is the database's of that number."""
    if not end.seq:
        return
    entries = ledger_entries(db, end.seq - 1, 1)
    if not entries or (entries[0].seq, entries[0].digest) != (end.seq, end.digest):
        raise LedgerBroken(f"event {end.seq} of the journal is not the database's", end.seq)


def _adopt(db: Database, journal: Journal, jwk: PublicJwk, device: str) -> int:
    """Take over what the journal has and the database lacks: all of it, or nothing."""
    count = 0
    try:
        with immediate(db):
            head = ledger_head(db)
            for line in journal.lines(max(head.seq - 1, 0)):
                if line.token is None:
                    continue  # a damaged line that is needed shows below as a hole
                seq = _number(line.token)
                if seq == head.seq and count == 0:
                    _same(db, JournalEnd(seq, parse_event(line.token).digest))
                elif seq > head.seq:
                    head = _take_over(db, line.token, head, jwk, device)
                    count += 1
    except IntegrityError as error:
        raise LedgerBroken(f"the database does not take event {head.seq + 1} of the journal", head.seq + 1) from error
    return count


def _number(token: str) -> int:
    try:
        return parse_event(token).event.seq
    except EnvelopeInvalid:
        return 0


def _take_over(db: Database, token: str, head: LedgerHead, jwk: PublicJwk, device: str) -> LedgerHead:
    expected = head.seq + 1
    try:
        signed = verify_event(jwk, token)
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"event {expected} of the journal is altered: {error}", expected) from error
    event = signed.event
    if (event.device, event.seq, event.prev) != (device, expected, head.digest):
        raise LedgerBroken(f"event {event.seq} of the journal does not follow event {head.seq}", expected)
    store_event(db, signed)
    Drafts(db).signed(event.event_id, event.seq)
    return LedgerHead(event.seq, signed.digest)


def _check_known(db: Database) -> None:
    """Nothing that came from the fund speaks of events this database does not have."""
    head, newest = ledger_head(db).seq, newest_known(db)
    if newest > head:
        raise RolledBack(f"the fund has signed for event {newest}, this database ends with {head}")


def _counter(db: Database, counter: Counter | None) -> int | None:
    if counter is None:
        return None
    try:
        with known():
            return check_counter(counter, last_checkpoint(db))
    except KeyUnusable:
        return None
