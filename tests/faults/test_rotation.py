"""Rotation of keys: kill -9 at any instant, a full disk, a service that runs."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.composition import DESK_MIGRATIONS
from appliance.core.errors import TemplateDamaged
from appliance.key_rotation import rotate_database_key, rotate_template_key
from appliance.records.vault import Vault
from sync.database import immediate, open_database
from sync.errors import DatabaseKeyWrong, DiskFull, SyncFailure
from sync.home import Home
from sync.key_errors import RotationUnfinished
from sync.key_source import KeyName, open_keys
from sync.keyfile import load_key
from tests.fakes.clock import ManualClock
from tests.fakes.working_desk import DEVICE, WorkingDesk

ROOT = Path(__file__).parents[2]
KILLS = 40
SEED = 20
PATIENTS, STAFF = 12, 3


def silent(_: str) -> None:
    """Nobody waits."""


@pytest.fixture
def home(home: Home, clock: ManualClock) -> Home:
    """A desk with people and visits, not running."""
    desk = WorkingDesk(home, clock)
    for number in range(PATIENTS):
        desk.enrol(number)
    for number in range(STAFF):
        desk.employ(900 + number)
    for service in desk.plan(1, 3):
        desk.visit(1, service)
    desk.close()
    return home


def rotated(home: Home, clock: ManualClock, key: str) -> list[str]:
    """The checks of every signed rotation of a key."""
    desk = WorkingDesk(home, clock)
    desk.check_everything()
    events = desk.events()
    desk.close()
    return [str(e.data["check"]) for e in events if e.kind == "key_rotated" and e.data["key"] == key]


@pytest.mark.parametrize("key", ["template", "database"])
def test_forty_kills_at_any_instant(home: Home, clock: ManualClock, tmp_path: Path, key: str) -> None:
    """After each the desk opens whole, the fund's copy opens it too, and the next run finishes what was cut off.

    Every key that ever came into use was signed for exactly once.
    """
    command = [sys.executable, "-m", "tests.faults.rotation_kills", home.root, tmp_path / "fund-home", key]
    done = subprocess.run(
        [*map(str, command), str(KILLS), str(SEED)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["killed"] == KILLS, found
    assert found["pending"] >= 1, "no kill fell between the making of a key and its use"
    assert not found["left"]
    checks = rotated(home, clock, key)
    assert len(checks) == len(set(checks)) == found["keys"]


def test_a_new_template_key_opens_everything_and_the_old_one_nothing(home: Home, clock: ManualClock) -> None:
    """No file of the home keeps the old key, and a vault under it opens no data key."""
    old = load_key(home.template_key)
    assert rotate_template_key(home, clock, silent) == PATIENTS + STAFF
    assert load_key(home.template_key) != old
    assert len(rotated(home, clock, "template")) == 1
    desk = WorkingDesk(home, clock)
    person, wrapped = desk.db.execute("SELECT person_id, wrapped FROM data_key").fetchone()
    with pytest.raises(TemplateDamaged):
        Vault(old, DEVICE).unwrap(person, wrapped)
    desk.close()
    assert [path.name for path in home.root.rglob("*") if path.is_file() and old in path.read_bytes()] == []


def test_a_new_database_key_opens_the_file_and_the_old_one_does_not(home: Home, clock: ManualClock) -> None:
    """Whoever kept the old key has nothing."""
    old = load_key(home.database_key)
    assert rotate_database_key(home, clock, silent) == home.database.stat().st_size
    assert len(rotated(home, clock, "database")) == 1
    with pytest.raises(DatabaseKeyWrong):
        open_database(home.database, old, DESK_MIGRATIONS)


@pytest.mark.parametrize("rotation", [rotate_template_key, rotate_database_key])
def test_a_running_service_keeps_a_rotation_out(home: Home, clock: ManualClock, rotation: object) -> None:
    """One open connection is enough, whatever it does; nothing is begun, and the service goes on."""
    desk = WorkingDesk(home, clock)
    assert callable(rotation)
    with pytest.raises(RotationUnfinished, match="another process"):
        rotation(home, clock, silent)
    assert {open_keys(home).pending(name) for name in KeyName} == {None}
    desk.enrol(500)
    desk.check_everything()
    desk.close()


def test_a_rotation_hides_no_damaged_key(home: Home, clock: ManualClock) -> None:
    """A data key that does not open stops the rotation; nothing has changed, and the rest still opens."""
    desk = WorkingDesk(home, clock)
    person = desk.find(3)
    with immediate(desk.db):
        desk.db.execute("UPDATE data_key SET wrapped = zeroblob(40) WHERE person_id = ?", (person,))
    before = desk.db.execute("SELECT * FROM data_key").fetchall()
    desk.close()
    with pytest.raises(TemplateDamaged):
        rotate_template_key(home, clock, silent)
    desk = WorkingDesk(home, clock)
    assert desk.db.execute("SELECT * FROM data_key").fetchall() == before
    desk.close()


def test_space_is_looked_for_before_a_database_is_encrypted_anew(home: Home) -> None:
    """On a disk of 3 MiB there is no room for the log: said before anything is written."""
    script = (
        "import shutil, sys; from pathlib import Path; from sync.home import Home;"
        "from appliance.key_rotation import rotate_database_key; from tests.fakes.clock import ManualClock;"
        "shutil.copytree(sys.argv[1], '/mnt/desk');"
        "rotate_database_key(Home(Path('/mnt/desk')), ManualClock(), print)"
    )
    command = ["bwrap", "--dev-bind", "/", "/", "--size", str(3 << 20), "--tmpfs", "/mnt", sys.executable, "-c", script]
    done = subprocess.run([*command, str(home.root)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert f"{DiskFull.__name__}: a new database key needs" in done.stderr, done.stderr[-2000:]


@pytest.mark.parametrize("room", [0, 40_000, 150_000])
def test_a_disk_that_fills_meanwhile_leaves_the_old_key(home: Home, clock: ManualClock, room: int) -> None:
    """No file may grow beyond so many bytes: the rotation fails with a known failure, and later ends well."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000 + room, hard))
    try:
        with pytest.raises(SyncFailure):
            rotate_database_key(home, clock, silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert rotated(home, clock, "database") == []
    rotate_database_key(home, clock, silent)
    assert len(rotated(home, clock, "database")) == 1
