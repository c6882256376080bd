"""The gateway's counter: how many requests are let in at once, and who is sent away.

What a request asks for is left to `sync.fund.app`.
"""

import contextlib
from collections.abc import Iterator

from sync.fund.denial import RequestDenied

MAX_WAITING = 64
"""Requests held at once. With bodies of 2 MiB this bounds memory to 128 MiB, and at the 20 ms that a full batch takes,
the last in the queue waits little more than a second."""

RETRY_AFTER_S = 2
"""Seconds until the queue has surely moved on."""


class Counter:
    """Places for requests under way; belongs to one event loop."""

    def __init__(self, places: int = MAX_WAITING) -> None:
        self._free = places

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place, taken before a body is read. Raises RequestDenied when all are taken."""
        if not self._free:
            raise RequestDenied(503, "busy", "too many requests at once", RETRY_AFTER_S)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
