"""A fund with its gateway processes, and desks that were let in, in a folder of their own: what `delivery` measures.

The gateways are what a fund runs (`python -m sync.fund serve`), with mutual TLS and their usual limits.
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.core.errors import DemoFailed
from sync.clock import Clock
from sync.compact import digest_of
from sync.envelope import EVENT_TYP, GENESIS, Event, Moment, event_payload
from sync.fund.admission import Terms, admit, invite
from sync.fund.home import FundHome
from sync.fund.office import create_fund
from sync.home import FundSettings, Home
from sync.install import install
from sync.joining import FundFacts
from sync.protocol import Outgoing
from sync.provision import make_desk, request_admission
from sync.signing import FileSigner, KeyClass, sign_compact
from sync.transport import Transport

_START_S: Final = 60.0

_OWN: Final = ("patient", "consent", "template")
"""Members of a visit that look random, and so do not compress."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running fund. gateways: their process ids. ways: for each desk, its connection."""

    root: Path
    document: FundFacts
    gateways: tuple[int, ...]
    desks: tuple["Desk", ...]
    ways: tuple[Transport, ...]


class Desk:
    """One desk's key, and the chain it has signed so far."""

    def __init__(self, name: str, home: Home) -> None:
        self.name, self.home = name, home
        self.signer = FileSigner.load(home.device_key)
        self._seq, self._prev = 0, GENESIS

    def sign(self, count: int, like: Event, moment: Moment) -> tuple[Outgoing, ...]:
        """The next events of the chain, each as `like` but for number, id, and what is a patient's own."""
        signed = []
        for _ in range(count):
            self._seq += 1
            event_id, data = secrets.token_hex(16), dict(like.data)
            data |= {name: secrets.token_hex(len(str(data[name])) // 2) for name in _OWN}
            event = Event(like.kind, like.kind_v, event_id, self.name, self._seq, self._prev, moment, data, like.late)
            token = sign_compact(self.signer, EVENT_TYP, event_payload(event))
            self._prev = digest_of(token)
            signed.append(Outgoing(self._seq, self._prev, token))
        return tuple(signed)


@contextmanager
def open_site(folder: Path, database: str | None, gateways: int, desks: int, clock: Clock) -> Iterator[Site]:
    """Found a fund, let the desks in, start its gateways. Raises DemoFailed when one does not start, as `create_fund`.

    database: address of an empty PostgreSQL database, None for the fund's own file.
    """
    root = folder / "fund"
    document = create_fund(root, "https://127.0.0.1:8443", clock.moment().wall, database)
    joined = [_join(root, folder / f"desk-{number}", f"desk-{number}", clock) for number in range(desks)]
    with ExitStack() as stack:
        running = [stack.enter_context(_gateway(root, folder / f"ready-{number}", clock)) for number in range(gateways)]
        ways = []
        for number, desk in enumerate(joined):
            port = running[number % gateways][1]
            settings = FundSettings(f"https://127.0.0.1:{port}", FundHome(root).ca_certificate, document.public_jwk)
            way = Transport(settings, desk.name, clock)
            stack.callback(way.close)
            way.show(desk.home.tls)
            ways.append(way)
        yield Site(root, document, tuple(pid for pid, _ in running), tuple(joined), tuple(ways))


def _join(root: Path, folder: Path, name: str, clock: Clock) -> Desk:
    home, now = Home(folder), clock.moment().wall
    make_desk(home)
    request = request_admission(home, invite(root, name, "Bench", "Desk", now), now)
    install(home, admit(root, request, Terms(KeyClass.FILE), now), now)
    return Desk(name, home)


@contextmanager
def _gateway(root: Path, ready: Path, clock: Clock) -> Iterator[tuple[int, int]]:
    """A gateway process: its id and port."""
    command: Sequence[str] = (
        *(sys.executable, "-m", "sync.fund", "--dir", str(root), "serve"),
        *("--port", "0", "--ready-file", str(ready)),
    )
    with ready.with_suffix(".log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:  # noqa: S603
        try:
            begin = clock.monotonic()
            while not ready.exists():
                if process.poll() is not None or clock.monotonic() - begin > _START_S:
                    raise DemoFailed("the fund's gateway did not start")
                clock.sleep(0.02)
            yield process.pid, int(json.loads(ready.read_text(encoding="ascii"))["port"])
        finally:
            process.terminate()
