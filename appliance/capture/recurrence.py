"""Owns the memory of recent pictures, and how a new one resembles them; whether that is a loop is judged in the core.

Nothing of it outlives the process: a picture is kept as a thumbnail of 16 x 12 grey levels and a 64-bit number.
"""

import hashlib
import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from appliance.core.types import Frame, Recurrence, Sensitive
from appliance.opencv import cv2

_COLUMNS, _ROWS = 16, 12
_FINE = 4  # a thumbnail is averaged from one so many times finer, or its rounding would count (0.3 grey levels)
_ENOUGH_ROWS = 144  # the mean of a block needs no more: sensor noise of 3 grey levels is 0.1 in it
_GRID = 4  # every fourth pixel each way goes into the number: 57,600 of 1280 x 720
_NUMBERS = 65_536  # remembered; 36 minutes at 30 pictures a second
_FLAT = 1.0  # grey levels of standard deviation; less shows nothing, and says nothing when it comes again


class PictureMemory(Sensitive):
    """The pictures of one source; used by one thread."""

    __slots__ = ("_at", "_count", "_exact", "_gap", "_last", "_norms", "_numbers", "_old", "_stride", "_thumbs")

    def __init__(self, gap: float, stride: float, pictures: int = 2048) -> None:
        """gap: seconds from which a picture is "earlier". stride: seconds `moved` looks back. pictures: remembered."""
        self._gap, self._stride = gap, stride
        self._thumbs: NDArray[np.float32] = np.zeros((pictures, _COLUMNS * _ROWS), np.float32)
        self._norms: NDArray[np.float32] = np.zeros(pictures, np.float32)
        self._at = [0.0] * pictures
        self._count = self._old = 0  # pictures ever remembered, and how many of them are earlier ones by now
        self._numbers: deque[tuple[float, bytes]] = deque()
        self._exact: dict[bytes, None] = {}
        self._last = b""

    def look(self, frame: Frame) -> Recurrence:
        """Compare a picture with the earlier ones, then remember it. A flat one resembles nothing."""
        thumb = _thumbnail(frame.pixels)
        if float(thumb.std()) < _FLAT:
            self._last = b""
            return Recurrence(frame.at)
        number = _number(frame.pixels)
        square = float(thumb @ thumb)
        while self._old < self._count and self._at[self._old % len(self._at)] <= frame.at - self._gap:
            self._old += 1
        found = Recurrence(
            frame.at,
            same=number == self._last,
            seen=self._seen(number, frame.at),
            nearest=self._nearest(thumb, square),
            moved=self._moved(thumb, frame.at),
        )
        self._remember(number, thumb, square, frame.at)
        return found

    def _seen(self, number: bytes, at: float) -> bool:
        """Whether the number came at least the gap ago; those that are old enough by now are taken into the index."""
        while self._numbers and self._numbers[0][0] <= at - self._gap:
            _, old = self._numbers.popleft()
            self._exact[old] = None
            if len(self._exact) > _NUMBERS:
                del self._exact[next(iter(self._exact))]
        return number in self._exact

    def _nearest(self, thumb: NDArray[np.float32], square: float) -> float:
        """Distance to the most similar earlier picture."""
        held = len(self._at)
        if self._old <= max(0, self._count - held):
            return float("inf")
        rows = min(self._count, held)
        squares = self._norms[:rows] - 2 * (self._thumbs[:rows] @ thumb)
        squares[[number % held for number in range(self._old, self._count)]] = np.inf
        return _rms(float(squares.min()) + square, thumb.size)

    def _moved(self, thumb: NDArray[np.float32], at: float) -> float:
        """Distance to the newest picture at least the stride older."""
        held = len(self._at)
        for number in range(self._count - 1, max(0, self._count - held) - 1, -1):
            if self._at[number % held] <= at - self._stride:
                away = self._thumbs[number % held] - thumb
                return _rms(float(away @ away), thumb.size)
        return 0.0

    def _remember(self, number: bytes, thumb: NDArray[np.float32], square: float, at: float) -> None:
        row = self._count % len(self._at)
        self._thumbs[row], self._norms[row], self._at[row] = thumb, square, at
        self._count += 1
        self._last = number
        self._numbers.append((at, number))


def _rms(square: float, size: int) -> float:
    return math.sqrt(max(square, 0.0) / size)


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    rows = pixels[:: max(1, len(pixels) // _ENOUGH_ROWS)]
    fine = cv2.resize(rows, (_COLUMNS * _FINE, _ROWS * _FINE), interpolation=cv2.INTER_AREA)
    blocks = np.asarray(fine, np.float32).reshape(_ROWS, _FINE, _COLUMNS, _FINE * 3)
    thumb = blocks.mean(axis=(1, 3), dtype=np.float32).reshape(-1)
    return np.asarray(thumb - thumb.mean(), np.float32)


def _number(pixels: NDArray[np.uint8]) -> bytes:
    """64 bits over a grid of the green channel: equal for equal pictures, and for no two exposures of a face."""
    offset = _GRID // 2
    return hashlib.blake2b(pixels[offset::_GRID, offset::_GRID, 1].tobytes(), digest_size=8).digest()
