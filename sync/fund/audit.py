"""Proves from the stored tokens alone that the fund's database is what the desks signed, or names what is not.

Nothing here trusts a column: each is compared with what the signed bytes say. What cannot be seen from here is the end
of a chain removed together with its head and the database's own count; the receipts at the desks show that.
"""

from dataclasses import dataclass, field, fields
from pathlib import Path

from sync.envelope import EVENT_TYP, GENESIS, MAX_TOKEN, SignedEvent, read_event
from sync.errors import EnvelopeInvalid
from sync.fund.office import open_store
from sync.fund.rows import Device, DeviceSummary, Fork, Head, NewEvent
from sync.fund.store import OfficeStore
from sync.signing import verify

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

    @property
    def intact(self) -> bool:
        """Nothing is missing, altered, inserted or reordered."""
        return not self.missing and not self.problems

    @property
    def summary(self) -> str:
        """One line for people and for the demonstration."""
        chain = "chain verified" if not self.problems else f"{len(self.problems)} problems"
        return f"fund: {self.events} events, {chain}, {self.missing} missing"


def verify_fund(root: Path) -> FundReport:
    """Recompute every chain from the stored tokens: signature, number, link, head, evidence, and the count of all.

    Reads one consistent state while the gateway goes on. Raises KeyUnusable, DatabaseFailure.
    """
    with open_store(root) as store, store.snapshot():
        summaries = store.summaries()
        walks = [_walk(store, summary) for summary in summaries]
        stored, numbered = store.numbers()
    problems = [problem for walk in walks for problem in walk.problems]
    strangers = stored - sum(walk.rows for walk in walks)
    if strangers:
        problems.append(FundProblem("", None, f"{strangers} events belong to no registered device"))
    return FundReport(
        events=stored,
        devices=len(summaries),
        blocked=sum(1 for summary in summaries if summary.device.blocked is not None),
        forks=sum(summary.forks for summary in summaries),
        missing=max(sum(walk.gone for walk in walks), numbered - stored, 0),
        problems=tuple(problems),
    )


@dataclass(slots=True)
class _Walk:
    """One pass along a device's chain, collecting what is wrong."""

    device: Device
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
            signed = read_event(verify(self.device.public_jwk, stored.token, EVENT_TYP, MAX_TOKEN))
        except EnvelopeInvalid as error:
            self.note(stored.seq, f"is not signed by the device: {error}")
        else:
            self._compare(stored, signed)
        self.seq, self.digest = stored.seq, stored.digest

    def _compare(self, stored: NewEvent, signed: SignedEvent) -> None:
        event = signed.event
        says = NewEvent(
            device=event.device,
            seq=event.seq,
            digest=signed.digest,
            event_id=event.event_id,
            kind=event.kind,
            token=stored.token,
            refused="id_reused" if event.event_id in self.ids else None,
        )
        self.ids.add(event.event_id)
        if says != stored:
            altered = [f.name for f in fields(says) if getattr(says, f.name) != getattr(stored, f.name)]
            self.note(stored.seq, f"was stored otherwise than signed: {', '.join(altered)}")
        elif stored.seq == self.seq + 1 and event.prev != self.digest:
            self.note(stored.seq, "does not follow the event before it")

    def end(self, head: Head) -> None:
        """Check where the chain ends."""
        self.gone += max(head.seq - self.seq, 0)
        if (self.seq, self.digest) != (head.seq, head.digest):
            self.note(
                None, f"the head says event {head.seq}, the chain ends with event {self.seq}, or its digest differs"
            )

    def evidence(self, fork: Fork) -> None:
        """Check one piece of evidence against its token."""
        try:
            signed = read_event(verify(self.device.public_jwk, fork.token, EVENT_TYP, MAX_TOKEN))
        except EnvelopeInvalid as error:
            self.note(fork.seq, f"evidence of a fork is not signed by the device: {error}")
            return
        if (signed.event.device, signed.event.seq, signed.digest) != (fork.device, fork.seq, fork.digest):
            self.note(fork.seq, "evidence of a fork was stored otherwise than signed")


def _walk(store: OfficeStore, summary: DeviceSummary) -> _Walk:
    walk = _Walk(summary.device)
    for stored in store.chain(summary.device.device):
        walk.step(stored)
    walk.end(summary.head)
    for fork in store.forks(summary.device.device):
        walk.evidence(fork)
    return walk
