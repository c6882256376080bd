"""Times a desk that records a visit: signed, committed to the database, in the journal; with each class of key.

Each class is measured in a process of its own, so that a token's driver is loaded with that token's settings. What
holds the keys is `soft_keys`'s; delivery is not in it.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from appliance.bench.report import Figure
from appliance.bench.soft_keys import HOLDERS, Holder, Opening
from appliance.checkin import append
from appliance.composition import software_version
from appliance.core.events import CheckedIn, Circumstances, Comparison, LivenessMethod
from appliance.core.types import LivenessVerdict
from sync.clock import Clock, SystemClock
from sync.database import immediate, open_database
from sync.device_key import create_device_key
from sync.envelope import Event, parse_event
from sync.errors import KeyUnsupported
from sync.home import Home
from sync.journal import Journal
from sync.keyfile import create_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger

_FIRST: Final = 5
"""Visits that are not counted: the first opens the token or loads the key."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """Milliseconds of each visit, and the last visit."""

    holder: str
    taken: Sequence[float]
    last: Event

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Half of the visits take no longer, 99 of 100 take no longer."""
        p50, p99 = np.percentile(self.taken, [50, 99]).tolist()
        what = f"visit recorded and signed, {self.holder}"
        return Figure(f"{what}, p50", p50, "ms"), Figure(f"{what}, p99", p99, "ms")


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """A class of key that could not be measured here, and why."""

    holder: str
    why: str


def record_with_each(
    folder: Path, count: int, clock: Clock, holders: Mapping[str, Opening] = HOLDERS
) -> tuple[Recorded | NotRecorded, ...]:
    """Record so many visits with each class of key. What this machine has no software for is named, not left out."""
    return tuple(
        _measured(name, holding, folder / str(at), count, clock) for at, (name, holding) in enumerate(holders.items())
    )


def _measured(name: str, holding: Opening, folder: Path, count: int, clock: Clock) -> Recorded | NotRecorded:
    folder.mkdir(parents=True)
    try:
        with holding(folder / "holder", clock) as holder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
            taken, last = pool.submit(record, folder / "desk", count, holder).result()
    except KeyUnsupported as failure:
        return NotRecorded(name, str(failure))
    return Recorded(name, taken, last)


def record(root: Path, count: int, holder: Holder) -> tuple[list[float], Event]:
    """Milliseconds of each of `count` visits, and the last one; in a process that did not use a token before.

    Raises KeyUnsupported.
    """
    os.environ.update(holder.environment)
    home, event, clock, taken = Home(root), _visit(), SystemClock(), list[float]()
    home.keys.mkdir(parents=True)
    key = create_device_key(home, holder.settings)
    with (
        closing(key),
        closing(open_database(home.database, create_key(home.database_key), [LEDGER_MIGRATIONS], create=True)) as db,
    ):
        ledger = Ledger(db, key.signer, "bench", Journal(home.journal))
        for _ in range(_FIRST + count):
            begin = clock.monotonic()
            with immediate(db):
                append(ledger, event, clock.moment())
            taken.append((clock.monotonic() - begin) * 1000)
        (last,) = ledger.entries(_FIRST + count - 1, 1)
    return taken[_FIRST:], parse_event(last.token).event


def _visit() -> CheckedIn:
    about = Circumstances(
        "0" * 64, "0" * 16, software_version(), "bench", "2026-01-01T00:00:00+05:00", 1, (), 80,
        LivenessVerdict.LIVE, LivenessMethod.CHALLENGE, None,
    )  # fmt: skip
    compared = Comparison("0" * 64, "list", 0.5, 0.4, 0.9, 0.05, 0.95, 40, 5000, 120, 0, extrapolated=True)
    digest = hashlib.sha256(b"bench").hexdigest()
    return CheckedIn(digest, "Consultation", "A1", "Bench", digest[:32], digest, (), compared, about)
