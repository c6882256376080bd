"""Embeddings: unit length, the same for the same face, alike for one person, unlike for two."""

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.core.types import Embedding
from appliance.face.embedder import Embedder
from appliance.face.pack import Pack
from appliance.face.pipeline import FacePipeline
from appliance.opencv import cv2
from tests.face.pictures import ASTRONAUT, GROUP, PORTRAIT, frame, picture, resized


def _embedded(pipeline: FacePipeline, pixels: NDArray[np.uint8]) -> list[Embedding]:
    whole = frame(np.ascontiguousarray(pixels))
    faces = sorted(pipeline.observe(whole).faces, key=lambda face: face.box.x)
    return [pipeline.embed(whole, face) for face in faces]


def _score(one: Embedding, other: Embedding) -> float:
    return float(one.vector @ other.vector)


def test_an_embedding_is_a_unit_vector_of_its_pack(pipeline: FacePipeline) -> None:
    """float32, of the manifest's dimension, with the digest it may be compared under."""
    (found,) = _embedded(pipeline, picture(ASTRONAUT))
    assert found.vector.shape == (128,)
    assert found.vector.dtype == np.float32
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-5)
    assert found.pack == pipeline.pack.digest


def test_the_same_face_gives_the_same_embedding(pipeline: FacePipeline) -> None:
    """Whatever was embedded in between, and without touching what was given before."""
    (one,) = _embedded(pipeline, picture(ASTRONAUT))
    kept = one.vector.copy()
    _embedded(pipeline, picture(GROUP))
    (again,) = _embedded(pipeline, picture(ASTRONAUT))
    np.testing.assert_array_equal(one.vector, kept)
    np.testing.assert_array_equal(again.vector, kept)


def test_a_mirrored_face_gives_nearly_the_same_embedding(pipeline: FacePipeline) -> None:
    """Crop and mirrored crop are averaged; what is left is the landmarks' difference."""
    (one,) = _embedded(pipeline, picture(ASTRONAUT))
    (other,) = _embedded(pipeline, picture(ASTRONAUT)[:, ::-1])
    assert _score(one, other) > 0.98


def _worse(pixels: NDArray[np.uint8], noise: float, factor: float) -> NDArray[np.uint8]:
    rough = pixels + np.random.default_rng(1).normal(0, noise, pixels.shape)
    return resized(np.clip(rough, 0, 255).astype(np.uint8), factor)


def test_a_person_resembles_themselves_more_than_others(pipeline: FacePipeline) -> None:
    """Smaller and noisier, blurred, darker, turned: still nearer than any of seven other people."""
    people = [e for name in (GROUP, PORTRAIT, ASTRONAUT) for e in _embedded(pipeline, picture(name))]
    other = max(_score(a, b) for i, a in enumerate(people) for b in people[i + 1 :])
    pixels = picture(ASTRONAUT)
    turn = cv2.getRotationMatrix2D((227.0, 120.0), 12, 1.3)
    for changed in (
        _worse(pixels, 8, 0.8),
        np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.2), np.uint8),
        (pixels * 0.5).astype(np.uint8),
        np.asarray(cv2.warpAffine(pixels, turn, (512, 512)), np.uint8),
    ):
        (probe,) = _embedded(pipeline, changed)
        assert _score(probe, people[-1]) > max(0.93, other)


def test_a_detector_is_no_embedder(pack: Pack) -> None:
    """Said at once, not at the first face."""
    with pytest.raises(ValueError, match="no embedder"):
        Embedder(pack.detector, pack.digest)
