"""The day a main board dies: back-up, a new machine, the fund; and what a thief finds in a back-up."""

import base64
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from appliance.core.errors import ServiceConfirmed
from appliance.core.types import PackDigest
from appliance.demo import clinic
from sync.backup import read_backup
from sync.clock import SystemClock
from sync.database import open_database
from sync.fund.audit import verify_fund
from sync.home import Home, load_settings
from sync.key_errors import BackupInvalid, RecoveryInvalid, RestoreRefused
from sync.key_source import KeyName
from sync.keyfile import load_key
from tests.cli.terminal import Outcome, keldim
from tests.fakes.documents import join_desk
from tests.fakes.patients import PACK, make_iin, make_profile
from tests.fakes.working_desk import WorkingDesk, make_circumstances

CLOCK = SystemClock()
SEEN, ERASED, LATER = 0, 1, 2
"""Patients: one with a visit, one erased after the back-up, one with a visit still to come."""


@dataclass
class Drill:
    """A desk with a back-up, patients who came and went since, and a fund that knows all of it."""

    site: clinic.Site
    root: Path
    old: str
    services: list[str] = field(default_factory=list)
    secrets: dict[str, bytes] = field(default_factory=dict)

    @property
    def backup(self) -> Path:
        """The only one."""
        (folder,) = (self.root / "backups").iterdir()
        return folder

    def new_desk(self, device: str = "desk-9") -> Home:
        """Another machine, admitted as a device of its own."""
        home = Home(self.root / device)
        join_desk(home, self.site.fund, device)
        open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
        return home

    def ask(self, home: Home) -> Path:
        """Step one, at the new desk."""
        request = self.root / f"{home.root.name}.request"
        done = keldim("--home", home.root, "restore", self.backup, "--request", request)
        assert (done.code, done.err) == (0, "")
        return request

    def unseal(self, request: Path, device: str = "desk-9") -> Outcome:
        """Step two, at the fund."""
        options = ("--dir", self.site.fund, "--for", device, "--request", request, "--to", self.root / "answer")
        return keldim("fund", "unseal-recovery", self.backup / "recovery.json", *options)

    def take_over(self, home: Home) -> Outcome:
        """Step three, at the new desk."""
        return keldim("--home", home.root, "restore", self.backup, "--answer", self.root / "answer")


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """Until the board dies; not to be changed."""
    root = tmp_path_factory.mktemp("drill")
    site, port = clinic.found(root, CLOCK)
    home = site.home
    open_database(home.database, load_key(home.database_key), DESK_MIGRATIONS).close()
    desk = WorkingDesk(home, CLOCK)
    drill = Drill(site, root, load_settings(home).device.device)
    for number in (SEEN, ERASED, LATER):
        desk.enrol(number)
    desk.employ(900)
    drill.services = [*desk.plan(SEEN), *desk.plan(LATER)]
    desk.visit(SEEN, drill.services[0])
    person = desk.find(ERASED)
    assert person is not None
    for place, template in enumerate(desk.records.templates.of(person, PackDigest(PACK))):
        drill.secrets[f"vector {place}"] = template.embedding.vector.astype("<f4").tobytes()
        drill.secrets[f"vector {place} as floats"] = template.embedding.vector.tobytes()
    drill.secrets |= {name.value: load_key(home.keys / name) for name in KeyName}
    drill.secrets["device key"] = b"".join(home.device_key.read_bytes().splitlines()[1:2])
    drill.secrets["name"] = make_profile(ERASED).given_name.encode()
    drill.secrets["IIN"] = make_iin(ERASED).digits.encode()
    done = keldim("--home", home.root, "backup", root / "backups")
    assert (done.code, done.err) == (0, "")
    desk.enrolment.forget(make_iin(ERASED), "consent_withdrawn")
    gateway = clinic.Processes(site, port, CLOCK)
    gateway.start_gateway()
    gateway.send_now()
    gateway.stop()
    desk.close()
    return drill


@pytest.fixture
def drill(staged: Drill, tmp_path: Path) -> Drill:
    """A copy for one test."""
    shutil.copytree(staged.root, tmp_path / "drill")
    root = tmp_path / "drill"
    return Drill(clinic.Site(root), root, staged.old, staged.services, staged.secrets)


