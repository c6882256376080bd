"""The lamp goes on in the dark and is not put out by its own light."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.lamp import LIT, Lamp
from appliance.core.policy import QualityGate
from appliance.core.types import Instant, Observation
from tests.core.sights import GOOD

GATE = QualityGate()
DARK, LIGHT = GATE.min_luminance, GATE.min_luminance * LIT


def seen(luminance: float, under_exposed: float = 0.0) -> Observation:
    """A face of this brightness."""
    return Observation(
        Instant(0.0), 640, 480, (), replace(GOOD, luminance=luminance, under_exposed=under_exposed), luminance
    )


def empty(luminance: float) -> Observation:
    """A picture of this brightness without a face."""
    return Observation(Instant(0.0), 640, 480, (), None, luminance)


def test_a_dark_face_lights_the_lamp() -> None:
    """By its mean, or by how much of it is black."""
    assert Lamp().follow(seen(DARK * 0.99), GATE).on
    assert Lamp().follow(seen(0.5, under_exposed=0.9), GATE).on
    assert not Lamp().follow(seen(DARK), GATE).on


def test_a_dark_room_lights_it_too() -> None:
    """Nobody can be found in it; a lamp that is on stays so until a face is seen in the light."""
    assert Lamp().follow(empty(0.01), GATE).on
    assert not Lamp().follow(empty(0.2), GATE).on
    assert Lamp(on=True).follow(empty(0.2), GATE).on


@given(st.lists(st.floats(0, 1), max_size=30))
def test_between_the_limits_nothing_changes(brightness: list[float]) -> None:
    """Off until a face is dark, then on until one is well lit: it cannot flicker by its own light."""
    lamp, on = Lamp(), False
    for luminance in brightness:
        lamp = lamp.follow(seen(luminance), GATE)
        on = luminance < DARK or (on and luminance < LIGHT)
        assert lamp.on == on
