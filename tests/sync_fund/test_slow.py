"""Who sends slowly holds up himself: strangers and a device of the fund, against a real server with TLS."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.fund.connection import MAX_STRANGERS
from sync.fund.counter import MAX_WAITING, OF_ONE, OF_STRANGERS
from tests.sync_fund.conftest import Running
from tests.sync_fund.desk import FakeDesk, batch

COSIGNATURES = "/v1/log/cosignatures"
"""The one body that is read from whoever sends it."""


def stalled(path: str) -> bytes:
    """A request of which nothing more comes."""
    head = f"POST {path} HTTP/1.1\r\nHost: fund\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n"
    return head.encode() + b"{"


def events_of(desk: FakeDesk) -> str:
    """Where a desk's events go."""
    return f"/v1/devices/{desk.device}/events"


@contextlib.contextmanager
def held(wires: list[ssl.SSLSocket]) -> Iterator[None]:
    """Connections that are closed at the end, whatever happens."""
    try:
        yield
    finally:
        for wire in wires:
            wire.close()


def status(wire: ssl.SSLSocket) -> int:
    """What a connection is answered within ten seconds; raises TimeoutError when it is kept waiting."""
    wire.settimeout(10)
    return int(wire.recv(4096).split()[1])


def waiting(wires: list[ssl.SSLSocket]) -> int:
    """How many of these are kept waiting for the rest of their body."""
    count = 0
    for wire in wires:
        wire.settimeout(0.01)
        try:
            wire.recv(4096)
        except TimeoutError:
            count += 1
    return count


def test_a_strangers_body_is_not_waited_for(running: Running, tmp_path: Path) -> None:
    """More of them than there are places stall with a device's path: each is denied before its body, none waits."""
    desk = running.fund.desk(tmp_path)
    wires = [running.wire(source=f"127.0.0.{number}") for number in range(1, MAX_WAITING + 9)]
    with held(wires):
        for wire in wires:
            wire.sendall(stalled(events_of(desk)))
        assert running.post(desk.device, batch([desk.next()])).status_code == 200
        assert {status(wire) for wire in wires} <= {403, 503}


def test_stalled_strangers_leave_the_devices_their_places(running: Running, tmp_path: Path) -> None:
    """Of many addresses, where a stranger's body is read: they share few places, and a desk is served meanwhile."""
    desk = running.fund.desk(tmp_path)
    wires = [running.wire(source=f"127.0.0.{number % 40 + 1}") for number in range(MAX_WAITING + 16)]
    with held(wires):
        for wire in wires:
            wire.sendall(stalled(COSIGNATURES))
        assert running.post(desk.device, batch([desk.next()])).status_code == 200
        assert waiting(wires) == OF_STRANGERS
        assert running.post(desk.device, batch([desk.next()])).status_code == 200
        answer = running.get("/healthz")
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["Retry-After"]) > 0
    assert _eventually_healthy(running)


def test_one_stranger_holds_few_places(running: Running) -> None:
    """One address stalls as often as it likes: another stranger is served."""
    wires = [running.wire(source="127.0.0.2") for _ in range(OF_STRANGERS + 8)]
    with held(wires):
        for wire in wires:
            wire.sendall(stalled(COSIGNATURES))
        assert running.get("/healthz").status_code == 200
        assert waiting(wires) == OF_ONE


def test_a_device_that_stalls_holds_up_itself(running: Running, tmp_path: Path) -> None:
    """With its certificate, more often than there are places: it is told to wait, another desk is served."""
    slow, desk = running.fund.desk(tmp_path), running.fund.desk(tmp_path)
    wires = [running.wire(slow) for _ in range(MAX_WAITING + 8)]
    with held(wires):
        for wire in wires:
            wire.sendall(stalled(events_of(slow)))
        assert running.post(desk.device, batch([desk.next()])).status_code == 200
        answer = running.post(slow.device, batch([slow.next()]))
        assert (answer.status_code, answer.json()["code"]) == (429, "busy")
        assert int(answer.headers["Retry-After"]) > 0
        assert waiting(wires) == OF_ONE


def test_idle_strangers_leave_the_devices_their_connections(running: Running, tmp_path: Path) -> None:
    """More connections without a request than strangers may have: the last are dropped, a desk connects."""
    desk = running.fund.desk(tmp_path)
    wires = [running.wire() for _ in range(MAX_STRANGERS + 8)]
    with held(wires):
        wires[-1].settimeout(10)
        with contextlib.suppress(ConnectionError):
            assert wires[-1].recv(1) == b""
        assert running.post(desk.device, batch([desk.next()])).status_code == 200
        wires[0].settimeout(0.01)
        with pytest.raises(TimeoutError):
            wires[0].recv(1)
    assert _eventually_healthy(running)


def _eventually_healthy(running: Running) -> bool:
    """Whether a stranger is served again when the others are gone."""
    for _ in range(200):
        with contextlib.suppress(OSError):
            if running.get("/healthz").status_code == 200:
                return True
        time.sleep(0.02)
    return False
