"""A fund in a folder, its gateway in this process, and a real server with TLS on a free port."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import requests

from sync.clock import SystemClock
from sync.envelope import DEVICE_ID
from sync.fund.admission import Terms, admit, invite
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.fund.rate import Rate
from sync.fund.serve import gateway_server
from sync.joining import FundFacts
from sync.signing import KeyClass
from sync.tls_key import put_into_use
from tests.sync_fund.blocking import Gateway, open_gateway, tls_of
from tests.sync_fund.desk import NOON, FakeDesk, StillClock
from tests.sync_fund.postgresql import Server

URL = "https://127.0.0.1:8443"
UNLIMITED = Rate(1e6, 1e6)
"""Many tests ask from one address."""


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund in a folder."""

    root: Path
    document: FundFacts
    founded: datetime = NOON

    def desk(self, folder: Path, device: str | None = None) -> FakeDesk:
        """A desk that was let in."""
        desk = FakeDesk(folder, device)
        self.admit(desk)
        return desk

    def admit(self, desk: FakeDesk, clinic: str = "Clinic 7") -> None:
        """Let a desk in."""
        invitation = invite(self.root, desk.device, clinic, "Reception", self.founded)
        admit(self.root, desk.joiner.token(desk.joiner.request(invitation)), Terms(KeyClass.FILE), self.founded)
        put_into_use(desk.joiner.tls_file, tls_of(self.root, desk.device).pem.encode(), self.tls_file(desk.device))

    def tls_file(self, device: str) -> Path:
        """Where the TLS key of a desk is, with its certificate."""
        return self.root.with_name(f"{self.root.name}-{device}-tls.pem")


@dataclass(frozen=True, slots=True)
class Running:
    """A running gateway and a client that trusts it."""

    fund: Fund
    port: int
    session: requests.Session

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://127.0.0.1:{self.port}"

    def post(self, device: str, body: bytes | Iterator[bytes], **headers: str) -> requests.Response:
        """Offer a body as events of a device."""
        pem = self.fund.tls_file(device) if DEVICE_ID.fullmatch(device) else None
        return self.session.post(
            f"{self.url}/v1/devices/{device}/events",
            cert=str(pem) if pem is not None and pem.exists() else None,
            data=body,
            headers={"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()},
            timeout=20,
        )

    def wire(self, desk: FakeDesk | None = None, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """A connection, as a desk or as anybody; source: an address of this machine, to be many."""
        context = ssl.create_default_context(cadata=self.fund.document.ca_pem)
        if desk is not None:
            context.load_cert_chain(self.fund.tls_file(desk.device))
        plain = socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def get(self, path: str, desk: FakeDesk | None = None) -> requests.Response:
        """Ask, as a desk or as anybody."""
        cert = None if desk is None else str(self.fund.tls_file(desk.device))
        return self.session.get(self.url + path, cert=cert, timeout=20)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL server for the whole session."""
    server = Server(tmp_path_factory.mktemp("postgresql"), quick=True)
    server.create()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database, or None for the fund's own file: a test that needs a fund runs on both."""
    if request.param == "sqlite":
        return None
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def fund(tmp_path: Path, database: str | None) -> Fund:
    """A new fund."""
    root = tmp_path / "fund"
    return Fund(root, create_fund(root, URL, NOON, database))


@pytest.fixture
def clock() -> StillClock:
    """The fund's clock."""
    return StillClock()


@pytest.fixture
def gateway(fund: Fund, clock: StillClock) -> Iterator[Gateway]:
    """The fund's gateway, without HTTP."""
    with contextlib.closing(open_gateway(fund.root, clock)) as opened:
        yield opened


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real server with TLS, for the whole session; each test registers a desk of its own."""
    url = None
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        url = server.new_database()
    with served(live_fund(tmp_path_factory.mktemp("served") / "fund", database=url)) as answering:
        yield answering


def live_fund(root: Path, url: str = URL, database: str | None = None) -> Fund:
    """A new fund of today: its certificate must convince a TLS client, which reads the machine's clock."""
    now = SystemClock().moment().wall
    return Fund(root, create_fund(root, url, now, database), now)


@contextlib.contextmanager
def served(fund: Fund, rate: Rate = UNLIMITED) -> Iterator[Running]:
    """Run the fund's server in a thread of this process."""
    with gateway_server(fund.root, "127.0.0.1", 0, rate=rate) as server:
        thread = threading.Thread(target=server.run, args=([server.listener],), name="uvicorn")
        port = server.port
        thread.start()
        try:
            assert server.ready.wait(10)
            with requests.Session() as session:
                session.trust_env = False
                session.verify = str(FundHome(fund.root).ca_certificate)
                session.headers["Connection"] = "close"  # else one may be used just when the server ends it for idling
                yield Running(fund, port, session)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
