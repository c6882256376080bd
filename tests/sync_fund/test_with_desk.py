"""The desk's own ledger, outbox and transport against the real gateway: nothing between them is a fake."""

import contextlib
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from sync.__main__ import read_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import DeviceRefused
from sync.fund.admission import Terms, admit, certificates, invite, revoke
from sync.fund.audit import verify_fund
from sync.fund.ca import DEVICE_VALIDITY, TLS_VALIDITY
from sync.fund.home import FundHome
from sync.fund.office import devices
from sync.home import Home
from sync.install import install
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.membership import read_membership
from sync.provision import make_desk, request_admission, request_renewal
from sync.signing import FileSigner, KeyClass
from sync.tls_key import tls_certificate_in
from tests.fakes.documents import join_desk
from tests.sync_fund.conftest import Running, live_fund, served

CLOCK = SystemClock()
FILE = Terms(KeyClass.FILE)


@pytest.fixture
def desk(tmp_path: Path) -> Home:
    """Where a desk will live."""
    return Home(tmp_path / "desk")


def _join(running: Running, desk: Home) -> None:
    """The desk's whole way into the fund, whose port is known since it answers."""
    document = FundHome(running.fund.root).document
    document.write_bytes(document.read_bytes().replace(b":8443", f":{running.port}".encode()))
    join_desk(desk, running.fund.root)


def _append(desk: Home, count: int, kind: str = "checked_in") -> None:
    with contextlib.closing(open_database(desk.database, load_key(desk.database_key), [LEDGER_MIGRATIONS])) as db:
        ledger = Ledger(db, FileSigner.load(desk.device_key), "desk-1")
        for _ in range(count):
            with immediate(db):
                ledger.append(kind, 1, {"service": "A1"}, CLOCK.moment())


def test_a_desk_delivers_its_ledger(tmp_path: Path, desk: Home) -> None:
    """Events go out, verified receipts settle them; again there is nothing to do."""
    with served(live_fund(tmp_path / "fund")) as running:
        _join(running, desk)
        _append(desk, 250)
        report = run_once(desk, CLOCK)
        assert (report.settled, report.failure) == (250, None)
        assert run_once(desk, CLOCK).sent == 0
        assert read_status(desk, CLOCK).pending == 0
        assert verify_fund(running.fund.root).summary == "fund: 250 events, chain verified, 0 missing"


def test_a_rolled_back_desk_is_found_out_and_blocked(tmp_path: Path, desk: Home) -> None:
    """A copy of the disk is put back: its next event contradicts what the fund has. Both stay as evidence."""
    with served(live_fund(tmp_path / "fund")) as running:
        _join(running, desk)
        _append(desk, 3)
        run_once(desk, CLOCK)
        shutil.copytree(desk.root, tmp_path / "copy")
        _append(desk, 2)
        run_once(desk, CLOCK)
        shutil.rmtree(desk.root)
        (tmp_path / "copy").rename(desk.root)
        _append(desk, 1, "enrolled")
        run_once(desk, CLOCK, force=True)
        (summary,) = devices(running.fund.root)
        assert (summary.head.seq, summary.forks, summary.device.blocked) == (5, 1, "forked at event 4")
        assert verify_fund(running.fund.root).intact
        _append(desk, 1)
        assert isinstance(run_once(desk, CLOCK, force=True).failure, DeviceRefused)


def test_a_revoked_desk_loses_nothing_and_goes_on_when_it_is_let_in_again(tmp_path: Path, desk: Home) -> None:
    """It is told and shows it; visits go on, events wait; with a new invitation its chain goes on where it was."""
    with served(live_fund(tmp_path / "fund")) as running:
        root = running.fund.root
        _join(running, desk)
        _append(desk, 3)
        run_once(desk, CLOCK)
        revoke(root, "desk-1", "stolen", CLOCK.moment().wall)
        _append(desk, 2)
        failure = run_once(desk, CLOCK, force=True).failure
        assert isinstance(failure, DeviceRefused)
        status = read_status(desk, CLOCK)
        assert (status.pending, "device_revoked" in str(status.last_error)) == (2, True)
        assert status.alarm == "the fund takes nothing from this desk: device_revoked"
        assert "stolen" not in str(status)
        later = CLOCK.moment().wall
        answer = admit(
            root, request_admission(desk, invite(root, "desk-1", "Clinic", "Desk", later), later), FILE, later
        )
        install(desk, answer, later)
        assert run_once(desk, CLOCK, force=True).settled == 2
        (summary,) = devices(root)
        assert (summary.head.seq, summary.device.revoked) == (5, None)
        assert verify_fund(root).intact


def test_a_desk_whose_certificate_has_ended_delivers_after_its_renewal(tmp_path: Path, desk: Home) -> None:
    """The end of a certificate stops delivery, with its name; the events are there afterwards, each once."""
    then = CLOCK.moment().wall - DEVICE_VALIDITY
    with served(live_fund(tmp_path / "fund")) as running:
        root = running.fund.root
        document = FundHome(root).document
        document.write_bytes(document.read_bytes().replace(b":8443", f":{running.port}".encode()))
        make_desk(desk)
        request = request_admission(desk, invite(root, "desk-1", "Clinic", "Desk", then), then)
        install(desk, admit(root, request, FILE, then), then)
        _append(desk, 2)
        assert run_once(desk, CLOCK, force=True).failure is not None
        assert read_status(desk, CLOCK).pending == 2
        now = CLOCK.moment().wall
        assert any("has ended" in each for each in read_membership(desk).warnings(now))
        install(desk, admit(root, request_renewal(desk), FILE, now), now)
        assert run_once(desk, CLOCK, force=True).settled == 2
        assert read_membership(desk).warnings(now) == ()


def test_a_tls_certificate_that_ends_soon_is_renewed_while_delivering(tmp_path: Path, desk: Home) -> None:
    """By the desk itself, over the connection; the next delivery shows the new one."""
    with served(live_fund(tmp_path / "fund")) as running:
        root, then = running.fund.root, CLOCK.moment().wall - TLS_VALIDITY + timedelta(days=20)
        document = FundHome(root).document
        document.write_bytes(document.read_bytes().replace(b":8443", f":{running.port}".encode()))
        make_desk(desk)
        request = request_admission(desk, invite(root, "desk-1", "Clinic", "Desk", then), then)
        install(desk, admit(root, request, FILE, then), then)
        _append(desk, 2)
        assert run_once(desk, CLOCK, force=True).settled == 2
        authority = FundHome(root).device_ca.read_bytes()
        renewed = tls_certificate_in(desk.tls, authority)
        assert renewed.ends > CLOCK.moment().wall + timedelta(days=85)
        _append(desk, 1)
        assert run_once(desk, CLOCK, force=True).settled == 1
        assert tls_certificate_in(desk.tls, authority) == renewed
        assert len([c for c in certificates(root) if c.purpose == "tls"]) == 2