def test_a_new_machine_goes_on_with_the_patients_and_signs_nothing_again(drill: Drill) -> None:
    """Faces, visits and staff are there; the erased are not; the device key, its chain and its events stay dead."""
    old_key = drill.site.home.device_key.read_bytes()
    shutil.rmtree(drill.site.home.root)
    home = drill.new_desk()
    request = drill.ask(home)
    drill.unseal(request).failed_with(RestoreRefused)
    assert keldim("fund", "block", "--dir", drill.site.fund, drill.old, "--reason", "broken").code == 0
    assert drill.unseal(request).code == 0
    done = drill.take_over(home)
    assert (done.code, done.err) == (0, "")
    assert "2 patients and 1 staff" in done.out
    desk = WorkingDesk(home, CLOCK)
    assert desk.decide(SEEN).person == desk.find(SEEN) is not None
    assert desk.decide(LATER).person == desk.find(LATER) is not None
    assert desk.find(ERASED) is None
    assert desk.db.execute("SELECT count(*) FROM data_key").fetchone()[0] == 2
    assert desk.staff.people == 1
    with pytest.raises(ServiceConfirmed):
        desk.desk.record_visit(desk.decide(SEEN), drill.services[0], make_circumstances())
    desk.visit(LATER, drill.services[1])
    events = desk.events()
    assert {event.device for event in events} == {"desk-9"}
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.kind for event in events].count("restored") == 1
    assert desk.ledger.verify(desk.fund_jwk).events == len(events)
    desk.close()
    assert not any(old_key in path.read_bytes() for path in drill.root.rglob("*") if path.is_file())
    assert verify_fund(drill.site.fund).intact
    assert drill.take_over(home).code != 0, "the answer opens once"


def test_an_answer_is_for_one_desk_and_one_request(drill: Drill) -> None:
    """Another new desk cannot use it, and cannot ask in the name of the first."""
    assert keldim("fund", "block", "--dir", drill.site.fund, drill.old, "--reason", "broken").code == 0
    first, other = drill.new_desk(), drill.new_desk("desk-10")
    request = drill.ask(first)
    drill.ask(other)
    assert drill.unseal(request, "desk-10").code != 0
    assert drill.unseal(request).code == 0
    drill.take_over(other).failed_with(RecoveryInvalid)


def test_a_desk_with_patients_is_not_restored_into(drill: Drill) -> None:
    """Two desks are not mixed."""
    assert keldim("fund", "block", "--dir", drill.site.fund, drill.old, "--reason", "broken").code == 0
    home = drill.new_desk()
    desk = WorkingDesk(home, CLOCK)
    desk.enrol(77)
    desk.close()
    assert drill.unseal(drill.ask(home)).code == 0
    drill.take_over(home).failed_with(RestoreRefused)


@pytest.mark.parametrize("name", ["desk.db", "recovery.json", "manifest.json"])
def test_an_altered_back_up_is_refused(drill: Drill, name: str) -> None:
    """One byte, in any file."""
    path = drill.backup / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(BackupInvalid):
        read_backup(drill.backup)


def test_no_secret_lies_in_a_back_up_nor_in_what_is_left_after_an_erasure(drill: Drill) -> None:
    """Attacks 8 and 12: keys, vectors, name and number, in plain, hex or base64, in no file but the keys' own."""
    kept = {drill.site.home.keys / name for name in (*KeyName, "device.pem")}
    kept |= set(drill.site.fund.rglob("*.key")) | {drill.site.fund / "fund.json"}
    files = [path for path in drill.root.rglob("*") if path.is_file() and path not in kept]
    assert {"desk.db", "recovery.json", "manifest.json", "desk.log"} <= {path.name for path in files}
    assert any(path.suffix == ".journal" for path in files)
    found = [
        (path.name, name)
        for path in files
        for name, secret in drill.secrets.items()
        if any(form in path.read_bytes() for form in _forms(secret))
    ]
    assert found == []


def _forms(secret: bytes) -> list[bytes]:
    """As it may have been written down."""
    if len(secret) <= 16:
        return [secret]
    return [secret, secret.hex().encode(), base64.b64encode(secret)[:40], base64.urlsafe_b64encode(secret)[:40]]
