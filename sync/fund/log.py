"""The fund's transparency log: takes stored events into its tree, signs checkpoints, and proves what it holds.

Storage is left to `sync.fund.log_store`, requests to `sync.fund.log_app`, trees to `merkle`. What was signed is never
contradicted: a new checkpoint is signed only when the stored tree still has the root of the last one, and is stored
before anybody sees it.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sync.envelope import Moment
from sync.errors import DatabaseFailure, EnvelopeInvalid, LogBroken
from sync.fund.log_rows import PORTION, StoredCheckpoint, integrate, root_of
from sync.fund.log_store import LogStore
from sync.log_answer import MAX_RUNS, Inclusion, ProvenRun, Run
from sync.log_checkpoint import Checkpoint, Growth, LogPolicy
from sync.merkle import HASH_BYTES, Subtree, consistency_proof, range_proof, tree_of_nodes
from sync.note import Note, NoteSigner, read_signatures
from sync.tiles import Tile, edge, nodes_of, tile_of

logger = logging.getLogger(__name__)

CHECKPOINT_EVERY_S: Final = 5.0
"""Between two checkpoints at most: a receipt waits this long and a witness has one to sign, not one for each visit."""

MOST_PAUSE_S: Final = 60.0
"""Of a log whose database fails; a tenth of the promised delay."""

Made = TypeVar("Made")


class WallClock(Protocol):
    """The part of a clock that the log needs."""

    def moment(self) -> Moment:
        """All clocks of the machine, read together."""


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as people see it. size: events in the tree. checkpoint: the newest one, or None. cosigned: its witnesses.

    witnesses: how many there are. broken: why the log signs nothing more, or None.
    """

    size: int
    checkpoint: StoredCheckpoint | None
    cosigned: int
    witnesses: int
    merge_delay_s: int
    broken: str | None

    @property
    def summary(self) -> str:
        """One line for people and for the demonstration."""
        if self.checkpoint is None:
            return f"log: {self.size} events, no checkpoint yet"
        signed = (
            f"checkpoint of {self.checkpoint.size} events cosigned by {self.cosigned} of {self.witnesses} witnesses"
        )
        return f"log: {self.size} events, {signed}" + (f"; BROKEN: {self.broken}" if self.broken else "")


