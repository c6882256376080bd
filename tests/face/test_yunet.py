"""YuNet: the same faces as OpenCV's own wrapper finds with the same file."""

from pathlib import Path

import numpy as np
import pytest

from appliance.core.types import Box
from appliance.face.detector import Detector
from appliance.face.yunet import YuNet
from appliance.opencv import cv2
from models.manifest import DetectSpec
from tests.face.models import yunet

OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in (8, 16, 32))
WIDTH, HEIGHT = 96, 64


def _empty() -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    wide = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {
        name: np.zeros(
            (1, WIDTH * HEIGHT // int(name.split("_")[1]) ** 2, wide[name.split("_", maxsplit=1)[0]]), np.float32
        )
        for name in OUTPUTS
    }


def test_a_cell_becomes_a_box_by_the_formula() -> None:
    """Third row, fifth column of stride 16: score, centre, size and landmarks worked out by hand."""
    maps = _empty()
    cell = 2 * (WIDTH // 16) + 4
    maps["cls_16"][0, cell] = 0.9
    maps["obj_16"][0, cell] = 0.4
    maps["bbox_16"][0, cell] = (0.5, -0.25, np.log(3), np.log(2))
    maps["kps_16"][0, cell] = np.arange(10) / 10
    found = YuNet(DetectSpec(0.59, 0.3), OUTPUTS).decode(tuple(maps.values()), WIDTH)
    assert found.scores == pytest.approx([0.6])
    np.testing.assert_allclose(found.size, [[48, 32]], rtol=1e-5)
    np.testing.assert_allclose(found.corner, [[4.5 * 16 - 24, 1.75 * 16 - 16]], rtol=1e-5)
    expected = (np.arange(10).reshape(5, 2) / 10 + [4, 2]) * 16
    np.testing.assert_allclose(found.marks[0], expected, rtol=1e-5)


def test_a_score_below_the_threshold_is_no_face() -> None:
    """The same cell, asked for a little more."""
    maps = _empty()
    maps["cls_16"][0, 5], maps["obj_16"][0, 5] = 0.9, 0.4
    assert YuNet(DetectSpec(0.61, 0.3), OUTPUTS).decode(tuple(maps.values()), WIDTH).scores.size == 0


def test_outputs_are_found_by_name() -> None:
    """In whatever order the file has them; a missing one is told at once."""
    maps = _empty()
    maps["cls_8"][0, 7], maps["obj_8"][0, 7] = 1.0, 1.0
    turned = tuple(reversed(maps.values()))
    found = YuNet(DetectSpec(0.5, 0.3), OUTPUTS[::-1]).decode(turned, WIDTH)
    assert found.scores == pytest.approx([1.0])
    with pytest.raises(ValueError, match="tuple"):
        YuNet(DetectSpec(0.5, 0.3), OUTPUTS[1:])


@pytest.mark.upstream
@pytest.mark.evaluation
@pytest.mark.parametrize(("score", "overlap"), [(0.6, 0.3), (0.75, 0.5)])
@pytest.mark.parametrize("file", ["yunet_n_dynamic.onnx", "yunet_s_dynamic.onnx"])
def test_faces_are_those_of_opencv(upstream: Path, evaluation: Path, file: str, score: float, overlap: float) -> None:
    """Same number, IoU at least 0.98, same scores and landmarks, on portraits and on webcam frames.

    Not at scores far below: OpenCV rounds boxes to whole pixels before it compares them, which tells on tiny ones.
    """
    names = [*sorted(evaluation.glob("lfw/images/*/*.jpg"))[::400], *sorted(evaluation.glob("nuaa/*/*/*.jpg"))[::45]]
    compared = 0
    for side in (160, 320):
        detector = Detector(yunet(upstream, file, score, overlap), side)
        for name in names:
            frame = np.asarray(cv2.imread(str(name)), np.uint8)
            shrink = min(1.0, side / max(frame.shape[:2]))
            size = round(frame.shape[1] * shrink), round(frame.shape[0] * shrink)
            small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
            theirs = cv2.FaceDetectorYN.create(str(upstream / file), "", size, score, overlap, 5000).detect(small)[1]
            ours = detector.detect(small)
            assert len(ours) == len(theirs)
            for face, row in zip(ours, theirs, strict=True):
                assert face.box.iou(Box(*map(float, row[:4]))) >= 0.98
                np.testing.assert_allclose(face.landmarks.ravel(), row[4:14], atol=0.05)
                assert face.score == pytest.approx(float(row[14]), abs=1e-4)
                compared += 1
    assert compared > len(names)
