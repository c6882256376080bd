"""Proves from the stored tokens alone that the fund's database is what the desks signed, or names what is not.

Nothing here trusts a column: each is compared with what the signed bytes say, and with its place in the log. What
cannot be seen from here is a fund rebuilt as a whole, log, keys and all: the witnesses and the desks see that.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from sync.envelope import GENESIS, Event, SignedEvent
from sync.errors import EnvelopeInvalid
from sync.fund.allowed import Decider, named
from sync.fund.home import FundHome
from sync.fund.log_audit import LogReader, LogReport, TreeWalk
from sync.fund.log_terms import load_terms
from sync.fund.office import open_store
from sync.fund.rows import Device, DeviceSummary, Fork, Head, NewEvent
from sync.fund.store import OfficeStore
from sync.fund.stores import log_store
from sync.log_answer import Run
from sync.log_checkpoint import event_leaf
from sync.signing import verify_event

MAX_PROBLEMS = 100
"""Problems listed per device; after a swapped key every event is one."""


@dataclass(frozen=True, slots=True)
class FundProblem:
    """One thing that is not as signed. seq: number in the device's chain, or None where it concerns all of it."""

    device: str
    seq: int | None
    text: str


@dataclass(frozen=True, slots=True)
class FundReport:
    """What the fund holds, and whether it is proven. missing: events that were stored once and are gone."""

    events: int
    devices: int
    blocked: int
    forks: int
    missing: int
    problems: tuple[FundProblem, ...]
    log: LogReport

    @property
    def intact(self) -> bool:
        """Nothing is missing, altered, inserted or reordered."""
        return not self.missing and not self.problems

    @property
    def summary(self) -> str:
        """One line for people and for the demonstration."""
        chain = "chain verified" if not self.problems else f"{len(self.problems)} problems"
        return f"fund: {self.events} events, {chain}, {self.missing} missing"


Tell = Callable[[int, int], None]
"""Told how much of how much is done."""


def verify_fund(root: Path, tell: Tell = lambda _done, _total: None) -> FundReport:
    """Recompute every chain from the stored tokens, and the log from its leaves.

    Of chains: signature, number, link, head, evidence, the count of all, the place in the log. Of the log: tree,
    checkpoints, cosignatures. Reads one consistent state while the gateway goes on.
    Raises KeyUnusable, FundIncomplete, DatabaseFailure.
    """
    home = FundHome(root)
    with LogReader(log_store(home, None)) as log:  # first: what was logged by now is among the events read below
        with open_store(root) as store, store.snapshot():
            summaries = store.summaries()
            stored, numbered = store.numbers()
            total, done, walks = stored + log.size, 0, []
            for summary in summaries:
                walks.append(_walk(store, log, summary))
                done += walks[-1].rows
                tell(done, total)
        tree = TreeWalk(log, load_terms(home))
        tree.run(lambda leaves: tell(stored + leaves, total))
    problems = [problem for walk in walks for problem in walk.problems]
    problems += [FundProblem("", None, text) for text in tree.problems]
    strangers = stored - sum(walk.rows for walk in walks)
    if strangers:
        problems.append(FundProblem("", None, f"{strangers} events belong to no registered device"))
    registered = {summary.device.device for summary in summaries}
    gone = {device: count for device, count in tree.logged.items() if device not in registered}
    problems += [
        FundProblem(d, None, f"the log has {n} events of it, and it is not registered") for d, n in gone.items()
    ]
    return FundReport(
        events=stored,
        devices=len(summaries),
        blocked=sum(1 for summary in summaries if summary.device.blocked is not None),
        forks=sum(summary.forks for summary in summaries),
        missing=max(sum(walk.gone for walk in walks) + sum(gone.values()), numbered - stored, 0),
        problems=tuple(problems),
        log=LogReport(
            log.size, tree.checkpoints, tree.cosigned, tree.cosigned_size, sum(walk.waiting for walk in walks)
        ),
    )


