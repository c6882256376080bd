"""The doctor names what is wrong with a desk, each line with a remedy, and repairs nothing."""

import subprocess
from pathlib import Path

import pytest

from appliance.capture.camera_identity import SystemTree
from appliance.core.device import Fact, Finding, Health
from appliance.health import OLD_BACKLOG_S, Check, examine
from sync.device_key import create_device_key
from sync.home import Home, load_settings
from sync.membership import read_membership
from sync.outbox import Outbox
from tests.fakes.clock import ManualClock
from tests.fakes.system_tree import FakeSystem
from tests.fakes.tpm import TpmMaker
from tests.fakes.working_desk import WorkingDesk


def found(home: Home, packs: Path, clock: ManualClock, tree: SystemTree | None = None) -> dict[str, Check]:
    """Every line of the report by its name."""
    return {check.name: check for check in examine(home, packs, clock, tree)}


def test_a_whole_desk_is_whole(home: Home, desk: WorkingDesk, clock: ManualClock, pack_path: Path) -> None:
    """Every check is made; only the missing camera and the software key are warned of."""
    desk.enrol(1)
    checks = found(home, pack_path.parent, clock)
    assert list(checks) == [
        *("disk", "window", "voice", "configuration", "camera", "keys at rest", "model pack", "certificates"),
        *("records", "device key", "ledger", "clock", "delivery", "log", "templates"),
    ]
    assert {name for name, check in checks.items() if check.health is Health.FAILED} == set()
    assert checks["model pack"].found.startswith("builtin")
    assert "1 people enrolled" in checks["records"].found
    assert checks["ledger"].found.startswith("1 events, chain verified")
    assert checks["device key"].health is Health.WARNING
    assert "1 waiting" in checks["delivery"].found


def test_libraries_that_the_window_lacks_are_named_with_their_packages(
    home: Home, clock: ManualClock, tmp_path: Path
) -> None:
    """The command that installs them; a desk without a screen goes on."""

    def loader(file: Path) -> str:
        return "\tlibxcb-cursor.so.0 => not found\n" if file.name == "libqxcb.so" else ""

    window = next(check for check in examine(home, tmp_path, clock, None, loader) if check.name == "window")
    assert (window.health, window.found) == (Health.WARNING, "missing: libxcb-cursor.so.0")
    assert window.remedy == "sudo apt-get install --no-install-recommends libxcb-cursor0"
    damaged = examine(home, tmp_path, clock, None, lambda _: "\tlibQt6Gui.so.6 => not found\n")
    assert "requirements/setup.sh" in next(check for check in damaged if check.name == "window").remedy


