"""The two ports to the fund's database: the gateway's, and that of the fund's people.

What keeps the rows is left to `sync.fund.embedded` (SQLite) and `sync.fund.postgres`; what is decided about an event to
`sync.fund.ingest`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from sync.fund.registry import Registry
from sync.fund.rows import (
    Certificate,
    Device,
    DeviceSummary,
    EventRow,
    Fork,
    Head,
    LastHeard,
    NewEvent,
    Ruling,
    View,
    Wanted,
)

PAGE_ROWS = 1000
"""Rows read at a time when a whole chain is walked: bounded memory, and no statement left open between pages."""

Decision = TypeVar("Decision", bound=Ruling)
"""What `settle` keeps and gives back."""


class FundStore(Protocol):
    """What the gateway needs from a database; belongs to one event loop. All methods raise DatabaseFailure."""

    async def open(self) -> None:
        """Make ready, in the loop that will ask."""

    async def close(self) -> None:
        """Let the database go."""

    async def device(self, device: str) -> Device | None:
        """A registered device."""

    async def head(self, device: str) -> Head:
        """The last event of a device; NO_EVENTS for a new one."""

    async def settle(self, device: str, wanted: Wanted, decide: Callable[[View], Decision], at: datetime) -> Decision:
        """Lock the device's head, read what is wanted, decide, keep everything decided: durable, or nothing of it.

        `decide` is pure and quick: the lock is held meanwhile.
        Two batches of one device never interleave. When the caller is cancelled, everything is kept or nothing.
        """

    async def certificates(self, device: str) -> tuple[Certificate, ...]:
        """All certificates of a device, the oldest first."""

    async def keep_certificate(self, certificate: Certificate, at: datetime) -> None:
        """Keep a certificate of a registered device, durably."""

    async def probe(self, at: datetime) -> None:
        """Write something, to know that writing works."""

    async def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device, by id."""

    async def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events, by id."""

    async def kinds(self) -> Mapping[str, int]:
        """Number of events by kind."""


class OfficeStore(Protocol):
    """What the fund's people need from it, one question after the other. All methods raise DatabaseFailure."""

    @property
    def registry(self) -> Registry:
        """Invitations, answered requests and certificates."""

    def close(self) -> None:
        """Let the database go."""

    def transaction(self) -> AbstractContextManager[None]:
        """All writes inside are kept together, or none."""

    def snapshot(self) -> AbstractContextManager[None]:
        """What is read inside belongs together whatever the gateway writes meanwhile."""

    def register(self, device: Device, at: datetime) -> None:
        """Add a new device. The caller has looked that neither its id nor its key is there."""

    def device(self, device: str) -> Device | None:
        """A registered device."""

    def device_of_key(self, key_id: str) -> str | None:
        """The device that is registered with this key."""

    def block(self, device: str, reason: str | None) -> None:
        """Block a device for a reason, or let it in again (None)."""

    def summaries(self) -> tuple[DeviceSummary, ...]:
        """Every device, by id."""

    def last_heard(self) -> tuple[LastHeard, ...]:
        """Of every device that sent events, by id."""

    def chain(self, device: str) -> Iterator[NewEvent]:
        """The events of a device in the order of their numbers in its chain."""

    def events(self, after: int, limit: int) -> tuple[EventRow, ...]:
        """Up to `limit` events of all devices, in order of arrival, after the one numbered `after`."""

    def forks(self, device: str) -> tuple[Fork, ...]:
        """The evidence of forks of a device."""

    def numbers(self) -> tuple[int, int]:
        """How many events are stored, and how many were ever given a number.

        The second is no more than the first where a database gives numbers that are never used (PostgreSQL).
        """
