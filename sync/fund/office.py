"""What the fund's people do with their gateway: found it, block desks, look at what it holds.

Each function opens the fund by its directory and closes it again; it works while the gateway runs. Proving that nothing
was altered is left to `sync.fund.audit`.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sync.durable import replace_file
from sync.errors import DeviceUnknown, EnvelopeInvalid, FundExists, FundUnwritable, SettingsInvalid
from sync.fund import log_terms
from sync.fund.fleet import Desk, desks
from sync.fund.home import FundHome, parse_url
from sync.fund.keys import create_keys, load_facts
from sync.fund.rows import DeviceSummary, EventRow
from sync.fund.store import PAGE_ROWS, OfficeStore
from sync.fund.stores import found_store, office_store
from sync.joining import FundFacts
from sync.keyfile import write_secret
from sync.log_checkpoint import LogPolicy


def create_fund(root: Path, url: str, at: datetime, database: str | None = None) -> FundFacts:
    """Make a fund in a directory that does not exist or is empty: keys, certificates, database, at last fund.json.

    database: address of an empty PostgreSQL database; None: a file in the directory. When it cannot be finished,
    nothing of it stays in the directory. Raises FundUrlInvalid, FundExists, FundUnwritable, KeyUnusable,
    FundDatabaseInvalid, DatabaseFailure.
    """
    parse_url(url)
    home = FundHome(root)
    _claim(home)
    try:
        facts = create_keys(home, url, at)
        found_store(home, database, at)
        write_secret(home.document, _document(facts))  # last: without it there is no fund
    except BaseException:
        shutil.rmtree(home.keys)
        for path in root.iterdir():
            path.unlink()
        raise
    return facts


def _document(facts: FundFacts) -> bytes:
    """fund.json: keys sorted, with a line end."""
    return json.dumps(facts.members(), indent=2, sort_keys=True).encode() + b"\n"


def _claim(home: FundHome) -> None:
    """Take an empty directory, or make one; of two who try at once one gets it. Raises FundExists, FundUnwritable."""
    try:
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(home.root.iterdir()):
            raise FundExists(f"{home.root.name} is not empty")
        home.keys.mkdir(mode=0o700)
    except FileExistsError as error:
        raise FundExists(f"{home.root.name} is not an empty directory") from error
    except OSError as error:
        raise FundUnwritable(f"{home.root.name} cannot be made: {error.strerror}") from error


@contextlib.contextmanager
def open_store(root: Path) -> Iterator[OfficeStore]:
    """The fund's store, closed at the end of the block. Raises as `office_store`."""
    with contextlib.closing(office_store(FundHome(root))) as store:
        yield store


def block_device(root: Path, device: str, reason: str) -> None:
    """Take no more events of a device until it is unblocked. Raises DeviceUnknown."""
    _set_block(root, device, reason)


def unblock_device(root: Path, device: str) -> None:
    """Let a device in again; the evidence of a fork stays. Raises DeviceUnknown."""
    _set_block(root, device, None)


def devices(root: Path) -> tuple[DeviceSummary, ...]:
    """Every device with its head, forks and refusals, by id."""
    with open_store(root) as store:
        return store.summaries()


def fleet(root: Path, now: datetime) -> tuple[Desk, ...]:
    """What every desk runs and how it is, as the fund heard it, by id."""
    with open_store(root) as store, store.snapshot():
        return desks(store.summaries(), store.last_heard(), now)


def list_events(root: Path, *, after: int = 0, limit: int | None = None) -> Iterator[EventRow]:
    """Stored events in order of arrival, after the one numbered `after`, at most `limit`."""
    left = limit
    with open_store(root) as store:
        while left is None or left > 0:
            rows = store.events(after, PAGE_ROWS if left is None else min(left, PAGE_ROWS))
            if not rows:
                return
            yield from rows
            after = rows[-1].number
            left = None if left is None else left - len(rows)


def add_witness(root: Path, vkey: str, quorum: int) -> LogPolicy:
    """Trust one more witness of the log and ask desks for `quorum` cosignatures; also in fund.json.

    A running gateway learns it when it is started again, a desk with its next invitation.
    Raises SettingsInvalid, FundIncomplete, FundUnwritable, KeyUnusable.
    """
    home = FundHome(root)
    try:
        policy = log_terms.add_witness(home, vkey, quorum)
    except EnvelopeInvalid as error:
        raise SettingsInvalid(f"not a witness for this log: {error}") from error
    try:
        replace_file(home.document, _document(load_facts(home)))
    except OSError as error:
        raise FundUnwritable(f"{home.document.name} cannot be written: {error.strerror}") from error
    return policy


def _set_block(root: Path, device: str, reason: str | None) -> None:
    with open_store(root) as store, store.transaction():
        if store.device(device) is None:
            raise DeviceUnknown(f"no device {device!r} is registered here")
        store.block(device, reason)
