"""One connection to uvicorn without TLS: the head of a request has an end, in bytes and in time."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from sync.fund.connection import MAX_HEAD, BoundedConnection

SECONDS = 0.4
GET = b"GET /slow HTTP/1.1\r\nHost: fund\r\n\r\n"


class Quick(BoundedConnection):
    """The same in a test's time."""

    seconds = SECONDS


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    """/early answers without reading, /slow takes longer than a head may, all others read the body first."""
    request = Request(scope, receive)
    if request.url.path == "/slow":
        await asyncio.sleep(SECONDS * 1.5)
    elif request.url.path != "/early":
        await request.body()
    await PlainTextResponse("well")(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(_answer, http=Quick, ws="none", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield int(listener.getsockname()[1])
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def wire(port: int) -> Iterator[socket.socket]:
    """A connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        yield connection


def _all_of(wire: socket.socket) -> bytes:
    """What comes until the other side ends it."""
    content = b""
    with contextlib.suppress(ConnectionError):
        while part := wire.recv(65536):
            content += part
    return content


def _drip(wire: socket.socket, content: bytes) -> float:
    """Send the same bytes every 50 ms until the connection ends; seconds until then, at most 5."""
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - begun < 5:
            wire.sendall(content)
            time.sleep(0.05)
    return time.monotonic() - begun


def test_a_connection_without_a_request_is_ended(wire: socket.socket) -> None:
    """Nothing comes, nothing is said."""
    assert _all_of(wire) == b""


@pytest.mark.parametrize("drip", [b"X-A: b\r\n", b"x", b"\r\n"], ids=["headers", "one header", "before a head"])
@pytest.mark.parametrize("begin", [b"GET / HTTP/1.1\r\nHost: fund\r\nX-First: ", GET], ids=["first", "second request"])
def test_a_head_that_drips_is_ended(wire: socket.socket, begin: bytes, drip: bytes) -> None:
    """Each byte on time, the whole never; also as the second request of a connection."""
    if begin != GET and drip == b"\r\n":
        begin = b""
    wire.sendall(begin)
    if begin == GET:
        assert b"200 OK" in wire.recv(4096)
    assert _drip(wire, drip) < 5


@pytest.mark.parametrize("part", [b"X-A: b\r\n" * 512, b"x" * 4096], ids=["headers", "one header"])
def test_a_head_without_end_is_refused(wire: socket.socket, part: bytes) -> None:
    """By its bytes, long before its time; in JSON as everything that is denied."""
    wire.sendall(b"GET / HTTP/1.1\r\nHost: fund\r\nX-First: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 64 * MAX_HEAD:
            sent += wire.send(part)
    assert sent < 64 * MAX_HEAD
    answer = _all_of(wire)
    if answer:  # lost where the end of the connection overtakes it
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(body)["code"] == "malformed"


def test_a_head_that_is_too_long_is_refused_although_it_ends(wire: socket.socket) -> None:
    """Read at once."""
    wire.sendall(b"GET / HTTP/1.1\r\nHost: fund\r\nX-A: " + b"x" * MAX_HEAD + b"\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert wire.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_bytes_that_are_no_request_are_denied_in_json(wire: socket.socket) -> None:
    """What the parser refuses."""
    wire.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    head, _, body = _all_of(wire).partition(b"\r\n\r\n")
    assert (head[:12], json.loads(body)["code"]) == (b"HTTP/1.1 400", "malformed")


def test_a_body_that_was_answered_early_is_not_awaited_for_ever(wire: socket.socket) -> None:
    """The answer comes at once; what is still sent is thrown away, for as long as a head may take."""
    wire.sendall(b"POST /early HTTP/1.1\r\nHost: fund\r\nContent-Length: 900000000\r\n\r\n")
    assert b"200 OK" in wire.recv(4096)
    assert _drip(wire, b" " * 65536) < 5


def test_an_answer_may_take_longer_than_a_head(wire: socket.socket) -> None:
    """And a connection goes on for many requests, with bodies of any size."""
    for _ in range(2):
        wire.sendall(GET)
        assert b"200 OK" in wire.recv(4096)
    size = 4 * MAX_HEAD
    wire.sendall(f"POST / HTTP/1.1\r\nHost: fund\r\nContent-Length: {size}\r\n\r\n".encode() + b" " * size + GET)
    assert b"200 OK" in wire.recv(4096)
