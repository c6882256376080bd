"""A PIN is typed at a terminal and nowhere else."""

import os
import subprocess
import sys
import termios
import time
from pathlib import Path

from appliance.core.errors import PersonUnknown, PinInvalid
from tests.cli.terminal import Clinic
from tests.fakes.patients import make_iin

ROOT = Path(__file__).parents[2]


def typed(clinic: Clinic, *arguments: str, keys: str) -> tuple[int, str, str]:
    """`keldim staff pin` with somebody at the keyboard: exit code, output, errors."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "appliance", "--home", str(clinic.home), "staff", "pin", *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # no controlling terminal: the keyboard is standard input
    )
    assert process.stderr is not None
    told = ""
    for line, prompt in zip(keys.splitlines(keepends=True), ("PIN:", "confirmation:"), strict=True):
        while prompt not in told:  # what is typed before the question is thrown away
            said = os.read(process.stderr.fileno(), 4096).decode()
            assert said, told
            told += said
        while termios.tcgetattr(theirs)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(ours, line.encode())
    out, err = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    return process.returncode, out, told + err


def test_a_first_pin_is_typed_twice(clinic: Clinic) -> None:
    """Who is new needs a name; the missing face is told; the PIN stands in no output and no argument."""
    iin = make_iin(70).digits
    code, out, err = typed(clinic, "--iin", iin, "--name", "Dana Serik", "--role", "supervisor", keys="271828\n" * 2)
    assert (code, "supervisor" in out, "keldim staff enrol" in err) == (0, True, True), err
    assert "271828" not in out + err
    assert iin not in out + err
    told = clinic("staff", "list", "--json").rows
    assert [(row["greeting"], row["templates"]) for row in told] == [("Dana S.", 0)]


def test_a_weak_pin_and_an_unknown_person_are_refused(clinic: Clinic) -> None:
    """With code and remedy; nothing is kept."""
    iin = make_iin(70).digits
    for keys, failure in (("123456\n" * 2, PinInvalid), ("271828\n" * 2, PersonUnknown)):
        code, out, err = typed(clinic, "--iin", iin, keys=keys)
        assert (code, out) == (failure.exit_code, "")
        assert failure.code in err
    assert clinic("staff", "list", "--json").rows == []


def test_without_a_terminal_no_pin_is_read(clinic: Clinic) -> None:
    """A PIN from a pipe would stand in a script."""
    told = clinic("staff", "pin", "--iin", make_iin(70).digits)
    assert told.code == 2
    assert "terminal" in told.err
