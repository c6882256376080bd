"""SCRFD: the formula by hand, and the same faces as InsightFace's own class finds with the same file."""

from pathlib import Path

import numpy as np
import pytest

from appliance.core.types import Box
from appliance.face.detector import Detector
from appliance.face.scrfd import Scrfd
from appliance.opencv import cv2
from models.manifest import DetectSpec
from tests.face.models import SCRFD, scrfd

WIDTH, HEIGHT = 96, 64
OUTPUTS = tuple(f"out{index}" for index in range(9))


def test_an_anchor_becomes_a_box_by_the_formula() -> None:
    """Second anchor of the second row's fourth cell, stride 16: box and landmarks worked out by hand."""
    cells = [2 * WIDTH * HEIGHT // stride**2 for stride in (8, 16, 32)]
    maps = [np.zeros((count, wide), np.float32) for wide in (1, 4, 10) for count in cells]
    anchor = (1 * (WIDTH // 16) + 3) * 2 + 1
    maps[1][anchor] = 0.7
    maps[4][anchor] = (1, 0.5, 2, 1.5)
    maps[7][anchor] = np.arange(10) / 10
    found = Scrfd(DetectSpec(0.5, 0.4), OUTPUTS).decode(tuple(maps), WIDTH)
    assert found.scores == pytest.approx([0.7])
    np.testing.assert_allclose(found.corner, [[48 - 16, 16 - 8]], rtol=1e-6)
    np.testing.assert_allclose(found.size, [[48, 32]], rtol=1e-6)
    np.testing.assert_allclose(found.marks[0], np.arange(10).reshape(5, 2) * 1.6 + [48, 16], rtol=1e-5)
    assert Scrfd(DetectSpec(0.8, 0.4), OUTPUTS).decode(tuple(maps), WIDTH).scores.size == 0


def test_a_network_without_landmarks_is_refused() -> None:
    """Six outputs: scores and boxes only."""
    with pytest.raises(ValueError, match="9 outputs, this network 6"):
        Scrfd(DetectSpec(0.5, 0.4), OUTPUTS[:6])


@pytest.mark.upstream
@pytest.mark.evaluation
def test_faces_are_those_of_insightface(upstream: Path, evaluation: Path) -> None:
    """Same number, IoU at least 0.98, same scores and landmarks, on portraits and on webcam frames."""
    from insightface.model_zoo.scrfd import SCRFD as THEIRS

    theirs = THEIRS(model_file=str(upstream / SCRFD))
    theirs.prepare(-1, nms_thresh=0.4, det_thresh=0.5)
    detector = Detector(scrfd(upstream), 320)
    names = [*sorted(evaluation.glob("lfw/images/*/*.jpg"))[::400], *sorted(evaluation.glob("nuaa/*/*/*.jpg"))[::45]]
    compared = 0
    for name in names:
        frame = np.asarray(cv2.imread(str(name)), np.uint8)
        shrink = min(1.0, 320 / max(frame.shape[:2]))
        size = round(frame.shape[1] * shrink), round(frame.shape[0] * shrink)
        small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        room = -(-size[0] // 32) * 32 - size[0], -(-size[1] // 32) * 32 - size[1]
        black = np.pad(small, ((0, room[1]), (0, room[0]), (0, 0)))
        boxes, marks = theirs.detect(black, input_size=black.shape[1::-1])
        ours = detector.detect(small)
        assert len(ours) == len(boxes)
        for face, box, points in zip(ours, boxes, marks, strict=True):
            x, y, right, below, score = map(float, box)
            assert face.box.iou(Box(x, y, right - x, below - y)) >= 0.98
            np.testing.assert_allclose(face.landmarks, points, atol=0.05)
            assert face.score == pytest.approx(score, abs=1e-4)
            compared += 1
    assert compared >= len(names)
