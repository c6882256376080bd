"""A fund's log with a hand on it: each question waits for its answer, and the clock stands still."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from sync.fund.home import FundHome
from sync.fund.log import Log, LogState
from sync.fund.log_rows import StoredCheckpoint
from sync.fund.log_store import LogStore
from sync.fund.log_terms import load_signer, load_terms
from sync.fund.stores import log_store
from sync.log_answer import Inclusion
from sync.log_checkpoint import Growth, LogPolicy
from tests.sync_fund.desk import NOON, StillClock

Answer = TypeVar("Answer")


class BlockingLog:
    """A `Log`, asked from a test."""

    def __init__(self, home: FundHome, store: LogStore | None = None, policy: LogPolicy | None = None) -> None:
        terms = load_terms(home)
        self.clock = StillClock()
        self.store: LogStore = store or log_store(home, NOON)
        self.log = Log(self.store, load_signer(home, terms), policy or terms, self.clock)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self.ask(self.log.open())
        return self

    def __exit__(self, *_: object) -> None:
        self.ask(self.log.close())
        self._runner.close()

    def ask(self, question: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for any question."""
        return self._runner.run(question)

    def advance(self) -> StoredCheckpoint | None:
        """Log and sign what waits."""
        return self.ask(self.log.advance())

    def growth(self, old: int) -> Growth:
        """The newest checkpoint; there is one."""
        growth = self.ask(self.log.growth(old))
        assert growth is not None
        return growth

    def inclusion(self, device: str, after: int = 0, old: int = 0) -> Inclusion:
        """Where a device's events are; there is a checkpoint."""
        found = self.ask(self.log.inclusion(device, after, old))
        assert found is not None
        return found

    def state(self) -> LogState:
        """What people see."""
        return self.ask(self.log.state())
