"""Detection on real photos: everybody found, landmarks where they belong, steady under size and place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.types import Face
from appliance.face.candidates import MAX_FACES, strongest
from appliance.face.detector import MAX_SIDE, Detector
from appliance.face.pack import Pack
from tests.face.pictures import ASTRONAUT, GROUP, PORTRAIT, picture, resized

PEOPLE = {GROUP: 6, PORTRAIT: 1, ASTRONAUT: 1}

EYES = {
    GROUP: [
        *(((88, 327), (133, 308)), ((285, 205), (322, 194)), ((494, 323), (545, 337))),
        *(((763, 400), (808, 403)), ((917, 124), (952, 116)), ((1152, 324), (1197, 321))),
    ],
    PORTRAIT: [((36, 51), (75, 51))],
    ASTRONAUT: [((205, 102), (247, 105))],
}
"""Eye centres as a person sees them in the pictures."""


@pytest.fixture(scope="module")
def detector(pack: Pack) -> Detector:
    """At the default size."""
    return Detector(pack.detector)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("side", [320, 480, 640])
def test_everybody_is_found_and_nobody_else(pack: Pack, name: str, side: int) -> None:
    """With the eyes where they are, within a fifth of an eye distance."""
    faces = Detector(pack.detector, side).detect(picture(name))
    assert len(faces) == PEOPLE[name]
    for face, eyes in zip(sorted(faces, key=lambda f: f.box.x), EYES[name], strict=True):
        offset = np.abs(face.landmarks[:2] - np.array(eyes)).max()
        assert offset < 0.2 * face.inter_eye_distance


@pytest.mark.parametrize("name", PEOPLE)
def test_landmarks_are_in_the_order_of_the_vocabulary(detector: Detector, name: str) -> None:
    """Eye, eye, nose, mouth corner, mouth corner; smaller x first; all inside the box, eyes above mouth."""
    for face in detector.detect(picture(name)):
        marks, box = face.landmarks, face.box
        assert marks.shape == (5, 2)
        assert marks.dtype == np.float32
        assert marks[0, 0] < marks[1, 0]
        assert marks[3, 0] < marks[4, 0]
        assert marks[:2, 1].max() < marks[2, 1] < marks[3:, 1].min()
        assert np.all((marks > [box.x, box.y]) & (marks < [box.x + box.w, box.y + box.h]))
        assert 0.5 <= face.score <= 1


@pytest.mark.parametrize("zoom", [2, 3, 4, 6])
def test_faces_lie_where_they_lie_in_the_picture_shrunk_in_one_step(detector: Detector, zoom: int) -> None:
    """In how many steps a picture is brought to the detector's size moves no landmark by a tenth of its pixels."""
    whole = picture(GROUP)
    large = resized(whole, 320 * zoom / whole.shape[1])[: whole.shape[0] * 320 * zoom // whole.shape[1] // zoom * zoom]
    found, expected = detector.detect(large), detector.detect(resized(large, 1 / zoom))
    assert len(found) == len(expected) == PEOPLE[GROUP]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.landmarks / zoom, other.landmarks, atol=0.1)


def _alike(one: Face, other: Face, factor: float) -> float:
    """IoU of two boxes in pictures that differ in size."""
    box = other.box
    return one.box.iou(type(box)(box.x / factor, box.y / factor, box.w / factor, box.h / factor))


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.5, 2.0])
def test_the_size_of_the_picture_hardly_matters(detector: Detector, factor: float) -> None:
    """The same box within IoU 0.8, the same landmarks within a tenth of an eye distance."""
    pixels = picture(ASTRONAUT)
    (one,) = detector.detect(pixels)
    (other,) = detector.detect(resized(pixels, factor))
    assert _alike(one, other, factor) > 0.8
    assert np.abs(other.landmarks / factor - one.landmarks).max() < 0.12 * one.inter_eye_distance


def test_a_cut_off_face_is_still_placed_right(detector: Detector) -> None:
    """What is still visible of it does not shift."""
    pixels = picture(ASTRONAUT)
    (whole,) = detector.detect(pixels)
    cut = int(whole.box.x + 0.12 * whole.box.w)
    (part,) = detector.detect(np.ascontiguousarray(pixels[:, cut:]))
    shift = part.landmarks + np.array([cut, 0]) - whole.landmarks
    assert np.abs(shift[1:]).max() < 0.25 * whole.inter_eye_distance


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_empty_picture_has_no_face(detector: Detector, value: int) -> None:
    """Black, grey or white."""
    assert detector.detect(np.full((240, 320, 3), value, np.uint8)) == ()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (31, 33)])
def test_a_picture_of_any_shape_is_taken(detector: Detector, size: tuple[int, int]) -> None:
    """However odd."""
    assert detector.detect(np.zeros((*size, 3), np.uint8)) == ()


def test_results_are_not_overwritten_by_the_next_frame(detector: Detector) -> None:
    """Buffers are reused, faces are not."""
    (face,) = detector.detect(picture(ASTRONAUT))
    kept = face.landmarks.copy()
    detector.detect(picture(GROUP))
    np.testing.assert_array_equal(face.landmarks, kept)


@pytest.mark.parametrize("side", [0, 31, MAX_SIDE + 1])
def test_the_working_size_is_bounded(pack: Pack, side: int) -> None:
    """One picture never takes seconds or gigabytes."""
    with pytest.raises(ValueError, match="longest side"):
        Detector(pack.detector, side)


def test_an_embedder_is_no_detector(pack: Pack) -> None:
    """Said at once, not at the first frame."""
    with pytest.raises(ValueError, match="no detector"):
        Detector(pack.embedder)


BOXES = st.lists(st.tuples(*[st.floats(0, 100, width=32)] * 2, *[st.floats(1, 60, width=32)] * 2), max_size=100)


@settings(max_examples=50)
@given(BOXES, st.floats(0.05, 0.95))
def test_of_overlapping_boxes_the_best_remains(boxes: list[tuple[float, ...]], overlap: float) -> None:
    """No two kept boxes overlap more than allowed; each dropped one overlaps a better kept one."""
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    keep = strongest(rows[:, :2], rows[:, 2:], overlap)
    assert keep == sorted(keep)
    assert len(keep) <= MAX_FACES

    def iou(i: int, j: int) -> float:
        w, h = np.maximum(np.minimum(*(rows[[i, j], :2] + rows[[i, j], 2:])) - np.maximum(*rows[[i, j], :2]), 0)
        shared = float(w) * float(h)
        return shared / (float(np.prod(rows[i, 2:])) + float(np.prod(rows[j, 2:])) - shared)

    for i in range(len(rows)):
        better = [iou(i, j) for j in keep if j < i]
        if i in keep:
            assert all(value <= overlap + 1e-4 for value in better)
        elif len(keep) < MAX_FACES:
            assert any(value > overlap - 1e-4 for value in better)
