"""PINs that anybody would try first are none; each role may do its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import PinInvalid
from appliance.core.operators import PIN_LEAST, PIN_MOST, RIGHTS, Pin, Right, Role


@pytest.mark.parametrize(
    "digits",
    ["", "12345", "1234567890123", "12345x", "1234 6", "١٢٣٤٥٦", "000000", "7777777", "123456", "987654", "890123"],
    ids=range(11),
)
def test_a_weak_pin_is_refused(digits: str) -> None:
    """Too short, too long, no ASCII digits, one digit, or digits in a row; nothing of it is repeated."""
    with pytest.raises(PinInvalid) as caught:
        Pin(digits).require_strong()
    assert not digits or digits not in str(caught.value)


@given(st.text("0123456789", min_size=PIN_LEAST, max_size=PIN_MOST))
def test_most_pins_are_good(digits: str) -> None:
    """Refused are 30 of a length at most: one digit ten times, ten ways up, ten ways down."""
    places = range(len(digits))
    weak = {"".join(str((first + step * n) % 10) for n in places) for first in range(10) for step in (0, 1, -1)}
    if digits in weak:
        with pytest.raises(PinInvalid):
            Pin(digits).require_strong()
    else:
        Pin(digits).require_strong()


def test_who_keeps_the_machine_sees_no_patients() -> None:
    """IT maintains and does nothing else; a supervisor may what a receptionist may, and more."""
    assert RIGHTS[Role.IT] == {Right.MAINTAIN}
    assert RIGHTS[Role.RECEPTIONIST] < RIGHTS[Role.SUPERVISOR]
    assert frozenset().union(*RIGHTS.values()) == set(Right)
    assert set(RIGHTS) == set(Role)
