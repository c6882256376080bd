"""The walls between the two processes: their unit files judged by systemd, and both run behind the same walls."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from appliance.demo import clinic
from sync.clock import SystemClock
from sync.database import open_database
from sync.envelope import parse_event
from sync.fund.office import list_events
from sync.key_sealing import seal_keys
from sync.keyfile import load_key
from sync.sealed_keys import Seal
from tests.e2e.sandbox import UNITS, Unit, may_sandbox
from tests.fakes.working_desk import WorkingDesk

CLOCK = SystemClock()
MOST_EXPOSED = {"kiosk": 1.5, "sync": 2.0, "gateway@": 1.5, "fund-certificate": 1.0}
"""Of 10, as systemd-analyze counts; a service without any limit has 9.6."""


@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_a_unit_is_well_formed_and_hardly_exposed(name: str) -> None:
    """Systemd itself reads it without complaint, and its own measure stays below what is stated above."""
    unit = UNITS / f"keldim-{name}.service"
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in verified.stderr.splitlines() if "/usr/bin/keldim is not executable" not in line]
    assert [line for line in complaints if unit.name in line] == []
    threshold = str(round(MOST_EXPOSED[name] * 10))
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={threshold}", str(unit)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Overall exposure level" in judged.stdout, judged.stderr
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_the_units_give_each_process_its_own_and_no_more() -> None:
    """The kiosk has the camera and no network; sync has the network, and neither camera nor TPM nor template key."""
    kiosk, sync = Unit.read("kiosk", Path("/h")), Unit.read("sync", Path("/h"))
    assert kiosk.all("PrivateNetwork") == ["yes"]
    assert kiosk.all("RestrictAddressFamilies") == ["AF_UNIX"]
    assert kiosk.all("DeviceAllow") == ["char-video4linux rw", "/dev/tpmrm0 rw"]
    assert sync.all("DeviceAllow") == []
    assert sync.all("PrivateDevices") == ["yes"]
    assert sync.all("LoadCredentialEncrypted") == ["keldim:/h/sealed/sync"]
    assert {kiosk.all("User")[0], sync.all("User")[0]} == {"keldim-kiosk", "keldim-sync"}
    assert kiosk.all("Group") == sync.all("Group") == ["keldim"]
    for unit in (kiosk, sync):
        assert unit.all("LimitCORE") == ["0"]
        assert unit.all("MemorySwapMax") == ["0"]


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the credentials lie: out of every home."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_a_visit_without_network_reaches_the_fund_without_faces(tmp_path: Path, scratch: Path, pack_path: Path) -> None:
    """The kiosk records it and cannot reach the gateway; sync delivers it and can open no template.

    The desk's doctor finds no failure all the same: it confirms a release on trial.
    """
    may_sandbox()
    site, port = clinic.found(tmp_path, CLOCK)
    home = site.home
    open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
    desk = WorkingDesk(home, CLOCK)
    desk.enrol(0)
    desk.close()
    seal_keys(home, Seal.HOST, "", lambda _: None)
    gateway = clinic.Processes(site, port, CLOCK)
    gateway.start_gateway()
    try:
        told = {}
        for name in ("kiosk", "sync"):
            command = [sys.executable, "-m", "tests.e2e.probe", name, str(home.root), str(port)]
            told[name] = json.loads(_run(Unit.read(name, home.root).command(scratch, *command)))
        send = [sys.executable, "-m", "appliance", "--home", str(home.root), "sync", "now", "--json"]
        sent = json.loads(_run(Unit.read("sync", home.root).command(scratch, *send)))
        if os.geteuid() == 0:
            os.chown(home.tls, 65534, -1)  # as `keldim keys share` leaves it: delivery's own
        examine = [
            sys.executable,
            "-m",
            "appliance",
            "--home",
            str(home.root),
            "--packs",
            str(pack_path.parent),
            "doctor",
            "--json",
        ]
        found = json.loads(_run(Unit.read("doctor", home.root).command(scratch, *examine)))
    finally:
        gateway.stop()
    at_rest = [check["found"] for check in found if check["check"] == "keys at rest"]
    assert at_rest == ["sealed; with what, only root can see"]
    visit = told["kiosk"].pop("visit")
    walled: dict[str, object] = {"devices": [], "sealed": [], "system": False, "home": True}
    assert told["kiosk"] == walled | {
        "network": False,
        "keys": ["db.key", "template.key", "pseudonym.key"],
        "plain": ["device.pem"],
    }
    assert told["sync"] == walled | {"network": True, "keys": ["db.key"], "plain": []}
    assert sent["failure"] is None
    stored = [parse_event(row.event.token).event for row in list_events(site.fund)]
    assert stored[-1].event_id == visit
    assert stored[-1].kind == "checked_in"


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
