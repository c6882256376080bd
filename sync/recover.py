"""Builds a desk's chain anew in a fresh database: from the journal, and where that has a hole, from the old database.

Every event is verified again on its way. The outbox starts as pending: the fund answers `known` and signs its receipts
anew. The desk's own records are carried over as far as the old database can be read; templates of a lost database come
back with the clinic's back-up, or by enrolling again. The old files are renamed, never deleted.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sync.audit import LedgerHead
from sync.copies import chain_of
from sync.database import Database, DatabaseError, immediate
from sync.durable import sync_directory
from sync.envelope import GENESIS, SignedEvent
from sync.errors import DatabaseFailure, DatabaseUnreachable, EnvelopeInvalid, NothingToRecover
from sync.journal import Journal
from sync.ledger import store_event, unwritten
from sync.signing import PublicJwk, verify_event

SUFFIXES: Final = ("", "-wal", "-shm")
_CHAIN: Final = frozenset({"event", "outbox", "receipt", "delivery", "fund_head", "_sqlite_migrations"})
"""Tables that are built anew, and those that speak of them: the fund tells its part again."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came back. from_database: events that only the old database had. aside: the old database's new name, if any.

    carried: other tables and their rows; lost: tables that could not be read; all of them when there was no database.
    """

    events: int
    from_database: int
    aside: str | None
    carried: tuple[tuple[str, int], ...]
    lost: tuple[str, ...]


def recover(
    database: Path,
    journal: Journal,
    jwk: PublicJwk,
    device: str,
    at: datetime,
    open_at: Callable[[Path, bool], Database],
) -> Recovered:
    """Put a database with the whole chain in the old one's place. While no process has the old one open.

    open_at: opens the database at a path (True: creates it) with the desk's key and tables. at: names the old files.
    Raises NothingToRecover, DatabaseUnreachable, and as `open_database` for the new file.
    """
    fresh = database.with_name(f"{database.name}.recovering")
    for suffix in SUFFIXES:
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)  # ours, of a run that was cut off
    with contextlib.ExitStack() as stack:
        old = _old(database, open_at)
        if old is not None:
            stack.callback(old.close)
        new = open_at(fresh, True)
        stack.callback(new.close)
        events, from_database = _rebuild(new, old, journal, jwk, device)
        carried, lost = _carry_over(new, old)
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        journal.extend(unwritten(new))
    aside = _put_in_place(fresh, database, at)
    return Recovered(events, from_database, aside, carried, lost)


def _old(database: Path, open_at: Callable[[Path, bool], Database]) -> Database | None:
    """The old database, if anything of it can be read."""
    try:
        return open_at(database, False)
    except DatabaseFailure:
        return None


def _rebuild(new: Database, old: Database | None, journal: Journal, jwk: PublicJwk, device: str) -> tuple[int, int]:
    count = from_database = 0
    with immediate(new):
        for signed, only_there in _chain(old, journal, jwk, device):
            store_event(new, signed)
            count += 1
            from_database += only_there
        if not count:
            raise NothingToRecover("neither the journal nor the database holds an event that verifies")
    return count, from_database


def _chain(old: Database | None, journal: Journal, jwk: PublicJwk, device: str) -> Iterator[tuple[SignedEvent, bool]]:
    """The longest verified chain; with each event, whether only the old database had it."""
    head = LedgerHead(0, GENESIS)
    for found in chain_of(journal, jwk, device):
        if isinstance(found, str) or found.event.seq <= head.seq:
            continue  # the hole is filled below, or ends the chain
        while head.seq + 1 < found.event.seq and (filling := _from_old(old, head, jwk, device)) is not None:
            head = LedgerHead(filling.event.seq, filling.digest)
            yield filling, True
        if (found.event.seq, found.event.prev) == (head.seq + 1, head.digest):
            head = LedgerHead(found.event.seq, found.digest)
            yield found, False
    while (filling := _from_old(old, head, jwk, device)) is not None:
        head = LedgerHead(filling.event.seq, filling.digest)
        yield filling, True


def _from_old(old: Database | None, head: LedgerHead, jwk: PublicJwk, device: str) -> SignedEvent | None:
    """The old database's next event, if it verifies and follows."""
    if old is None:
        return None
    try:
        row = old.execute("SELECT token FROM event WHERE seq = ?", (head.seq + 1,)).fetchone()
        signed = None if row is None else verify_event(jwk, row[0])
    except (DatabaseError, EnvelopeInvalid):
        return None
    if signed is None:
        return None
    event = signed.event
    return signed if (event.device, event.seq, event.prev) == (device, head.seq + 1, head.digest) else None


def _carry_over(new: Database, old: Database | None) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """Copy every other table, each whole or not at all."""
    tables = [name for name in new.table_names() if name not in _CHAIN and not name.startswith("sqlite_")]
    if old is None:
        return (), tuple(tables)
    carried, lost = [], []
    new.execute("PRAGMA foreign_keys = OFF")
    for table in tables:
        try:
            with immediate(new):
                carried.append((table, _copy(table, old, new)))
        except DatabaseError:
            lost.append(table)
    new.execute("PRAGMA foreign_keys = ON")
    return tuple(each for each in carried if each[1]), tuple(lost)


def _copy(table: str, old: Database, new: Database) -> int:
    count = 0
    new.execute(f"DELETE FROM {table}")  # noqa: S608 - what a migration put there
    for row in old.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names of our own tables
        new.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608 - as above
        count += 1
    return count


def _put_in_place(fresh: Path, database: Path, at: datetime) -> str | None:
    """The old files get a name of their own, then the new one takes theirs."""
    aside = None
    try:
        for suffix in reversed(SUFFIXES):
            old = database.with_name(database.name + suffix)
            if old.exists():
                kept = f"{database.name}.broken-{at:%Y%m%dT%H%M%S}"
                old.rename(database.with_name(kept + suffix))
                aside = kept
        sync_directory(database.parent)
        fresh.rename(database)
        sync_directory(database.parent)
    except OSError as error:
        raise DatabaseUnreachable(f"{database.name} cannot be replaced: {error.strerror}") from error
    return aside
