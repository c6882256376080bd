"""Desk, delivery and gateway as processes beside each other: restarts, a forked desk, altered events, a wrong clock."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from appliance.demo import clinic
from sync.__main__ import read_status
from sync.clock import Clock, SystemClock
from sync.database import open_database
from sync.envelope import TimeTrust, parse_event
from sync.errors import DeviceRefused
from sync.fund.audit import verify_fund
from sync.fund.office import list_events
from sync.home import Home
from sync.keyfile import load_key
from tests.cli.terminal import Outcome, keldim
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import WorkingDesk

ROOT = Path(__file__).parents[2]
CLOCK = SystemClock()


@dataclass
class Network:
    """A fund with its gateway process, and one desk with two patients and services of today."""

    site: clinic.Site
    gateway: clinic.Processes
    desk: WorkingDesk
    services: list[str]

    def visit(self, desk: WorkingDesk | None = None) -> str:
        """The next service is confirmed."""
        return (desk or self.desk).visit(0, self.services.pop(0))

    def send(self, home: Home | None = None) -> Outcome:
        """`keldim sync now`, as a process."""
        where = (home or self.site.home).root
        command = [sys.executable, "-m", "appliance", "--home", str(where), "sync", "now", "--json"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def status(self, home: Home | None = None) -> Outcome:
        """`keldim sync status`."""
        return keldim("--home", (home or self.site.home).root, "sync", "status", "--json")

    def copy(self) -> Home:
        """The desk's home, as a backup has it."""
        self.desk.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        copy = self.site.root / "copy"
        # By another process: a file that this one opens and closes loses the locks of its own connections.
        subprocess.run(["cp", "-r", self.site.home.root, copy], check=True)
        return Home(copy)

    def check_everything(self) -> None:
        """Desk and fund hold the same events, once, and prove them."""
        self.desk.check_everything()
        signed = [event.event_id for event in self.desk.events()]
        stored = [parse_event(row.event.token).event.event_id for row in list_events(self.site.fund)]
        assert stored == signed
        assert verify_fund(self.site.fund).intact
        assert self.desk.ledger.verify(self.desk.fund_jwk).receipts >= 1
        assert read_status(self.site.home, CLOCK).settled == len(signed)  # each by a receipt that covers it


@pytest.fixture
def clock() -> Clock:
    """The machine's."""
    return CLOCK


@pytest.fixture
def network(tmp_path: Path, clock: Clock) -> Iterator[Network]:
    """Everything runs but the delivery."""
    site, port = clinic.found(tmp_path, CLOCK)
    open_database(site.home.database, load_key(site.home.database_key), DESK_MIGRATIONS).close()
    desk = WorkingDesk(site.home, clock)
    desk.enrol(0)
    gateway = clinic.Processes(site, port, CLOCK)
    gateway.start_gateway()
    yield Network(site, gateway, desk, list(desk.plan(0, 40)))
    gateway.stop()
    desk.close()


def test_a_gateway_that_restarts_during_delivery(network: Network) -> None:
    """The delivery runs all the time; the gateway goes and comes; each event is at the fund once."""
    network.gateway.start_sync()
    for _ in range(3):
        network.visit()
        network.gateway.stop_gateway()
        network.visit()
        network.gateway.start_gateway()
    network.gateway.send_now()
    network.visit()
    network.gateway.drained()
    status = network.status()
    assert (status.code, status.json["pending"], status.json["settled"]) == (0, 0, 8)
    network.check_everything()


def test_visits_do_not_wait_for_the_fund(network: Network) -> None:
    """Gateway down: visits are recorded, delivery says what is the matter and ends with 3; later all arrives."""
    network.gateway.stop_gateway()
    for _ in range(3):
        network.visit()
    told = network.send()
    assert told.code == 3
    assert "E-NET-01" in told.err
    assert "Traceback" not in told.err
    assert network.status().json["pending"] == 4
    network.gateway.start_gateway()
    sent = network.send()
    assert (sent.code, sent.json["settled"], sent.json["failure"]) == (0, 4, None)
    network.check_everything()


