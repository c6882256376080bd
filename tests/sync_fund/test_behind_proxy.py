"""nginx before the gateways, the real one: who gets through, what is told to whom, and what a stranger cannot do."""

import contextlib
import http.client
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from sync.__main__ import read_status, run_once
from sync.clock import SystemClock
from sync.database import immediate, open_database
from sync.errors import FundBusy
from sync.fund.audit import verify_fund
from sync.fund.ca import TLS_VALIDITY, DeviceAuthority
from sync.fund.counter import MAX_WAITING, OF_ONE, RETRY_AFTER_S
from sync.fund.home import FundHome
from sync.fund.keys import renew_certificate
from sync.fund.office import list_events
from sync.fund.peer import HEADER
from sync.home import Home, load_settings
from sync.join_errors import CertificateEnded
from sync.keyfile import load_key
from sync.ledger import LEDGER_MIGRATIONS, Ledger
from sync.note import MAX_NOTE
from sync.protocol import MAX_BODY, Result, read_head
from sync.signing import FileSigner
from sync.squeeze import squeeze
from sync.tls_key import put_into_use, tls_key_of, tls_request
from sync.tls_renewal import DeskTransport
from tests.fakes.clock import ManualClock
from tests.fakes.documents import join_desk, rogue_certificate
from tests.sync_fund.blocking import tls_of
from tests.sync_fund.desk import FakeDesk, batch, receipts_of
from tests.sync_fund.postgresql import Server
from tests.sync_fund.proxied import Site, site

CLOCK = SystemClock()
NONCE = "0123456789abcdef" * 2
STALLED = 2 * MAX_WAITING + OF_ONE
"""Bodies that never come: more than both gateways have places."""
DESKS = 20
EACH = 40
"""Events of each of the desks that come at once."""


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> Iterator[Site]:
    """nginx, two gateways, PostgreSQL; each test lets in desks of its own."""
    with site(tmp_path_factory.mktemp("p"), postgresql.new_database()) as running:
        yield running


@pytest.fixture
def desk(proxied: Site, tmp_path: Path) -> FakeDesk:
    """A desk that was let in."""
    return proxied.fund.desk(tmp_path)


def head_of(device: str) -> str:
    """The path that every device may ask."""
    return f"/v1/devices/{device}/head?nonce={NONCE}"


def connect(proxied: Site, desk: FakeDesk | None = None, source: str = "127.0.0.1") -> ssl.SSLSocket:
    """A connection from one of this machine's addresses, as a desk or as a stranger."""
    context = ssl.create_default_context(cadata=proxied.fund.document.ca_pem)
    if desk is not None:
        context.load_cert_chain(proxied.fund.tls_file(desk.device))
    plain = socket.create_connection(("127.0.0.1", proxied.port), 10, (source, 0))
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def shown_by(proxied: Site) -> bytes | None:
    """The certificate of the server."""
    with connect(proxied) as wire:
        return wire.getpeercert(binary_form=True)


@dataclass(frozen=True)
class Reply:
    """What came back. wait: Retry-After."""

    status: int
    wait: str | None
    body: bytes


