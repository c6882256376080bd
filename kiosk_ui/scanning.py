"""Reads an IIN from a document that is held before the camera instead of a face.

Only while the patient is asked for a number, and only codes whose whole text is a valid IIN. What was read goes to the
pad like typed digits; nothing of it is logged or kept.
"""

import threading
from collections.abc import Callable
from typing import Final

from appliance.barcodes import CodeKind, read_codes
from appliance.core.errors import IinInvalid
from appliance.core.iin import Iin
from appliance.core.session import State
from appliance.core.types import Frame

EVERY_S: Final = 0.2
"""Between two looks: one costs 10 to 30 ms of a core at 1280x720, and nobody holds a card for less."""

KINDS: Final = frozenset({CodeKind.QR, CodeKind.CODE_128, CodeKind.CODE_39})
"""The identity card carries its IIN as a linear code; QR is what applications show."""


def iin_in(text: str) -> Iin | None:
    """The IIN that a code is, and nothing else: an address or a number among others is no answer."""
    try:
        return Iin(text.strip())
    except IinInvalid:
        return None


class Scanner:
    """Looks at the frames of one station; called on one thread."""

    def __init__(self) -> None:
        self._next: float | None = None

    def look(self, frame: Frame, state: State) -> Iin | None:
        """The number that is held up, at most every `EVERY_S`; None in any state but FALLBACK, and for two numbers."""
        if state is not State.FALLBACK:
            self._next = None
            return None
        if self._next is not None and frame.at < self._next:
            return None
        self._next = frame.at + EVERY_S
        found = {iin.digits: iin for iin in map(iin_in, read_codes(frame.pixels, KINDS)) if iin is not None}
        return next(iter(found.values())) if len(found) == 1 else None


class DocumentReader:
    """Looks on a thread of its own, which a desk that is never asked for a number never has. Newest frame wins."""

    def __init__(self, found: Callable[[Iin], None]) -> None:
        """found: gets each number, on the reader's thread."""
        self._found = found
        self._waiting = threading.Condition()
        self._next: tuple[Frame, State] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, frame: Frame, state: State) -> None:
        """A new frame and the state it belongs to; from any thread. Never waits for the reading."""
        with self._waiting:
            if self._closed or (self._thread is None and state is not State.FALLBACK):
                return
            self._next = (frame, state)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="documents", daemon=True)
                self._thread.start()
            self._waiting.notify()

    def close(self) -> None:
        """Stop reading and wait for the look in hand, some 30 ms."""
        with self._waiting:
            self._closed = True
            self._waiting.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        scanner = Scanner()
        while (waiting := self._taken()) is not None:
            iin = scanner.look(*waiting)
            if iin is not None:
                self._found(iin)

    def _taken(self) -> tuple[Frame, State] | None:
        with self._waiting:
            self._waiting.wait_for(lambda: self._closed or self._next is not None)
            taken, self._next = self._next, None
            return None if self._closed else taken
