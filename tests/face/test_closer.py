"""The second look: landmarks do not depend on how the first look placed them, and never come from another face."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.core.types import Face
from appliance.face.closer import CloserLook
from appliance.face.detector import Detector
from appliance.face.pack import Pack, Runner
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from models.manifest import CloserSpec
from tests.face.pictures import ASTRONAUT, GROUP, frame, picture

SPEC = CloserSpec(160, 44)


@pytest.fixture(scope="module")
def closer(pack: Pack) -> CloserLook:
    """With the builtin pack's detector."""
    return CloserLook(pack.detector, SPEC)


def test_what_the_first_look_missed_by_is_made_good(pack: Pack, closer: CloserLook) -> None:
    """Landmarks shifted, turned or scaled by a tenth of the face come out within 0.04 eye distances of each other."""
    pixels = picture(ASTRONAUT)
    (face,) = Detector(pack.detector).detect(pixels)
    centre, eyes = face.landmarks.mean(axis=0), face.inter_eye_distance
    once = closer.landmarks(pixels, face.landmarks)
    turn = np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    for missed in (
        face.landmarks + 0.1 * eyes,
        (face.landmarks - centre) * 1.1 + centre,
        (face.landmarks - centre) * 0.9 + centre,
        (face.landmarks - centre) @ turn + centre,
    ):
        again = closer.landmarks(pixels, missed)
        assert np.hypot(*(again - once).T).mean() < 0.04 * eyes < np.hypot(*(missed - face.landmarks).T).mean()


@pytest.mark.parametrize("angle", [-50, 35])
def test_a_leaning_face_gets_the_landmarks_of_an_upright_one(pack: Pack, closer: CloserLook, angle: int) -> None:
    """However it leans, the same points of the face, within 0.06 eye distances."""
    pixels = picture(ASTRONAUT)
    (face,) = Detector(pack.detector).detect(pixels)
    upright = closer.landmarks(pixels, face.landmarks)
    turn = cv2.getRotationMatrix2D((227.0, 120.0), angle, 1.0)
    leaning = np.asarray(cv2.warpAffine(pixels, turn, (512, 512)), np.uint8)
    moved = face.landmarks @ turn[:, :2].T + turn[:, 2]
    found = closer.landmarks(leaning, moved)
    expected = upright @ turn[:, :2].T + turn[:, 2]
    assert np.hypot(*(found - expected).T).mean() < 0.06 * face.inter_eye_distance


def test_every_face_of_a_group_keeps_its_own_place(pack: Pack, closer: CloserLook) -> None:
    """Neighbours are in the square too; none is taken for the face in its middle."""
    pixels = picture(GROUP)
    faces = Detector(pack.detector, 640).detect(pixels)
    for face in faces:
        found = closer.landmarks(pixels, face.landmarks)
        assert np.hypot(*(found - face.landmarks).T).mean() < 0.15 * face.inter_eye_distance


def test_without_a_face_the_landmarks_stay_as_they_were(pack: Pack, closer: CloserLook) -> None:
    """In an empty picture, and where the nearest face is not in its middle."""
    (face,) = Detector(pack.detector).detect(picture(ASTRONAUT))
    assert closer.landmarks(np.full((512, 512, 3), 90, np.uint8), face.landmarks) is face.landmarks
    beside = face.landmarks + np.array([0.9 * face.inter_eye_distance, 0])
    assert closer.landmarks(picture(ASTRONAUT), beside) is beside


def test_the_manifest_decides_whether_a_face_is_looked_at_again(pack: Pack, pack_path: Path) -> None:
    """The builtin pack was measured without; where it is asked for, embeddings depend less on the first landmarks."""
    model = pack.detector.model
    assert model.detect is not None
    assert model.detect.closer is None
    asked = replace(model, detect=replace(model.detect, closer=SPEC))
    looking = replace(pack, detector=Runner((pack_path / model.file).read_bytes(), asked))
    whole = frame(picture(ASTRONAUT))
    (face,) = FacePipeline(pack).observe(whole).faces
    missed = Face(face.box, face.landmarks + np.float32(0.15 * face.inter_eye_distance), face.score)

    def kept(pipeline: FacePipeline) -> float:
        return float(pipeline.embed(whole, face).vector @ pipeline.embed(whole, missed).vector)

    assert kept(FacePipeline(pack)) + 0.005 < kept(FacePipeline(looking))