@dataclass(slots=True)
class _Walk:
    """One pass along a device's chain, collecting what is wrong."""

    device: Device
    log: LogReader
    runs: Iterator[Run]
    run: Run | None = None
    waiting: int = 0
    rows: int = 0
    seq: int = 0
    digest: str = GENESIS
    gone: int = 0
    ids: set[str] = field(default_factory=set)
    problems: list[FundProblem] = field(default_factory=list)

    def note(self, seq: int | None, text: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(FundProblem(self.device.device, seq, text))

    def step(self, stored: NewEvent) -> None:
        """Check the next stored event against its token and the one before."""
        self.rows += 1
        if stored.seq != self.seq + 1:
            self.gone += stored.seq - self.seq - 1
            self.note(stored.seq, f"events {self.seq + 1} to {stored.seq - 1} before it are missing")
        try:
            signed = verify_event(self.device.public_jwk, stored.token)
        except EnvelopeInvalid as error:
            self.note(stored.seq, f"is not signed by the device: {error}")
        else:
            self._compare(stored, signed)
            self._find(stored, signed)
        self.seq, self.digest = stored.seq, stored.digest

    def _find(self, stored: NewEvent, signed: SignedEvent) -> None:
        """Check an event against its place in the log."""
        while self.run is None or stored.seq >= self.run.seq + self.run.count:
            self.run = next(self.runs, None)
            if self.run is None:  # beyond the log: a refused event stays out, an accepted one waits
                self.waiting += stored.refused is None
                return
        if stored.seq < self.run.seq:
            if stored.refused is None:
                self.note(stored.seq, "was accepted and is not in the log, which has later events")
            return
        index = self.run.index + stored.seq - self.run.seq
        if stored.refused is not None:
            self.note(stored.seq, f"is number {index} of the log, although it was refused")
        elif self.log.leaf(index) != event_leaf(signed.digest):
            self.note(stored.seq, f"is not what was logged as number {index}")

    def _compare(self, stored: NewEvent, signed: SignedEvent) -> None:
        event = signed.event
        says = NewEvent(
            device=event.device,
            seq=event.seq,
            digest=signed.digest,
            event_id=event.event_id,
            kind=event.kind,
            token=stored.token,
            refused=self._refusal(stored, event),
        )
        self.ids.add(event.event_id)
        if says != stored:
            altered = [f.name for f in fields(says) if getattr(says, f.name) != getattr(stored, f.name)]
            self.note(stored.seq, f"was stored otherwise than signed: {', '.join(altered)}")
        elif stored.seq == self.seq + 1 and event.prev != self.digest:
            self.note(stored.seq, "does not follow the event before it")

    def _refusal(self, stored: NewEvent, event: Event) -> str | None:
        """Why an event must have been refused, if it must.

        What was allowed when it came is kept nowhere: that an event which names a pack or a policy was refused for it
        is believed. Once logged it cannot be called so any more, and the desk has its receipt.
        """
        if event.event_id in self.ids:
            return "id_reused"
        for decider in Decider:
            if stored.refused == decider.refusal and named(event, decider):
                return decider.refusal
        return None

    def end(self, head: Head) -> None:
        """Check where the chain ends: nowhere before its head, nor before what was logged of it."""
        logged = max((run.seq + run.count - 1 for run in self._rest()), default=0)
        self.gone += max(head.seq - self.seq, logged - self.seq, 0)
        if logged > self.seq:
            self.note(None, f"the log has events up to {logged}, the chain ends with event {self.seq}")
        if (self.seq, self.digest) != (head.seq, head.digest):
            self.note(
                None, f"the head says event {head.seq}, the chain ends with event {self.seq}, or its digest differs"
            )

    def _rest(self) -> Iterator[Run]:
        """The runs from the one of the last event on."""
        if self.run is not None:
            yield self.run
        yield from self.runs

    def evidence(self, fork: Fork) -> None:
        """Check one piece of evidence against its token."""
        try:
            signed = verify_event(self.device.public_jwk, fork.token)
        except EnvelopeInvalid as error:
            self.note(fork.seq, f"evidence of a fork is not signed by the device: {error}")
            return
        if (signed.event.device, signed.event.seq, signed.digest) != (fork.device, fork.seq, fork.digest):
            self.note(fork.seq, "evidence of a fork was stored otherwise than signed")


def _walk(store: OfficeStore, log: LogReader, summary: DeviceSummary) -> _Walk:
    walk = _Walk(summary.device, log, log.runs(summary.device.device))
    for stored in store.chain(summary.device.device):
        walk.step(stored)
    walk.end(summary.head)
    for fork in store.forks(summary.device.device):
        walk.evidence(fork)
    return walk
