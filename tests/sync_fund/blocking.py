"""The gateway with an event loop of its own, for tests that ask one thing after the other."""

import asyncio
from pathlib import Path

from sync.fund import gateway, serve
from sync.fund.home import FundHome
from tests.sync_fund.desk import StillClock


class Gateway:
    """The methods of `sync.fund.gateway.Gateway`, waited for."""

    def __init__(self, real: gateway.Gateway) -> None:
        self._real = real
        self._runner = asyncio.Runner()
        self._runner.run(real.open())

    def receive(self, device: str, body: bytes, shown: str | None = None) -> bytes:
        """Offer a batch."""
        return self._runner.run(self._real.receive(device, body, shown))

    def head(self, device: str, nonce: str, shown: str | None = None) -> bytes:
        """Ask for the head."""
        return self._runner.run(self._real.head(device, nonce, shown))

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
    return Gateway(serve.make_gateway(FundHome(root), clock))
