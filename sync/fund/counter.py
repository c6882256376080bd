"""The gateway's front desk: who is asking, how often, and how many at once.

What a request asks for is left to `sync.fund.app`, whether its peer may ask it to `sync.fund.peer`.
"""

import contextlib
from collections.abc import Callable, Iterator

from starlette.requests import Request

from sync.fund.denial import RequestDenied
from sync.fund.peer import ADDRESS_HEADER, HEADER, told_by_proxy
from sync.fund.rate import Buckets, Rate

MAX_WAITING = 64
"""Requests held at once. With bodies of 2 MiB this bounds memory to 128 MiB, and at the 20 ms that a full batch takes,
the last in the queue waits little more than a second."""

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
        self._free = MAX_WAITING

    @contextlib.contextmanager
    def place(self, request: Request) -> Iterator[str | None]:
        """A place, taken before a body is read; gives the fingerprint of the certificate shown, None without one.

        Raises RequestDenied when the peer asks too often, or all places are taken.
        """
        shown = self._shown(request)
        self._buckets.take(shown or self._address(request), self._monotonic())
        if not self._free:
            raise RequestDenied(503, "busy", "too many requests at once", RETRY_AFTER_S)
        self._free -= 1
        try:
            yield shown
        finally:
            self._free += 1

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
