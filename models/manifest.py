"""The manifest of a model pack: which files it holds, what each model is, and how its input is made.

One format for every family: CenterFace and dlib's ResNet of the builtin pack, SCRFD and ArcFace of InsightFace,
YuNet and SFace of OpenCV Zoo. Whether this version of the program has an adapter for a family is known to
`appliance.face.pack`; files on disk belong to `store`.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from models import document
from models.document import Fields, Json
from models.errors import PackDamaged

FORMAT = 1
MANIFEST_NAME = "manifest.json"
MAX_FILE_BYTES = 1 << 30
"""The largest embedders in use (ResNet-200) have 300 MB; a gigabyte bounds what a bad manifest can make us read."""

Point = tuple[float, float]


class Task(StrEnum):
    """What a model does."""

    DETECT = "detect"
    """Frame -> faces with five landmarks."""
    EMBED = "embed"
    """Aligned face -> embedding."""


class Loader(StrEnum):
    """Which library opens the file."""

    ONNXRUNTIME = "onnxruntime"
    INSIGHTFACE = "insightface"


class Colour(StrEnum):
    """Order of the colour channels a model expects."""

    RGB = "rgb"
    BGR = "bgr"


class Use(StrEnum):
    """What the licence of the weights allows; anything but `any` has to be accepted by the operator first."""

    ANY = "any"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class PackFile:
    """A file of the pack. name: plain, without folders. sha256: hex."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input tensor float32 1 x 3 x H x W (NCHW): channel c is (pixel - mean[c]) / std[c], in the order of `colour`.

    width, height: fixed size in pixels, or 0 where any multiple of `multiple` goes (then `multiple` > 0).
    """

    colour: Colour
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    width: int = 0
    height: int = 0
    multiple: int = 0

    @property
    def fixed(self) -> bool:
        """Whether the model takes one size only."""
        return self.width > 0


@dataclass(frozen=True, slots=True)
class DetectSpec:
    """score: faces below it are dropped, 0..1. overlap: of two boxes with a larger IoU the weaker one is dropped."""

    score: float
    overlap: float


@dataclass(frozen=True, slots=True)
class EmbedSpec:
    """dimension: of the embedding. template: where eyes, nose tip and mouth corners come to lie in the crop, pixels.

    mirror: the embedding is the mean of the crop's and its mirror image's, before normalisation.
    """

    dimension: int
    template: tuple[Point, Point, Point, Point, Point]
    mirror: bool


@dataclass(frozen=True, slots=True)
class Licence:
    """Licence of the weights. identifier: SPDX where there is one. text: the pack's file that holds it."""

    identifier: str
    use: Use
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model. family: names the adapter that reads its output. Exactly the spec of its task is set."""

    task: Task
    family: str
    loader: Loader
    file: str
    source: str
    licence: Licence
    input: InputSpec
    detect: DetectSpec | None = None
    embed: EmbedSpec | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A pack's contents. files: everything in the folder but the manifest, in order of name.

    calibration, golden, card: names of files. At most one model per task.
    """

    name: str
    version: str
    models: tuple[Model, ...]
    files: tuple[PackFile, ...]
    calibration: str
    golden: str
    card: str

    def model(self, task: Task) -> Model | None:
        """The model for a task, if the pack has one."""
        return next((model for model in self.models if model.task == task), None)

    def file(self, name: str) -> PackFile:
        """A file by name. Raises KeyError."""
        found = next((file for file in self.files if file.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def pack_digest(data: bytes) -> str:
    """The identity of a pack: SHA-256 (hex) over the bytes of its manifest, which holds the hash of every file."""
    return hashlib.sha256(data).hexdigest()


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises PackDamaged unless it is complete, consistent and in its one canonical form."""
    top = document.read(data, MANIFEST_NAME)
    if top.whole("format", 0, 1 << 16) != FORMAT:
        raise top.fault("format", f"is not {FORMAT}: the pack is for another version of the program")
    manifest = Manifest(
        name=top.slug("name"),
        version=top.slug("version"),
        models=tuple(_model(fields) for fields in top.objects("models")),
        files=tuple(_file(fields) for fields in top.objects("files")),
        calibration=top.slug("calibration"),
        golden=top.slug("golden"),
        card=top.slug("card"),
    )
    top.end()
    _check(manifest)
    if write_manifest(manifest) != data:
        raise PackDamaged(f"{MANIFEST_NAME}: not in canonical form")
    return manifest


def _check(manifest: Manifest) -> None:
    names = [file.name for file in manifest.files]
    if names != sorted(set(names)):
        raise PackDamaged(f"{MANIFEST_NAME}: files are repeated or not in order of name")
    if MANIFEST_NAME in names:
        raise PackDamaged(f"{MANIFEST_NAME}: lists itself")
    tasks = [model.task for model in manifest.models]
    if not tasks or len(set(tasks)) != len(tasks):
        raise PackDamaged(f"{MANIFEST_NAME}: needs models, at most one per task")
    wanted = [manifest.calibration, manifest.golden, manifest.card]
    wanted += [name for model in manifest.models for name in (model.file, model.licence.text)]
    missing = sorted(set(wanted) - set(names))
    if missing:
        raise PackDamaged(f"{MANIFEST_NAME}: {missing[0]} is not among its files")


def _file(fields: Fields) -> PackFile:
    file = PackFile(fields.slug("name"), fields.sha256("sha256"), fields.whole("bytes", 1, MAX_FILE_BYTES))
    fields.end()
    return file


def _model(fields: Fields) -> Model:
    task = Task(fields.choice("task", Task))
    model = Model(
        task=task,
        family=fields.slug("family"),
        loader=Loader(fields.choice("loader", Loader)),
        file=fields.slug("file"),
        source=fields.text("source"),
        licence=_licence(fields.object("licence")),
        input=_input(fields.object("input")),
        detect=_detect(fields.object("detect")) if task is Task.DETECT else None,
        embed=_embed(fields.object("embed")) if task is Task.EMBED else None,
    )
    fields.end()
    if model.embed is not None and not model.input.fixed:
        raise fields.fault("input", "of an embedder has one fixed size")
    return model


def _licence(fields: Fields) -> Licence:
    licence = Licence(fields.text("identifier"), Use(fields.choice("use", Use)), fields.slug("text"))
    fields.end()
    return licence


def _input(fields: Fields) -> InputSpec:
    colour = Colour(fields.choice("colour", Colour))
    mean, std = _three(fields, "mean"), _three(fields, "std")
    if min(std) <= 0:
        raise fields.fault("std", "is not above zero")
    if fields.has("multiple"):
        spec = InputSpec(colour, mean, std, multiple=fields.whole("multiple", 1, 128))
    else:
        spec = InputSpec(colour, mean, std, fields.whole("width", 8, 4096), fields.whole("height", 8, 4096))
    fields.end()
    return spec


def _three(fields: Fields, name: str) -> tuple[float, float, float]:
    a, b, c = fields.numbers(name, 3)
    return a, b, c


def _detect(fields: Fields) -> DetectSpec:
    spec = DetectSpec(fields.number("score", 0.01, 0.99), fields.number("overlap", 0.05, 0.95))
    fields.end()
    return spec


def _embed(fields: Fields) -> EmbedSpec:
    dimension = fields.whole("dimension", 8, 4096)
    a, b, c, d, e = fields.points("template", 5)
    spec = EmbedSpec(dimension, (a, b, c, d, e), fields.flag("mirror"))
    fields.end()
    return spec


def write_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes of a manifest; `parse_manifest` gives the same manifest back."""
    return document.write(
        {
            "format": FORMAT,
            "name": manifest.name,
            "version": manifest.version,
            "models": [_model_json(model) for model in manifest.models],
            "files": [{"name": f.name, "sha256": f.sha256, "bytes": f.size} for f in manifest.files],
            "calibration": manifest.calibration,
            "golden": manifest.golden,
            "card": manifest.card,
        }
    )


def _model_json(model: Model) -> Json:
    written: dict[str, Json] = {
        "task": model.task.value,
        "family": model.family,
        "loader": model.loader.value,
        "file": model.file,
        "source": model.source,
        "licence": {
            "identifier": model.licence.identifier,
            "use": model.licence.use.value,
            "text": model.licence.text,
        },
        "input": _input_json(model.input),
    }
    if model.detect is not None:
        written["detect"] = {"score": model.detect.score, "overlap": model.detect.overlap}
    if model.embed is not None:
        written["embed"] = {
            "dimension": model.embed.dimension,
            "template": [[x, y] for x, y in model.embed.template],
            "mirror": model.embed.mirror,
        }
    return written


def _input_json(spec: InputSpec) -> Json:
    written: dict[str, Json] = {"colour": spec.colour.value, "mean": list(spec.mean), "std": list(spec.std)}
    if spec.fixed:
        return written | {"width": spec.width, "height": spec.height}
    return written | {"multiple": spec.multiple}
