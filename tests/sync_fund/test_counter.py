"""The front desk without a server: who has a place, who is told to wait, and that every place comes back."""

import contextlib

import pytest
from starlette.requests import Request

from sync.fund.counter import CERTIFICATE, MAX_WAITING, OF_ONE, OF_STRANGERS, FrontDesk
from sync.fund.denial import RequestDenied
from sync.fund.peer import ADDRESS_HEADER
from sync.fund.rate import Rate


def _desk(*, behind_proxy: bool = False) -> FrontDesk:
    return FrontDesk(lambda: 0.0, Rate(1e6, 1e6), behind_proxy=behind_proxy)


def _request(certificate: str | None = None, host: str | None = "192.0.2.1", told: str | None = None) -> Request:
    """told: the address in the header that a proxy sets."""
    state = {} if certificate is None else {CERTIFICATE: certificate}
    client = None if host is None else (host, 1)
    headers = [] if told is None else [(ADDRESS_HEADER.encode(), told.encode())]
    return Request({"type": "http", "headers": headers, "state": state, "client": client})


def _denied(desk: FrontDesk, request: Request) -> int | None:
    """The status that a request is denied with, None when it gets a place (and gives it back)."""
    try:
        with desk.place(request):
            return None
    except RequestDenied as denied:
        return denied.status if denied.retry_after else 0


def test_a_peer_has_few_places_and_gets_them_back() -> None:
    """By certificate, wherever it connects from."""
    desk = _desk()
    with contextlib.ExitStack() as places:
        for number in range(OF_ONE):
            places.enter_context(desk.place(_request("a", f"192.0.2.{number}")))
        assert _denied(desk, _request("a", "192.0.2.99")) == 429
        assert _denied(desk, _request("b")) is None
    assert _denied(desk, _request("a")) is None


def test_no_more_are_held_than_there_are_places() -> None:
    """Devices can fill all of them, together only."""
    desk = _desk()
    with contextlib.ExitStack() as places:
        for number in range(MAX_WAITING):
            places.enter_context(desk.place(_request(str(number // OF_ONE))))
        assert _denied(desk, _request("new")) == 503
    assert _denied(desk, _request("new")) is None


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_an_address_is_read_from_the_proxys_header_behind_one_only(behind_proxy: bool) -> None:
    """On the proxy's socket nobody has an address else, and all strangers would be one; elsewhere it says nothing."""
    desk = _desk(behind_proxy=behind_proxy)
    host = None if behind_proxy else "192.0.2.9"
    with contextlib.ExitStack() as places:
        for _ in range(OF_ONE):
            places.enter_context(desk.place(_request(host=host, told="192.0.2.1")))
        assert _denied(desk, _request(host=host, told="192.0.2.1")) == 429
        assert _denied(desk, _request(host=host, told="192.0.2.2")) == (None if behind_proxy else 429)


@pytest.mark.parametrize("behind_proxy", [False, True])
def test_strangers_have_a_share_together(behind_proxy: bool) -> None:
    """Of many addresses, or behind a proxy that hides them; a place is given back also when the request fails."""
    desk = _desk(behind_proxy=behind_proxy)
    hosts = [None if behind_proxy else f"192.0.2.{number}" for number in range(OF_STRANGERS + 1)]
    with contextlib.ExitStack() as places:
        for host in hosts[:-1]:
            places.enter_context(desk.place(_request(host=host)))
        assert _denied(desk, _request(host=hosts[-1])) == 503
        if not behind_proxy:
            assert _denied(desk, _request("a")) is None
    with contextlib.suppress(KeyError), desk.place(_request(host=hosts[0])):
        raise KeyError
    assert _denied(desk, _request(host=hosts[0])) is None
