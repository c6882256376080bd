"""The gateway's front desk: who is asking, how often, and how many at once.

What a request asks for is left to `sync.fund.app`, whether its peer may ask it to `sync.fund.peer`.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from starlette.requests import Request

from sync.fund.denial import RequestDenied
from sync.fund.peer import ADDRESS_HEADER, HEADER, told_by_proxy
from sync.fund.rate import Buckets, Rate

MAX_WAITING = 64
"""Requests held at once. With bodies of 2 MiB this bounds memory to 128 MiB, and at the 20 ms that a full batch takes,
the last in the queue waits little more than a second."""

OF_ONE = 4
"""Places of one peer: a desk sends one request at a time, and a broken line may leave some behind."""

OF_STRANGERS = 16
"""Places of everybody without a certificate together: witnesses, auditors, health checks, whoever finds the port. So 48
are the devices' alone, of which one with four keys (`sync.fund.renewal`) can hold a third."""

RETRY_AFTER_S = 2
"""Seconds until the queue has surely moved on."""

CERTIFICATE = "certificate"
"""Where the server puts the fingerprint of the connection's certificate (`state` of the ASGI scope)."""


class FrontDesk:
    """Lets requests in; belongs to one event loop."""

    def __init__(self, monotonic: Callable[[], float], rate: Rate, *, behind_proxy: bool) -> None:
        """behind_proxy: nothing but our nginx can connect, so its headers are believed."""
        self._monotonic = monotonic
        self._buckets = Buckets(rate)
        self._behind_proxy = behind_proxy
        self._held: Counter[str] = Counter()
        self._strangers = 0

    @contextlib.contextmanager
    def place(self, request: Request) -> Iterator[str | None]:
        """A place, taken before a body is read; gives the fingerprint of the certificate shown, None without one.

        Raises RequestDenied when the peer asks too often, holds too many places, or all it could have are taken.
        """
        shown = self._shown(request)
        stranger = shown is None
        peer = shown or self._address(request)
        self._buckets.take(peer, self._monotonic())
        self._check_room(peer, stranger=stranger)
        self._held[peer] += 1
        self._strangers += stranger
        try:
            yield shown
        finally:
            self._strangers -= stranger
            self._held[peer] -= 1
            if not self._held[peer]:
                del self._held[peer]

    def _check_room(self, peer: str, *, stranger: bool) -> None:
        """Raises RequestDenied. A stranger without an address is bounded with all of them only."""
        if peer and self._held[peer] >= OF_ONE:
            raise RequestDenied(429, "busy", "too many requests of this peer at once", RETRY_AFTER_S)
        if self._held.total() >= MAX_WAITING or (stranger and self._strangers >= OF_STRANGERS):
            raise RequestDenied(503, "busy", "too many requests at once", RETRY_AFTER_S)

    def _shown(self, request: Request) -> str | None:
        if self._behind_proxy:
            return told_by_proxy(request.headers.get(HEADER))
        found = request.scope.get("state", {}).get(CERTIFICATE)
        return found if isinstance(found, str) else None

    def _address(self, request: Request) -> str:
        """Where a peer without a certificate asks from."""
        if self._behind_proxy:
            return request.headers.get(ADDRESS_HEADER, "")
        return request.client.host if request.client else ""
