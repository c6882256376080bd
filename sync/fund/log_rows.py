"""What the fund's transparency log keeps, as values, and the pure step from waiting events to a grown tree.

Where it is kept is left to `sync.fund.log_embedded` and `sync.fund.log_postgres`, when it grows to `sync.fund.log`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sync.errors import LogBroken
from sync.log_answer import Run
from sync.log_checkpoint import event_leaf
from sync.merkle import Frontier, tree_of_nodes
from sync.tiles import Tile, grow, nodes_of

PORTION: Final = 2_000
"""Events taken into the tree in one transaction: some 10 ms, in which no device's batch waits longer."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored event that the log has not looked at. refused: it stays out of the log."""

    device: str
    seq: int
    digest: str
    refused: bool


@dataclass(frozen=True, slots=True)
class LogRun:
    """A run of a device's events in the log."""

    device: str
    run: Run


@dataclass(frozen=True, slots=True)
class Pending:
    """The tree's size, its tiles at the edge, and events to append: by device, each in the order of its chain."""

    size: int
    tiles: Mapping[Tile, bytes]
    events: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class TreeGrowth:
    """What one portion changes. tiles: as they are now. looked: for each device, up to which number."""

    size: int
    root: bytes
    tiles: Mapping[Tile, bytes]
    runs: tuple[LogRun, ...]
    looked: Mapping[str, int]
    portion: int


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint that was signed; note: with the log's signature. lines: the witnesses' cosignatures."""

    size: int
    root: bytes
    note: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note with every signature."""
        return self.note + "".join(self.lines)


def integrate(pending: Pending) -> TreeGrowth:
    """Append what waits to the tree. Raises LogBroken when the stored edge is not that of a tree of this size."""
    accepted = [event for event in pending.events if not event.refused]
    try:
        frontier = Frontier.of(nodes_of(lambda tile: pending.tiles.get(tile, b"")), pending.size)
    except ValueError as error:
        raise LogBroken(f"the stored tree does not reach its size of {pending.size}: {error}") from error
    added = grow(frontier, (event_leaf(event.digest) for event in accepted))
    return TreeGrowth(
        size=frontier.size,
        root=frontier.root(),
        tiles={tile: pending.tiles.get(tile, b"") + hashes for tile, hashes in added.items()},
        runs=_runs(pending.size, accepted),
        looked={event.device: event.seq for event in pending.events},
        portion=len(pending.events),
    )


def root_of(tiles: Mapping[Tile, bytes], size: int) -> bytes:
    """The root of the tree of this size, out of the tiles at its edge. Raises LogBroken."""
    try:
        return tree_of_nodes(nodes_of(lambda tile: tiles.get(tile, b"")))(0, size)
    except ValueError as error:
        raise LogBroken(f"the stored tree does not reach its size of {size}: {error}") from error


def _runs(index: int, events: list[Waiting]) -> tuple[LogRun, ...]:
    """The events as runs: consecutive numbers of one device."""
    runs: list[LogRun] = []
    begin = 0
    for end in range(1, len(events) + 1):
        first = events[begin]
        if end < len(events) and (events[end].device, events[end].seq) == (first.device, first.seq + end - begin):
            continue
        runs.append(LogRun(first.device, Run(index + begin, first.seq, end - begin)))
        begin = end
    return tuple(runs)
