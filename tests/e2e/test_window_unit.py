"""The files by which a machine becomes a kiosk: read by systemd itself, and true to the program they start."""

import re
import shlex
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.core import TyperGroup, TyperOption

import kiosk_ui.__main__ as window
from appliance import texts
from appliance.core.pulse import PulseLimits
from appliance.opencv import cv2
from appliance.texts import Language
from sync.key_sealing import seal_keys
from sync.sealed_keys import Seal
from tests.e2e.sandbox import NOBODY, UNITS, Unit, may_sandbox
from tests.fakes.working_desk import make_home

OWN = ["kiosk", "sync", "window", "closed", "panel", "doctor", "release"]
NOT_HERE = (
    "/usr/bin/keldim is not executable",
    "/usr/sbin/keldim-release is not executable",
    "Unit seatd.service not found",
)
HOME = Path("/var/lib/keldim")


@pytest.mark.parametrize("name", OWN)
def test_systemd_reads_the_unit_without_complaint(name: str) -> None:
    """But for the programs that are not installed on this machine."""
    unit = UNITS / f"keldim-{name}.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert [line for line in complaints if not any(known in line for known in NOT_HERE)] == []


def test_the_window_has_the_walls_of_the_desk() -> None:
    """Line by line what keldim-kiosk.service has; what differs is named here, with the network still out of reach."""
    kiosk, desk = Unit.read("window", HOME), Unit.read("kiosk", HOME)
    different = {
        "Type",
        "ExecStart",
        "Environment",
        "Restart",
        "RestartSec",
        "PrivateNetwork",
        "RestrictAddressFamilies",
    }
    assert [wall for wall in desk.settings if wall[0] not in different and wall not in kiosk.settings] == []
    assert kiosk.all("RestrictAddressFamilies") == ["AF_UNIX AF_NETLINK"]
    assert kiosk.all("IPAddressDeny") == ["any"]
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15"]
    judged = subprocess.run(
        [*command, str(UNITS / "keldim-window.service")], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout.splitlines()[-1]


def test_the_pings_of_the_window_are_heard() -> None:
    """They come from a child of the compositor: all of the group may notify, and no PAM session takes it elsewhere."""
    kiosk, panel = Unit.read("window", HOME), Unit.read("panel", HOME)
    assert (kiosk.all("Type"), kiosk.all("NotifyAccess"), kiosk.all("PAMName")) == (["notify"], ["all"], [])
    assert (panel.all("Type"), panel.all("NotifyAccess")) == (["notify"], ["main"])
    for unit in (kiosk, panel):
        assert int(unit.all("WatchdogSec")[0]) >= 2 * PulseLimits().window, "a late timer is no hung window"
        assert int(unit.all("TimeoutStartSec")[0]) >= 60, (
            "packs are tested and galleries loaded before the first picture"
        )


@pytest.mark.parametrize("name", ["kiosk", "sync", "window"])
def test_the_unit_leaves_what_the_clock_reads(name: str) -> None:
    """ProcSubset=pid hides /proc/sys, and with it the boot id, without which no moment can be told."""
    assert Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert Unit.read(name, HOME).all("ProcSubset") == []


@pytest.mark.parametrize("name", ["window", "panel"])
def test_the_command_is_one_that_the_program_knows(name: str) -> None:
    """`keldim kiosk` with options that it has."""
    (line,) = Unit.read(name, HOME).all("ExecStart")
    words = shlex.split(line)
    words = words[words.index("/usr/bin/keldim") + 1 :]
    group = typer.main.get_command(window.app)
    assert isinstance(group, TyperGroup)
    command = group.commands[words[0]]
    options = {name for option in command.params if isinstance(option, TyperOption) for name in option.opts}
    assert {word for word in words[1:] if word.startswith("--")} <= options


def test_a_closed_desk_says_what_its_screen_would() -> None:
    """In three languages, as texts.toml has it."""
    table = tomllib.loads(Path(texts.__file__).with_name("texts.toml").read_text(encoding="utf-8"))
    said = [line.strip() for line in (UNITS / "closed.txt").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert said == [table["state"]["out_of_service"][language.value] for language in Language]


def test_the_two_users_are_made_with_their_groups(tmp_path: Path) -> None:
    """By systemd-sysusers, in a root of its own: the kiosk has camera and TPM, delivery has neither."""
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", str(UNITS / "keldim.sysusers")]
    subprocess.run(command, check=True, capture_output=True)
    lines = [line.split(":") for line in (tmp_path / "etc/group").read_text().splitlines()]
    members = {line[0]: set(line[3].split(",")) - {""} for line in lines}
    assert members["keldim"] == {"keldim-kiosk", "keldim-sync"}
    assert members["video"] == members["tss"] == {"keldim-kiosk"}
    users = (tmp_path / "etc/passwd").read_text().splitlines()
    assert all(line.endswith("/nologin") for line in users)
    for name in ("kiosk", "sync", "window"):
        unit = Unit.read(name, HOME)
        assert f"{unit.all('User')[0]}:" in "\n".join(users)
        for group in " ".join([*unit.all("Group"), *unit.all("SupplementaryGroups")]).split():
            assert unit.all("User")[0] in members[group]


def test_the_cameras_rules_come_when_they_count() -> None:
    """After the rule that gives cameras to whoever sits at the PC, before the one that acts on it; every jump lands."""
    (rules,) = UNITS.glob("*.rules")
    assert "70-uaccess.rules" < rules.name < "73-seat-late.rules"
    text = rules.read_text(encoding="utf-8")
    assert 'TAG-="uaccess"' in text
    jumps, labels = re.findall(r'GOTO="(\w+)"', text), re.findall(r'LABEL="(\w+)"', text)
    assert jumps == labels
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r'([A-Z]+(\{[\w/]+\})?(==|!=|\+=|-=|=)"[^"]*"(, )?)+', line) for line in lines)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the credentials lie: out of every home."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_the_window_is_ready_behind_its_walls(tmp_path: Path, pack_path: Path, scratch: Path) -> None:
    """With sealed keys, a read-only system and no home of its own it opens the desk, sees a picture and says so.

    In the compositor, which shows it to nobody: its pings come from the compositor's child, as in the unit.
    """
    may_sandbox()
    home, noise = make_home(tmp_path), np.random.default_rng(1)
    seal_keys(home, Seal.HOST, "", lambda _: None)
    pictures, notify = home.root / "pictures", home.root / "notify"
    pictures.mkdir()
    for number in range(15):
        cv2.imwrite(str(pictures / f"{number:02}.png"), noise.integers(0, 255, (120, 160, 3), np.uint8))
    unit = Unit.read("window", home.root)
    own = [word for line in unit.all("Environment") for word in line.split() if not word.startswith("KELDIM_")]
    given = (*own, f"NOTIFY_SOCKET={notify}", "HOME=/nonexistent", "WLR_BACKENDS=headless", "XDG_RUNTIME_DIR=/tmp")
    program = (sys.executable, "-m", "kiosk_ui", "kiosk", "--home", str(home.root), "--packs", str(pack_path.parent))
    shown = shlex.split(unit.all("ExecStart")[0])[1:3]
    walls = unit.command(scratch, "env", *given, "XDG_CACHE_HOME=/tmp", "cage", *shown, *program)
    command = [walls[0], *NOBODY, *walls[1:], "--fullscreen", "--images", str(pictures)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(notify))
        listening.settimeout(60)
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert listening.recv(100) == b"READY=1\nWATCHDOG=1"
            _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said[-2000:]
