"""The one thread that owns the gateway and its database; the event loop hands it questions one at a time.

A SQLite connection belongs to one thread, writing is serial anyway, and the loop must never wait for a disk. What is
asked is left to `sync.fund.app`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sync.fund.gateway import Gateway, RequestDenied

Answer = TypeVar("Answer")

MAX_WAITING = 64
"""Requests held at once. With bodies of 2 MiB this bounds memory to 128 MiB, and at the 20 ms that a full batch takes,
the last in the queue waits little more than a second."""

RETRY_AFTER_S = 2
"""Seconds until the queue has surely moved on."""


class Clerk:
    """One thread, one gateway, a short queue."""

    def __init__(self, hire: Callable[[], Gateway]) -> None:
        """Open the gateway in its thread. Raises what `hire` raises."""
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fund-gateway")
        try:
            self._gateway = self._thread.submit(hire).result()
        except BaseException:
            self._thread.shutdown()
            raise

    async def ask(self, question: Callable[[Gateway], Answer]) -> Answer:
        """Have the gateway's thread answer. Raises what the question raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._gateway)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place in the queue, taken before a body is read. Raises RequestDenied when it is full."""
        if self._waiting >= MAX_WAITING:
            raise RequestDenied(503, "busy", "too many requests at once", RETRY_AFTER_S)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what was begun, close the database, end the thread."""
        self._thread.submit(self._gateway.close).result()
        self._thread.shutdown()
