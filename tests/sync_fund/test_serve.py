"""The gateway as a process: it starts, stops when told, survives being killed, and says what is wrong."""

import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sync.fund.__main__ import main
from sync.fund.audit import verify_fund
from sync.fund.home import FundHome, parse_url, port_of
from sync.fund.listening import bind
from sync.fund.office import create_fund, devices, list_events
from sync.protocol import Result
from tests.sync_fund.conftest import Fund, live_fund
from tests.sync_fund.desk import NOON, FakeDesk, batch, receipts_of
from tests.sync_fund.gateway_process import ROOT, Process, process_of

EVENTS = 400
"""Per desk; forty requests of ten, so that a kill finds some under way."""

KILLS = 2


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A running gateway process of a new fund."""
    with process_of(live_fund(tmp_path / "fund"), tmp_path) as running:
        yield running


def _session(fund: Fund, device: str | None = None) -> requests.Session:
    session = requests.Session()
    session.trust_env, session.verify = False, str(FundHome(fund.root).ca_certificate)
    session.cert = None if device is None else str(fund.tls_file(device))
    return session


class Uploader(threading.Thread):
    """A desk that delivers until everything is receipted, whatever happens to the gateway."""

    def __init__(self, process: Process, desk: FakeDesk, tokens: list[str]) -> None:
        super().__init__(name=desk.device)
        self.process, self.desk, self.tokens = process, desk, tokens
        self.results: list[list[Result]] = [[] for _ in tokens]
        self.deadline = time.monotonic() + 60

    @property
    def receipted(self) -> int:
        """Events with a receipt that settles them."""
        return sum(bool({Result.ACCEPTED, Result.KNOWN} & set(results)) for results in self.results)

    def run(self) -> None:
        """Send from the first event without a receipt."""
        with _session(self.process.fund, self.desk.device) as session:
            while (first := self.receipted) < len(self.tokens) and time.monotonic() < self.deadline:
                self._send(session, first)

    def _send(self, session: requests.Session, first: int) -> None:
        sent = self.tokens[first : first + 10]
        url = f"https://127.0.0.1:{self.process.port}/v1/devices/{self.desk.device}/events"
        try:
            answer = session.post(url, data=batch(sent), headers={"Content-Type": "application/json"}, timeout=10)
        except requests.RequestException:
            time.sleep(0.02)
            return
        assert answer.status_code == 200, answer.text
        jwk = self.process.fund.document.public_jwk
        for place, receipt in enumerate(receipts_of(answer.content, jwk, self.desk.device, sent), first):
            self.results[place].append(receipt.result)


def test_a_gateway_killed_again_and_again_loses_and_doubles_nothing(process: Process, tmp_path: Path) -> None:
    """Kill -9 in the middle of ingest, plain restart: what was receipted is there, everything is there once."""
    uploads = []
    for _ in range(2):
        desk = process.fund.desk(tmp_path)
        uploads.append(Uploader(process, desk, desk.chain(EVENTS)))
    for upload in uploads:
        upload.start()
    for kill in range(KILLS):
        goal = (kill + 1) * EVENTS // KILLS
        while sum(u.receipted for u in uploads) < goal and any(u.is_alive() for u in uploads):
            time.sleep(0.005)
        receipted = {u.desk.device: u.receipted for u in uploads}
        assert process.end(signal.SIGKILL) == -signal.SIGKILL
        heads = {summary.device.device: summary.head.seq for summary in devices(process.fund.root)}
        assert all(heads[device] >= count for device, count in receipted.items())
        process.start()
    for upload in uploads:
        upload.join(60)
        assert upload.receipted == EVENTS
        assert all(results.count(Result.ACCEPTED) <= 1 for results in upload.results)
    assert verify_fund(process.fund.root).summary == f"fund: {2 * EVENTS} events, chain verified, 0 missing"
    stored = [row.event.token for row in list_events(process.fund.root)]
    assert sorted(stored) == sorted(token for upload in uploads for token in upload.tokens)


def test_a_gateway_stops_when_told_with_desks_connected(process: Process, tmp_path: Path) -> None:
    """SIGTERM: a request under way is answered, then the end at once; exit code 0, nothing left, a clean log."""
    desk = process.fund.desk(tmp_path)
    body = batch([desk.next()])
    head = f"POST /v1/devices/{desk.device}/events HTTP/1.1\r\nHost: fund\r\nContent-Type: application/json\r\n"
    context = ssl.create_default_context(cadata=process.fund.document.ca_pem)
    context.load_cert_chain(process.fund.tls_file(desk.device))
    wire = context.wrap_socket(socket.create_connection(("127.0.0.1", process.port), 10), server_hostname="127.0.0.1")
    with wire, _session(process.fund) as idle:
        assert idle.get(f"https://127.0.0.1:{process.port}/healthz", timeout=10).status_code == 200
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
        time.sleep(0.2)
        begun = time.monotonic()
        process.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        wire.sendall(body[50:])
        assert b" 200 " in wire.recv(4096)
        wire.close()
        assert process.process.wait(20) == 0
        assert time.monotonic() - begun < 5
    assert not process.ready.exists()
    assert not FundHome(process.fund.root).database.with_name("fund.db-wal").exists()
    assert "Traceback" not in process.log.read_text()
    assert "ERROR" not in process.log.read_text()
    assert verify_fund(process.fund.root).events == 1


def test_a_gateway_starts_again_with_what_it_had(process: Process, tmp_path: Path) -> None:
    """Registered desks, heads, certificate."""
    desk = process.fund.desk(tmp_path)
    tokens = desk.chain(2)
    url = f"https://127.0.0.1:{process.port}/v1/devices/{desk.device}/events"
    results = []
    for restart in (True, False):
        with _session(process.fund, desk.device) as session:
            answer = session.post(url, data=batch(tokens), headers={"Content-Type": "application/json"}, timeout=10)
        receipts = receipts_of(answer.content, process.fund.document.public_jwk, desk.device, tokens)
        results.append([receipt.result for receipt in receipts])
        if restart:
            process.end(signal.SIGTERM)
            process.start()
    assert results == [[Result.ACCEPTED] * 2, [Result.KNOWN] * 2]


def test_only_tls_1_3_is_spoken(process: Process) -> None:
    """Neither plain HTTP nor an older TLS."""
    context = ssl.create_default_context(cadata=process.fund.document.ca_pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", process.port), 5) as wire, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(wire, server_hostname="127.0.0.1")
    with _session(process.fund) as session, pytest.raises(requests.ConnectionError):
        session.get(f"http://127.0.0.1:{process.port}/healthz", timeout=5)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("keys/db.key", "E-KEY-01"),
        ("keys/signing.pem", "E-KEY-01"),
        ("keys/ca.key", "E-KEY-01"),
        ("keys/ca.pem", "E-FND-03"),
        ("fund.json", "E-FND-03"),
        ("fund.db", "E-DB-"),
    ],
)
def test_a_fund_with_a_missing_file_is_not_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: str, code: str
) -> None:
    """One line with a code and a remedy, no trace, and no new empty file in its place."""
    fund = live_fund(tmp_path / "fund")
    (fund.root / spoil).unlink()
    assert main(["--dir", str(fund.root), "serve", "--port", "0"]) > 1
    said = capsys.readouterr().err
    assert said.startswith(code)
    assert said.count("\n") == 1
    assert not (fund.root / spoil).exists()


def test_a_port_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Found before anything is opened or changed."""
    fund = live_fund(tmp_path / "fund")
    with bind("127.0.0.1", 0) as listener:
        port = str(listener.getsockname()[1])
        assert main(["--dir", str(fund.root), "serve", "--port", port]) > 1
    assert "E-FND-06" in capsys.readouterr().err


