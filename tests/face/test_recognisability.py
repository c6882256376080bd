"""The unified quality score: worse pictures of one face score lower."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.face.detector import Detector
from appliance.face.pack import Pack
from appliance.face.recognisability import RecognisabilityMeter
from appliance.opencv import cv2
from tests.face.models import lightqnet, scrfd
from tests.face.pictures import ASTRONAUT, picture


def test_a_detector_measures_no_quality(pack: Pack) -> None:
    """Said at once, not at the first face."""
    with pytest.raises(ValueError, match="no quality"):
        RecognisabilityMeter(pack.detector)


@pytest.mark.upstream
def test_worse_pictures_score_lower(upstream: Path, pack: Pack) -> None:
    """Blurred, shrunk, darkened, noisy, lower half of the face hidden: each below the picture itself, 0..100."""
    meter, pixels = RecognisabilityMeter(lightqnet(upstream)), picture(ASTRONAUT)
    (face,) = Detector(pack.detector).detect(pixels)
    clean = meter.measure(pixels, face.landmarks)
    hidden = pixels.copy()
    nose, mouth = face.landmarks[2], face.landmarks[3:].mean(axis=0)
    hidden[int(nose[1]) : int(2 * mouth[1] - nose[1]), int(face.box.x) : int(face.box.x + face.box.w)] = 128
    tiny = cv2.resize(cv2.resize(pixels, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA), (512, 512))
    noise = np.random.default_rng(1).normal(0, 40, pixels.shape)
    worse: list[NDArray[np.uint8]] = [
        np.asarray(cv2.GaussianBlur(pixels, (0, 0), 5), np.uint8),
        np.asarray(tiny, np.uint8),
        (pixels * 0.08).astype(np.uint8),
        np.clip(pixels + noise, 0, 255).astype(np.uint8),
        hidden,
    ]
    scores = [meter.measure(changed, face.landmarks) for changed in worse]
    assert 50 < clean <= 100
    assert all(0 <= score < clean - 5 for score in scores), (clean, scores)


@pytest.mark.upstream
@pytest.mark.evaluation
def test_quality_is_the_networks_own_number_on_the_curve(upstream: Path, evaluation: Path) -> None:
    """The median of a set of celebrity portraits was published with the weights' measurement: 0.598 within 0.02."""
    runner = lightqnet(upstream)
    meter, detector, spec = RecognisabilityMeter(runner), Detector(scrfd(upstream)), runner.model.quality
    assert spec is not None
    natives = []
    for name in sorted(evaluation.glob("lfw/images/*/*.jpg"))[::80]:
        pixels = np.asarray(cv2.imread(str(name)), np.uint8)
        face = max(detector.detect(pixels), key=lambda found: found.box.area)
        score = meter.measure(pixels, face.landmarks)
        natives.append(spec.centre + spec.width * np.log(score / (100 - score)))
    assert np.median(natives) == pytest.approx(0.598, abs=0.02)
