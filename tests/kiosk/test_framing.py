"""The oval goes to the face, and both stay where they can be seen."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk_ui.framing import REST, approach, frame_face

SHARES = st.floats(0.0, 1.0)
ASPECTS = st.floats(0.5, 2.4)


@given(x=SHARES, y=SHARES, size=st.floats(0.02, 0.9), frame=ASPECTS, window=ASPECTS)
def test_what_is_shown_is_part_of_the_frame(x: float, y: float, size: float, frame: float, window: float) -> None:
    """Wherever the face is and whatever the shapes: the part lies in the frame and has the window's shape."""
    part = frame_face((x, y, size, size), frame, window)
    assert 0 <= part.left <= part.left + part.width <= 1 + 1e-9
    assert 0 <= part.top <= part.top + part.height <= 1 + 1e-9
    assert abs(part.width * frame / part.height - window) < 1e-6 * window + 1e-9
    assert 0.29 < part.oval_x < 0.71
    assert 0.37 < part.oval_y < 0.45


def test_without_a_face_the_middle_is_shown() -> None:
    """And the oval rests."""
    part = frame_face(None, 16 / 9, 1.6)
    assert (part.oval_x, part.oval_y) == REST
    assert abs(part.left + part.width / 2 - 0.5) < 1e-9


def test_a_face_low_in_the_picture_is_brought_up() -> None:
    """Who sits is shown higher than they are in the frame."""
    sitting = frame_face((0.45, 0.6, 0.1, 0.2), 16 / 9, 1.6)
    standing = frame_face((0.45, 0.2, 0.1, 0.2), 16 / 9, 1.6)
    assert sitting.top > standing.top
    assert sitting.oval_y > standing.oval_y


def test_the_patient_on_the_left_of_the_frame_sees_the_oval_on_the_right() -> None:
    """The window is a mirror."""
    assert frame_face((0.0, 0.3, 0.1, 0.2), 16 / 9, 1.6).oval_x > 0.5


def test_the_way_there_is_gone_in_steps() -> None:
    """Each frame comes nearer, and in the end it is there."""
    wanted = frame_face((0.1, 0.5, 0.1, 0.2), 16 / 9, 1.6)
    now = frame_face(None, 16 / 9, 1.6)
    ways = []
    for _ in range(40):
        now = approach(now, wanted)
        ways.append(abs(now.left - wanted.left) + abs(now.oval_x - wanted.oval_x))
    assert ways == sorted(ways, reverse=True)
    assert ways[-1] < 1e-4
