"""The sync process: `python -m sync --home DIR` delivers until it is stopped, `--once` until nothing is due.

The loop itself is left to `worker`. This process reads the database key, the TLS key and the fund's certificate;
it needs neither the device's key, nor the template key, nor the camera.
"""

import argparse
import contextlib
import logging
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sync.carry_errors import NoSealingKey
from sync.clock import Clock, SystemClock
from sync.desk_database import open_desk_database
from sync.errors import NotLogged, SyncFailure
from sync.home import Home, is_installed, load_settings
from sync.journal import Journal
from sync.key_source import open_keys
from sync.log_receipts import LogReceipts, LogStatus, log_status
from sync.log_watch import LogWatch, load_policy
from sync.memory import guard_memory
from sync.outbox import Outbox, OutboxStatus
from sync.salvage import Salvaged, salvage
from sync.schema import LEDGER_MIGRATIONS
from sync.stick import Exported, Settled, export_events, import_receipts
from sync.tls_renewal import DeskTransport
from sync.worker import RunReport, Worker, serve, single_flight


def run_once(
    home: Home, clock: Clock, *, force: bool = False, stopped: Callable[[], bool] = lambda: False
) -> RunReport:
    """Deliver what is due (force: everything) and come back. Raises SyncRunning, SettingsInvalid, DatabaseFailure."""
    with _worker(home, clock, stopped) as worker:
        return worker.run_once(force=force, stopped=stopped)


def run_forever(home: Home, clock: Clock, stopped: Callable[[], bool]) -> None:
    """Deliver until stopped; comes back within a second or two of that. Raises as `run_once`."""
    with _worker(home, clock, stopped) as worker:
        serve(worker, clock, stopped)


def read_status(home: Home, clock: Clock) -> OutboxStatus:
    """The state of delivery of a desk, whether or not its sync process runs. Raises DatabaseFailure, KeyUnusable."""
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        return Outbox(db).status(clock.moment().wall.timestamp())


def read_log_status(home: Home) -> LogStatus:
    """What the desk knows of the fund's log. Raises DatabaseFailure, KeyUnusable."""
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        return log_status(db)


@contextlib.contextmanager
def open_receipts(home: Home) -> Iterator[LogReceipts]:
    """What the desk keeps about the log, for reading. Raises NotLogged (its fund has no log), DatabaseFailure."""
    policy = load_policy(home)
    if policy is None:
        raise NotLogged("this desk's fund told it of no log")
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        yield LogReceipts(db, policy)


def export_to(home: Home, directory: Path) -> Exported | None:
    """Write what is undelivered to a stick, sealed to the fund; None when nothing is.

    Raises NoSealingKey, StickUnusable, SettingsInvalid, DatabaseFailure, KeyUnusable.
    """
    settings = load_settings(home)
    if settings.fund.sealing is None:
        raise NoSealingKey("keldim.toml names no key to seal to the fund")
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        return export_events(db, settings.device.device, settings.fund.sealing, directory)


def salvage_to(home: Home, saved: Path, directory: Path, after: int = 0) -> Salvaged:
    """Write what a dead desk's saved journal holds behind event `after`, sealed to the fund of this desk.

    saved: a back-up, or a desk's folder; it is only read. On a machine without a desk, the settings saved there name
    the fund. Raises NothingSaved, NoSealingKey, StickUnusable, SettingsInvalid, DatabaseFailure.
    """
    fund = load_settings(home if is_installed(home) else Home(saved)).fund.sealing
    if fund is None:
        raise NoSealingKey("keldim.toml names no key to seal to the fund")
    return salvage(Journal(Home(saved).journal), fund, directory, after)


def import_from(home: Home, path: Path, clock: Clock) -> Settled:
    """Settle what the fund's receipts on a stick prove. Raises CarriedInvalid, ChainDisputed, and as `export_to`."""
    settings = load_settings(home)
    now = clock.moment().wall.timestamp()
    with contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db:
        return import_receipts(db, settings.device.device, settings.fund.jwk, path, now, random.random)


@contextlib.contextmanager
def _worker(home: Home, clock: Clock, stopped: Callable[[], bool]) -> Iterator[Worker]:
    settings = load_settings(home)
    with (
        single_flight(home.sync_lock),
        contextlib.closing(open_desk_database(home, open_keys(home), [LEDGER_MIGRATIONS])) as db,
        contextlib.closing(DeskTransport(home, settings, clock, stopped)) as transport,
    ):
        policy = load_policy(home)
        watch = None if policy is None else LogWatch(LogReceipts(db, policy), transport, clock)
        yield Worker(db, transport, settings.device.device, settings.fund.jwk, clock, log=watch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sync", description="Deliver a desk's events to the fund.")
    parser.add_argument("--home", required=True, type=Path, help="the desk's home directory")
    parser.add_argument("--once", action="store_true", help="deliver what is due, then end")
    chosen = parser.parse_args(arguments)
    guard_memory()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    home, clock = Home(chosen.home), SystemClock()
    try:
        if not chosen.once:
            run_forever(home, clock, stop.is_set)
            return 0
        failure = run_once(home, clock, stopped=stop.is_set).failure
        if failure is None:
            return 0
    except SyncFailure as known:
        failure = known
    sys.stderr.write(f"{failure.code} {failure}\n{failure.remedy}\n")
    return failure.exit_code


if __name__ == "__main__":
    sys.exit(main())