def test_a_desk_that_cannot_be_heard_is_told(
    home: Home, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the packages that would help; nothing is broken by it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    voice = next(check for check in examine(home, tmp_path, clock, None, lambda _: "") if check.name == "voice")
    assert (voice.health, voice.fact) == (Health.WARNING, Fact(Finding.VOICE_SILENT))
    assert voice.found.startswith("silent: no recordings; no espeak-ng")
    assert voice.remedy.startswith("sudo apt-get install --no-install-recommends espeak-ng alsa-utils")


def test_the_doctor_says_whether_a_key_in_a_tpm_can_sign_now(
    home: Home, clock: ManualClock, pack_path: Path, tmp_path: Path
) -> None:
    """Class, use and proof; with the TPM off the remedy, and the other checks are made all the same."""
    with TpmMaker.create(tmp_path / "maker").make(tmp_path / "tpm") as tpm:
        with home.config.open("a", encoding="utf-8") as file:
            file.write(f'\n[key]\nclass = "tpm2"\ntcti = "{tpm.tcti}"\n')
        create_device_key(home, load_settings(home).key).close()
        there = found(home, pack_path.parent, clock)["device key"]
        assert (there.health, there.found) == (Health.OK, "tpm2, can sign now, not proven to the fund")
        tpm.stop()
        gone = found(home, pack_path.parent, clock)
        assert gone["device key"].health is Health.FAILED
        assert gone["device key"].found.startswith("E-KEY-02")
        assert gone["ledger"].health is Health.OK


def test_the_end_of_a_certificate_is_told_a_month_before(home: Home, clock: ManualClock, pack_path: Path) -> None:
    """A warning, then a failure; both say that visits go on."""
    assert found(home, pack_path.parent, clock)["certificates"].health is Health.OK
    ends = read_membership(home).tls_ends
    assert ends is not None
    clock.advance((ends - clock.moment().wall).total_seconds() - 10 * 86_400)
    soon = found(home, pack_path.parent, clock)["certificates"]
    assert (soon.health, "ends in" in soon.found) == (Health.WARNING, True)
    clock.advance(11 * 86_400)
    over = found(home, pack_path.parent, clock)["certificates"]
    assert (over.health, "has ended" in over.found) == (Health.FAILED, True)
    assert "visits go on" in over.remedy


def test_people_whom_no_pack_in_use_knows_are_counted(
    home: Home, desk: WorkingDesk, clock: ManualClock, pack_path: Path
) -> None:
    """A pack was exchanged by hand: who is cut off by it is told, and how to mend that."""
    none = found(home, pack_path.parent, clock)["templates"]
    assert (none.health, none.found) == (Health.OK, "0 of 0 people by builtin")
    desk.enrol(1)
    desk.enrol(2)
    cut_off = found(home, pack_path.parent, clock)["templates"]
    assert (cut_off.health, cut_off.found) == (Health.WARNING, "0 of 2 people by builtin; 2 by no pack in use")
    assert "previous" in cut_off.remedy


def test_every_complaint_has_a_remedy(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """No line leaves the operator alone."""
    desk.enrol(1)
    checks = found(home, tmp_path / "no packs", clock).values()
    assert all(check.remedy for check in checks if check.health is not Health.OK)


def test_a_missing_pack_hides_nothing_else(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """The records are examined although the desk cannot see."""
    checks = found(home, tmp_path / "no packs", clock)
    assert checks["model pack"].health is Health.FAILED
    assert "E-PACK" in checks["model pack"].found
    assert checks["ledger"].health is Health.OK


def test_a_home_that_is_not_there_is_one_clear_line(clock: ManualClock, tmp_path: Path) -> None:
    """No configuration: what depends on it is left out."""
    checks = found(Home(tmp_path / "nowhere"), tmp_path, clock)
    assert checks["configuration"].health is Health.FAILED
    assert "records" not in checks


def test_a_wrong_setting_is_named(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """The line in keldim.toml that cannot be."""
    home.config.write_text(home.config.read_text() + "\n[camera]\nwidht = 640\n")
    assert "did you mean width" in found(home, tmp_path, clock)["configuration"].found


def test_a_wrong_database_key_is_named(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """The key file of another desk."""
    home.database_key.write_bytes(bytes(32))
    records = found(home, tmp_path, clock)["records"]
    assert (records.health, records.found.split()[0]) == (Health.FAILED, "E-DB-01")


def test_a_key_that_others_can_read_is_named(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """A secret is its owner's only."""
    home.template_key.chmod(0o644)
    records = found(home, tmp_path, clock)["records"]
    assert (records.health, records.found.split()[0]) == (Health.FAILED, "E-KEY-01")


def test_an_altered_event_is_found(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """The chain is proven from its beginning; the copy of the desk is the altered one."""
    desk.enrol(1)
    desk.enrol(2)
    desk.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    copy = Home(tmp_path / "copy")
    subprocess.run(["cp", "-r", home.root, copy.root], check=True)  # a file closed here would lose our own locks
    altered = WorkingDesk(copy, clock)
    for (trigger,) in altered.db.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'"
    ).fetchall():
        altered.db.execute(f"DROP TRIGGER {trigger}")
    altered.db.execute("UPDATE event SET kind = 'checked_in' WHERE seq = 1")
    altered.close()
    ledger = found(copy, tmp_path, clock)["ledger"]
    assert (ledger.health, ledger.found.split()[0]) == (Health.FAILED, "E-LED-01")


def test_a_clock_that_jumped_is_warned_of(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """The last event carries the doubt."""
    desk.enrol(1)
    clock.step_wall(-3600)
    desk.enrol(2)
    assert found(home, tmp_path, clock)["clock"].health is Health.WARNING


def test_an_old_backlog_is_warned_of(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """A day without delivery: nothing is lost, and somebody should look."""
    desk.enrol(1)
    assert found(home, tmp_path, clock)["delivery"].health is Health.OK
    clock.advance(OLD_BACKLOG_S + 60)
    assert found(home, tmp_path, clock)["delivery"].health is Health.WARNING


def test_an_alarm_of_the_fund_is_a_failure(home: Home, desk: WorkingDesk, clock: ManualClock, tmp_path: Path) -> None:
    """What a person has to look at is not a mere warning."""
    desk.enrol(1)
    Outbox(desk.db).contact(clock.wall.timestamp(), "the fund has blocked this desk")
    delivery = found(home, tmp_path, clock)["delivery"]
    assert delivery.health is Health.FAILED
    assert "blocked" in delivery.found


def test_the_doctor_says_which_camera_may_serve(home: Home, clock: ManualClock, tmp_path: Path) -> None:
    """Refused ones only: a failure. A good one without a list: a warning. A listed one: fine."""
    system = FakeSystem(tmp_path / "machine")
    system.loopback(0)

    def camera() -> Check:
        return found(home, tmp_path, clock, system.tree)["camera"]

    assert (camera().health, camera().found) == (Health.FAILED, "video0 OBS Virtual Camera (virtual): virtual")
    system.usb(2)
    assert camera().health is Health.WARNING
    assert "video2 HD Webcam C270 (046d:0825): allowed" in camera().found
    home.config.write_text(home.config.read_text() + '\n[camera]\nallow = ["046d:0825 driver=uvcvideo"]\n')
    assert camera().health is Health.OK


def test_a_log_that_contradicts_itself_is_a_failure(
    home: Home, desk: WorkingDesk, clock: ManualClock, pack_path: Path
) -> None:
    """And stays one: evidence is not forgotten."""
    assert found(home, pack_path.parent, clock)["log"].health is Health.OK
    desk.records.db.execute("INSERT INTO log_evidence (at, what, ours, theirs) VALUES (0, 'two histories', 'a', 'b')")
    log = found(home, pack_path.parent, clock)["log"]
    assert (log.health, "two histories" in log.found) == (Health.FAILED, True)
