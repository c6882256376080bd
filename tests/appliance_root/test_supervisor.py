"""What the kiosk tells systemd, over a real socket."""

import ast
import logging
import secrets
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from appliance import supervisor
from appliance.core.errors import CameraUnavailable
from appliance.core.types import Frame, Instant
from appliance.supervisor import Supervisor, Watchdog, Watched, mark_of, supervisor_of
from tests.fakes.clock import ManualClock


def picture(number: int, at: float) -> Frame:
    """A picture of its own for each number."""
    pixels = np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)
    return Frame(pixels, Instant(at), "camera", number)


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd's, by path and without one; and its address as $NOTIFY_SOCKET has it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@keldim-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name[1:] if name.startswith("@") else name)
        listening.settimeout(5)
        yield listening, name


@pytest.fixture
def told(systemd: tuple[socket.socket, str]) -> Iterator[Supervisor]:
    """A supervisor that listens."""
    found = supervisor_of({"NOTIFY_SOCKET": systemd[1], "WATCHDOG_PID": "1"})
    assert found is not None
    yield found
    found.close()


def silent(listening: socket.socket) -> bool:
    """Whether nothing came."""
    return select.select([listening], [], [], 0)[0] == []


def test_assignments_come_as_one_datagram(systemd: tuple[socket.socket, str], told: Supervisor) -> None:
    """As sd_notify(3) has them, one a line."""
    assert told.tell("READY=1", "STATUS=waiting for patients")
    assert systemd[0].recv(100) == b"READY=1\nSTATUS=waiting for patients"


def test_it_pings_only_while_the_kiosk_lives(systemd: tuple[socket.socket, str], told: Supervisor) -> None:
    """A change and a running timer: one ping. The same picture for ever, or a hung window: none."""
    watchdog = Watchdog(told)
    watchdog.saw(picture(1, 1))
    assert watchdog.ping(Instant(1), Instant(1))
    assert systemd[0].recv(100) == b"READY=1\nWATCHDOG=1"
    assert watchdog.ping(Instant(2), Instant(2))
    assert systemd[0].recv(100) == b"WATCHDOG=1"
    for second in range(2, 15):
        watchdog.saw(picture(1, second))
    assert not watchdog.ping(Instant(14), Instant(14))
    watchdog.saw(picture(2, 15))
    assert not watchdog.ping(Instant(2), Instant(15))
    assert silent(systemd[0])
    assert watchdog.ping(Instant(15), Instant(15))
    assert systemd[0].recv(100) == b"WATCHDOG=1"


class Failing:
    """A camera that gives two pictures, then fails, then ends."""

    name = "camera"

    def __init__(self) -> None:
        self.given: list[Frame | CameraUnavailable | None] = [
            picture(1, 1),
            picture(2, 2),
            CameraUnavailable("gone"),
            None,
        ]
        self.closed = False

    def read(self) -> Frame | None:
        """The next of the script."""
        given = self.given.pop(0)
        if isinstance(given, CameraUnavailable):
            raise given
        return given

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def test_a_watched_source_is_the_sign_of_life_and_nothing_else(
    systemd: tuple[socket.socket, str], told: Supervisor
) -> None:
    """Frames and failures go through as they are; a camera that is gone does not stop the pings at once."""
    camera, clock = Failing(), ManualClock()
    start = clock.monotonic()
    watchdog = Watchdog(told)
    source = Watched(camera, watchdog, clock)
    assert source.name == "camera"
    assert watchdog.ping(Instant(start), Instant(start))
    assert silent(systemd[0]), "it is not ready before there is something to see"
    assert source.read() is not None
    assert source.read() is not None
    with pytest.raises(CameraUnavailable):
        source.read()
    assert watchdog.ping(Instant(start + 500), Instant(start + 500))
    assert not watchdog.ping(Instant(start + 700), Instant(start + 700))
    assert systemd[0].recv(100) == b"READY=1\nWATCHDOG=1"
    assert silent(systemd[0])
    assert source.read() is None
    source.close()
    assert camera.closed


def test_a_desk_that_does_not_open_is_ready_to_say_so(systemd: tuple[socket.socket, str], told: Supervisor) -> None:
    """The screen tells it; starting the kiosk again and again would only make it flicker. An end is told too."""
    watchdog = Watchdog(told)
    watchdog.failed(Instant(1))
    assert watchdog.ping(Instant(2), Instant(2))
    assert systemd[0].recv(100) == b"READY=1\nWATCHDOG=1"
    watchdog.stopping()
    assert systemd[0].recv(100) == b"STOPPING=1"


def test_where_nobody_waits_for_word_the_judgement_is_the_same() -> None:
    """Started by hand."""
    watchdog = Watchdog(None)
    watchdog.saw(picture(1, 1))
    assert watchdog.ping(Instant(1), Instant(1))
    assert not watchdog.ping(Instant(20), Instant(20))
    watchdog.stopping()


@pytest.mark.parametrize("address", ["", "/", "@", "vsock:2:1234", "relative"])
def test_without_a_supervisor_there_is_none(address: str) -> None:
    """Started by hand, or by one that speaks otherwise."""
    assert supervisor_of({"NOTIFY_SOCKET": address}) is None
    assert supervisor_of({}) is None


def test_a_supervisor_that_is_gone_is_told_once_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A visit goes on; the log has one line, and another one when it is gone again."""
    found = Supervisor(str(tmp_path / "notify"))
    with caplog.at_level(logging.WARNING):
        assert not found.tell("WATCHDOG=1")
        assert not found.tell("WATCHDOG=1")
    assert len(caplog.records) == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        assert found.tell("WATCHDOG=1")
    assert not found.tell("WATCHDOG=1")
    assert len(caplog.records) == 2
    found.close()


def test_one_changed_grey_level_in_a_sample_is_a_change() -> None:
    """And a copy of a picture is none."""
    one = picture(1, 1)
    other = Frame(one.pixels.copy(), Instant(2), "camera", 2)
    assert mark_of(one) == mark_of(other)
    other.pixels[8, 8, 0] ^= 1
    assert mark_of(one) != mark_of(other)


def test_the_door_makes_no_socket_of_another_family() -> None:
    """It is the only module of the kiosk that may import socket: it may not learn to speak to a network."""
    tree = ast.parse(Path(supervisor.__file__).read_text(encoding="utf-8"))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "socket"
    }
    assert used == {"socket", "AF_UNIX", "SOCK_DGRAM", "SOCK_CLOEXEC"}
