"""The rate of each peer on a real server: who floods is told when to come again, everybody else is served."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sync.fund.rate import Rate
from tests.sync_fund.conftest import Running, live_fund, served
from tests.sync_fund.desk import FakeDesk, batch

RATE = Rate(per_second=2.0, burst=20.0)
FLOOD = 150


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with a rate that a test can exceed however slow the machine is."""
    with served(live_fund(tmp_path_factory.mktemp("limited") / "fund"), RATE) as running:
        yield running


def _flood(ask: Callable[[], requests.Response]) -> tuple[Counter[int], requests.Response]:
    """As fast as one can ask; counts of the statuses, and the last denial."""
    seen: Counter[int] = Counter()
    denied = None
    for _ in range(FLOOD):
        answer = ask()
        seen[answer.status_code] += 1
        denied = answer if answer.status_code == 429 else denied
    assert denied is not None
    return seen, denied


def _assert_slowed(seen: Counter[int], denied: requests.Response, begun: float) -> None:
    allowed = RATE.burst + RATE.per_second * (time.monotonic() - begun)
    assert set(seen) == {200, 429}
    assert RATE.burst <= seen[200] <= allowed + 1
    assert (denied.json()["code"], denied.headers["content-type"]) == ("busy", "application/json")


def test_a_device_that_floods_is_slowed_and_another_is_not(limited: Running, tmp_path: Path) -> None:
    """It gets its burst and its rate, then 429; after the time it was told it is served again, and nothing is lost."""
    flooding, other = limited.fund.desk(tmp_path), limited.fund.desk(tmp_path)
    body, begun = batch([flooding.next()]), time.monotonic()
    seen, denied = _flood(lambda: limited.post(flooding.device, body))
    _assert_slowed(seen, denied, begun)
    assert _offer(limited, other, other.next()) == 200
    time.sleep(int(denied.headers["Retry-After"]))
    assert _offer(limited, flooding, flooding.next()) == 200


def test_a_stranger_that_floods_slows_no_device(limited: Running, tmp_path: Path) -> None:
    """Nor a stranger at another address."""
    desk, begun = limited.fund.desk(tmp_path), time.monotonic()
    seen, denied = _flood(lambda: limited.get("/v1/log/growth?old=0"))
    seen[200] += seen.pop(404, 0)  # the log may have no checkpoint yet
    _assert_slowed(seen, denied, begun)
    assert _offer(limited, desk, desk.next()) == 200
    with limited.wire(source="127.0.0.9") as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: fund\r\n\r\n")
        assert b" 200 " in wire.recv(4096)


def _offer(running: Running, desk: FakeDesk, token: str) -> int:
    return running.post(desk.device, batch([token])).status_code
