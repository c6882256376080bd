"""The gateway with an event loop of its own, for tests that ask one thing after the other."""

import asyncio
from pathlib import Path

from sync.envelope import DEVICE_ID
from sync.fund import gateway, serve
from sync.fund.home import FundHome
from sync.fund.office import devices, open_store
from sync.fund.rows import Certificate, Purpose
from tests.sync_fund.desk import StillClock

OWN = "the device's own"


def tls_of(root: Path, device: str) -> Certificate:
    """The newest TLS certificate of a device."""
    with open_store(root) as store:
        return [c for c in store.registry.certificates(device) if c.purpose is Purpose.TLS][-1]


class Gateway:
    """The methods of `sync.fund.gateway.Gateway`, waited for."""

    def __init__(self, real: gateway.Gateway, root: Path) -> None:
        self._real, self._root = real, root
        self._runner = asyncio.Runner()
        self._runner.run(real.open())

    def receive(self, device: str, body: bytes, shown: str | None = OWN) -> bytes:
        """Offer a batch, by default over a connection of the device."""
        known = self._runner.run(self._real.known(device, self._shown(device, shown)))
        return self._runner.run(self._real.receive(known, body))

    def head(self, device: str, nonce: str, shown: str | None = OWN) -> bytes:
        """Ask for the head."""
        known = self._runner.run(self._real.known(device, self._shown(device, shown)))
        return self._runner.run(self._real.head(known, nonce))

    def _shown(self, device: str, shown: str | None) -> str | None:
        known = DEVICE_ID.fullmatch(device) and any(s.device.device == device for s in devices(self._root))
        return shown if shown != OWN else tls_of(self._root, device).fingerprint if known else None

    def probe(self) -> None:
        """Ask whether anything can be stored."""
        self._runner.run(self._real.probe())

    def overview(self) -> gateway.Overview:
        """What people see."""
        return self._runner.run(self._real.overview())

    def close(self) -> None:
        """Close it."""
        self._runner.run(self._real.close())
        self._runner.close()


def open_gateway(root: Path, clock: StillClock) -> Gateway:
    """The gateway of a fund."""
    return Gateway(serve.make_gateway(FundHome(root), clock), root)
