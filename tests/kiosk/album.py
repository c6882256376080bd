"""Pictures of every state as the window shows them, small, one sheet for each language.

The committed sheets are looked at by people when they change; `test_pictures` compares the window with them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage

from appliance.opencv import cv2
from appliance.texts import Language
from kiosk_ui.samples import STATES, drawn_person
from tests.kiosk.conftest import Stand
from tests.kiosk.test_window import show

GOLDEN = Path(__file__).parents[1] / "golden" / "screens"
TILE = (320, 200)
COLUMNS = 4


def tile(stand: Stand, name: str, language: Language) -> NDArray[np.uint8]:
    """One state at a quarter of its size: BGR uint8, 200 x 320 x 3."""
    show(stand, name, language)
    return tile_of(stand)


def tile_of(stand: Stand) -> NDArray[np.uint8]:
    """The window as it is now, with somebody before it."""
    for _ in range(40):
        stand.kiosk.show_frame(drawn_person())
    QCoreApplication.processEvents()
    image = stand.window.grabWindow().convertToFormat(QImage.Format.Format_BGR888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    return np.asarray(cv2.resize(pixels, TILE, interpolation=cv2.INTER_AREA), np.uint8)


def sheet(stand: Stand, language: Language) -> NDArray[np.uint8]:
    """All states in the order of `STATES`, row by row."""
    rows = -(-len(STATES) // COLUMNS)
    whole = np.zeros((rows * TILE[1], COLUMNS * TILE[0], 3), np.uint8)
    for number, name in enumerate(STATES):
        y, x = number // COLUMNS * TILE[1], number % COLUMNS * TILE[0]
        whole[y : y + TILE[1], x : x + TILE[0]] = tile(stand, name, language)
    return whole


def tiles(whole: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """A sheet taken apart again."""
    places = {name: (number // COLUMNS * TILE[1], number % COLUMNS * TILE[0]) for number, name in enumerate(STATES)}
    return {name: whole[y : y + TILE[1], x : x + TILE[0]] for name, (y, x) in places.items()}
