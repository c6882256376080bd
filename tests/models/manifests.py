"""Example manifests of every family the format was made for, and packs of plain bytes around them."""

import hashlib
from dataclasses import replace
from pathlib import Path

from models.calibration import (
    CALIBRATION_NAME,
    Calibration,
    Cohort,
    GenuineScores,
    ImpostorScores,
    write_calibration,
)
from models.manifest import (
    MANIFEST_NAME,
    CloserSpec,
    Colour,
    DetectSpec,
    EmbedSpec,
    InputSpec,
    Layout,
    Licence,
    Loader,
    Manifest,
    Model,
    PackFile,
    PadSpec,
    QualitySpec,
    Task,
    Upstream,
    Use,
)
from models.manifest_document import write_manifest

ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
GREY, SCALE = (127.5, 127.5, 127.5), (128.0, 128.0, 128.0)
ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def _model(task: Task, family: str, loader: Loader, licence: Licence, spec: InputSpec) -> Model:
    return Model(
        task=task,
        family=family,
        loader=loader,
        file=f"{family}.onnx",
        upstream=Upstream(f"https://example.org/{family}.onnx", "2" * 64, 1000),
        rewrites=(),
        licence=licence,
        input=spec,
        detect=DetectSpec(0.5, 0.4) if task is Task.DETECT else None,
        embed=EmbedSpec(512, ARCFACE, mirror=False) if task is Task.EMBED else None,
        pad=PadSpec(2.7, 1) if task is Task.PAD else None,
        quality=QualitySpec(ARCFACE[:3], 0.5, 0.05) if task is Task.QUALITY else None,
    )


def insightface_models() -> tuple[Model, Model]:
    """SCRFD and ArcFace, loaded by the insightface package; research use only."""
    licence = Licence("LicenseRef-InsightFace-models", Use.RESEARCH, "licence.txt")
    return (
        _model(Task.DETECT, "scrfd", Loader.INSIGHTFACE, licence, InputSpec(Colour.RGB, GREY, SCALE, multiple=32)),
        _model(Task.EMBED, "arcface", Loader.INSIGHTFACE, licence, InputSpec(Colour.RGB, GREY, GREY, 112, 112)),
    )


def zoo_models() -> tuple[Model, Model]:
    """YuNet, whose faces are looked at once more, and SFace of OpenCV Zoo."""
    detector = _model(
        Task.DETECT,
        "yunet",
        Loader.ONNXRUNTIME,
        Licence("MIT", Use.ANY, "licence.txt"),
        InputSpec(Colour.BGR, ZERO, ONE, multiple=32),
    )
    return (
        replace(detector, detect=DetectSpec(0.5, 0.4, CloserSpec(160, 44.0))),
        _model(
            Task.EMBED,
            "cosine",
            Loader.ONNXRUNTIME,
            Licence("Apache-2.0", Use.ANY, "licence.txt"),
            InputSpec(Colour.RGB, ZERO, ONE, 112, 112),
        ),
    )


def guard_models() -> tuple[Model, Model, Model]:
    """Two presentation attack detectors and a quality network that wants its channels last."""
    apache = Licence("Apache-2.0", Use.ANY, "licence.txt")
    small, wide = (
        replace(
            _model(Task.PAD, "minifasnet", Loader.ONNXRUNTIME, apache, InputSpec(Colour.BGR, ZERO, ONE, 80, 80)),
            file=f"pad-{name}.onnx",
            upstream=Upstream("https://example.org/a.pth", "3" * 64, 9, modified="exported as ONNX"),
            rewrites=("prelu",),
            pad=PadSpec(context, 1),
        )
        for name, context in (("small", 2.7), ("wide", 4.0))
    )
    spec = InputSpec(Colour.BGR, GREY, SCALE, 96, 96, layout=Layout.NHWC)
    return small, wide, _model(Task.QUALITY, "lightqnet", Loader.ONNXRUNTIME, apache, spec)


def calibration(detect: str = "0" * 64, embed: str = "1" * 64) -> Calibration:
    """A calibration of two small cohorts for models with these digests."""
    return Calibration(
        measured="2026-01-31",
        method="made up for tests",
        models=(("detect", detect), ("embed", embed)),
        cohorts=(
            Cohort(
                name="wide",
                description="many people",
                people=100,
                images=400,
                impostor=ImpostorScores(60000, ((1.0, 0.7), (3.0, 0.66), (60.0, 0.5), (6e3, 0.3)), 0.5, 0.001, 9.0),
                genuine=GenuineScores(600, ((0.01, 0.45), (0.5, 0.7), (0.99, 0.9))),
                margin=0.04,
            ),
            Cohort(
                name="narrow",
                description="few people who look alike",
                people=20,
                images=100,
                impostor=ImpostorScores(3000, ((1.0, 0.7), (3.0, 0.65), (300.0, 0.4)), 0.4, 0.1, 8.0),
                genuine=GenuineScores(200, ((0.01, 0.4), (0.5, 0.68), (0.99, 0.88))),
                margin=0.06,
            ),
        ),
    )


def write_pack(folder: Path, models: tuple[Model, ...]) -> Manifest:
    """Write a pack whose models are not models: whole as files, but nothing that runs."""
    folder.mkdir(parents=True)
    files = {model.file: model.family.encode() * 10 for model in models}
    files |= {"licence.txt": b"permitted\n", "golden.npz": b"none", "card.md": b"# made up\n", CALIBRATION_NAME: b"-"}
    digests = manifest_of(models, files).model_digests()
    files[CALIBRATION_NAME] = write_calibration(calibration(digests["detect"], digests["embed"]))
    manifest = manifest_of(models, files)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / MANIFEST_NAME).write_bytes(write_manifest(manifest))
    return manifest


def manifest_of(models: tuple[Model, ...], files: dict[str, bytes]) -> Manifest:
    """A manifest over these files."""
    listed = (PackFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items()))
    return Manifest(
        name="example",
        version="1",
        models=models,
        files=tuple(listed),
        golden="golden.npz",
        card="card.md",
        calibration=CALIBRATION_NAME,
    )
