"""Upstream networks as packs describe them, and synthetic outputs, for the adapters' tests."""

from pathlib import Path

from appliance.face.pack import Runner
from models.manifest import (
    Colour,
    DetectSpec,
    EmbedSpec,
    InputSpec,
    Layout,
    Licence,
    Loader,
    Model,
    PadSpec,
    QualitySpec,
    Task,
    Upstream,
    Use,
)
from tests.models.manifests import ARCFACE, GREY, ONE, ZERO

YUNET, SCRFD, EDGEFACE = "yunet_n_dynamic.onnx", "scrfd_500m_kps_dyn.onnx", "edgeface_xs_deq.onnx"
MINIFASNET = (("minifasnet_v2_2.7_80.onnx", 2.7), ("minifasnet_v1se_4.0_80.onnx", 4.0))
LIGHTQNET = "lightqnet_dm050.onnx"
EYES_AND_MOUTH = ((32.8, 44.3), (63.0, 44.1), (48.1, 79.1))


def _model(task: Task, family: str, file: str, spec: InputSpec, **of_task: object) -> Model:
    known = Upstream("https://example.org/model", "0" * 64, 1)
    licence = Licence("Apache-2.0", Use.ANY, "licence.txt")
    return Model(task, family, Loader.ONNXRUNTIME, file, known, (), licence, spec, **of_task)  # type: ignore[arg-type]


def _runner(folder: Path, model: Model) -> Runner:
    return Runner((folder / model.file).read_bytes(), model)


def yunet(folder: Path, file: str = YUNET, score: float = 0.6, overlap: float = 0.3) -> Runner:
    """YuNet of libfacedetection.train."""
    spec = InputSpec(Colour.BGR, ZERO, ONE, multiple=32)
    return _runner(folder, _model(Task.DETECT, "yunet", file, spec, detect=DetectSpec(score, overlap)))


def scrfd(folder: Path, score: float = 0.5, overlap: float = 0.4) -> Runner:
    """SCRFD-500M with landmarks."""
    spec = InputSpec(Colour.RGB, GREY, (128.0,) * 3, multiple=32)
    return _runner(folder, _model(Task.DETECT, "scrfd", SCRFD, spec, detect=DetectSpec(score, overlap)))


def edgeface(folder: Path, *, mirror: bool) -> Runner:
    """EdgeFace-XS."""
    spec = InputSpec(Colour.RGB, GREY, GREY, 112, 112)
    return _runner(folder, _model(Task.EMBED, "cosine", EDGEFACE, spec, embed=EmbedSpec(512, ARCFACE, mirror)))


def minifasnets(folder: Path) -> tuple[Runner, ...]:
    """Both members of the ensemble."""
    spec = InputSpec(Colour.BGR, ZERO, ONE, 80, 80)
    models = [_model(Task.PAD, "minifasnet", file, spec, pad=PadSpec(context, 1)) for file, context in MINIFASNET]
    return tuple(_runner(folder, model) for model in models)


def lightqnet(folder: Path) -> Runner:
    """LightQNet x 0.5."""
    spec = InputSpec(Colour.BGR, (128.0,) * 3, (128.0,) * 3, 96, 96, layout=Layout.NHWC)
    quality = QualitySpec(EYES_AND_MOUTH, 0.5, 0.04)
    return _runner(folder, _model(Task.QUALITY, "lightqnet", LIGHTQNET, spec, quality=quality))
