"""Times what sees a face against what others would use, on the same frames and model files, turn by turn in one run.

Own detector and `cv2.FaceDetectorYN`; the graphs as the pack has them and as they were published; the whole way from a
frame to embeddings and `insightface.app.FaceAnalysis`, to aligned faces and `deepface`. A peer that cannot open the
pack's files is left out.
"""

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.bench.race import race
from appliance.bench.report import Bound, Figure, Goal, Report
from appliance.bench.stages import standing
from appliance.core.types import Box, Face, Frame
from appliance.face.detector import DETECT_SIDE, Detector
from appliance.face.embedder import Embedder
from appliance.face.pack import Pack, Runner, open_pack
from appliance.face.pipeline import FacePipeline
from appliance.face.tensor import InputTensor
from appliance.opencv import cv2
from models.recipes.prelu import as_published
from models.store import read_pack
from sync.clock import SystemClock

_ARCFACE = frozenset({"cosine"})
_TOP = 5000
"""Candidates FaceDetectorYN keeps before suppression; its own default."""


def against_opencv(pack: Pack, model: bytes, frame: Frame, turns: int, clock: SystemClock) -> Iterator[Figure]:
    """Own detector and FaceDetectorYN with the same file, on the picture the desk's detector sees and on the whole.

    model: the pack's detector file. Nothing for a detector that is no YuNet, or a frame without a face.
    """
    spec = pack.detector.model.detect
    if pack.detector.model.family != "yunet" or spec is None:
        return
    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        file = Path(folder) / "yunet.onnx"
        file.write_bytes(model)
        for side in (DETECT_SIDE, max(frame.width, frame.height)):
            picture = _at(frame.pixels, side)
            size = (picture.shape[1], picture.shape[0])
            peer = cv2.FaceDetectorYN.create(str(file), "", size, spec.score, spec.overlap, _TOP)
            ours = Detector(pack.detector, side)
            mine, theirs = race(lambda _: ours.detect(picture), lambda _: peer.detect(picture), turns, clock)  # noqa: B023 - raced before the next round
            what = f"detect, {size[0]} x {size[1]}"
            yield Figure(what, mine.cpu_ms, "ms", theirs.cpu_ms, Goal(Bound.AT_LEAST, 2.5, of_ratio=True))
            agreement = _agreement(ours.detect(picture), peer.detect(picture)[1])
            yield Figure(f"{what}: least IoU of the boxes", agreement, "", None, Goal(Bound.AT_LEAST, 0.98))