def ask(wire: socket.socket, path: str, *headers: str) -> Reply:
    """One request, exactly as written; the connection stays."""
    wire.sendall("\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode())
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    return Reply(answer.status, answer.headers["Retry-After"], answer.read())


def told(answer: requests.Response) -> tuple[int, str]:
    """Status and code of a problem, which is JSON with a message."""
    assert answer.headers["Content-Type"] == "application/json", answer.text
    assert answer.json()["message"]
    return answer.status_code, answer.json()["code"]


def test_a_desks_whole_exchange_goes_through(proxied: Site, tmp_path: Path) -> None:
    """Its own ledger, outbox and transport: batches and heads, then a new TLS certificate, then more with that one."""
    home = Home(tmp_path / "desk")
    join_desk(home, proxied.fund.root, "real-desk")
    for days, count in ((0, 250), (70, 3)):
        with contextlib.closing(open_database(home.database, load_key(home.database_key), [LEDGER_MIGRATIONS])) as db:
            ledger = Ledger(db, FileSigner.load(home.device_key), "real-desk")
            with immediate(db):
                for _ in range(count):
                    ledger.append("checked_in", 1, {"service": "A1"}, CLOCK.moment())
        before = home.tls.read_bytes()
        later = ManualClock(CLOCK.moment().wall + timedelta(days=days))
        with contextlib.closing(DeskTransport(home, load_settings(home), later)) as transport:
            answer = transport.get_head(NONCE)
        assert read_head(answer, proxied.fund.document.public_jwk, "real-desk", NONCE).have == (250 if days else 0)
        assert (home.tls.read_bytes() != before) == (days > 0)
        run_once(home, CLOCK, force=True)
    status = read_status(home, CLOCK)
    assert (status.settled, status.pending, status.parked_count) == (253, 0, 0)
    assert tls_of(proxied.fund.root, "real-desk").pem.encode() in home.tls.read_bytes()


def test_who_a_client_claims_to_be_is_not_read(proxied: Site, desk: FakeDesk, tmp_path: Path) -> None:
    """The header that nginx sets, sent by a client, in every spelling: with another's certificate, and with none.

    On the socket behind nginx the same header is believed, so it is nginx that keeps it out.
    """
    pem, other = quote(tls_of(proxied.fund.root, desk.device).pem), proxied.fund.desk(tmp_path)
    spellings = (HEADER, HEADER.title(), HEADER.upper(), HEADER.replace("-", "_"))
    forged = tuple(f"{name}: {pem}" for name in spellings)
    for headers in (*((line,) for line in forged), forged, (forged[0], forged[0])):
        for who, code in ((None, b"certificate_required"), (other, b"certificate_invalid")):
            with connect(proxied, who) as wire:
                answer = ask(wire, head_of(desk.device), *headers)
                assert (answer.status, code in answer.body) == (403, True)
    with socket.socket(socket.AF_UNIX) as inside:
        inside.connect(str(proxied.sockets[0]))
        assert ask(inside, head_of(desk.device), forged[0]).status == 200


def test_a_stranger_reaches_the_log_and_no_device(proxied: Site, desk: FakeDesk) -> None:
    """A witness needs no certificate. Below /v1/devices/ nothing is answered without one, however it is written."""
    running = proxied.running
    assert running.get(head_of(desk.device), desk).status_code == 200
    for path in (head_of(desk.device), "/v1/devices/nobody/inclusion", "/v1/devices/x/../y/head?nonce=1"):
        assert told(running.get(path)) == (403, "certificate_required")
    answer = running.session.post(f"{running.url}/v1/devices/{desk.device}/events", data=b"x" * 1000, timeout=10)
    assert told(answer) == (403, "certificate_required")
    for path in (f"//v1//devices/{desk.device}/head?nonce={NONCE}", f"/v1/devices%2F{desk.device}/head?nonce={NONCE}"):
        with connect(proxied) as wire:
            assert ask(wire, path).status in {403, 404}
    for path in ("/v1/log/checkpoint", "/v1/log/growth", "/healthz", "/openapi.json"):
        answer = running.get(path)  # the first checkpoint may not be signed yet
        assert answer.status_code == 200 or answer.json()["code"] == "no_checkpoint", path


def test_a_certificate_of_another_authority_is_refused_everywhere(
    proxied: Site, desk: FakeDesk, tmp_path: Path
) -> None:
    """As a problem that a desk understands, not as a page of nginx."""
    pem = rogue_certificate(tmp_path, desk.device, CLOCK.moment().wall)
    for path in (head_of(desk.device), "/v1/log/checkpoint"):
        answer = proxied.session.get(proxied.running.url + path, cert=str(pem), timeout=10)
        assert told(answer) == (403, "certificate_invalid")


def test_a_desk_whose_certificate_has_ended_is_told_so(proxied: Site, tmp_path: Path) -> None:
    """Nginx refuses it in words and not in the handshake; the desk says what it says without nginx."""
    home = Home(tmp_path / "desk")
    join_desk(home, proxied.fund.root, "late-desk")
    tls_request(home.root / "late.key", "late-desk")
    jwk = tls_key_of(home.root / "late.key")
    assert jwk is not None
    begun = CLOCK.moment().wall - TLS_VALIDITY - timedelta(days=2)
    ended = DeviceAuthority.load(FundHome(proxied.fund.root)).certify_tls("late-desk", jwk, begun)
    put_into_use(home.root / "late.key", ended.pem.encode(), home.tls)
    transport = contextlib.closing(DeskTransport(home, load_settings(home), CLOCK))
    with transport as way, pytest.raises(CertificateEnded, match="certificate_invalid"):
        way.get_head(NONCE)


def test_only_tls_1_3_is_spoken(proxied: Site) -> None:
    """Neither an older TLS nor plain HTTP."""
    context = ssl.create_default_context(cadata=proxied.fund.document.ca_pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", proxied.port), 5) as wire, pytest.raises(ssl.SSLError):
        context.wrap_socket(wire, server_hostname="127.0.0.1")
    answer = proxied.session.get(f"http://127.0.0.1:{proxied.port}/healthz", timeout=5)
    assert told(answer) == (400, "malformed")


def test_what_is_too_large_is_refused_and_said(proxied: Site, desk: FakeDesk) -> None:
    """As sent: announced or in chunks; as unpacked; a cosignature; a header."""
    running, large = proxied.running, b" " * (MAX_BODY + 1)
    assert told(running.post(desk.device, large)) == (413, "too_large")
    assert told(running.post(desk.device, iter([large[: MAX_BODY // 2]] * 3))) == (413, "too_large")
    assert told(running.post(desk.device, squeeze(large), Content_Encoding="zstd")) == (413, "too_large")
    notes = f"{running.url}/v1/log/cosignatures"
    assert told(running.session.post(notes, data=b"x" * (MAX_NOTE + 1), timeout=10)) == (413, "too_large")
    answer = running.session.get(f"{running.url}/healthz", headers={"X-Long": "x" * 9000}, timeout=10)
    assert told(answer) == (400, "malformed")
    assert running.post(desk.device, batch([desk.next()])).status_code == 200


@pytest.mark.parametrize("stranger", [True, False], ids=["stranger", "desk"])
def test_who_floods_is_told_to_wait_and_nobody_else_is(
    proxied: Site, desk: FakeDesk, tmp_path: Path, stranger: bool
) -> None:
    """429 with Retry-After, by nginx; another desk from the same address, and a stranger from another, are served."""
    other, source = proxied.fund.desk(tmp_path), "127.0.0.2" if stranger else "127.0.0.3"
    with connect(proxied, None if stranger else desk, source) as wire:
        for _ in range(3000):
            answer = ask(wire, "/v1/log/checkpoint")
            if answer.status == 429:
                break
        assert (answer.status, answer.wait) == (429, str(RETRY_AFTER_S))
        assert b'"code":"busy"' in answer.body
    with connect(proxied, other, source) as wire:
        assert ask(wire, head_of(other.device)).status == 200
    with connect(proxied, source="127.0.0.4") as wire:
        assert ask(wire, "/healthz").status == 200


def test_a_flooding_desk_knows_how_long_to_wait(proxied: Site, tmp_path: Path) -> None:
    """Its own transport understands nginx's answer."""
    home = Home(tmp_path / "desk")
    join_desk(home, proxied.fund.root, "hasty-desk")
    with contextlib.closing(DeskTransport(home, load_settings(home), CLOCK)) as transport:

        def hurry() -> None:
            for _ in range(3000):
                transport.get_head(NONCE)

        with pytest.raises(FundBusy) as busy:
            hurry()
        assert busy.value.retry_after == RETRY_AFTER_S


def test_stalled_strangers_do_not_keep_a_desk_out(proxied: Site, desk: FakeDesk) -> None:
    """Connections without a word, half a head, and more bodies that never come than all gateways have places."""
    with contextlib.ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(socket.create_connection(("127.0.0.1", proxied.port), 5))
            stack.enter_context(connect(proxied)).sendall(b"GET /healthz HTTP/1.1\r\nHost: f")
        for number in range(STALLED):
            wire = stack.enter_context(connect(proxied, source=f"127.0.1.{1 + number // OF_ONE}"))
            wire.sendall(b"POST /v1/log/cosignatures HTTP/1.1\r\nHost: f\r\nContent-Length: 100\r\n\r\n5\n")
        for _ in range(5):
            answer = proxied.running.post(desk.device, batch([desk.next()]))
            assert answer.status_code == 200, answer.text
        with connect(proxied, source="127.0.1.1") as wire:  # the one after OF_ONE of this address
            assert ask(wire, "/v1/log/checkpoint").status == 429


def test_the_page_for_people_is_for_this_machine(proxied: Site) -> None:
    """It names every desk."""
    assert proxied.running.get("/").status_code == 200
    with connect(proxied, source="127.0.0.5") as wire:
        answer = ask(wire, "/")
        assert (answer.status, b'"code":"forbidden"' in answer.body) == (403, True)


def test_nginx_writes_nothing_of_what_it_carries(proxied: Site, desk: FakeDesk) -> None:
    """No line for a request, no token, no certificate, and no body in a file."""
    tokens = desk.chain(100)
    assert proxied.running.post(desk.device, batch(tokens)).status_code == 200
    time.sleep(0.2)  # a line is written after its answer
    assert (proxied.folder / "access.log").read_text() == ""
    assert not any(token[:40] in proxied.written or token[-40:] in proxied.written for token in tokens)
    assert "BEGIN%20CERTIFICATE" not in proxied.written
    assert "buffered to a temporary file" not in proxied.written


def test_a_renewed_certificate_is_shown_after_a_reload(proxied: Site, desk: FakeDesk) -> None:
    """The gateway's start renews the file; nginx takes it up on SIGHUP, and no connection is cut."""
    home = FundHome(proxied.fund.root)
    with connect(proxied, desk) as wire:
        before = wire.getpeercert(binary_form=True)
        home.server.unlink()
        assert renew_certificate(home, CLOCK.moment().wall)
        assert ask(wire, head_of(desk.device)).status == 200
        proxied.signal_nginx(signal.SIGHUP)
        end = time.monotonic() + 10
        while shown_by(proxied) == before:
            assert time.monotonic() < end


class Uploader(threading.Thread):
    """A desk that delivers until everything is receipted, whatever happens to the gateways."""

    def __init__(self, proxied: Site, desk: FakeDesk) -> None:
        super().__init__(name=desk.device)
        self.proxied, self.desk, self.tokens = proxied, desk, desk.chain(EACH)
        self.results: list[list[Result]] = [[] for _ in self.tokens]
        self.statuses: set[int] = set()

    @property
    def receipted(self) -> int:
        """Events that are settled."""
        return sum(bool({Result.ACCEPTED, Result.KNOWN} & set(results)) for results in self.results)

    def run(self) -> None:
        """Send from the first event without a receipt."""
        end = time.monotonic() + 30
        with requests.Session() as session:
            session.trust_env, session.verify = False, self.proxied.session.verify
            running = replace(self.proxied.running, session=session)
            while (first := self.receipted) < EACH and time.monotonic() < end:
                sent = self.tokens[first : first + 5]
                try:
                    answer = running.post(self.desk.device, batch(sent))
                except requests.RequestException:  # an answer cut off, or an idle connection that just ended: again
                    continue
                self.statuses.add(answer.status_code)
                if answer.status_code != 200:
                    continue
                told_of = receipts_of(answer.content, self.proxied.fund.document.public_jwk, self.desk.device, sent)
                for place, receipt in enumerate(told_of, first):
                    self.results[place].append(receipt.result)


def test_twenty_desks_over_two_gateways_are_stored_exactly_once(proxied: Site, tmp_path: Path) -> None:
    """One gateway is killed meanwhile; the other answers what it was asked. Order, chains and log are whole."""
    uploads = [Uploader(proxied, proxied.fund.desk(tmp_path)) for _ in range(DESKS)]
    for upload in uploads:
        upload.start()
    while sum(upload.receipted for upload in uploads) < DESKS * EACH // 4:
        time.sleep(0.005)
    proxied.kill_gateway(0)
    while sum(upload.receipted for upload in uploads) < DESKS * EACH // 2:
        time.sleep(0.005)
    assert any(upload.is_alive() for upload in uploads), "too quick to be killed"
    proxied.start_again(0)
    for upload in uploads:
        upload.join(40)
    assert {status for upload in uploads for status in upload.statuses} == {200}
    stored: dict[str, list[str]] = {}
    for row in list_events(proxied.fund.root):
        stored.setdefault(row.event.device, []).append(row.event.token)
    for upload in uploads:
        assert stored[upload.desk.device] == upload.tokens
        assert all(results.count(Result.ACCEPTED) <= 1 for results in upload.results)
    assert verify_fund(proxied.fund.root).intact


def test_gateways_are_updated_one_after_the_other_without_a_refused_request(proxied: Site, desk: FakeDesk) -> None:
    """SIGTERM, end, start, in turn, while a desk goes on asking: what was under way is answered, the rest goes over."""
    statuses: list[int] = []
    done = threading.Event()

    def go_on() -> None:
        with requests.Session() as session:
            session.trust_env, session.verify = False, proxied.session.verify
            while not done.wait(0.05):  # as often as a desk may
                answer = replace(proxied.running, session=session).post(desk.device, batch([desk.next()]))
                statuses.append(answer.status_code)

    asking = threading.Thread(target=go_on)
    asking.start()
    for number in range(2):
        assert proxied.end_gateway(number) == 0
        assert not proxied.sockets[number].exists()
        proxied.start_again(number)
    done.set()
    asking.join(20)
    assert len(statuses) > 10
    assert set(statuses) == {200}


def test_when_no_gateway_answers_desks_are_told_to_wait(proxied: Site, desk: FakeDesk) -> None:
    """503 with Retry-After as long as none is there, and right after the start everything goes on."""
    for number in range(2):
        proxied.kill_gateway(number)
    answer = proxied.running.get(head_of(desk.device), desk)
    assert (*told(answer), answer.headers["Retry-After"]) == (503, "busy", str(RETRY_AFTER_S))
    proxied.start_again(0, 1)
    end = time.monotonic() + 5
    while proxied.running.get(head_of(desk.device), desk).status_code != 200:
        assert time.monotonic() < end
