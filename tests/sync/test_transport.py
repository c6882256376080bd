"""The way to the fund: this fund and no other, bounded in time and size, whatever the other side does."""

import gc
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.connection

from sync.clock import SystemClock
from sync.errors import (
    DeviceRefused,
    FundBusy,
    ProtocolViolation,
    RequestRefused,
    SettingsInvalid,
    SyncFailure,
    TransportFailure,
)
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.home import FundSettings
from sync.protocol import MAX_ANSWER
from sync.signing import FileSigner
from sync.transport import Transport, pinned_context
from tests.fakes.documents import make_fund_home
from tests.fakes.tls_server import reply, resetting_server, tls_server


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> FundHome:
    """A fund's keys and certificates."""
    return make_fund_home(tmp_path_factory.mktemp("fund"))


def transport(
    fund: FundHome, port: int, host: str = "127.0.0.1", deadline_s: int = 5, stopped: Callable[[], bool] = lambda: False
) -> Transport:
    """The way to a server on this machine."""
    jwk = FileSigner.load(fund.signing_key).public_jwk
    settings = FundSettings(f"https://{host}:{port}", fund.ca_certificate, jwk, deadline_s)
    return Transport(settings, "desk-1", SystemClock(), stopped)


def test_a_batch_goes_there_and_its_answer_comes_back(fund: FundHome) -> None:
    """The path, the type and the bytes."""
    heads: list[bytes] = []

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        heads.append(head)
        reply(200, b"answer")(secure, head)

    with tls_server(fund.server, answer) as port:
        way = transport(fund, port)
        assert way.post_events(b"{}") == b"answer"
        assert way.get_head("ab" * 16) == b"answer"
        way.close()
    assert heads[0].startswith(b"POST /v1/devices/desk-1/events HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in heads[0]
    assert heads[1].startswith(b"GET /v1/devices/desk-1/head?nonce=" + b"ab" * 16)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, RequestRefused),
        (413, RequestRefused),
        (422, RequestRefused),
        (403, DeviceRefused),
        (404, TransportFailure),
        (429, FundBusy),
        (500, TransportFailure),
        (503, FundBusy),
        (204, ProtocolViolation),
        (301, ProtocolViolation),
        (302, ProtocolViolation),
    ],
)
def test_every_status_is_a_known_failure(fund: FundHome, status: int, failure: type[SyncFailure]) -> None:
    """A redirect is not followed; the fund's own words are shown."""
    body = b"" if status == 204 else b'{"code":"some_code","message":"in words"}'
    answer = reply(status, body, "Retry-After: 17\r\nLocation: https://example.org/\r\n")
    with tls_server(fund.server, answer) as port, pytest.raises(failure) as raised:
        transport(fund, port).post_events(b"{}")
    assert type(raised.value) is failure
    if status != 204:
        assert "some_code: in words" in str(raised.value)
    if isinstance(raised.value, FundBusy):
        assert raised.value.retry_after == 17.0


@pytest.mark.parametrize(
    ("header", "seconds"), [("", None), ("Retry-After: soon\r\n", None), ("Retry-After: -1\r\n", None)]
)
def test_a_retry_after_that_is_no_number_of_seconds_is_ignored(
    fund: FundHome, header: str, seconds: float | None
) -> None:
    """The jitter is still there."""
    with tls_server(fund.server, reply(503, b"\xff", header)) as port, pytest.raises(FundBusy) as raised:
        transport(fund, port).get_head("00" * 16)
    assert raised.value.retry_after is seconds


def drip_body(secure: ssl.SSLSocket, head: bytes) -> None:
    """One byte of the body every 50 ms, for ever."""
    del head
    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    drip(secure)


def drip_header(secure: ssl.SSLSocket, head: bytes) -> None:
    """One byte of a header every 50 ms, for ever."""
    del head
    secure.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    drip(secure)


def drip(secure: ssl.SSLSocket) -> None:
    """Until the other side closes."""
    for _ in range(200):
        secure.sendall(b"x")
        time.sleep(0.05)


def silence(secure: ssl.SSLSocket, head: bytes) -> None:
    """Never answer."""
    del head
    secure.recv(1)


@pytest.mark.parametrize("answer", [drip_body, drip_header, silence])
def test_a_server_that_drips_cannot_stretch_the_deadline(
    fund: FundHome, answer: Callable[[ssl.SSLSocket, bytes], None]
) -> None:
    """One second means one second, and the exchange's thread ends soon after."""
    with tls_server(fund.server, answer) as port:
        way = transport(fund, port, deadline_s=1)
        begin = time.monotonic()
        with pytest.raises(TransportFailure, match=r"within 1 s|in time"):
            way.get_head("00" * 16)
        assert time.monotonic() - begin < 2.5
        for thread in threading.enumerate():
            if thread.name == "exchange":
                thread.join(3)
                assert not thread.is_alive()


def test_a_stop_ends_the_exchange(fund: FundHome) -> None:
    """Within a fraction of a second, long before the deadline."""
    with tls_server(fund.server, silence) as port:
        begin = time.monotonic()
        with pytest.raises(TransportFailure, match="stopping"):
            transport(fund, port, "127.0.0.1", 60, lambda: time.monotonic() > begin + 0.3).post_events(b"{}")
        assert time.monotonic() - begin < 2.0


