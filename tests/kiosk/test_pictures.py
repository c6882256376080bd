"""The window looks as it did when somebody last looked at it, in every state and every language."""

import os
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.opencv import cv2
from appliance.texts import Language
from kiosk_ui.kiosk import Shown
from kiosk_ui.samples import STATES
from tests.kiosk.album import GOLDEN, TILE, sheet, tile, tile_of, tiles
from tests.kiosk.conftest import Stand
from tests.kiosk.test_window import TOKEN

NEAR = 1.5
"""Mean difference of grey levels that another FreeType may make; a moved button makes ten times more."""

INK = 5.0
"""How many grey levels a field of 20 x 20 pixels may be lighter or darker. Letters that are drawn otherwise keep their
ink: a shift by a quarter of a pixel changes 3; a line of text that is missing, which hardly shows in the whole, 11."""

Picture = NDArray[np.uint8]


def differs(one: Picture, other: Picture) -> bool:
    """Whether somebody has to look: as a whole, or somewhere."""
    difference = one.astype(np.int16) - other
    ink = difference.mean(axis=2).reshape(TILE[1] // 20, 20, TILE[0] // 20, 20).mean(axis=(1, 3))
    return bool(np.abs(difference).mean() > NEAR or np.abs(ink).max() > INK)


@pytest.mark.parametrize("language", list(Language))
def test_the_window_looks_as_it_was_last_looked_at(stand: Stand, language: Language) -> None:
    """Each state within the tolerance of its picture in tests/golden/screens.

    KELDIM_NEW_PICTURES=1 writes them anew: look at each before it is committed.
    """
    now, file = sheet(stand, language), GOLDEN / f"{language.value}.png"
    if os.environ.get("KELDIM_NEW_PICTURES"):
        GOLDEN.mkdir(exist_ok=True)
        cv2.imwrite(str(file), now, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    known = cv2.imread(str(file))
    assert known is not None, f"{file.name} is missing"
    assert known.shape == now.shape, "states were added: write the pictures anew and look at them"
    before = tiles(np.asarray(known, np.uint8))
    assert [name for name, picture in tiles(now).items() if differs(picture, before[name])] == []


def test_a_button_in_another_place_is_seen(stand: Stand) -> None:
    """The tolerance is far below what a wrong layout differs by."""
    short, long = (tile(stand, name, Language.ENGLISH) for name in ("confirm", "confirm_long"))
    assert np.abs(short.astype(np.int16) - long).mean() > NEAR


def test_a_line_of_text_that_is_missing_is_seen(stand: Stand) -> None:
    """Little of the whole picture, much of its place."""
    with_line = tile(stand, "already", Language.ENGLISH)
    stand.kiosk.show(Shown(replace(STATES["already"], before=""), TOKEN))
    assert differs(with_line, tile_of(stand))
