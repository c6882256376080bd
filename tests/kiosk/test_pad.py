"""What is typed is kept until the state ends, and shown as little as possible."""

import pytest

from appliance.core.iin import Iin
from kiosk_ui.pad import Pad

GOOD = "900101300017"


def typed(digits: str, pad: Pad | None = None) -> Pad:
    """A pad after these keys."""
    pad = pad or Pad()
    for digit in digits:
        pad = pad.type(digit)
    return pad


def test_an_iin_is_hidden_but_for_its_end() -> None:
    """Two digits are readable, and there are never more than twelve."""
    assert Pad().masked == "–––– –––– ––––"
    assert typed("9001013").masked == "•••• •13– ––––"
    assert typed(GOOD + "99").masked == "•••• •••• ••17"
    assert typed(GOOD).complete
    assert not typed(GOOD[:-1]).complete


def test_a_number_with_a_mistake_does_not_go_on() -> None:
    """It is said at once, and the next key takes the message away."""
    wrong = typed("900101300018").next()
    assert (wrong.mistaken, wrong.coding) == (True, False)
    assert not wrong.erase().mistaken
    assert not wrong.erase().type("7").mistaken


def test_the_code_follows_and_shows_nothing() -> None:
    """Six digits; erasing from an empty code leads back to the number."""
    pad = typed(GOOD).next()
    assert pad.coding
    pad = typed("1234567", pad)
    assert (pad.code, pad.masked, pad.complete) == ("123456", "••••••", True)
    assert pad.erase().code == "12345"
    back = Pad(iin=GOOD, coding=True).erase()
    assert (back.coding, back.iin) == (False, GOOD)


def test_a_scanned_document_saves_the_typing() -> None:
    """The camera read the number: only the code is missing."""
    pad = Pad().read(Iin(GOOD))
    assert (pad.iin, pad.coding) == (GOOD, True)


@pytest.mark.parametrize("key", ["", "12", "a", "٣", "-"])
def test_other_keys_do_not_exist(key: str) -> None:
    """A bug of the window, told as one."""
    with pytest.raises(ValueError, match="digits only"):
        Pad().type(key)


def test_a_pad_tells_nothing_in_a_log() -> None:
    """Its repr holds no digit."""
    assert not any(character.isdigit() for character in repr(typed(GOOD)))
