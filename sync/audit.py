"""Proves that a desk's chain of events is whole, row by row, and that what was delivered has its receipt.

Writing the chain is left to `ledger`. Nothing is repaired here: what does not verify is evidence.
"""

from dataclasses import dataclass

from sync.database import Database, known
from sync.envelope import GENESIS, format_time
from sync.errors import EnvelopeInvalid, LedgerBroken
from sync.protocol import Receipt, Result, offer_of, read_receipt
from sync.signing import PublicJwk, verify_event


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The end of the chain: the last event's number and digest; 0 and 64 zeros when there is none."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """A chain that verified: how many events, its head, and how many verified receipts of the fund."""

    events: int
    head: LedgerHead
    receipts: int


def verify_ledger(db: Database, jwk: PublicJwk, device: str, fund_jwk: PublicJwk | None = None) -> LedgerReport:
    """Read every row and prove it: number, link, signature, digest, stored columns, outbox row, receipts.

    fund_jwk: when given, every stored receipt is verified too, and each delivered event must have one.
    A chain cut off at its end is whole by itself: compare the head with the fund's.
    Raises LedgerBroken naming the first bad event, and as `database.known`.
    """
    with known():
        db.execute("BEGIN")  # one snapshot, although the desk goes on writing
        try:
            head = _verify_events(db, jwk, device)
            receipts = 0 if fund_jwk is None else _verify_receipts(db, fund_jwk, device)
        finally:
            db.rollback()
    return LedgerReport(head.seq, head, receipts)


def _verify_events(db: Database, jwk: PublicJwk, device: str) -> LedgerHead:
    head = LedgerHead(0, GENESIS)
    rows = db.execute(
        "SELECT e.seq, event_id, digest, prev, kind, wall, trust, token, o.seq IS NOT NULL"
        " FROM event e LEFT JOIN outbox o ON o.seq = e.seq ORDER BY e.seq"
    )
    for seq, event_id, digest, prev, kind, wall, trust, token, queued in rows:
        expected = head.seq + 1
        if seq != expected:
            raise LedgerBroken(f"event {expected} is missing", expected)
        try:
            signed = verify_event(jwk, token)
        except EnvelopeInvalid as error:
            raise LedgerBroken(f"event {seq} is altered: {error}", seq) from error
        event = signed.event
        if event.device != device or event.seq != seq or event.prev != head.digest:
            raise LedgerBroken(f"event {seq} does not follow event {head.seq} of {device}", seq)
        told = (event.event_id, event.kind, format_time(event.moment.wall), event.moment.trust.value)
        if (signed.digest, event.prev) != (digest, prev) or told != (event_id, kind, wall, trust):
            raise LedgerBroken(f"the columns of event {seq} do not say what was signed", seq)
        if not queued:
            raise LedgerBroken(f"event {seq} is missing in the outbox", seq)
        head = LedgerHead(seq, signed.digest)
    orphan = db.execute("SELECT min(seq) FROM outbox WHERE seq > ?", (head.seq,)).fetchone()[0]
    if orphan is not None:
        raise LedgerBroken(f"event {orphan} is in the outbox and missing in the ledger", orphan)
    bare = db.execute("SELECT min(last) FROM receipt WHERE last > ?", (head.seq,)).fetchone()[0]
    if bare is not None:
        raise LedgerBroken(f"event {bare} has a receipt and is missing in the ledger", bare)
    return head


def _verify_receipts(db: Database, fund_jwk: PublicJwk, device: str) -> int:
    proven: dict[str, set[int]] = {"settled": set(), "refused": set()}
    count = 0
    for first, last, token in db.execute("SELECT first, last, token FROM receipt ORDER BY id"):
        receipt = _verify_receipt(db, first, last, token, fund_jwk)
        if receipt.device != device:
            raise LedgerBroken(f"the receipt of event {first} is another desk's", first)
        for seq, decision in enumerate(receipt.decisions, first):
            if decision.result in {Result.ACCEPTED, Result.KNOWN}:
                proven["settled"].add(seq)
            elif decision.result is Result.REFUSED:
                proven["refused"].add(seq)
        count += 1
    for seq, state in db.execute("SELECT seq, state FROM outbox WHERE state IN ('settled', 'refused') ORDER BY seq"):
        if seq not in proven[state]:
            raise LedgerBroken(f"event {seq} is {state} without a receipt", seq)
    return count


def _verify_receipt(db: Database, first: int, last: int, token: str, fund_jwk: PublicJwk) -> Receipt:
    """Prove that a stored receipt is the fund's, and for exactly the events first to last."""
    try:
        receipt = read_receipt(token, fund_jwk).receipt
    except EnvelopeInvalid as error:
        raise LedgerBroken(f"a receipt of event {first} is altered: {error}", first) from error
    rows = db.execute("SELECT digest FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)).fetchall()
    if receipt.offered != offer_of(digest for (digest,) in rows) or len(receipt.decisions) != len(rows):
        raise LedgerBroken(f"a receipt of event {first} belongs to other events", first)
    return receipt
