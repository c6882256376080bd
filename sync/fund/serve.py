"""Runs the gateway: certificate renewed, socket bound, TLS 1.3, database opened, uvicorn until SIGTERM.

What is served is left to `sync.fund.app`. This is the composition root of the fund's side: it alone picks the clock.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from sync.clock import Clock, SystemClock
from sync.errors import KeyUnusable
from sync.fund.allowed import AllowedLists
from sync.fund.app import Renew, create_app
from sync.fund.ca import DeviceAuthority
from sync.fund.connection import BoundedConnection
from sync.fund.counter import CERTIFICATE, FrontDesk
from sync.fund.gateway import Gateway
from sync.fund.home import FundHome, parse_url, port_of
from sync.fund.keys import load_facts, renew_certificate
from sync.fund.listening import bind, bound, write_ready
from sync.fund.log import Log
from sync.fund.log_terms import load_signer, load_terms
from sync.fund.peer import fingerprint
from sync.fund.rate import Rate
from sync.fund.renewal import Renewal
from sync.fund.store import FundStore
from sync.fund.stores import gateway_store, log_store, sole_gateway
from sync.signing import FileSigner

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10
"""Time for requests under way when the gateway is asked to stop; a full batch takes 20 ms."""

MAX_CONNECTIONS = 512
"""Beyond it uvicorn answers 503 without reading; a pilot has some dozens of desks."""

KEEP_ALIVE_S = 5
"""An idle connection lasts so long; a proxy has to let go of it earlier (`sync.fund.proxy`)."""


class DeskConnection(BoundedConnection):
    """A connection that tells whose it is, and does not hold up the end of the server.

    Closing TLS politely waits up to 30 s for the other side's goodbye, which a client whose connection lies idle in its
    pool never sends.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the certificate that the other side showed; the application finds it in the state of each request."""
        super().connection_made(transport)
        secure = transport.get_extra_info("ssl_object")
        shown = None if secure is None else secure.getpeercert(binary_form=True)
        if shown is not None:
            self.app_state = {**self.app_state, CERTIFICATE: fingerprint(shown)}

    def shutdown(self) -> None:
        """Drop the connection when nothing is under way; else let the answer out first."""
        idle = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        if idle and not self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().shutdown()


class GatewayServer(uvicorn.Server):
    """uvicorn on a socket that is bound already, with a gateway to open, and a file that says when it answers."""

    def __init__(
        self, config: uvicorn.Config, gateway: Gateway, log: Log, listener: socket.socket, ready_file: Path | None
    ) -> None:
        super().__init__(config)
        self.listener = listener
        self._gateway = gateway
        self._log = log
        self.ready = threading.Event()
        self._ready_file = ready_file

    @property
    def port(self) -> int:
        """The port it listens on, also when 0 was asked for; there is none on a unix socket."""
        return int(self.listener.getsockname()[1])

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Open gateway and log, answer until told to stop, close them. Raises DatabaseFailure, KeyUnusable."""
        try:
            await self._gateway.open()
            await self._log.open()
            await self._serve_and_log(sockets)
        finally:
            await self._log.close()
            await self._gateway.close()

    async def _serve_and_log(self, sockets: list[socket.socket] | None) -> None:
        """Answer, and let the log grow beside. A bug in the log ends the server: it is started again whole."""
        stopped = asyncio.Event()
        growing = asyncio.create_task(self._log.run(stopped))
        growing.add_done_callback(lambda task: setattr(self, "should_exit", True) if task.exception() else None)
        try:
            await super().serve(sockets)
        finally:
            stopped.set()
            await growing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        if self._ready_file is not None:
            write_ready(self._ready_file, self.listener)
        self.ready.set()
        logger.info("gateway answers at %s", self.listener.getsockname())


