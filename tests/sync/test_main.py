"""The sync process itself, with a real gateway process beside it."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.__main__ import main, read_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import TransportFailure
from sync.fund import office
from sync.home import Home
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.outbox import OutboxStatus
from sync.signing import FileSigner
from sync.worker import single_flight
from tests.fakes.documents import join_desk, make_fund_home

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()


def append(home: Home, count: int = 1) -> None:
    """Record events as the kiosk does."""
    with contextlib.closing(open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])) as db:
        ledger = Ledger(db, FileSigner.load(home.device_key), "desk-1")
        for _ in range(count):
            with immediate(db):
                ledger.append("checked_in", 1, {}, CLOCK.moment())


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, killed in the end if need be."""
    with subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, stderr=subprocess.PIPE) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_for(home: Home, settled: int, seconds: float = 40) -> OutboxStatus:
    """Until so many events are settled."""
    end = time.monotonic() + seconds
    while (status := read_status(home, CLOCK)).settled < settled and time.monotonic() < end:
        time.sleep(0.1)
    return status


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A desk whose fund nobody runs."""
    home = Home(tmp_path / "desk")
    join_desk(home, make_fund_home(tmp_path, "https://127.0.0.1:1").root)
    return home


def test_events_reach_a_real_gateway_and_a_term_signal_ends_the_service(tmp_path: Path) -> None:
    """Two processes: new events go within seconds, SIGTERM ends it within two, a kill loses nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fund = tmp_path / "fund"
    office.create_fund(fund, f"https://127.0.0.1:{port}", CLOCK.moment().wall)
    home = Home(tmp_path / "desk")
    join_desk(home, fund)
    append(home, 3)
    gateway = process("sync.fund", "--dir", str(fund), "serve", "--port", str(port))
    with gateway, process("sync", "--home", str(home.root)) as service:
        assert wait_for(home, 3).settled == 3
        append(home)
        assert wait_for(home, 4).settled == 4
        service.kill()
        service.wait(10)
        append(home, 2)
        with process("sync", "--home", str(home.root)) as again:
            status = wait_for(home, 6)
            assert (status.settled, status.pending, status.last_error, status.alarm) == (6, 0, None, None)
            begin = time.monotonic()
            again.send_signal(signal.SIGTERM)
            assert again.wait(10) == 0
            assert time.monotonic() - begin < 2
        assert [row.event.seq for row in office.list_events(fund)] == [1, 2, 3, 4, 5, 6]


def test_once_says_why_it_failed_without_a_stack_trace(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, message and remedy on stderr, and an exit code."""
    append(home)
    assert main(["--home", str(home.root), "--once"]) == TransportFailure.exit_code
    error = capsys.readouterr().err
    assert "E-NET-01" in error
    assert "Nothing is lost" in error
    assert "Traceback" not in error
    status = read_status(home, CLOCK)
    assert (status.pending, status.settled) == (1, 0)
    assert status.last_error is not None


def test_once_with_nothing_to_do_still_learns_that_the_fund_is_away(home: Home) -> None:
    """The head is asked for; the report says what happened."""
    assert isinstance(run_once(home, CLOCK, force=True).failure, TransportFailure)


def test_a_second_process_is_told_that_one_delivers(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own exit code."""
    with single_flight(home.sync_lock):
        assert main(["--home", str(home.root), "--once"]) == 4
    assert "E-SYNC-01" in capsys.readouterr().err


def test_a_home_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No stack trace for a wrong directory."""
    assert main(["--home", str(tmp_path)]) == 3
    assert "E-CFG-02" in capsys.readouterr().err
