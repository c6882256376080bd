"""A fund as it is run in earnest: nginx, two gateway processes on unix sockets, PostgreSQL."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests

from sync.fund.home import FundHome
from sync.fund.proxy import nginx_configuration, write_configuration
from tests.e2e.offline import free_port
from tests.sync_fund.conftest import Fund, Running, live_fund

ROOT = Path(__file__).parents[2]
START_S = 30.0

_MAIN = """
{user}pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    access_log {folder}/access.log;
    include {folder}/keldim.conf;
}}
"""
"""What a machine's nginx.conf says around ours: with a log of every request, which ours has to switch off."""


def _program() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError("nginx is not installed: the set-up installs it")
    return found


@dataclass
class Site:
    """All of it. sockets: of the gateways, whose processes may be killed and started again."""

    fund: Fund
    port: int
    folder: Path
    session: requests.Session
    sockets: tuple[Path, ...]
    gateways: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def running(self) -> Running:
        """The fund through nginx."""
        return Running(self.fund, self.port, self.session)

    @property
    def written(self) -> str:
        """Whatever nginx wrote about its requests."""
        logs = [self.folder / "error.log", self.folder / "access.log"]
        return "".join(log.read_text() for log in logs if log.exists())

    def start_gateway(self, number: int) -> subprocess.Popen[bytes]:
        """Start one gateway process, without waiting."""
        arguments = ("--behind-proxy", "--socket", self.sockets[number], "--ready-file", self._ready(number))
        with (self.folder / f"gateway-{number}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "sync.fund", "--dir", str(self.fund.root), "serve", *map(str, arguments)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def await_gateway(self, number: int) -> None:
        """Wait until it answers."""
        process, end = self.gateways[number], time.monotonic() + START_S
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                if json.loads(self._ready(number).read_bytes()) == {
                    "pid": process.pid,
                    "socket": str(self.sockets[number]),
                }:
                    return
            assert process.poll() is None, (self.folder / f"gateway-{number}.log").read_text()[-2000:]
            time.sleep(0.02)
        raise AssertionError("the gateway does not start")

    def kill_gateway(self, number: int) -> None:
        """Kill -9, which leaves the socket's name behind."""
        self.gateways[number].kill()
        self.gateways[number].wait()
        assert self.sockets[number].exists()

    def end_gateway(self, number: int) -> int:
        """As for an update."""
        self.gateways[number].terminate()
        return self.gateways[number].wait(20)

    def start_again(self, *numbers: int) -> None:
        """After an end or a kill."""
        for number in numbers:
            self.gateways[number] = self.start_gateway(number)
        for number in numbers:
            self.await_gateway(number)

    def signal_nginx(self, number: signal.Signals) -> None:
        """Signal the master process: SIGHUP reloads."""
        os.kill(int((self.folder / "nginx.pid").read_text()), number)

    def _ready(self, number: int) -> Path:
        return self.folder / f"ready-{number}.json"


@contextlib.contextmanager
def site(folder: Path, database: str, gateways: int = 2) -> Iterator[Site]:
    """Start it all, end it all."""
    port = free_port()
    fund = live_fund(folder / "fund", f"https://127.0.0.1:{port}", database)
    sockets = tuple(folder / f"{number}.sock" for number in range(gateways))
    with requests.Session() as session, contextlib.ExitStack() as stack:
        session.trust_env, session.verify = False, str(FundHome(fund.root).ca_certificate)
        session.headers["Connection"] = "close"
        made = Site(fund, port, folder, session, sockets)
        stack.callback(_end_gateways, made)
        for number in range(gateways):
            made.gateways.append(made.start_gateway(number))
        for number in range(gateways):
            made.await_gateway(number)
        stack.enter_context(_nginx(made))
        yield made


@contextlib.contextmanager
def _nginx(made: Site) -> Iterator[None]:
    write_configuration(
        made.folder / "keldim.conf", nginx_configuration(made.fund.root, made.sockets, [f"127.0.0.1:{made.port}"])
    )
    main = made.folder / "nginx.conf"
    # Root's nginx would give its workers to a user who is not in the sockets' group.
    main.write_text(_MAIN.format(folder=made.folder, user="user root;\n" if os.geteuid() == 0 else ""))
    arguments = ("-p", made.folder, "-c", main, "-e", made.folder / "error.log", "-g", "daemon off;")
    with subprocess.Popen([_program(), *map(str, arguments)], stderr=subprocess.PIPE) as process:
        try:
            _await_port(made.port, process)
            yield
        finally:
            process.terminate()
            process.wait(20)


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)
    raise AssertionError("nginx does not start")


def _end_gateways(made: Site) -> None:
    for process in made.gateways:
        process.terminate()
    for process in made.gateways:
        process.wait(20)
