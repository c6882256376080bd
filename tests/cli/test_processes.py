"""The command as a process of its own: exit codes and streams as a shell and a supervisor see them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sync.home import Home
from tests.cli.terminal import Clinic

ROOT = Path(__file__).parents[2]


def start(*arguments: object) -> "subprocess.Popen[str]":
    """`keldim` with these arguments."""
    command = [sys.executable, "-m", "appliance", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit code, output, errors."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("arguments", "code", "stream", "text"),
    [
        (("ledger", "verify", "--json"), 0, "out", '"verified": true'),
        (("forget", "--iin", "1", "--yes"), 3, "err", "E-IIN-01"),
        (("checkin", "--camera", "99", "--once"), 3, "err", "E-CAM-01"),
        (("nonsense",), 2, "err", "Usage"),
    ],
    ids=["done", "iin", "camera", "usage"],
)
def test_a_process_ends_with_its_code(
    pristine: Clinic, arguments: tuple[str, ...], code: int, stream: str, text: str
) -> None:
    """0 done, 2 wrong usage, 3 known failure; messages on the error stream, no stack trace."""
    where = ("--home", pristine.home, "--packs", pristine.packs)
    returned, out, err = ended(start(*where, *arguments))
    assert returned == code, err
    assert text in (out if stream == "out" else err)
    assert "Traceback" not in out + err
    if stream == "out":
        json.loads(out)


def test_the_environment_names_home_and_packs(pristine: Clinic) -> None:
    """KELDIM_HOME and KELDIM_PACKS, as the service's unit file sets them."""
    environment = {**os.environ, "KELDIM_HOME": str(pristine.home), "KELDIM_PACKS": str(pristine.packs)}
    command = [sys.executable, "-m", "appliance", "sync", "status", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["pending"]) == (0, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_delivery_ends_when_it_is_told(clinic: Clinic, number: signal.Signals) -> None:
    """A stop of the service, and Ctrl-C, end it well, also while the fund is down."""
    process = start("--home", clinic.home, "sync", "run")
    log = Home(clinic.home).log / "sync.log"
    end = time.monotonic() + 60
    while "not delivered" not in (log.read_text() if log.exists() else "") and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    returned, _, err = ended(process)
    assert returned == 0, err
    assert "E-NET-01" in log.read_text()
    assert "Traceback" not in err + log.read_text()
