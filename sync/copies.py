"""Compares the two copies of a desk's chain, database and journal, and says which of them is right where they differ.

What is in the database is proven by `audit`; here each line of the journal is. Nothing is repaired: that is done at the
next start (`opening`) where a crash explains it, and by `recover` where nothing does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sync.audit import LedgerHead, LedgerReport, verify_ledger
from sync.database import Database, known
from sync.envelope import GENESIS, SignedEvent
from sync.errors import EnvelopeInvalid, LedgerBroken
from sync.journal import Journal
from sync.signing import PublicJwk, verify_event


class Right(StrEnum):
    """Which copy holds the event that was signed."""

    DATABASE = "database"
    JOURNAL = "journal"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event that is not the same in both copies, or not right in one. right: which copy to believe."""

    seq: int
    right: Right
    database: str
    journal: str


@dataclass(frozen=True, slots=True)
class Copies:
    """What a comparison found. database: None when it does not verify. journal: how far its chain verifies.

    difference: None when both are whole and equal. asides: torn ends of the journal that were kept.
    """

    database: LedgerReport | None
    journal: LedgerHead
    difference: Difference | None
    asides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Walk:
    """How far the journal goes: its last good event, why it stops there, and the first event the database has not."""

    head: LedgerHead
    fault: str
    differs: int | None


def compare(db: Database, journal: Journal, jwk: PublicJwk, device: str, fund_jwk: PublicJwk | None = None) -> Copies:
    """Prove both copies, event by event. jwk: the device's registered key. Raises as `database.known`, DiskFailing."""
    report, fault = None, None
    try:
        report = verify_ledger(db, jwk, device, fund_jwk)
    except LedgerBroken as broken:
        fault = broken
    walk = _walk(db, journal, jwk, device)
    difference = _judge(report, fault, walk)
    return Copies(report, walk.head, difference, journal.asides())


def prove_journal(journal: Journal, jwk: PublicJwk, device: str) -> tuple[LedgerHead, str]:
    """How far the journal alone verifies, and why not farther; empty when all of it does. Raises DiskFailing."""
    walk = _walk(None, journal, jwk, device)
    return walk.head, walk.fault


def chain_of(journal: Journal, jwk: PublicJwk, device: str) -> Iterator[SignedEvent | str]:
    """Each event of the journal in order of its lines, or why a line is none of this device's signed events."""
    for line in journal.lines():
        if line.token is None:
            yield f"{line.segment} is damaged at byte {line.offset}"
            continue
        try:
            signed = verify_event(jwk, line.token)
        except EnvelopeInvalid as error:
            yield f"{line.segment} is altered at byte {line.offset}: {error}"
            continue
        yield signed if signed.event.device == device else f"{line.segment} holds an event of another device"


def _walk(db: Database | None, journal: Journal, jwk: PublicJwk, device: str) -> _Walk:
    head, differs = LedgerHead(0, GENESIS), None
    for found in chain_of(journal, jwk, device):
        if isinstance(found, str):
            return _Walk(head, found, differs)
        if (found.event.seq, found.event.prev) != (head.seq + 1, head.digest):
            return _Walk(head, f"event {found.event.seq} does not follow event {head.seq}", differs)
        head = LedgerHead(found.event.seq, found.digest)
        if db is not None and differs is None and _digest(db, head.seq) not in (head.digest, None):
            differs = head.seq
    return _Walk(head, "", differs)


def _digest(db: Database, seq: int) -> str | None:
    with known():
        row = db.execute("SELECT digest FROM event WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def _judge(report: LedgerReport | None, fault: LedgerBroken | None, walk: _Walk) -> Difference | None:
    """Whichever copy verifies at the first event in question is right; two signed events of one number prove a fork."""
    good = walk.head.seq
    bad = [seq for seq in (fault.seq if fault else None, walk.differs) if seq is not None]
    if walk.fault:
        bad.append(good + 1)
    if report is not None and report.head.seq != good:
        bad.append(min(report.head.seq, good) + 1)
    if not bad and fault is None:
        return None
    seq = min(bad, default=0)
    database = report is not None and report.head.seq >= seq
    database = database or (fault is not None and fault.seq is not None and fault.seq > seq)
    journal = good >= seq > 0
    right = Right.NEITHER
    if database != journal:
        right = Right.DATABASE if database else Right.JOURNAL
    in_database = str(fault) if fault is not None and not database else ("verifies" if database else "is missing")
    in_journal = "verifies" if journal else walk.fault or "is missing"
    return Difference(seq, right, in_database, in_journal)
