"""The window looks as it did when somebody last looked at it, in every state and every language."""

import os

import numpy as np
import pytest

from appliance.opencv import cv2
from appliance.texts import Language
from tests.kiosk.album import GOLDEN, sheet, tile, tiles
from tests.kiosk.conftest import Stand

NEAR = 1.5
"""Mean difference of grey levels that another FreeType may make; a moved button makes ten times more."""


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
    far = {
        name: round(float(np.abs(picture.astype(np.int16) - before[name]).mean()), 2)
        for name, picture in tiles(now).items()
    }
    assert {name: difference for name, difference in far.items() if difference > NEAR} == {}


def test_a_button_in_another_place_is_seen(stand: Stand) -> None:
    """The tolerance is far below what a wrong layout differs by."""
    short, long = (tile(stand, name, Language.ENGLISH).astype(np.int16) for name in ("confirm", "confirm_long"))
    difference = np.abs(short - long).mean()
    assert difference > NEAR