@pytest.mark.parametrize("declared", [True, False])
def test_an_endless_answer_is_cut(fund: FundHome, declared: bool) -> None:
    """Whether it announces its length or not."""

    def answer(secure: ssl.SSLSocket, head: bytes) -> None:
        del head
        length = f"Content-Length: {MAX_ANSWER * 50}\r\n" if declared else ""
        secure.sendall(f"HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n".encode())
        for _ in range(50):
            secure.sendall(b"x" * MAX_ANSWER)

    with tls_server(fund.server, answer) as port, pytest.raises(ProtocolViolation, match="longer"):
        transport(fund, port).post_events(b"{}")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
    ],
)
def test_whatever_the_other_side_says_is_a_known_failure(fund: FundHome, raw: bytes) -> None:
    """The libraries' own exceptions never come through."""
    with tls_server(fund.server, lambda secure, _: secure.sendall(raw)) as port, pytest.raises(TransportFailure):
        transport(fund, port).post_events(b"{}")


def test_nobody_listening_is_a_known_failure(fund: FundHome) -> None:
    """A closed port, and a name that does not exist."""
    with pytest.raises(TransportFailure, match="cannot be reached"):
        transport(fund, 1).post_events(b"{}")
    with pytest.raises(TransportFailure):
        transport(fund, 1, "fund.invalid").post_events(b"{}")


def test_a_connection_that_is_reset_before_its_handshake_is_closed(
    fund: FundHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the `ssl` module leaves open then would end as a warning, and that fails the test."""

    def connect(*args: Any, **kwargs: Any) -> socket.socket:
        sock = create_connection(*args, **kwargs)
        select.select([sock], [], [], 10)  # the reset is here
        return sock

    create_connection = urllib3.util.connection.create_connection
    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    with resetting_server() as port, pytest.raises(TransportFailure, match="cannot be reached"):
        transport(fund, port).post_events(b"{}")
    gc.collect()


def test_another_authority_is_not_the_fund(fund: FundHome, tmp_path: Path) -> None:
    """A certificate for the right address, signed by somebody else."""
    impostor = make_fund_home(tmp_path)
    with (
        tls_server(impostor.server, reply(200, b"trust me")) as port,
        pytest.raises(TransportFailure, match="not the fund"),
    ):
        transport(fund, port).post_events(b"{}")


def test_another_address_is_not_the_fund(tmp_path: Path) -> None:
    """The fund's authority, but a certificate for another host."""
    other = make_fund_home(tmp_path, "https://fund.example:8443")
    with tls_server(other.server, reply(200)) as port, pytest.raises(TransportFailure, match="not the fund"):
        transport(other, port).post_events(b"{}")


def test_older_tls_is_refused(fund: FundHome) -> None:
    """TLS 1.3 or nothing."""
    with tls_server(fund.server, reply(200), ssl.TLSVersion.TLSv1_2) as port, pytest.raises(TransportFailure):
        transport(fund, port).post_events(b"{}")


def test_the_environment_changes_neither_trust_nor_way(fund: FundHome, tmp_path: Path) -> None:
    """One line in a unit file must not lead the traffic elsewhere, nor make another authority count."""
    impostor = make_fund_home(tmp_path)
    bundle, proxy = str(impostor.ca_certificate), "http://127.0.0.1:1"
    names = {"REQUESTS_CA_BUNDLE": bundle, "CURL_CA_BUNDLE": bundle, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        with tls_server(fund.server, reply(200, b"fund")) as port:
            assert transport(fund, port).post_events(b"{}") == b"fund"
        with tls_server(impostor.server, reply(200)) as port, pytest.raises(TransportFailure):
            transport(fund, port).post_events(b"{}")
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def test_no_public_authority_is_ever_trusted(fund: FundHome) -> None:
    """Requests would load its own bundle into our context; after an exchange it still holds one authority."""
    with tls_server(fund.server, reply(200)) as port:
        way = transport(fund, port)
        way.post_events(b"{}")
        assert len(way._context.get_ca_certs()) == 1


def test_a_certificate_file_that_is_none_is_named(fund: FundHome, tmp_path: Path) -> None:
    """Missing, or not PEM."""
    jwk = FileSigner.load(fund.signing_key).public_jwk
    with pytest.raises(SettingsInvalid, match=r"ca\.pem"):
        Transport(FundSettings("https://fund.example", tmp_path / "ca.pem", jwk), "desk-1", SystemClock())
    for text in ("", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(SettingsInvalid, match="PEM"):
            pinned_context(text)


@pytest.mark.parametrize(
    ("years", "match"), [(2, "not valid yet: most likely this machine's clock"), (-2, "has ended, unless")]
)
def test_a_clock_or_a_certificate_that_is_off_is_named(tmp_path: Path, years: int, match: str) -> None:
    """A fund of two years ago or hence: nothing gets through, and the clock is named first."""
    at = SystemClock().moment().wall + timedelta(days=365 * years)
    create_fund(tmp_path / "fund", "https://127.0.0.1:8443", at)
    other = FundHome(tmp_path / "fund")
    with tls_server(other.server, reply(200, b"answer")) as port, pytest.raises(TransportFailure, match=match):
        transport(other, port).post_events(b"{}")
