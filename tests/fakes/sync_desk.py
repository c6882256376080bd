"""A desk's ledger and outbox with a fund in memory, and the oracle that every fault test ends with."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sync.database import Database, immediate, open_database
from sync.journal import Journal
from sync.ledger import LEDGER_MIGRATIONS, Entry, Ledger, ledger_entries, verify_ledger
from sync.outbox import Outbox, OutboxStatus
from sync.signing import FileSigner
from sync.strict_json import Json
from sync.worker import Worker
from tests.fakes.clock import ManualClock
from tests.fakes.fund import FundSimulator

DEVICE = "desk-1"
KEY = bytes(range(32))


@dataclass
class SyncDesk:
    """One desk, one fund, one clock. draw: the jitter, always this."""

    path: Path
    signer: FileSigner
    fund: FundSimulator
    clock: ManualClock = field(default_factory=ManualClock)
    draw: float = 0.5
    journal: Journal | None = None
    db: Database = field(init=False)

    @classmethod
    def create(cls, folder: Path) -> "SyncDesk":
        """A desk without events."""
        signer, fund_signer = FileSigner.create(folder / "device.pem"), FileSigner.create(folder / "fund.pem")
        impostor = FileSigner.create(folder / "impostor.pem")
        clock = ManualClock()
        fund = FundSimulator(DEVICE, signer.public_jwk, fund_signer, clock, impostor=impostor)
        return cls(folder / "desk.db", signer, fund, clock)

    def __post_init__(self) -> None:
        self.db = open_database(self.path, KEY, [LEDGER_MIGRATIONS], create=True)

    def restart(self) -> None:
        """End the process that holds the database, start another."""
        self.db.close()
        self.db = open_database(self.path, KEY, [LEDGER_MIGRATIONS])

    def snapshot(self, path: Path) -> None:
        """Copy the database as a backup would."""
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        path.write_bytes(self.path.read_bytes())

    def restored(self, path: Path) -> "SyncDesk":
        """The same desk, started from a copy."""
        return replace(self, path=path)

    def append(self, kind: str = "checked_in", data: Mapping[str, Json] | None = None) -> Entry:
        """Record an event, a second later."""
        self.clock.advance(1)
        ledger = Ledger(self.db, self.signer, DEVICE, self.journal)
        with immediate(self.db):
            entry = ledger.append(kind, 1, data or {}, self.clock.moment())
        assert isinstance(entry, Entry)
        return entry

    def append_many(self, count: int) -> list[Entry]:
        """Record so many events."""
        return [self.append() for _ in range(count)]

    @property
    def outbox(self) -> Outbox:
        """The queue."""
        return Outbox(self.db)

    @property
    def status(self) -> OutboxStatus:
        """The state of delivery now."""
        return self.outbox.status(self.now)

    @property
    def now(self) -> float:
        """Wall time in seconds since the epoch."""
        return self.clock.wall.timestamp()

    def worker(self) -> Worker:
        """A sync process that has just started."""
        return Worker(self.db, self.fund, DEVICE, self.fund.signer.public_jwk, self.clock, lambda: self.draw)

    def deliver_all(self, patience: int = 60) -> None:
        """Run the sync process, and let time pass, until nothing is pending."""
        worker = self.worker()
        for _ in range(patience):
            worker.run_once()
            if self.status.pending == 0:
                return
            self.clock.advance(1000)
        raise AssertionError(f"still pending: {self.status}")

    def check_everything(self, acknowledged: Iterable[Entry] = ()) -> None:
        """The oracle: nothing acknowledged is lost, nothing is doubled, nothing is believed without proof."""
        report = verify_ledger(self.db, self.signer.public_jwk, DEVICE, self.fund.signer.public_jwk)
        entries = ledger_entries(self.db, 0, 1_000_000)
        assert report.events == len(entries)
        for entry in acknowledged:
            assert entries[entry.seq - 1] == entry, "an acknowledged event is lost or changed"
        held = self.fund.chain
        assert [stored.event.seq for stored in held] == list(range(1, len(held) + 1))
        assert len({stored.event.event_id for stored in held}) == len(held), "an event is doubled at the fund"
        for stored, entry in zip(held, entries, strict=False):
            assert (stored.digest, stored.event.event_id) == (entry.digest, entry.event_id)
        for previous, stored in itertools.pairwise(held):
            assert stored.event.prev == previous.digest
        for seq, state in self.db.execute("SELECT seq, state FROM outbox").fetchall():
            if state == "settled":
                assert held[seq - 1].reason is None, "settled, but the fund did not accept it"
            if state == "refused":
                assert held[seq - 1].reason is not None, "refused, but the fund accepted it"
