"""What the fund's people ask of its events: which claims were confirmed, and how often by what.

Reads the store from the first event on that may matter to its end; what is made of the events is `reconciliation`'s
and `rates`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from sync.envelope import parse_event
from sync.fund.office import open_store
from sync.fund.rates import By, RateBook, Rates
from sync.fund.reconciliation import Claim, Delivered, Reconciliation, Report
from sync.fund.rows import DeviceSummary, EventRow, LastHeard
from sync.fund.store import PAGE_ROWS, OfficeStore
from sync.fund.visits import KINDS, found

Progress = Callable[[int], None]
"""Is told how many events were read since the last time."""

_AHEAD: Final = timedelta(days=2)
"""How far ahead of its arrival the time in an event may be: time zones, and a clock that nobody set."""


def reconcile(root: Path, claims: Sequence[Claim], progress: Progress = lambda _: None) -> Report:
    """A verdict for each claim. Raises as `open_store`, EnvelopeInvalid for a damaged event."""
    book = Reconciliation(claims)
    with open_store(root) as store:
        summaries, heard = store.summaries(), {one.device: one for one in store.last_heard()}  # before the events
        desks = [_delivered(one, heard.get(one.device.device)) for one in summaries]
        clinics = {one.device.device: one.device.clinic for one in summaries}
        if book.first_day is not None:
            for row in _events(store, book.first_day, progress):
                clinic = clinics.get(row.event.device)
                if clinic is not None and row.event.kind in KINDS:  # None: registered a moment ago
                    book.add(found(row.event, parse_event(row.event.token).event, clinic))
    return book.report(desks)


def rates(root: Path, by: By, first: date, last: date, progress: Progress = lambda _: None) -> tuple[Rates, ...]:
    """The figures of some days, both included. Raises as `reconcile`."""
    book = RateBook(by, first, last)
    with open_store(root) as store:
        devices = {one.device.device: one.device for one in store.summaries()}
        for row in _events(store, first, progress):
            if (device := devices.get(row.event.device)) is not None:
                book.add(row.event, device)
    return book.rates()


def _delivered(summary: DeviceSummary, heard: LastHeard | None) -> Delivered:
    """A desk whose clock runs ahead has not delivered more than had happened when it did."""
    device = summary.device
    upto = None
    if heard is not None:
        wall = parse_event(heard.newest).event.moment.wall
        upto = min(wall, heard.received.astimezone(wall.tzinfo)).date()
    return Delivered(device.device, device.clinic, upto, device.blocked is not None or device.revoked is not None)


def _events(store: OfficeStore, first: date, progress: Progress) -> Iterator[EventRow]:
    """All events in order of arrival, from those on that may be of a day."""
    after = number_before(store.events, datetime.combine(first, time(), UTC) - _AHEAD)
    while rows := store.events(after, PAGE_ROWS):
        yield from rows
        after = rows[-1].number
        progress(len(rows))


def number_before(events: Callable[[int, int], Sequence[EventRow]], at: datetime) -> int:
    """A number after which every event came that came at or after a moment: found in steps of doubled length.

    events: as `OfficeStore.events`.

    Numbers and times of arrival grow together, but for gateways that write side by side: `_AHEAD` is more than enough.
    """

    def later(after: int) -> bool:
        rows = events(after, 1)
        return not rows or rows[0].received >= at

    low, high = 0, 1
    if later(0):
        return 0
    while not later(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if later(middle) else (middle, high)
    return high