def test_the_port_is_that_of_the_funds_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where desks knock; seen here by its being in use."""
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        create_fund(tmp_path / "fund", f"https://127.0.0.1:{port}", NOON)
        assert main(["--dir", str(tmp_path / "fund"), "serve"]) > 1
    assert f"port {port}" in capsys.readouterr().err
    assert [port_of(parse_url(url)) for url in ("https://fund.example", "https://[::1]:9000")] == [443, 9000]


def test_a_second_gateway_for_a_fund_in_a_file_is_refused(
    process: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a port or behind a proxy; the first goes on, and its death frees the fund."""
    serve = ["--dir", str(process.fund.root), "serve"]
    for place in (["--port", "0"], ["--behind-proxy", "--socket", str(tmp_path / "g.sock")]):
        assert main([*serve, *place]) == 4
        assert capsys.readouterr().err.startswith("E-FND-10: another gateway serves this fund")
    process.end(signal.SIGKILL)
    process.start()


def test_a_socket_without_a_proxy_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What comes through a socket is believed, so both have to be said."""
    for half in (["--socket", str(tmp_path / "g.sock")], ["--behind-proxy"]):
        with pytest.raises(SystemExit) as ended:
            main(["--dir", str(tmp_path), "serve", *half])
        assert ended.value.code == 2
        assert "go together" in capsys.readouterr().err


def test_a_directory_that_is_no_fund_is_not_served(tmp_path: Path) -> None:
    """An empty directory is no fund."""
    (tmp_path / "empty").mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "sync.fund", "--dir", str(tmp_path / "empty"), "serve"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode > 1
    assert result.stderr.startswith("E-")
