"""What one connection may take before its request is whole: time, bytes of a head, and a place among strangers.

Whose connection it is, is told by `sync.fund.serve`; places for requests are `sync.fund.counter`'s, bodies
`sync.fund.body`'s. uvicorn itself bounds neither the head of a request nor how long it takes (0.54).
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sync.fund.body import BODY_SECONDS
from sync.strict_json import dump

MAX_HEAD: Final = 64 * 1024
"""Bytes of a request's line and headers; ours take 500, with nginx's certificate header 2,000."""

MAX_STRANGERS: Final = 256
"""Connections without a certificate, half of all: the others are the desks'."""


class BoundedConnection(HttpToolsProtocol):
    """A connection that ends when the head of its next request does not come in BODY_SECONDS or has no end.

    The time also bounds what is left of a body that was answered before it had been read.
    """

    seconds = BODY_SECONDS
    stranger = False
    _deadline: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; a stranger too many is dropped."""
        super().connection_made(transport)
        secure = transport.get_extra_info("ssl_object")
        self.stranger = secure is not None and secure.getpeercert(binary_form=True) is None
        if self.stranger and sum(getattr(other, "stranger", False) for other in self.connections) > MAX_STRANGERS:
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and end a head without end: one read more than MAX_HEAD is kept at most."""
        if self._deadline is not None:
            self._head += len(data)
        super().data_received(data)
        if self._deadline is not None and self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request has no end.")

    def on_body(self, body: bytes) -> None:
        """What is still sent of a body that was answered already is no head."""
        self._head -= len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """The request is the application's now. ValueError: too much of it, which the parser makes a 400 of."""
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > MAX_HEAD:
            raise ValueError("too many headers")
        self._stop_waiting()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.response_complete:
            self._wait()

    def send_400_response(self, msg: str) -> None:
        """What is no request is denied as every other one (PROTOCOL.md section 3), and the connection ends."""
        content = dump({"code": "malformed", "message": msg})
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + content)
        self.transport.close()

    def _wait(self) -> None:
        self._stop_waiting()
        self._head = 0
        self._deadline = self.loop.call_later(self.seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
