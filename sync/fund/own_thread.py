"""A thread that owns one thing: it opens it, answers questions about it one after the other, and closes it.

What is owned is the caller's: a connection to SQLite mostly, which belongs to one thread; writing is serial anyway, and
the loop must never wait for a disk.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What can be let go."""

    def close(self) -> None:
        """Let it go."""


Thing = TypeVar("Thing", bound=Closable)
Answer = TypeVar("Answer")


class OwnThread(Generic[Thing]):
    """One thread and the thing it owns."""

    def __init__(self, name: str, opener: Callable[[], Thing]) -> None:
        """opener: called in the thread by `open`."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._opener = opener
        self._thing: Thing | None = None

    async def open(self) -> None:
        """Open the thing in its thread. Raises as the opener."""
        self._thing = await asyncio.get_running_loop().run_in_executor(self._thread, self._opener)

    async def close(self) -> None:
        """Finish what was begun, close the thing, end the thread."""
        if self._thing is not None:
            await self.ask(lambda thing: thing.close())
            self._thing = None
        self._thread.shutdown()

    async def ask(self, question: Callable[[Thing], Answer]) -> Answer:
        """The answer, from the thread; a caller who is cancelled interrupts nothing."""
        assert self._thing is not None  # noqa: S101  # asked before it was opened
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, self._thing)