def test_a_forked_desk_is_refused_and_shown(network: Network) -> None:
    """An old copy of the desk runs beside it: its event is kept as evidence, the desk is blocked, both are told."""
    copy = network.copy()
    network.visit()
    assert network.send().code == 0
    twin = WorkingDesk(copy, CLOCK)
    twin.visit(0, network.services[5])
    twin.close()
    sent = network.send(copy)
    assert (sent.json["settled"], sent.json["held"]) == (1, 1)
    shown = network.status(copy)
    assert shown.code == 4
    assert "forked" in str(shown.json["parked"])
    assert "forked" in keldim("--home", copy.root, "sync", "status").out
    (device,) = keldim("fund", "devices", "--dir", network.site.fund, "--json").rows
    assert device["blocked"] is not None
    report = verify_fund(network.site.fund)
    assert (report.events, report.forks, report.blocked) == (2, 1, 1)
    network.visit()
    refused = network.send()
    assert refused.code == DeviceRefused.exit_code
    assert DeviceRefused.code in refused.err
    assert keldim("fund", "unblock", "--dir", network.site.fund, str(device["device"])).code == 0
    assert network.send().code == 0
    network.check_everything()


def alter_signature(token: str) -> str:
    """Another signature over the same words."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def alter_payload(token: str) -> str:
    """Other words under the same signature."""
    head, payload, signature = token.split(".")
    return f"{head}.{payload[:40]}{'A' if payload[40] != 'A' else 'B'}{payload[41:]}.{signature}"


@pytest.mark.parametrize("alter", [alter_signature, alter_payload])
def test_an_altered_event_is_refused_and_shown(network: Network, alter: Callable[[str], str]) -> None:
    """Whoever changes an event in the desk's database gains nothing: fund, status, ledger and doctor name it."""
    network.visit()
    network.visit()
    copy = network.copy()
    desk = WorkingDesk(copy, CLOCK)
    for (trigger,) in desk.db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"
    ).fetchall():
        desk.db.execute(f"DROP TRIGGER {trigger}")
    token = desk.ledger.entries(1, 1)[0].token
    desk.db.execute("UPDATE event SET token = ? WHERE seq = 2", (alter(token),))
    desk.close()
    network.send(copy)
    shown = network.status(copy)
    assert shown.code == 4
    assert shown.json["settled"] == 1
    assert "rejected" in str(shown.json["parked"])
    told = keldim("--home", copy.root, "ledger", "verify")
    assert told.code == 4
    assert "event 2" in told.err
    assert verify_fund(network.site.fund).events == 1
    assert network.send().code == 0
    network.check_everything()


@pytest.mark.parametrize("clock", [ManualClock(CLOCK.moment().wall.replace(hour=12) + timedelta(days=1))], ids=["set"])
def test_a_clock_set_to_and_fro_marks_events_and_stops_nothing(network: Network, clock: ManualClock) -> None:
    """Suspect from the first step on, signed and accepted all the same, in their order."""
    network.visit()
    clock.step_wall(-3 * 3600)
    network.visit()
    clock.step_wall(6 * 3600)
    network.visit()
    clock.advance(5)
    network.visit()
    assert network.send().code == 0
    trusts = [parse_event(row.event.token).event.moment.trust for row in list_events(network.site.fund)]
    assert trusts == [TimeTrust.SYSTEM] * 2 + [TimeTrust.SUSPECT] * 3
    network.check_everything()


def test_after_a_contact_events_carry_the_funds_time(network: Network) -> None:
    """The fund's signed time vouches for the clock of a desk that agrees with it."""
    network.visit()
    network.send()
    network.visit()
    trusts = [event.moment.trust for event in network.desk.events()]
    assert trusts == [TimeTrust.SYSTEM, TimeTrust.SYSTEM, TimeTrust.FUND]
    network.send()
    network.check_everything()
