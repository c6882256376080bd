"""The manifest of a model pack: which files it holds, what each model is, and how its input is made.

One format for every family of detector, embedder, presentation attack detector and quality network. Whether this
version of the program has an adapter for a family is known to `appliance.face.pack`; reading and writing belongs to
`manifest_document`, files on disk to `store`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum

FORMAT = 2
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
    PAD = "pad"
    """Face with its surroundings -> probability of each class, one of which is live (presentation attack detection)."""
    QUALITY = "quality"
    """Aligned face -> one number, the higher the better the face is recognised."""


class Loader(StrEnum):
    """Which library opens the file."""

    ONNXRUNTIME = "onnxruntime"
    INSIGHTFACE = "insightface"


class Colour(StrEnum):
    """Order of the colour channels a model expects."""

    RGB = "rgb"
    BGR = "bgr"


class Layout(StrEnum):
    """Order of a model's input: N images, C channels, H rows, W columns."""

    NCHW = "nchw"
    NHWC = "nhwc"


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
    """The input tensor float32, 1 x 3 x H x W or 1 x H x W x 3: channel c is (pixel - mean[c]) / std[c].

    Channels are in the order of `colour`.

    width, height: fixed size in pixels, or 0 where any multiple of `multiple` goes (then `multiple` > 0).
    """

    colour: Colour
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    width: int = 0
    height: int = 0
    multiple: int = 0
    layout: Layout = Layout.NCHW

    @property
    def fixed(self) -> bool:
        """Whether the model takes one size only."""
        return self.width > 0


@dataclass(frozen=True, slots=True)
class CloserSpec:
    """How a found face is looked at once more before it is embedded: upright in a square of side x side pixels.

    eyes: pixels between the eyes there.
    """

    side: int
    eyes: float


@dataclass(frozen=True, slots=True)
class DetectSpec:
    """score: faces below it are dropped, 0..1. overlap: of two boxes with a larger IoU the weaker one is dropped.

    closer: where embeddings are better with landmarks from a second look.
    """

    score: float
    overlap: float
    closer: CloserSpec | None = None


@dataclass(frozen=True, slots=True)
class EmbedSpec:
    """dimension: of the embedding. template: where eyes, nose tip and mouth corners come to lie in the crop, pixels.

    mirror: the embedding is the mean of the crop's and its mirror image's, before normalisation.
    """

    dimension: int
    template: tuple[Point, Point, Point, Point, Point]
    mirror: bool


@dataclass(frozen=True, slots=True)
class PadSpec:
    """The crop: the face's box enlarged `context` times about its centre, and moved inside the picture.

    Source: `CropImage` of Silent-Face-Anti-Spoofing. live: which class of the softmax output is a live face.
    """

    context: float
    live: int


@dataclass(frozen=True, slots=True)
class QualitySpec:
    """template: where both eyes and the middle of the mouth corners come to lie in the crop, pixels.

    The output x stands for 100 / (1 + exp(-(x - centre) / width)), 0..100 as ISO/IEC 29794-5 counts.
    """

    template: tuple[Point, Point, Point]
    centre: float
    width: float


@dataclass(frozen=True, slots=True)
class Licence:
    """Licence of the weights. identifier: SPDX where there is one. text: the pack's file that holds it."""

    identifier: str
    use: Use
    text: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """The file a model was made from. address: where it was published. sha256: hex. size: bytes.

    modified: what was done between the published file and the one named here; None: it is that file, byte for byte.
    """

    address: str
    sha256: str
    size: int
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model. family: names the adapter that reads its output. Exactly the spec of its task is set.

    rewrites: what building the pack did to the graph, in order; weights and results stay what they were.
    """

    task: Task
    family: str
    loader: Loader
    file: str
    upstream: Upstream
    rewrites: tuple[str, ...]
    licence: Licence
    input: InputSpec
    detect: DetectSpec | None = None
    embed: EmbedSpec | None = None
    pad: PadSpec | None = None
    quality: QualitySpec | None = None

    @property
    def key(self) -> str:
        """The model's name inside its pack: its file name without the last suffix; several PAD models differ in it."""
        return self.file.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A pack's contents. files: everything in the folder but the manifest, in order of name.

    calibration, golden, card, codebook: names of files. calibration None: nobody has measured the pack yet. codebook:
    .npz for product quantisation of its embeddings. At most one model per task, except PAD: an ensemble in order.
    """

    name: str
    version: str
    models: tuple[Model, ...]
    files: tuple[PackFile, ...]
    golden: str
    card: str
    calibration: str | None = None
    codebook: str | None = None

    def model(self, task: Task) -> Model | None:
        """The first model for a task, if the pack has one."""
        return next(iter(self.models_for(task)), None)

    def models_for(self, task: Task) -> tuple[Model, ...]:
        """The models for a task, in order."""
        return tuple(model for model in self.models if model.task == task)

    @property
    def use(self) -> Use:
        """What the licences of all models together allow."""
        return Use.ANY if all(model.licence.use is Use.ANY for model in self.models) else Use.RESEARCH

    def model_digests(self) -> dict[str, str]:
        """What each model computes, by its task; the second and further PAD models are `pad-2`, `pad-3` ...

        SHA-256 over its file's hash and everything that decides what goes into it and what its output means: a
        calibration measured with another crop, mirror image or second look is one of another model.
        """
        found: dict[str, str] = {}
        for task in Task:
            for number, model in enumerate(self.models_for(task), 1):
                specs = [model.input, model.detect, model.embed, model.pad, model.quality]
                said = [self.file(model.file).sha256, model.family, model.loader]
                text = json.dumps([*said, *(spec and asdict(spec) for spec in specs)], sort_keys=True)
                found[task if number == 1 else f"{task}-{number}"] = hashlib.sha256(text.encode()).hexdigest()
        return found

    def template_form(self) -> str:
        """What leads from a picture to a template, as a digest: templates of packs with the same one are comparable.

        Detector and embedder with all that decides what goes into them (the detector's landmarks decide how the face
        is aligned); not the calibration, which says what scores mean and may change for templates there are.
        """
        digests = self.model_digests()
        return hashlib.sha256(json.dumps([digests.get(Task.DETECT), digests.get(Task.EMBED)]).encode()).hexdigest()

    def file(self, name: str) -> PackFile:
        """A file by name. Raises KeyError."""
        found = next((file for file in self.files if file.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def pack_digest(data: bytes) -> str:
    """The identity of a pack: SHA-256 (hex) over the bytes of its manifest, which holds the hash of every file."""
    return hashlib.sha256(data).hexdigest()
