"""The limits of a check-in on real people: good pictures pass, spoilt ones are told. Figures are at `QualityGate`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.core.policy import QualityGate
from appliance.core.quality import Hint, components, judge
from appliance.core.types import Observation, Sensitive
from appliance.face.pipeline import FacePipeline
from appliance.face.quality import QualityMeter
from appliance.opencv import cv2
from tests.face.pictures import frame

pytestmark = pytest.mark.evaluation

GATE = replace(
    QualityGate(), min_inter_eye_distance=0.0, near_eye_distance=0.0, max_yaw=90.0, max_pitch=90.0, max_roll=90.0
)
"""Without size and attitude: the photos of these sets are small, and their people look about."""

PLACE = {Hint.INTO_OVAL, Hint.ONE_PERSON, Hint.BACK}


@dataclass(frozen=True, slots=True, repr=False)
class Shown(Sensitive):
    """A picture and what is seen on it."""

    pixels: NDArray[np.uint8]
    seen: Observation

    def spoilt(self, pixels: NDArray[np.uint8]) -> Observation:
        """The same face found in pixels that something was done to."""
        return replace(self.seen, measures=QualityMeter().measure(pixels, self.seen.faces))


def _shown(pipeline: FacePipeline, files: list[Path]) -> Iterator[Shown]:
    assert files
    for file in files:
        pixels = np.asarray(cv2.imread(str(file)), np.uint8)
        seen = pipeline.observe(frame(pixels))
        if seen.measures is not None:
            yield Shown(pixels, seen)


@pytest.fixture(scope="module")
def webcam(pipeline: FacePipeline, evaluation: Path) -> list[Shown]:
    """Live people before a webcam, in three kinds of light."""
    return list(_shown(pipeline, sorted((evaluation / "nuaa" / "ClientRaw").glob("*/*.jpg"))[::2]))


@pytest.fixture(scope="module")
def photos(pipeline: FacePipeline, evaluation: Path) -> list[Shown]:
    """Every thirtieth photo of LFW."""
    return list(_shown(pipeline, sorted((evaluation / "lfw" / "images").glob("*/*.jpg"))[::30]))


def _refused(sights: list[Observation], gate: QualityGate = GATE) -> float:
    """Share of faces that get a hint about light, sharpness, eyes or mouth."""
    hints = [judge(seen, gate).hint for seen in sights]
    return sum(hint is not None and hint not in PLACE for hint in hints) / len(hints)


def test_good_faces_are_not_turned_away(webcam: list[Shown], photos: list[Shown]) -> None:
    """At most 1 % before a webcam; of press photos 5 %: some wear dark glasses, some are half in the light."""
    assert len(webcam) > 50
    assert len(photos) > 100
    assert _refused([shown.seen for shown in webcam]) <= 0.01
    assert _refused([shown.seen for shown in photos]) <= 0.05


def test_most_of_a_webcams_frames_pass_the_whole_gate(webcam: list[Shown]) -> None:
    """Size, place and attitude too, although these people were asked to move."""
    assert np.mean([judge(shown.seen, QualityGate()).passed for shown in webcam]) > 0.9


def test_blurred_faces_are_asked_to_hold_still(photos: list[Shown]) -> None:
    """Blurred by 0.06 eye distances: four of five."""
    sights = []
    for shown in photos:
        sigma = 0.06 * shown.seen.faces[0].inter_eye_distance
        sights.append(shown.spoilt(np.asarray(cv2.GaussianBlur(shown.pixels, (0, 0), sigma), np.uint8)))
    assert np.mean([judge(seen, GATE).hint is Hint.HOLD_STILL for seen in sights]) > 0.8


def test_faces_in_the_dark_are_asked_into_the_light(photos: list[Shown]) -> None:
    """With a sixth of the light: four of five."""
    sights = [shown.spoilt(np.asarray(shown.pixels * 0.15, np.uint8)) for shown in photos]
    assert np.mean([judge(seen, GATE).hint is Hint.MORE_LIGHT for seen in sights]) > 0.8


def test_masks_are_told(pipeline: FacePipeline, evaluation: Path) -> None:
    """Every real mask at hand leaves fewer lines at the mouth than any bare face has."""
    folder = evaluation / "spot_checks" / "inspireface"
    masked = list(_shown(pipeline, sorted(folder.glob("*/*mask*"))))
    bare = list(_shown(pipeline, sorted((folder / "pose").glob("*"))))
    limit = QualityGate().min_mouth_lines
    lines = [[s.seen.measures.mouth_lines for s in group if s.seen.measures] for group in (masked, bare)]
    assert len(masked) >= 2
    assert max(lines[0]) < 0.7 * limit
    assert min(lines[1]) > limit


def test_less_light_never_raises_the_exposure_components(photos: list[Shown]) -> None:
    """On real pixels too: the darker the picture, the lower the mean below the middle and the more is underexposed."""
    for shown in photos[:40]:
        rows = []
        for factor in (0.5, 0.3, 0.2, 0.1, 0.05):
            measures = shown.spoilt(np.asarray(shown.pixels * factor, np.uint8)).measures
            assert measures is not None
            parts = dict(components(measures))
            rows.append((parts["luminance_mean"], parts["under_exposure_prevention"]))
        for column in zip(*rows, strict=True):
            assert list(column) == sorted(column, reverse=True)