class Log:
    """The log of one fund; all in one event loop."""

    def __init__(self, store: LogStore, signer: NoteSigner, policy: LogPolicy, clock: WallClock) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._broken: str | None = None
        self.policy = policy

    async def open(self) -> None:
        """Make the store ready, in this event loop. Raises DatabaseFailure, KeyUnusable."""
        await self._store.open()

    async def close(self) -> None:
        """Let the store go."""
        await self._store.close()

    async def advance(self) -> StoredCheckpoint | None:
        """Take everything that waits into the tree and sign it; the newest checkpoint, None while nothing is logged.

        Raises LogBroken, DatabaseFailure; what was finished before stays.
        """
        while (await self._store.grow(PORTION, integrate)).portion == PORTION:
            await asyncio.sleep(0)
        last, size = await self._store.newest(0), await self._store.size()
        if size == (0 if last is None else last.size):
            return last
        tiles = await self._store.tiles([*edge(size), *(edge(last.size) if last is not None else ())])
        if last is not None and (last.size > size or root_of(tiles, last.size) != last.root):
            raise LogBroken(f"the stored tree no longer begins with the {last.size} events that were signed")
        checkpoint = Checkpoint(self.policy.log.name, size, root_of(tiles, size))
        note = Note(checkpoint.text, (self._signer.sign(checkpoint.text),)).serialise()
        await self._store.keep_checkpoint(StoredCheckpoint(size, checkpoint.root, note), self._clock.moment().wall)
        return await self._store.newest(0)  # another process may have signed first: what is stored counts

    async def run(self, stopped: asyncio.Event) -> None:
        """Advance every CHECKPOINT_EVERY_S until stopped. A tree that is not the signed one ends the log alone."""
        failures = 0
        while not stopped.is_set():
            try:
                await self.advance()
                failures = 0
            except DatabaseFailure as failure:
                failures += 1
                logger.warning("the log waits: %s %s", failure.code, failure)
            except LogBroken as failure:
                self._broken = str(failure)
                logger.critical("the log signs nothing more: %s %s. %s", failure.code, failure, failure.remedy)
                return
            pause = min(CHECKPOINT_EVERY_S * 2.0**failures, MOST_PAUSE_S)
            try:
                await asyncio.wait_for(stopped.wait(), pause)
            except TimeoutError:
                continue

    async def newest(self) -> StoredCheckpoint | None:
        """The newest checkpoint, with the cosignatures it has so far."""
        return await self._store.newest(0)

    async def growth(self, old: int) -> Growth | None:
        """The newest checkpoint as an extension of the one of `old` events, for witnesses and auditors.

        None when there is none, or none as large.
        """
        newest = await self._store.newest(0)
        return None if newest is None or old > newest.size else await self._growth(old, newest)

    async def inclusion(self, device: str, after: int, old: int) -> Inclusion | None:
        """Where a device's events after this number are, under the newest checkpoint with a quorum; None without one.

        When that is smaller than `old`, its growth is from itself, without a proof: the desk decides what that means.
        """
        newest = await self._store.newest(self.policy.quorum)
        if newest is None:
            return None
        looked = await self._store.looked(device)  # before the runs, so that none of them is missed below it
        found = await self._store.runs(device, after, MAX_RUNS + 1)
        runs = [each.run for each in found[:MAX_RUNS] if each.run.index + each.run.count <= newest.size]
        # A portion is logged whole and a checkpoint covers whole portions, so a checkpoint never ends within a run.
        cut = found[len(runs)].run.seq - 1 if len(found) > len(runs) else looked
        upto = max(after, cut, *(run.seq + run.count - 1 for run in runs[-1:]))
        growth = await self._growth(min(old, newest.size), newest)
        proven = await self._prove(lambda tree: tuple(_prove(tree, run, newest.size) for run in runs))
        return Inclusion(growth, proven, upto)

    async def cosign(self, lines: str) -> int:
        """Keep the cosignatures of trusted witnesses on any checkpoint; gives how many of the lines were ones.

        The first line names the size. Raises EnvelopeInvalid (malformed, a signature that does not verify).
        """
        first, _, rest = lines.partition("\n")
        if not (first.isascii() and first.isdecimal()) or len(first) > 15:
            raise EnvelopeInvalid("cosignatures begin with the size of their checkpoint")
        found = await self._store.checkpoints(int(first) - 1, 1)
        if not found or found[0].size != int(first):
            raise EnvelopeInvalid("there is no checkpoint of this size")
        note = Note(Note.parse(found[0].note).text, read_signatures(rest))
        kept = 0
        for witness in self.policy.witnesses:
            if note.signed_by(witness) is not None:
                line = next(s.line for s in note.signatures if (s.name, s.key_id) == (witness.name, witness.key_id))
                await self._store.keep_cosignature(found[0].size, witness.name, line, self._clock.moment().wall)
                kept += 1
        return kept

    async def tile(self, tile: Tile, width: int) -> bytes | None:
        """The first `width` hashes of a tile; None when it has fewer."""
        hashes = (await self._store.tiles([tile])).get(tile, b"")
        return hashes[: width * HASH_BYTES] if len(hashes) >= width * HASH_BYTES else None

    async def state(self) -> LogState:
        """The log as people see it."""
        newest, witnesses = await self._store.newest(0), self.policy.witnesses
        best = await self._store.newest(self.policy.quorum) if self.policy.quorum else newest
        shown = best or newest
        cosigned = 0 if shown is None else len(shown.lines)
        size = await self._store.size()
        return LogState(size, shown, cosigned, len(witnesses), self.policy.merge_delay_s, self._broken)

    async def _growth(self, old: int, newest: StoredCheckpoint) -> Growth:
        proof = await self._prove(lambda tree: consistency_proof(tree, old, newest.size))
        return Growth(old, proof, newest.text)

    async def _prove(self, make: Callable[[Subtree], Made]) -> Made:
        """Make a proof: once to learn which tiles it needs, once with them. Raises LogBroken."""
        needed: set[Tile] = set()

        def learn(level: int, index: int) -> bytes:
            needed.add(tile_of(level, index))
            return bytes(HASH_BYTES)

        make(tree_of_nodes(learn))
        tiles = await self._store.tiles(sorted(needed))
        try:
            return make(tree_of_nodes(nodes_of(lambda tile: tiles.get(tile, b""))))
        except ValueError as error:
            raise LogBroken(f"the stored tree has a hole: {error}") from error


def _prove(tree: Subtree, run: Run, size: int) -> ProvenRun:
    return ProvenRun(run, range_proof(tree, run.index, run.index + run.count, size))