def _at(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    shrink = side / max(height, width)
    if shrink >= 1:
        return pixels
    small = cv2.resize(pixels, (round(width * shrink), round(height * shrink)), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _agreement(ours: tuple[Face, ...], theirs: NDArray[np.floating | np.integer] | None) -> float:
    """Least intersection over union of boxes that belong together; 0 where one side found another number of faces."""
    boxes = [] if theirs is None else [Box(*map(float, row[:4])) for row in theirs]
    if len(ours) != len(boxes) or not boxes:
        return 0.0
    return min(max(face.box.iou(box) for box in boxes) for face in ours)


def against_published(
    pack: Pack, files: Mapping[str, bytes], frame: Frame, turns: int, clock: SystemClock
) -> Iterator[Figure]:
    """Embedder and attack detectors with the pack's graphs, and with PReLU written as their authors published it.

    Nothing for a graph without PReLU.
    """
    pixels = np.ascontiguousarray(frame.pixels)
    for runner in (pack.embedder, *pack.pads):
        model = runner.model
        published = as_published(files[model.file])
        if published == files[model.file]:
            continue
        peer = Runner(published, model)
        crop = cv2.resize(pixels, (model.input.width, model.input.height), interpolation=cv2.INTER_AREA)
        tensor = InputTensor(model.input, model.input.width, model.input.height).fill(np.asarray(crop, np.uint8))
        mine, theirs = race(lambda _: runner.run(tensor), lambda _: peer.run(tensor), turns, clock)  # noqa: B023 - raced before the next round
        yield Figure(f"{model.file}, PReLU as published", mine.cpu_ms, "ms", theirs.cpu_ms)
        (left,), (right,) = runner.run(tensor), peer.run(tensor)
        cosine = float(np.vdot(left, right) / (np.linalg.norm(left) * np.linalg.norm(right)))
        yield Figure(f"{model.file}: cosine of the two outputs", cosine, "", None, Goal(Bound.AT_LEAST, 0.999999))


def against_insightface(
    pack: Pack, files: Mapping[str, bytes], frame: Frame, turns: int, clock: SystemClock
) -> Iterator[Figure]:
    """From a frame to the embeddings of all its faces: the desk's way, and FaceAnalysis with the same two files.

    files: the pack's, by name. At FaceAnalysis's usual 640 x 640, and with both at the desk's working size. Wall time,
    since it runs on several threads. Nothing for families that package cannot open.
    """
    if pack.detector.model.family != "scrfd" or pack.embedder.model.family not in _ARCFACE:
        return
    from insightface.app import FaceAnalysis  # noqa: PLC0415 - half a second and 118 MB, wanted for this alone

    pipeline = FacePipeline(pack)

    def ours(_: int) -> object:
        return [pipeline.embed(frame, face) for face in pipeline.observe(frame).faces]

    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # its alignment uses what scikit-image has deprecated
        for model in (pack.detector.model, pack.embedder.model):
            (Path(folder) / model.file).write_bytes(files[model.file])
        peer = FaceAnalysis(folder, providers=["CPUExecutionProvider"])
        for side in (640, DETECT_SIDE):
            peer.prepare(ctx_id=-1, det_size=(side, side))
            mine, theirs = race(ours, lambda _: peer.get(frame.pixels), turns, clock)
            yield Figure(f"frame to embeddings, FaceAnalysis at {side}", mine.wall_ms, "ms", theirs.wall_ms)


def against_deepface(pack: Pack, model: bytes, frame: Frame, turns: int, clock: SystemClock) -> Iterator[Figure]:
    """From a frame to aligned faces: the desk's way, and `DeepFace.extract_faces` with the same YuNet file.

    model: the pack's detector file, put where deepface keeps its own, so that nothing is downloaded. Wall time. Nothing
    for a detector that is no YuNet, or where deepface is not installed.
    """
    if pack.detector.model.family != "yunet" or not _has_deepface():
        return
    pipeline, embedder = FacePipeline(pack), Embedder(pack.embedder, pack.digest)

    def ours(_: int) -> object:
        return [embedder.align(frame.pixels, face.landmarks) for face in pipeline.observe(frame).faces]

    with tempfile.TemporaryDirectory(prefix="keldim-bench-") as folder:
        weights = Path(folder) / ".deepface" / "weights"
        weights.mkdir(parents=True)
        (weights / "face_detection_yunet_2023mar.onnx").write_bytes(model)
        os.environ["DEEPFACE_HOME"] = folder
        from deepface import DeepFace  # noqa: PLC0415 - brings TensorFlow, wanted for this alone

        mine, theirs = race(
            ours, lambda _: DeepFace.extract_faces(frame.pixels, detector_backend="yunet", align=True), turns, clock
        )
    yield Figure("frame to aligned faces, deepface", mine.wall_ms, "ms", theirs.wall_ms)


def _has_deepface() -> bool:
    return find_spec("deepface") is not None


def measure(folder: Path, turns: int, clock: SystemClock) -> Report:
    """Race a pack's models against their peers. Raises PackInvalid, DemoFailed without a test picture."""
    pack, files = open_pack(folder, evaluation=True), read_pack(folder).files
    frame = standing(pack)
    figures = (
        *against_opencv(pack, files[pack.detector.model.file], frame, turns, clock),
        *against_published(pack, files, frame, turns, clock),
        *against_insightface(pack, files, frame, turns, clock),
        *against_deepface(pack, files[pack.detector.model.file], frame, turns, clock),
    )
    facts: dict[str, str | int | float] = {
        "pack": pack.name,
        "frame": f"{frame.width} x {frame.height}",
        "turns": turns,
        "deepface": "installed" if _has_deepface() else "not installed (the extra `peers`)",
    }
    return Report("vision", "peer", facts, figures)
