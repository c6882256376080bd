"""Attack detection per frame: the crop is the authors', live faces score high, prints and screens low."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.types import Box
from appliance.face.detector import Detector
from appliance.face.pack import Pack
from appliance.face.pad import PadEnsemble, surroundings
from appliance.opencv import cv2
from tests.face.models import minifasnets, scrfd, yunet

SIDES = st.integers(2, 2000)


def _as_published(width: int, height: int, box: Box, scale: float) -> tuple[int, int, int, int]:
    """`CropImage._get_new_box` of Silent-Face-Anti-Spoofing, step by step; its last row and column are included."""
    scale = min((height - 1) / box.h, (width - 1) / box.w, scale)
    new_width, new_height = box.w * scale, box.h * scale
    centre_x, centre_y = box.w / 2 + box.x, box.h / 2 + box.y
    left, top = centre_x - new_width / 2, centre_y - new_height / 2
    right, bottom = centre_x + new_width / 2, centre_y + new_height / 2
    if left < 0:
        right, left = right - left, 0
    if top < 0:
        bottom, top = bottom - top, 0
    if right > width - 1:
        left, right = left - (right - width + 1), width - 1
    if bottom > height - 1:
        top, bottom = top - (bottom - height + 1), height - 1
    return int(left), int(top), int(right) + 1, int(bottom) + 1


@given(
    SIDES, SIDES, st.floats(-200, 2200), st.floats(-200, 2200), st.floats(1, 3000), st.floats(1, 3000), st.floats(1, 4)
)
def test_a_crop_lies_inside_the_frame(
    width: int, height: int, x: float, y: float, w: float, h: float, context: float
) -> None:
    """Wherever the box lies and however large it is; never empty."""
    left, top, right, bottom = surroundings(Box(x, y, w, h), context, width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@given(
    st.integers(20, 1280), st.integers(20, 1280), st.integers(0, 99), st.integers(0, 99), st.integers(1, 60),
    st.sampled_from([2.7, 4.0]),
)  # fmt: skip
def test_a_crop_is_the_one_the_models_learned_with(
    width: int, height: int, x_part: int, y_part: int, size_part: int, context: float
) -> None:
    """To the pixel the published rule, but for a rounding where a bound falls on a whole pixel."""
    w, h = max(1.0, size_part / 100 * width), max(1.0, size_part / 80 * height)
    box = Box(x_part / 100 * width, y_part / 100 * height, w, h)
    ours, theirs = surroundings(box, context, width, height), _as_published(width, height, box, context)
    assert np.abs(np.subtract(ours, theirs)).max() <= 1


def test_a_box_without_size_does_not_stop_the_desk() -> None:
    """A bad detection gives a small crop, not a division by zero."""
    assert surroundings(Box(5, 5, 0, 0), 4.0, 20, 20) == (3, 3, 8, 8)


def test_an_ensemble_takes_attack_detectors_only(pack: Pack) -> None:
    """Said at once, not at the first face; nor is an empty one any use."""
    for runners in ((), (pack.detector,)):
        with pytest.raises(ValueError, match="attack detectors"):
            PadEnsemble(runners)


def _scores(upstream: Path, pictures: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> list[float]:
    detector, ensemble = Detector(yunet(upstream)), PadEnsemble(minifasnets(upstream))
    faces = [max(detector.detect(pixels), key=lambda face: face.box.area) for pixels in pictures]
    return [ensemble.live_score(pixels, face.box) for pixels, face in zip(pictures, faces, strict=True)]


@pytest.mark.upstream
@pytest.mark.evaluation
def test_live_faces_score_high_and_prints_low(upstream: Path, evaluation: Path) -> None:
    """Webcam frames of living people and of printed photos: none beyond 0.5 in the two well-lit sessions of three."""

    def of(folder: str) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        names = [n for n in sorted(evaluation.glob(f"nuaa/{folder}/*/*.jpg")) if n.stem.split("_")[3] != "02"]
        return [np.asarray(cv2.imread(str(name)), np.uint8) for name in names[::8]]

    live, prints = _scores(upstream, of("ClientRaw")), _scores(upstream, of("ImposterRaw"))
    assert min(live) > 0.5
    assert max(prints) < 0.5
    assert np.median(live) > 0.95
    assert np.median(prints) < 0.05


@pytest.mark.upstream
@pytest.mark.evaluation
def test_the_authors_samples_come_out_as_published(upstream: Path, evaluation: Path) -> None:
    """F1 and F2 are attacks, T1 is a living person (images/sample of Silent-Face-Anti-Spoofing)."""
    folder = evaluation / "spot_checks" / "silent_face"
    f1, f2, t1 = _scores(
        upstream, [np.asarray(cv2.imread(str(folder / f"image_{n}.jpg")), np.uint8) for n in ("F1", "F2", "T1")]
    )
    assert max(f1, f2) < 0.5 < t1


@pytest.mark.upstream
@pytest.mark.evaluation
def test_the_score_is_the_mean_over_the_ensemble(upstream: Path, evaluation: Path) -> None:
    """Each member alone, with its own context, and both together; the frame is only read."""
    name = min(evaluation.glob("nuaa/ClientRaw/*/*.jpg"))
    pixels = np.asarray(cv2.imread(str(name)), np.uint8)
    before = pixels.copy()
    (face,) = Detector(scrfd(upstream)).detect(pixels)
    both = minifasnets(upstream)
    alone = [PadEnsemble((runner,)).live_score(pixels, face.box) for runner in both]
    assert PadEnsemble(both).live_score(pixels, face.box) == pytest.approx(sum(alone) / 2)
    assert alone[0] != alone[1]
    np.testing.assert_array_equal(pixels, before)
