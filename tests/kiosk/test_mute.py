"""Who turns the voice off has it off for their visit; the next patient hears it again."""

from appliance.core.session import State
from appliance.core.types import Instant
from kiosk_ui.mute import UNUSED_S, Mute


def test_the_voice_is_off_until_the_visit_is_over() -> None:
    """Through every state of it, and on again with the empty screen."""
    mute = Mute().pressed(Instant(10.0))
    for state in (State.HOLD, State.CONFIRM, State.LEAVING):
        mute = mute.follow(state, Instant(500.0), over=False)
        assert mute.on
    assert not mute.follow(State.IDLE, Instant(501.0), over=True).on


def test_who_mutes_an_empty_desk_has_time_to_step_up() -> None:
    """Then it stays off for their visit; if nobody comes it is heard again."""
    mute = Mute().pressed(Instant(10.0))
    waiting = mute.follow(State.IDLE, Instant(10.0 + UNUSED_S - 1), over=False)
    assert waiting.follow(State.ALIGN, Instant(10.0 + UNUSED_S + 1), over=False).on
    assert not waiting.follow(State.IDLE, Instant(10.0 + UNUSED_S), over=False).on


def test_a_second_press_turns_it_on() -> None:
    """At once."""
    assert not Mute().pressed(Instant(1.0)).pressed(Instant(2.0)).on
