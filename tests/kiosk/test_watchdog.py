"""The kiosk as a service: a real process, a real socket of systemd's, and what it says there."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from appliance.opencv import cv2
from tests.fakes.working_desk import make_home

PLAYED_S = 2
"""Pictures are played at 15 a second."""


@pytest.fixture
def notify(tmp_path: Path) -> str:
    """Where the process is to send; bound by each test."""
    return str(tmp_path / "notify")


def kiosk(home: Path, pack: Path, notify: str, *source: object) -> "subprocess.Popen[str]":
    """The window without a screen, as its unit starts it."""
    environment = {**os.environ, "NOTIFY_SOCKET": notify, "WATCHDOG_PID": "1", "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "appliance", "--home", home, "--packs", pack.parent, "kiosk", *source]
    return subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def told(listening: socket.socket, seconds: float) -> bytes:
    """The next datagram."""
    listening.settimeout(seconds)
    return listening.recv(200)


def test_it_is_ready_when_there_is_something_to_see_and_says_that_it_lives(
    tmp_path: Path, pack_path: Path, notify: str
) -> None:
    """Ready with the first picture, then a ping each second, and a word at the end."""
    home, noise, pictures = make_home(tmp_path), np.random.default_rng(1), tmp_path / "pictures"
    pictures.mkdir()
    for number in range(15 * PLAYED_S):
        cv2.imwrite(str(pictures / f"{number:03}.png"), noise.integers(0, 255, (120, 160, 3), np.uint8))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(notify)
        with kiosk(home.root, pack_path, notify, "--images", pictures) as process:
            assert told(listening, 60) == b"READY=1\nWATCHDOG=1"
            rest = [told(listening, 30)]
            while rest[-1] != b"STOPPING=1":
                rest.append(told(listening, 30))
            assert process.wait(30) == 0, process.stderr and process.stderr.read()[-2000:]
    assert set(rest[:-1]) <= {b"WATCHDOG=1"}


def test_a_desk_that_cannot_open_says_so_and_lives(tmp_path: Path, pack_path: Path, notify: str) -> None:
    """Its screen tells the patients; the supervisor does not start it again and again meanwhile."""
    home = make_home(tmp_path)
    home.database_key.write_bytes(bytes(32))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(notify)
        with kiosk(home.root, pack_path, notify, "--video", tmp_path / "none.avi") as process:
            assert told(listening, 60) == b"READY=1\nWATCHDOG=1"
            process.terminate()
            rest = told(listening, 30)
            while rest == b"WATCHDOG=1":
                rest = told(listening, 30)
            assert rest == b"STOPPING=1"
            assert process.wait(30) == 0, process.stderr and process.stderr.read()[-2000:]
