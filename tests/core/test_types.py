"""The vocabulary: rectangles, frames, faces, offers."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.snapshot import Offer
from appliance.core.types import Box, Face, Frame, Instant

SIDES = st.floats(0, 1000)
BOXES = st.builds(Box, st.floats(-500, 500), st.floats(-500, 500), SIDES, SIDES)


@given(BOXES, BOXES)
def test_overlap_is_mutual_and_a_share(a: Box, b: Box) -> None:
    """0..1, the same from both sides."""
    assert 0 <= a.iou(b) <= 1 + 1e-9
    assert a.iou(b) == pytest.approx(b.iou(a))


@given(st.builds(Box, st.floats(-500, 500), st.floats(-500, 500), st.floats(1, 1000), st.floats(1, 1000)))
def test_a_box_overlaps_itself_wholly(box: Box) -> None:
    """And one beside it not at all."""
    assert box.iou(box) == pytest.approx(1.0, abs=1e-6)
    assert box.iou(Box(box.x + box.w + 1, box.y, box.w, box.h)) == 0


def test_figures_of_a_box() -> None:
    """Centre and area; a box turned inside out has none, and overlaps nothing."""
    assert Box(10, 20, 30, 40).centre == (25, 40)
    assert Box(10, 20, 30, 40).area == 1200
    assert Box(0, 0, -5, 5).area == 0
    assert Box(0, 0, 0, 0).iou(Box(0, 0, 0, 0)) == 0
    assert Box(0, 0, 4, 2).iou(Box(2, 0, 4, 2)) == pytest.approx(1 / 3)


def test_a_frame_and_a_face_tell_their_size() -> None:
    """Pixels are rows by columns; eyes come first among the landmarks."""
    frame = Frame(np.zeros((480, 640, 3), np.uint8), Instant(0), "camera", 0)
    assert (frame.width, frame.height) == (640, 480)
    face = Face(Box(0, 0, 1, 1), np.array([(0, 0), (3, 4), (0, 0), (0, 0), (0, 0)], np.float32), 1.0)
    assert face.inter_eye_distance == pytest.approx(5.0)


def test_an_offer_is_named_in_the_language_asked_for() -> None:
    """Or in the first one it has."""
    offer = Offer("s1", "A02.1", (("kk", "Дәрігер"), ("ru", "Врач")), "12", "10:30")
    assert (offer.name("ru"), offer.name("en")) == ("Врач", "Дәрігер")


def test_a_face_shows_nothing_of_itself() -> None:
    """Whoever prints one by accident sees its type."""
    assert repr(Frame(np.zeros((1, 1, 3), np.uint8), Instant(0), "camera", 0)) == "<Frame redacted>"
    with pytest.raises(TypeError, match="never pickled"):
        copy.copy(Face(Box(0, 0, 1, 1), np.zeros((5, 2), np.float32), 1.0))
