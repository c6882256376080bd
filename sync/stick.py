"""Delivery without a network: the desk's undelivered events onto a stick, and the fund's receipts from it.

The files are `carry`'s, what a receipt changes `outbox`'s. Nothing is marked as sent by an export: the network and any
number of sticks may deliver the same events, the fund takes each once.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sync.carry import EVENTS, end_line, events_head, events_line, read_carried_receipts
from sync.carry_errors import CarriedInvalid, StickUnusable
from sync.compact import digest_of
from sync.database import Database, known
from sync.durable import sync_directory
from sync.errors import ProtocolViolation
from sync.outbox import Applied, Draw, Outbox
from sync.protocol import MAX_EVENTS, Outgoing, SignedReceipt, encode_receipt, fits, read_receipts
from sync.signing import PublicJwk


@dataclass(frozen=True, slots=True)
class Exported:
    """A file of events: first to last."""

    path: Path
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What a file of receipts changed. receipts: in the file. settled, refused, held: events."""

    receipts: int
    settled: int
    refused: int
    held: int


def export_events(db: Database, device: str, fund: PublicJwk, directory: Path) -> Exported | None:
    """Write every event from the first undelivered one on, in the order of the chain; None when all is delivered.

    fund: the key it is sealed to. The file appears when it is whole and durable, in place of an equal older one.
    Memory: one batch. Raises StickUnusable, and as `database.known`.
    """
    with known():
        first, last = db.execute(
            "SELECT min(seq), (SELECT max(seq) FROM event) FROM outbox WHERE state IN ('pending', 'held')"
        ).fetchone()
    if first is None:
        return None
    return write_events(directory, device, fund, first, _batches(db, first, last))


def write_events(
    directory: Path, device: str, fund: PublicJwk, first: int, batches: Iterable[Sequence[str]]
) -> Exported:
    """One file of events, of which the first has the number `first`; each batch is one that fits a request.

    It appears under its name when it is whole and durable. Raises StickUnusable; what `batches` raises passes.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(events_head(device, fund))
                count, seq = 0, first
                for tokens in batches:
                    file.write(events_line(device, fund, seq, tokens))
                    count, seq = count + 1, seq + len(tokens)
                file.write(end_line(count))
                file.flush()
                os.fsync(file.fileno())
            path = directory / f"{device}-{first}-{seq - 1}.{EVENTS}"
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        sync_directory(directory)
    except OSError as error:
        raise StickUnusable(f"{directory} cannot be written: {error.strerror}") from error
    return Exported(path, first, seq - 1)


def import_receipts(db: Database, device: str, fund_jwk: PublicJwk, path: Path, now: float, draw: Draw) -> Settled:
    """Settle what the receipts of a file prove; a file seen before, or overtaken by the network, changes nothing.

    All of it is verified before anything changes. Raises CarriedInvalid, StickUnusable, ChainDisputed, and as
    `database.known`.
    """
    answers = [
        _verified(db, device, fund_jwk, one.first, one.last, one.token) for one in read_carried_receipts(path, device)
    ]
    outbox = Outbox(db)
    done = [outbox.apply(batch, signed, now, draw) for batch, signed in answers if _news(db, batch, signed)]
    return Settled(len(answers), _sum(done, "settled"), _sum(done, "refused"), _sum(done, "held"))


def _batches(db: Database, first: int, last: int) -> Iterator[list[str]]:
    while first <= last:
        tokens = _tokens(db, first, min(last, first + MAX_EVENTS - 1))
        tokens = tokens[: max(1, fits(tokens))]
        yield tokens
        first += len(tokens)


def _verified(
    db: Database, device: str, fund_jwk: PublicJwk, first: int, last: int, token: str
) -> tuple[tuple[Outgoing, ...], SignedReceipt]:
    if last - first >= MAX_EVENTS:
        raise CarriedInvalid(f"a receipt for {last - first + 1} events is for more than a batch holds")
    batch = tuple(Outgoing(seq, digest_of(text), text) for seq, text in enumerate(_tokens(db, first, last), first))
    try:
        return batch, read_receipts(encode_receipt(token), fund_jwk, device, batch)
    except ProtocolViolation as error:
        raise CarriedInvalid(f"the receipt for events {first} to {last} does not hold: {error}") from error


def _news(db: Database, batch: tuple[Outgoing, ...], signed: SignedReceipt) -> bool:
    """Whether a receipt is new and decides about an event that still waits; a gap decides nothing."""
    with known():
        seen = db.execute("SELECT 1 FROM receipt WHERE token = ?", (signed.token,)).fetchone()
        waiting = {
            seq
            for (seq,) in db.execute(
                "SELECT seq FROM outbox WHERE seq BETWEEN ? AND ? AND state IN ('pending', 'held')",
                (batch[0].seq, batch[-1].seq),
            )
        }
    decided = zip(batch, signed.receipt.decisions, strict=True)
    return seen is None and any(sent.seq in waiting and decision.result.decides for sent, decision in decided)


def _tokens(db: Database, first: int, last: int) -> list[str]:
    with known():
        rows = db.execute("SELECT token FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)).fetchall()
    return [token for (token,) in rows]


def _sum(done: list[Applied], name: str) -> int:
    return sum(getattr(one, name) for one in done)
