"""Proves the stored log: tree, checkpoints and cosignatures, recomputed from its leaves; and gives leaves to compare.

Comparing leaves with the signed events is left to `sync.fund.audit`. Reads a log that goes on growing: what was there
when the audit began is proven, what came later is left for the next one.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from sync.errors import EnvelopeInvalid, LogUntrue
from sync.fund.log_rows import LogRun, StoredCheckpoint
from sync.fund.log_store import LogStore
from sync.log_answer import Run
from sync.log_checkpoint import LogPolicy, read_checkpoint
from sync.merkle import HASH_BYTES, Frontier
from sync.tiles import WIDTH, Tile, tile_of

_PAGE: Final = 1000
_CACHED: Final = 256
"""Tiles kept while devices are walked: 2 MiB."""


@dataclass(frozen=True, slots=True)
class LogReport:
    """What the log holds.

    size: events in it. checkpoints: signed ones, all verified. cosigned: trusted witnesses of the newest one that has
    any, cosigned_size: its size. waiting: accepted events that are not in the log yet.
    """

    size: int
    checkpoints: int
    cosigned: int
    cosigned_size: int
    waiting: int

    @property
    def summary(self) -> str:
        """One line for people and for the demonstration."""
        if not self.checkpoints:
            return f"log: {self.size} events, no checkpoint yet"
        witnesses = "1 witness" if self.cosigned == 1 else f"{self.cosigned} witnesses"
        signed = f"checkpoint of {self.cosigned_size} cosigned by {witnesses}" if self.cosigned else "not cosigned yet"
        return f"log: {self.size} events, {self.checkpoints} checkpoints verified, {signed}"


class LogReader:
    """One log, asked one question after the other; as large as it was when this was opened."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._runner = asyncio.Runner()
        self._cache: dict[int, bytes] = {}
        self.size = self.signed = 0

    def __enter__(self) -> Self:
        """Open it. Raises DatabaseFailure."""
        self._runner.run(self._store.open())
        newest = self._runner.run(self._store.newest(0))  # before the size, which it can never be above
        self.signed = 0 if newest is None else newest.size
        self.size = self._runner.run(self._store.size())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._runner.run(self._store.close())
        self._runner.close()

    def runs(self, device: str) -> Iterator[Run]:
        """The runs of a device, in order."""
        after = 0
        while page := self._runner.run(self._store.runs(device, after, _PAGE)):
            for each in page:
                if each.run.index < self.size:
                    yield each.run
            after = page[-1].run.seq + page[-1].run.count - 1

    def all_runs(self) -> Iterator[LogRun]:
        """The runs of all devices, in the order of the log."""
        index = 0
        while page := self._runner.run(self._store.all_runs(index, _PAGE)):
            for each in page:
                if each.run.index < self.size:
                    yield each
            index = page[-1].run.index + 1

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash at a place of the log; None when it is not stored."""
        number = index // WIDTH
        if number not in self._cache:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[number] = self.tile(Tile(0, number))
        at = index % WIDTH * HASH_BYTES
        return self._cache[number][at : at + HASH_BYTES] or None

    def tile(self, tile: Tile) -> bytes:
        """A tile as it is stored."""
        return self._runner.run(self._store.tiles([tile])).get(tile, b"")

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Every checkpoint, in order."""
        size = 0
        while page := self._runner.run(self._store.checkpoints(size, _PAGE)):
            yield from (each for each in page if each.size <= self.size)
            size = page[-1].size


@dataclass(slots=True)
class TreeWalk:
    """One pass over all leaves, collecting what is wrong with tree and checkpoints. logged: events by device."""

    log: LogReader
    policy: LogPolicy
    frontier: Frontier = field(default_factory=Frontier)
    upper: dict[Tile, bytearray] = field(default_factory=dict)
    checkpoints: int = 0
    cosigned: int = 0
    cosigned_size: int = 0
    logged: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def run(self, tell: Callable[[int], None]) -> None:
        """Recompute everything. tell: gets the number of leaves done so far, now and then."""
        covered = 0
        if self.log.signed > self.log.size:
            self.problems.append(f"the log has {self.log.size} events, and {self.log.signed} were signed")
        for each in self.log.all_runs():
            run = each.run
            self.logged[each.device] += run.count
            if run.index != covered:
                self.problems.append(f"the log has no events numbered {covered} to {run.index - 1}, or has them twice")
            covered = run.index + run.count
        if covered != self.log.size:
            self.problems.append(f"the runs of the log end at {covered} events, not at {self.log.size}")
        for stored in self.log.checkpoints():
            self._grow(stored.size, tell)
            self._compare(stored)
        self._grow(self.log.size, tell)
        for tile, hashes in self.upper.items():
            if self.log.tile(tile)[: len(hashes)] != hashes:
                self.problems.append(f"tile {tile.level}/{tile.number} of the log is not computed from its leaves")

    def _grow(self, size: int, tell: Callable[[int], None]) -> None:
        while self.frontier.size < size:
            index = self.frontier.size
            leaf = self.log.leaf(index)
            if leaf is None:
                self.problems.append(f"event {index} of the log is gone")
                leaf = bytes(HASH_BYTES)
            for level, value in enumerate(self.frontier.append(leaf)):
                if level and level % 8 == 0:
                    self.upper.setdefault(tile_of(level, index >> level), bytearray()).extend(value)
            if index % _PAGE == 0:
                tell(index)

    def _compare(self, stored: StoredCheckpoint) -> None:
        self.checkpoints += 1
        try:
            signed = read_checkpoint(stored.text, self.policy, 0)
        except (EnvelopeInvalid, LogUntrue) as error:
            self.problems.append(f"the checkpoint of {stored.size} events is not as it was signed: {error}")
            return
        if signed.checkpoint.size != stored.size or signed.checkpoint.root != stored.root:
            self.problems.append(f"the checkpoint of {stored.size} events was stored otherwise than signed")
        if self.frontier.root() != signed.checkpoint.root:
            self.problems.append(f"the log's first {stored.size} events are not those that were signed")
        if signed.cosigned:
            self.cosigned, self.cosigned_size = len(signed.cosigned), stored.size


def root_at(log: LogReader, size: int) -> bytes:
    """The root of the first `size` events, recomputed from the leaves. Raises ValueError beyond the end."""
    frontier = Frontier()
    for index in range(size):
        leaf = log.leaf(index)
        if leaf is None:
            raise ValueError(f"the log has no event {index}")
        frontier.append(leaf)
    return frontier.root()