def serve(
    root: Path,
    host: str,
    port: int | None,
    *,
    proxy: Path | None = None,
    ready_file: Path | None = None,
    clock: Clock | None = None,
) -> None:
    """Serve the fund in `root` until SIGTERM or SIGINT; returns when every request under way was answered.

    To be called from the main thread. port: None for that of the fund's address, 0 for a free one. proxy: instead of
    host and port, a unix socket that nginx alone reaches; who is there is then believed as nginx tells it
    (`sync.fund.proxy`). ready_file: says where the gateway answers as soon as it does; removed at the end.
    Raises FundIncomplete, KeyUnusable, DatabaseFailure, AddressInUse, GatewayRunning.
    """
    serving = gateway_server(root, host, port, proxy=proxy, ready_file=ready_file, clock=clock)
    with serving as server, _stopped_by_signals(server):
        server.run([server.listener])


@contextlib.contextmanager
def gateway_server(
    root: Path,
    host: str,
    port: int | None,
    *,
    proxy: Path | None = None,
    ready_file: Path | None = None,
    clock: Clock | None = None,
    rate: Rate = Rate(),  # noqa: B008  # a frozen value
) -> Iterator[GatewayServer]:
    """A server ready to run; it opens the database when it starts. Raises as `serve`, also when it is run."""
    home, clock = FundHome(root), clock or SystemClock()
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
    renew_certificate(home, clock.moment().wall)
    context = None if proxy is not None else tls_context(home.server, home.device_ca)
    with sole_gateway(home), _listener(home, host, port) if proxy is None else bound(proxy) as listener:
        store = gateway_store(home, clock.moment().wall)
        gateway, log = make_gateway(home, clock, store), make_log(home, clock)
        desk, renew = FrontDesk(clock.monotonic, rate, behind_proxy=proxy is not None), renewing(home, store, clock)
        try:
            config = _config(create_app(gateway, log, desk, renew), context)
            yield GatewayServer(config, gateway, log, listener, ready_file)
        finally:
            if ready_file is not None:
                ready_file.unlink(missing_ok=True)


def _listener(home: FundHome, host: str, port: int | None) -> socket.socket:
    return bind(host, port_of(parse_url(load_facts(home).url)) if port is None else port)


def _config(app: FastAPI, context: ssl.SSLContext | None) -> uvicorn.Config:
    """How uvicorn serves the application. context: None without TLS, behind the proxy."""
    return uvicorn.Config(
        app,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
        log_config=None,  # logging is set up by whoever started the process
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=DeskConnection,
        ws="none",
        lifespan="off",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def make_gateway(home: FundHome, clock: Clock, store: FundStore | None = None) -> Gateway:
    """The gateway of a fund, to be opened in its event loop. Raises KeyUnusable."""
    store = store or gateway_store(home, clock.moment().wall)
    return Gateway(store, FileSigner.load(home.signing_key), clock, AllowedLists(home.root).now)


def renewing(home: FundHome, store: FundStore, clock: Clock) -> Renew:
    """What renews TLS certificates, in the store that the gateway opens. Raises FundIncomplete, KeyUnusable."""
    renewal = Renewal(store, DeviceAuthority.load(home))

    async def renew(device: str, shown: str | None, body: bytes) -> bytes:
        return await renewal.renew(device, shown, body, clock.moment().wall)

    return renew


def make_log(home: FundHome, clock: Clock) -> Log:
    """The transparency log of a fund, to be opened in its event loop. Raises FundIncomplete, KeyUnusable."""
    terms = load_terms(home)
    return Log(log_store(home, clock.moment().wall), load_signer(home, terms), terms, clock)


def tls_context(server: Path, device_authority: Path) -> ssl.SSLContext:
    """TLS 1.3 only, with key and certificate of one file; a client's certificate is the device authority's or refused.

    Whether a device needs one is decided for each request (`sync.fund.peer`). Raises KeyUnusable.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(server)
    except (OSError, ssl.SSLError) as error:
        raise KeyUnusable(f"{server.name} is not a key with its certificate") from error
    try:
        context.load_verify_locations(device_authority)
    except (OSError, ssl.SSLError) as error:
        raise KeyUnusable(f"{device_authority.name} is not a certificate") from error
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@contextlib.contextmanager
def _stopped_by_signals(server: GatewayServer) -> Iterator[None]:
    """SIGTERM and SIGINT end the server, and end it well.

    They may come before uvicorn listens to them, and uvicorn raises them once more after it has stopped, which would
    make a clean end look like a death.
    """
    before = {
        number: signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
