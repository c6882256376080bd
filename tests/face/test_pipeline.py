"""The pipeline is an observer: it keeps the frame's time and size, and orders faces."""

import numpy as np

from appliance.core.ports import Observer
from appliance.core.types import Frame, Instant
from appliance.face.pack import Pack
from appliance.face.pipeline import FacePipeline
from tests.face.pictures import GROUP, PORTRAIT, frame, picture


def _observer(pipeline: FacePipeline) -> Observer:
    return pipeline


def test_an_observation_belongs_to_its_frame(pipeline: FacePipeline) -> None:
    """Time and size are the frame's, whatever size the detector works at."""
    pixels = picture(GROUP)
    seen = _observer(pipeline).observe(Frame(pixels, Instant(12.5), "camera", 7))
    assert (seen.at, seen.frame_width, seen.frame_height) == (12.5, pixels.shape[1], pixels.shape[0])


def test_faces_come_largest_first(pipeline: FacePipeline) -> None:
    """The first one is the one that is measured."""
    seen = pipeline.observe(frame(picture(GROUP)))
    areas = [face.box.area for face in seen.faces]
    assert areas == sorted(areas, reverse=True)
    assert seen.measures is not None
    assert seen.measures.inter_eye_distance == seen.faces[0].inter_eye_distance


def test_frames_of_changing_size_do_not_disturb_each_other(pack: Pack) -> None:
    """A pipeline that has seen other sizes measures like a fresh one."""
    used, fresh = FacePipeline(pack), FacePipeline(pack)
    for name in (GROUP, PORTRAIT, GROUP):
        used.observe(frame(picture(name)))
    assert used.observe(frame(picture(PORTRAIT))).measures == fresh.observe(frame(picture(PORTRAIT))).measures


def test_a_frame_is_only_read(pipeline: FacePipeline) -> None:
    """Its pixels stay as they are."""
    pixels = picture(PORTRAIT).copy()
    seen = pipeline.observe(frame(pixels))
    pipeline.embed(frame(pixels), seen.faces[0])
    np.testing.assert_array_equal(pixels, picture(PORTRAIT))
