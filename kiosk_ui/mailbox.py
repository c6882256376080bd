"""Hands values from a working thread to the window: the newest wins, and one wake-up is pending at most.

A queued signal for each frame would starve the window of its own events when it paints slower than frames come.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

Value = TypeVar("Value")


class _Bell(QObject):
    rung = Signal()


class Mailbox(Generic[Value]):
    """One slot: `put` from any thread; the newest value is given to `taken` on the thread that made the mailbox."""

    def __init__(self, taken: Callable[[Value], None]) -> None:
        """taken: gets the newest value, at most once for each time the window comes to its events."""
        self._lock = threading.Lock()
        self._waiting: list[Value] = []
        self._taken = taken
        self._open = True
        self._bell = _Bell()
        self._bell.rung.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def put(self, value: Value) -> None:
        """Leave a value in place of whatever was not taken yet. Never waits for the window."""
        with self._lock:
            first = not self._waiting
            self._waiting[:] = [value]
        if first:
            self._bell.rung.emit()

    def close(self) -> None:
        """Give nothing more, whatever still waits or comes: the receiver is about to be taken down."""
        self._open = False

    def _take(self) -> None:
        with self._lock:
            newest = self._waiting.pop()
        if self._open:
            self._taken(newest)
